"""Several studies side by side, in one store: which ones go together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from tdw.errors import BadConfig
from tdw.parameters import as_json
from tdw.recipes.catalog import catalog_of
from tdw.study.file import load_study
from tdw.study.models import Study


def load_studies(paths: Iterable[str | Path]) -> tuple[Study, ...]:
    """Studies that are carried out together.

    Raises:
        BadConfig: a file that can't be used, or studies that don't go together.
    """
    studies = tuple(load_study(path) for path in paths)
    require_together(studies)
    return studies


def require_together(studies: Sequence[Study]) -> None:
    """Check that each study has a name of its own, and that they agree on the files that they share.

    Raises:
        BadConfig: names the two studies, and what they differ in.
    """
    for first, second in combinations(studies, 2):
        if first.slug == second.slug:
            also = "" if first.name == second.name else f" and {second.name}, which are one name in Dagster"
            raise BadConfig(f"two studies are called {first.name}{also}", "give each a `name:` of its own")
        if first.family == second.family:
            _require_shareable(first, second)


def _require_shareable(first: Study, second: Study) -> None:
    """A variant of both has one file per cell: it can't be made with two sets of parameters."""
    shared = [key for key in first.variant_keys if key in second.variant_keys]
    if not shared:
        return
    mine, theirs = first.analyzer_parameters, second.analyzer_parameters
    pairs = {f"analyzer {name}": (mine[name], theirs[name]) for name in mine if name in theirs}
    both = [name for name in first.analyzers if name in second.analyzers]
    for summary in catalog_of(first.family_declaration).summaries_of(both):
        name = summary.name
        pairs[f"summary {name}"] = first.summary_options(name), second.summary_options(name)
    differ = [
        f"{field} of {of} ({a} and {b})" for of, pair in pairs.items() for field, a, b in _fields(*pair)
    ]
    test_every = first.training.test_every, second.training.test_every
    if test_every[0] != test_every[1]:  # the history has the rows of the study that trains first
        differ.append("test_every of training ({} and {})".format(*test_every))
    if differ:
        raise BadConfig(
            f"studies {first.name} and {second.name} both have {shared[0]}, and differ in "
            + ", ".join(differ),
            "give both studies the same, or keep one of them in another store (--store)",
        )


def _fields(first: Any, second: Any) -> list[tuple[str, Any, Any]]:
    """Fields of two parameters dataclasses that differ, with both values."""
    mine, theirs = as_json(first), as_json(second)
    return [(name, mine[name], theirs[name]) for name in mine if mine[name] != theirs[name]]
