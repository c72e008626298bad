"""Names and numbers from a request: each is checked against what there is before it reaches the store."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from starlette.requests import Request

from tdw.errors import BadConfig, NotFound
from tdw.families import Family, all_families, get_family
from tdw.families.stored import stored_variants
from tdw.store import Store
from tdw.store.layout import compared_study, validate_name

if TYPE_CHECKING:
    from tdw_workbench.web.data.store_cache import StoreCache

MAX_LISTED = 20
_NUMBER = re.compile(r"[0-9]{1,8}")


def family_of(request: Request) -> str:
    """The family in the path. Raises NotFound when none of that name is registered."""
    name = validate_name(request.path_params["family"], what="family")
    return one_of(name, [family.name for family in all_families()], what="family")


def variant_of(request: Request, store: Store, family: str) -> str:
    """The variant in the path. Raises NotFound when the store has nothing of it."""
    name = validate_name(request.path_params["variant"], what="variant")
    return one_of(name, stored_variants(store, get_family(family)), what="variant")


def known_variant_of(request: Request, library: StoreCache, family: Family) -> str:
    """The variant in the path: one that is stored, or that a study has. Raises NotFound."""
    name = validate_name(request.path_params["variant"], what="variant")
    studies = [study for study in library.studies if study.family == family.name]
    if any(name in library.known_variants(study) for study in studies):
        return name
    try:
        return variant_of(request, library.store, family.name)
    except NotFound:  # one that was added a moment ago: whoever added it comes here at once
        if any(name in library.known_variants(study, now=True) for study in studies):
            return name
        raise


def place_of(request: Request, library: StoreCache, family: str) -> str:
    """The variant in the path, or the folder of what covers several: of a study, or of none.

    Raises:
        NotFound: there is no such variant, or no such study here.
    """
    name = validate_name(request.path_params["variant"], what="variant")
    if compared_study(name) is None:
        return variant_of(request, library.store, family)
    return one_of(name, library.comparison_folders(family), what="comparison")


def one_of(name: str, known: Collection[str], *, what: str) -> str:
    """`name`, if it is among `known`. Raises NotFound, naming some that are."""
    if name not in known:
        some = ", ".join(sorted(known)[:8]) or "none yet"
        raise NotFound(f"there is no {what} {name[:80]!r}", f"known: {some}")
    return name


def require_known(request: Request, names: Collection[str]) -> None:
    """Refuse query parameters that mean nothing here. Raises BadConfig."""
    for name in request.query_params:
        if name not in names:
            raise BadConfig(f"unknown parameter {name[:80]!r}", f"known: {', '.join(names) or 'none'}")


def number(text: str, *, what: str) -> int:
    """A whole number of at most eight digits. Raises BadConfig."""
    if not _NUMBER.fullmatch(text):
        raise BadConfig(f"{what} is {text[:80]!r}", "give a whole number from 0 to 99999999")
    return int(text)


def number_in(request: Request, name: str, *, low: int, high: int) -> int:
    """A query parameter that is there, between `low` and `high`. Raises BadConfig."""
    value = number(request.query_params.get(name, ""), what=name)
    if not low <= value <= high:
        raise BadConfig(f"{name} is {value}", f"give one from {low} to {high}")
    return value


def numbers_below(request: Request, name: str, *, stop: int, most: int = MAX_LISTED) -> list[int]:
    """A comma-separated query parameter of distinct numbers below `stop`. Raises BadConfig."""
    text = request.query_params.get(name, "")
    values = [number(part, what=name) for part in text.split(",")] if text else []
    if not 1 <= len(values) <= most or len(set(values)) != len(values):
        raise BadConfig(
            f"{name} is {text[:80]!r}", f"give one to {most} different numbers, such as {name}=3,17"
        )
    if max(values) >= stop:
        raise BadConfig(f"{name} asks for {max(values)}", f"there are {stop}: 0 to {stop - 1}")
    return values


def epoch_among(text: str, epochs: Sequence[int], *, kind: str) -> int:
    """An epoch of which there is an artifact. Raises BadConfig or NotFound."""
    epoch = number(text, what="epoch")
    if epoch not in epochs:
        raise NotFound(
            f"there is no {kind} at epoch {epoch}", "fill the gap: materialize its partition in Dagster"
        )
    return epoch
