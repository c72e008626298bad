"""Write a small working family to start from, with its study: `tdw new family NAME`.

The folder that it makes runs at once (`tdw up --study NAME/study.yaml --store NAME/store`), and is yours:
nothing in the workbench refers to it. docs/how-to.md leads from there to a first plot of your own.
"""

from __future__ import annotations

import argparse
import importlib.util
import keyword
import re
import shutil
import tempfile
from pathlib import Path

from tdw.errors import BadConfig

STARTER = Path(__file__).resolve().parents[1] / "starters" / "family"
_NAME = "my_family"  # as the starter calls itself


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `tdw new`."""
    parser.add_argument("what", choices=("family",), help="what to write")
    parser.add_argument("name", metavar="NAME", help="its name, such as my_family: letters a-z, digits and _")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="where to (default: ./NAME)")


def run(options: argparse.Namespace) -> int:
    """Write it, and say what to do next."""
    folder = new_family(options.name, options.folder or Path(options.name))
    print(
        f"wrote {folder}: the family {options.name}, and a study of two variants.\n"
        f"  carry it out and look at it: tdw up --study {folder / 'study.yaml'} --store {folder / 'store'}\n"
        f"  then change it: {folder / 'README.md'} says which file is what"
    )
    return 0


def new_family(name: str, folder: Path) -> Path:
    """Write the starter under another name.

    Args:
        name: of the family and of its Python package.
        folder: to be made.

    Raises:
        BadConfig: a name that can't be used, a folder that is there or can't be made; nothing is written.
    """
    _require_name(name)
    if folder.exists() or folder.is_symlink():
        raise BadConfig(f"{folder} is there already", "give another --folder, or move that one away")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}.") as made:
            whole = Path(made) / name
            _copy(STARTER, whole, name)
            whole.rename(folder)
    except OSError as error:
        raise BadConfig(
            f"{folder} can't be written: {error}", "give a --folder that you may write"
        ) from error
    return folder


def _require_name(name: str) -> None:
    from tdw.families import all_families

    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) or keyword.iskeyword(name):
        raise BadConfig(
            f"a family can't be called {name[:80]!r}",
            "use lower-case letters, digits and _, a letter first and 40 at most, such as my_family",
        )
    if any(family.name == name for family in all_families()):
        raise BadConfig(f"there is a family called {name}", "give another name")
    if importlib.util.find_spec(name) is not None:
        raise BadConfig(f"there is a Python package called {name}", "give another name, such as my_" + name)


def _copy(source: Path, target: Path, name: str) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    (target / _NAME).rename(target / name)
    for file in sorted(path for path in target.rglob("*") if path.is_file()):
        text = file.read_text(encoding="utf-8")
        text = text.replace(_NAME, name).replace("My family", name.replace("_", " ").capitalize())
        file.write_text(text, encoding="utf-8")
