"""What an analyzer declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tdw.errors import BadConfig
from tdw.recipes.context import Arrays

if TYPE_CHECKING:
    from tdw.recipes.family import VariantConfig

Metadata = dict[str, float | int | str]

DEFAULT = "default"
"""What stands in a study's `analyzers` for all that are on by default."""


def describe_nothing(arrays: Arrays) -> Metadata:
    """No numbers beyond what every artifact has."""
    return {}


def suits_all(config: VariantConfig) -> str:
    """No variant is refused."""
    return ""


def no_steps(parameters: Any) -> float:
    """The cost of an analyzer that takes little beside the forward pass."""
    return 0


@dataclass(frozen=True)
class Analyzer:
    """One function from a checkpoint to named arrays, and what must be known about it.

    Attributes:
        name, title, description: `description` is Markdown: formula, source, how to read it.
        code_version: changed by hand whenever the same checkpoint would give other arrays.
        parameters: frozen dataclass; its defaults are the analyzer's.
        function: (context, parameters) -> arrays; the context is the family's, see `recipes.context`.
        requires: analyzers whose arrays `function` finds in `context.results`.
        arrays: array name -> dtype, shape and meaning.
        quantize, half: arrays stored with 8 bits and a range per row, and as float16.
        describe: arrays -> a few numbers for people.
        refuses: config -> why it says nothing of such a variant; "" where it does.
        steps: parameters -> how many training steps it takes beside the forward pass that all share, about.
    """

    name: str
    title: str
    description: str
    code_version: str
    parameters: type[Any]
    function: Callable[[Any, Any], Arrays]
    requires: tuple[str, ...] = ()
    arrays: Mapping[str, str] = field(default_factory=dict[str, str])
    quantize: tuple[str, ...] = ()
    half: tuple[str, ...] = ()
    describe: Callable[[Arrays], Metadata] = describe_nothing
    refuses: Callable[[Any], str] = suits_all
    steps: Callable[[Any], float] = no_steps

    @property
    def by_default(self) -> bool:
        """Whether a study that does not name it has it: not if it takes more than about a forward pass."""
        return self.steps(self.parameters()) <= 1

    @property
    def price(self) -> str:
        """What is said of an analyzer that is off by default, and how a study turns it on."""
        return (
            f"{self.name} is off by default: each checkpoint takes as long as about "
            f"{self.steps(self.parameters()):,.0f} training steps. A study turns it on with "
            f"`analyzers: [{DEFAULT}, {self.name}]`"
        )

    def require_alone(self) -> None:
        """Raise BadConfig where it is made from others' arrays: such ones can't be left out of the store."""
        if self.requires:
            raise BadConfig(
                f"{self.name} is made from {', '.join(self.requires)}, so it can't be kept on demand",
                "keep it: only what is computed from a checkpoint alone can be left out",
            )
