"""A claim, the verdict on it, and the numbers that it rests on.

The sentences of a finding are templates over its numbers, so text and number can't disagree.
"""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["supported", "contradicted", "undecided"]
Value = float | int | str | bool | None
ALPHA = 0.05
FEW = 0.01  # blobs are "few" below this share of the neurons


@dataclass(frozen=True)
class Finding:
    """One expected outcome, hypothesis or question.

    Attributes:
        id: "E1", "H2", "Q3".
        claim: what is judged; for a question, the answer it would be if the claim held.
        question: the question as it was asked, "" for a claim.
        verdict: by `rule`.
        rule: how the verdict follows from the numbers, in words.
        numbers: name -> value, all that the sentences use; NaN and None stand for what is not known.
        answer: a template over `numbers`, such as "{k} of {n} variants grokked".
        control: the same for the relabelling control, "" where it says nothing to the claim.
        limits: what can't be concluded, a template.
        would_change: what would change the verdict, a template.
        figures: names of the figures to show with it.
    """

    id: str
    claim: str
    verdict: Verdict
    rule: str
    numbers: Mapping[str, Value]
    answer: str
    would_change: str
    control: str = ""
    limits: str = ""
    question: str = ""
    figures: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        for template in (self.answer, self.control, self.limits, self.would_change):
            used = {name for _, name, _, _ in string.Formatter().parse(template) if name}
            if not used <= self.numbers.keys():
                raise ValueError(f"{self.id}: no number is called {', '.join(used - self.numbers.keys())}")

    def render(self, template: str) -> str:
        """A template with the numbers in it."""
        return template.format(**{name: show(value) for name, value in self.numbers.items()})


def show(value: Value) -> str:
    """A number as the report prints it: 4 significant digits, thousands separated, "unknown" for none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or "none"
    if value is None or math.isnan(value):
        return "unknown"
    if math.isinf(value):
        return "never" if value > 0 else "−∞"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    return f"{value:,.4g}".replace("-", "−")


def listed(keys: list[str] | tuple[str, ...]) -> str:
    """Names in a row, "none" for no name."""
    return ", ".join(keys) or "none"
