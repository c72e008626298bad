"""The study file: which variants, epochs, analyzers and rules. YAML in, frozen models out.

Every refusal names the file, the line, the path in the file, the value and the remedy.
"""

# What YAML holds has no type until the model has checked it.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tdw.analysis.registry import get_analyzer, resolve_parameters
from tdw.errors import BadConfig, TdwError
from tdw.families import Family, get_family
from tdw.families.base import VariantConfig
from tdw.store.fingerprints import fingerprint_json
from tdw.store.layout import validate_name
from tdw.training.schedule import parse_epochs

MAX_VARIANTS = 10_000
Where = tuple[str | int, ...]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Training(_Model):
    """How training runs; none of this changes the weights of an epoch."""

    test_every: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    state_every: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    device: Literal["auto", "cpu", "cuda"] = "auto"


class Grokking(_Model):
    """When a variant counts as grokked (S2): from which evaluated epoch on the metric stays beyond.

    Without a threshold it is the metric's: test loss below 0.01 nats, or test accuracy at or above 0.99.
    """

    metric: Literal["test_loss", "test_accuracy"] = "test_loss"
    threshold: Annotated[float, Field(gt=0, le=100, strict=False)] | None = None


class Adaptive(_Model):
    """Checkpoints added after a first pass where test loss falls fastest, the same for all variants (T5)."""

    extra_checkpoints: Annotated[int, Field(ge=1, le=10_000)]


class Study(_Model):
    """A study as it is carried out.

    Attributes:
        name: of the study; its variants are the Dagster partitions `<name>_variants`.
        family: a registered family.
        variants: each a mapping of domain parameters, or a variant key.
        epochs: the last epoch.
        checkpoints: epochs and ranges `start:stop:step`, both ends included.
        analyzers: names to run, with the parameters that differ from the defaults.
        early_epoch: the epoch at which "early" coarseness is read (S5).
    """

    name: str
    family: str = "modulo_addition_1layer"
    variants: tuple[dict[str, int | float] | str, ...]
    epochs: Annotated[int, Field(ge=0, le=10_000_000)]
    checkpoints: tuple[int | str, ...]
    analyzers: dict[str, dict[str, Any]]
    training: Training = Training()
    grokking: Grokking = Grokking()
    early_epoch: Annotated[int, Field(ge=0)] = 1000
    adaptive: Adaptive | None = None

    @cached_property
    def family_declaration(self) -> Family:
        """The registered family."""
        return get_family(self.family)

    @cached_property
    def configs(self) -> tuple[VariantConfig, ...]:
        """The variants' configurations, in the file's order."""
        return tuple(_config(self.family_declaration, variant) for variant in self.variants)

    @property
    def variant_keys(self) -> tuple[str, ...]:
        """The variants' keys, in the file's order."""
        return tuple(config.key for config in self.configs)

    @cached_property
    def epoch_list(self) -> tuple[int, ...]:
        """The scheduled epochs, ascending."""
        return parse_epochs(self.checkpoints)

    @cached_property
    def analyzer_parameters(self) -> dict[str, Any]:
        """Analyzer name -> its parameters dataclass, for every analyzer of the study."""
        return resolve_parameters(self.analyzers)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything in the study."""
        return fingerprint_json(self.model_dump(mode="json"))


def load_study(path: str | Path) -> Study:
    """Read a study file.

    Raises:
        BadConfig: names file, line, path in the file, value and remedy.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfig(f"{file}: can't be read ({error})", "give the path of a YAML study file") from error
    try:
        document = yaml.compose(text, Loader=_Loader)
        values = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        raise BadConfig(f"{file}: not YAML: {error}", "mend the line that is named") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise BadConfig(
            f"{file}: holds {type(values).__name__}, not a mapping of settings",
            "start from studies/quickstart.yaml",
        )
    values.setdefault("name", file.stem)
    try:
        return parse_study(values)
    except _At as error:
        line = _line(document, error.where)
        where = ".".join(map(str, error.where)) or "the file"
        raise BadConfig(f"{file}:{line}: {where}: {error.what}", error.remedy) from error


