"""No module outside `tdw/families` names a field or a quantity of one family (F1)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("tdw", "tdw_resources", "tdw_assets", "tdw_workbench")
WORDS = re.compile(r"^(neurons?|coarseness|coarse|blobs?|plaid|frequency|frequencies|modulus|grok\w*)$")


def _modules() -> Iterator[Path]:
    # The starter of `tdw new family` is a family, though none of ours.
    families = {ROOT / "tdw" / "families", ROOT / "tdw_workbench" / "starters"}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if families.isdisjoint(path.parents):
                yield path


def _identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Names with their lines. `p` alone counts as a field only: it is also a path, a process, a p-value."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Subscript(slice=ast.Constant(value=str(name))) | ast.Attribute(attr=name):
                yield line, name
            case ast.Name(id="p") | ast.arg(arg="p") | ast.keyword(arg="p") | ast.Constant(value="p"):
                continue
            case ast.Name(id=name) | ast.arg(arg=name):
                yield line, name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.alias(name=name):
                yield line, name
            case ast.keyword(arg=str(name)):
                yield line, name
            case ast.Constant(value=str(text)) if re.fullmatch(r"[A-Za-z_][\w./]*", text):
                yield line, text  # the name of a column, a table or a field


def _of_a_family(identifier: str) -> bool:
    return identifier == "p" or any(
        WORDS.match(word.lower()) for word in re.split(r"[\W_]+|(?<=[a-z])(?=[A-Z])", identifier)
    )


def test_the_general_part_has_no_word_of_a_family() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in _modules()
        for line, name in _identifiers(ast.parse(path.read_text()))
        if _of_a_family(name) and name != "modulo_addition_1layer"
    ]
    assert found == []


def test_the_general_part_imports_no_family() -> None:
    registry = ("tdw.families", "tdw.families.registry", "tdw.families.stored")
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.module}"
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("tdw.families")
        if node.module not in registry
    ]
    assert found == []


def test_scripts_and_templates_that_all_families_share_have_none_either() -> None:
    found = []
    for folder in ("static", "templates"):
        for path in (ROOT / "tdw_workbench" / folder).rglob("*"):
            if path.suffix not in (".js", ".html", ".css"):
                continue
            code = re.sub(r"^\s*//.*$|/\*.*?\*/|\bblob:", "", path.read_text(), flags=re.M | re.S)
            found += [f"{path.name}: {word}" for word in re.findall(r"\w+", code) if _of_a_family(word)]
            found += [f"{path.name}: {name}" for name in re.findall(r"\.p\b", code)]
    assert [each for each in found if not each.endswith(": p")] == []


def test_the_search_finds_such_words() -> None:
    tree = ast.parse("def early_blobs(config):\n    return config.p, 'grokking_epoch', numNeurons")
    assert sorted(name for _, name in _identifiers(tree) if _of_a_family(name)) == [
        "early_blobs",
        "grokking_epoch",
        "numNeurons",
        "p",
    ]
