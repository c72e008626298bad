"""From plain values to a study: grids are spread, the family's defaults filled in, everything checked."""

# What YAML holds has no type until the model has checked it.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tdw.epochs import parse_epochs
from tdw.errors import BadConfig
from tdw.families import Family, get_family, load_family
from tdw.recipes.analyzer import DEFAULT
from tdw.recipes.catalog import catalog_of
from tdw.store.layout import validate_name
from tdw.study.claims import parse_claims
from tdw.study.models import Study, make_config, replicate
from tdw.study.refusal import At, Where, at

MAX_VARIANTS = 10_000
MAX_NAME = 100


def parse_study(values: Mapping[str, Any], *, folder: Path | None = None) -> Study:
    """A study from the values of a file: grids are spread, defaults of the family filled in, all checked.

    Args:
        values: by field; `claims` is a list.
        folder: of the file, where Python functions of claims are looked for; None when there is no file.

    Raises:
        BadConfig: what is wrong and the remedy.
    """
    values = dict(values)
    _refuse_booleans(values, (), set())
    name = values.get("family", Study.model_fields["family"].default)
    if is_folder(name):
        family = at(("family",), lambda: load_family(Path(name)))
        values |= {"family": family.name, "family_folder": str(Path(name).resolve())}
    else:
        family = at(("family",), lambda: get_family(str(name)))
    values["variants"] = _spread(values.get("variants"))
    values["epochs"], values["checkpoints"] = _schedule(values, family)
    values["analyzers"], named = _analyzers(values.get("analyzers"), family)
    values["summaries"] = _summaries(values, family)
    values["claims"] = _claims(values.get("claims"), family, folder)
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
        raise At(
            where, f"{first['msg']}{given}", f"correct it; docs/study-files.md lists every field{known}"
        ) from error
    at(("name",), lambda: _check_name(study.name))
    _check_variants(study)
    study = _with_suited(study, named)
    _check_epochs(study)
    for name in study.keep:
        at(("keep", name), lambda name=name: _check_kept(study, name))
    return _with_early_epoch(study, given="early_epoch" in values)


def _check_name(name: str) -> None:
    """A name that files and Dagster's keys can begin with."""
    validate_name(name, what="study")
    if len(name) > MAX_NAME:
        raise BadConfig(f"{name[:40]!r}... has {len(name)} characters", f"use at most {MAX_NAME}")


def _refuse_booleans(value: Any, where: Where, seen: set[int]) -> None:
    """Raise At for a boolean: no setting is one, and Python would count `yes` and `true` as 1, `no` as 0.

    Args:
        seen: identities of the lists and mappings that were looked at: an anchor may lead into itself.
    """
    if isinstance(value, bool):
        raise At(
            where,
            f"it is {str(value).lower()} (YAML reads yes, no, on and off so), not a number or a name",
            "write the number; put a name in quotes",
        )
    if not isinstance(value, (dict, list, tuple)) or id(value) in seen:
        return
    seen.add(id(value))
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        _refuse_booleans(part, (*where, key if isinstance(key, int) else str(key)), seen)


def is_folder(family: Any) -> bool:
    """Whether a study names its family by a folder: `./my_family`, not `my_family`."""
    return isinstance(family, str) and ("/" in family or family.startswith("."))


def _spread(variants: Any) -> Any:
    """Spread `{grid: {p: [..], seed: [..]}}` into its variants; leave anything else to the model's checks."""
    if not (isinstance(variants, dict) and set(variants) == {"grid"} and isinstance(variants["grid"], dict)):
        return variants
    axes = {k: v if isinstance(v, list) else [v] for k, v in variants["grid"].items()}
    size = 1
    for axis in axes.values():
        size *= len(axis)
    if not 1 <= size <= MAX_VARIANTS:
        raise At(("variants", "grid"), f"spans {size} variants", f"span between 1 and {MAX_VARIANTS}")
    return [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]


def _schedule(values: Mapping[str, Any], family: Family) -> tuple[Any, Any]:
    epochs = values.get("epochs", family.default_epochs)
    if "checkpoints" in values:
        return epochs, values["checkpoints"]
    if not isinstance(epochs, int):
        return epochs, ()
    default = (epoch for epoch in parse_epochs(family.default_checkpoints) if epoch <= epochs)
    return epochs, sorted({*default, epochs})