class _Loader(yaml.SafeLoader):
    """YAML without base-60 and octal numbers (`1:30:10` is a range, `00500` is 500) or keys given twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the name and the type are PyYAML's
        first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":int", ":timestamp"))]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for i, key in enumerate(keys):
            if key in keys[:i]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} is given twice", node.value[i][0].start_mark
                )
        return super().construct_mapping(node, deep=deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)


class _At(BadConfig):
    """A refusal that knows its path in the file."""

    def __init__(self, where: Where, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.where = where


def parse_study(values: Mapping[str, Any]) -> Study:
    """A study from the values of a file: grids are spread, defaults of the family filled in, all checked.

    Raises:
        BadConfig: what is wrong and the remedy.
    """
    values = dict(values)
    name = values.get("family", Study.model_fields["family"].default)
    family = _at(("family",), lambda: get_family(str(name)))
    values["variants"] = _spread(values.get("variants"))
    values["epochs"], values["checkpoints"] = _schedule(values, family)
    values["analyzers"] = _analyzers(values.get("analyzers"), family)
    try:
        study = Study.model_validate(values, strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple(
            part for part in first["loc"] if part not in ("str", "int") and not str(part).startswith("dict[")
        )
        given = f", got {first['input']!r}"[:120] if first["type"] != "missing" else ""
        known = (
            f"; it knows: {', '.join(Study.model_fields)}"
            if first["type"] == "extra_forbidden" and len(where) == 1
            else ""
        )
        raise _At(
            where, f"{first['msg']}{given}", f"correct it; docs/study-files.md lists every field{known}"
        ) from error
    _at(("name",), lambda: validate_name(study.name, what="study"))
    _check_variants(study)
    _check_epochs(study)
    return study


def _config(family: Family, variant: dict[str, int | float] | str) -> VariantConfig:
    if isinstance(variant, str):
        return family.parse_variant(variant)
    known = [field.name for field in family.fields]
    wrong = [name for name in variant if name not in known]
    missing = [field.name for field in family.fields if field.default is None and field.name not in variant]
    if wrong or missing:
        what = [f"unknown {', '.join(wrong)}"] if wrong else []
        what += [f"missing {', '.join(missing)}"] if missing else []
        raise BadConfig(
            f"{variant}: {' and '.join(what)}", f"a variant of {family.name} has {', '.join(known)}"
        )
    return family.make_config(**variant)


def _spread(variants: Any) -> Any:
    """Spread `{grid: {p: [..], seed: [..]}}` into its variants; leave anything else to the model's checks."""
    if not (isinstance(variants, dict) and set(variants) == {"grid"} and isinstance(variants["grid"], dict)):
        return variants
    axes = {k: v if isinstance(v, list) else [v] for k, v in variants["grid"].items()}
    size = 1
    for axis in axes.values():
        size *= len(axis)
    if not 1 <= size <= MAX_VARIANTS:
        raise _At(("variants", "grid"), f"spans {size} variants", f"span between 1 and {MAX_VARIANTS}")
    return [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]


def _schedule(values: Mapping[str, Any], family: Family) -> tuple[Any, Any]:
    epochs = values.get("epochs", family.default_epochs)
    if "checkpoints" in values:
        return epochs, values["checkpoints"]
    if not isinstance(epochs, int):
        return epochs, ()
    default = (epoch for epoch in parse_epochs(family.default_checkpoints) if epoch <= epochs)
    return epochs, sorted({*default, epochs})


def _analyzers(given: Any, family: Family) -> Any:
    """All of the family's when none are named; a list of names; or names with parameters."""
    if given is None:
        return {name: {} for name in family.analyzers}
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        given = {name: {} for name in given}
    if not isinstance(given, dict):
        return given
    for name, parameters in given.items():
        where = ("analyzers", name)
        _at(where, lambda name=name: get_analyzer(str(name)))
        if name not in family.analyzers:
            raise _At(where, f"{family.name} has no analyzer {name}", f"use {', '.join(family.analyzers)}")
        if isinstance(parameters or {}, dict):
            _at(where, lambda n=name, p=parameters: resolve_parameters({str(n): p or {}}))
    return {name: parameters or {} for name, parameters in given.items()}


def _check_variants(study: Study) -> None:
    if not study.variants:
        raise _At(("variants",), "no variant is listed", "list variants, or a grid of p, seed and data_seed")
    seen: dict[str, int] = {}
    for i, variant in enumerate(study.variants):
        config = _at(("variants", i), lambda v=variant: _config(study.family_declaration, v))
        if config.key in seen:
            raise _At(
                ("variants", i),
                f"{config.key} is listed twice (also as number {seen[config.key]})",
                "list it once",
            )
        seen[config.key] = i


def _check_epochs(study: Study) -> None:
    if not study.checkpoints:
        raise _At(("checkpoints",), "no epoch is listed", "list epochs, or ranges such as 0:1500:100")
    for i, item in enumerate(study.checkpoints):
        epochs = _at(("checkpoints", i), lambda item=item: parse_epochs([item]))
        if epochs[-1] > study.epochs:
            raise _At(
                ("checkpoints", i),
                f"{item!r} asks for epoch {epochs[-1]}, training ends at {study.epochs}",
                "lower it, or raise `epochs`",
            )


def _at(where: Where, make: Any) -> Any:
    try:
        return make()
    except _At:
        raise
    except TdwError as error:
        raise _At(where, error.what, error.remedy) from error


def _line(document: Any, where: Where) -> int:
    """The line of a path in the file, or of the nearest part of it that is there."""
    node, line = document, 1
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(part)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
