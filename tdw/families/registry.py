"""The registered families: built in, of installed packages, and of folders that a study names (F4).

Code of others is only loaded from where the user's own study file or installed packages point.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from tdw.errors import BadConfig
from tdw.families.markov_icl import FAMILY as MARKOV_ICL
from tdw.families.modulo_addition_1layer import FAMILY as MODULO_ADDITION_1LAYER
from tdw.families.quadratic_mlp import FAMILY as QUADRATIC_MLP
from tdw.families.symbolic_ioi import FAMILY as SYMBOLIC_IOI
from tdw.recipes.catalog import catalog_of
from tdw.recipes.family import Family

BUILT_IN: tuple[Family, ...] = (MODULO_ADDITION_1LAYER, MARKOV_ICL, QUADRATIC_MLP, SYMBOLIC_IOI)
ENTRY_POINTS = "tdw.families"
_loaded: dict[str, Family] = {}


def all_families() -> tuple[Family, ...]:
    """Built-in families, those of installed packages, and those that were loaded from a folder."""
    found = {family.name: family for family in (*BUILT_IN, *_installed(), *_loaded.values())}
    return tuple(found.values())


def get_family(name: str) -> Family:
    """The family called `name`.

    Raises:
        BadConfig: no family of that name is registered; lists those that are.
    """
    for family in all_families():
        if family.name == name:
            return family
    known = ", ".join(family.name for family in all_families())
    raise BadConfig(
        f"no family is called {name[:80]!r}",
        f"use one of: {known}; a family of your own is named by its folder, such as ./my_family",
    )


def load_family(folder: Path) -> Family:
    """The family of a folder: a Python package whose `FAMILY` declares it. The same folder is loaded once.

    Raises:
        BadConfig: no such folder, no `FAMILY` in it, code that fails, or a name that another family has.
    """
    place = folder.resolve()
    module_name = f"tdw_family_{place.name}"
    if (place / "__init__.py").is_file() is False:
        raise BadConfig(f"{place}: no family there", "give a folder with an __init__.py that defines FAMILY")
    loaded = sys.modules.get(module_name)
    if loaded is None or _folder_of(loaded) != place:
        spec = importlib.util.spec_from_file_location(
            module_name, place / "__init__.py", submodule_search_locations=[str(place)]
        )
        assert spec is not None and spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = loaded
        try:
            spec.loader.exec_module(loaded)
        except Exception as error:
            del sys.modules[module_name]
            raise BadConfig(
                f"{place}: the family can't be loaded: {type(error).__name__}: {error}", "correct its code"
            ) from error
    family = _checked(getattr(loaded, "FAMILY", None), str(place))
    other = next((f for f in (*BUILT_IN, *_installed()) if f.name == family.name), None)
    installed = sys.modules.get(place.name)
    if other is not None and installed is not None and _folder_of(installed) == place:
        return other  # the same package, installed from this folder
    if other is not None:
        raise BadConfig(
            f"{place}: a family called {family.name} is there already",
            f"give it another name; one that is installed is used by `family: {family.name}`",
        )
    _loaded[family.name] = family
    return family


def _folder_of(module: ModuleType) -> Path:
    return Path(str(module.__file__)).resolve().parent


@cache
def _installed() -> tuple[Family, ...]:
    """Families of installed packages, by their entry points."""
    found: list[Family] = []
    for point in entry_points(group=ENTRY_POINTS):
        try:
            family = _checked(point.load(), f"entry point {point.name} of {point.value}")
        except BadConfig:
            raise
        except Exception as error:
            raise BadConfig(
                f"the family of entry point {point.name} ({point.value}) can't be loaded: "
                f"{type(error).__name__}: {error}",
                "correct or uninstall the package",
            ) from error
        if family.name in {other.name for other in (*BUILT_IN, *found)}:
            raise BadConfig(
                f"two families are called {family.name}, one of them from {point.value}",
                "uninstall one of the packages",
            )
        found.append(family)
    return tuple(found)


def _checked(value: object, where: str) -> Family:
    if not isinstance(value, Family):
        raise BadConfig(
            f"{where}: FAMILY is {type(value).__name__}", "define FAMILY as a tdw.recipes.family.Family"
        )
    catalog_of(value)
    return value