def _analyzers(given: Any, family: Family) -> tuple[Any, frozenset[str]]:
    """Analyzers with their parameters, and which of them are named.

    Given is a list of names, or names with parameters; `default` stands for all that are on by default,
    as does None.
    """
    catalog = catalog_of(family)
    if given is None:
        given = [DEFAULT]
    if isinstance(given, list) and all(isinstance(name, str) for name in given):
        given = {name: {} for name in given}
    if not isinstance(given, dict):
        return given, frozenset()
    unnamed: dict[str, Any] = {}
    if DEFAULT in given:
        given = dict(given)
        if given.pop(DEFAULT):
            raise At(("analyzers", DEFAULT), "it takes no parameters", "give them to an analyzer by its name")
        unnamed = {name: {} for name in catalog.default_names}
    for name, parameters in given.items():
        where = ("analyzers", name)
        at(where, lambda name=name: catalog.analyzer(str(name)))
        if isinstance(parameters or {}, dict):
            at(where, lambda n=name, p=parameters: catalog.resolve_parameters({str(n): p or {}}))
    named = {name: parameters or {} for name, parameters in given.items()}
    return {**unnamed, **named}, frozenset(named)


def _summaries(values: dict[str, Any], family: Family) -> Any:
    """Parameters of summaries: under `summaries`, or at the top level under the summary's own name."""
    catalog = catalog_of(family)
    given = values.get("summaries") or {}
    if not isinstance(given, dict):
        return given
    at_top = {s.name: values.pop(s.name) for s in catalog.summaries if isinstance(values.get(s.name), dict)}
    for name, options in {**given, **at_top}.items():
        where = (name,) if name in at_top else ("summaries", name)
        at(where, lambda n=name, o=options: catalog.resolve_options(str(n), o or {}))
    return {name: options or {} for name, options in {**given, **at_top}.items()}


def _claims(given: Any, family: Family, folder: Path | None) -> list[dict[str, Any]]:
    if given is None:
        return []
    try:
        return [claim.model_dump() for claim in parse_claims(given, family, folder)]
    except At as error:
        raise At(("claims", *error.where), error.what, error.remedy) from error


def _check_variants(study: Study) -> None:
    if not study.variants:
        fields = " and ".join(field.name for field in study.family_declaration.fields)
        raise At(("variants",), "no variant is listed", f"list variants, or a grid of {fields}")
    seen: dict[str, int] = {}
    for i, variant in enumerate(study.variants):
        config = at(("variants", i), lambda v=variant: make_config(study.family_declaration, v))
        at(("replicates",), lambda c=config: replicate(study.family_declaration, c, study.replicates - 1))
        if config.key in seen:
            raise At(
                ("variants", i),
                f"{config.key} is listed twice (also as number {seen[config.key]})",
                "list it once",
            )
        seen[config.key] = i


def _with_suited(study: Study, named: frozenset[str]) -> Study:
    """Without the analyzers that refuse one of the variants; one that the file names is refused in words."""
    catalog = catalog_of(study.family_declaration)
    for name in (each for each in study.analyzers if each in named):  # in the file's order
        for config in study.configs:
            at(("analyzers", name), lambda n=name, c=config: catalog.require_suited([n], c))
    suited = named.union(catalog.suited(study.configs))
    kept = {name: given for name, given in study.analyzers.items() if name in suited}
    return study.model_copy(update={"analyzers": kept})


def _check_epochs(study: Study) -> None:
    if not study.checkpoints:
        raise At(("checkpoints",), "no epoch is listed", "list epochs, or ranges such as 0:1500:100")
    for i, item in enumerate(study.checkpoints):
        epochs = at(("checkpoints", i), lambda item=item: parse_epochs([item]))
        if epochs[-1] > study.epochs:
            raise At(
                ("checkpoints", i),
                f"{item!r} asks for epoch {epochs[-1]}, training ends at {study.epochs}",
                "lower it, or raise `epochs`",
            )


def _check_kept(study: Study, name: str) -> None:
    """Only what is computed from a checkpoint alone can be left out and computed again."""
    analyzer = catalog_of(study.family_declaration).analyzer(name)
    if name not in study.analyzers:
        raise BadConfig(f"{name} is not among the study's analyzers", "add it there, or leave it out here")
    analyzer.require_alone()


def _with_early_epoch(study: Study, *, given: bool) -> Study:
    """Nothing can be read at an epoch without a checkpoint: the default moves to the nearest that has one."""
    if study.early_epoch in study.epoch_list:
        return study
    nearest = min(study.epoch_list, key=lambda epoch: (abs(epoch - study.early_epoch), epoch))
    if given:
        raise At(
            ("early_epoch",),
            f"epoch {study.early_epoch} is not among the checkpoints",
            f"add it to `checkpoints`, or use {nearest}, the nearest that is",
        )
    return study.model_copy(update={"early_epoch": nearest})
