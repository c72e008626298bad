"""No module outside `tdw/families` names a field or a quantity of one family (F1)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What is still to move into the family: the claims of one study.
TO_MOVE = ("tdw/reports/",)
PACKAGES = ("tdw", "tdw_resources", "tdw_assets", "tdw_workbench")
WORDS = re.compile(r"^(neurons?|coarseness|coarse|blobs?|plaid|frequency|frequencies|modulus|grok\w*)$")


def _modules() -> Iterator[Path]:
    families = ROOT / "tdw" / "families"
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            if families not in path.parents and not str(path.relative_to(ROOT)).startswith(TO_MOVE):
                yield path


def _identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Name(id=name) if name != "p":  # a path or a process in a loop
                yield line, name
            case ast.arg(arg="p"):
                continue  # of a lambda over paths
            case ast.Attribute(attr=name) | ast.arg(arg=name):
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


def test_the_search_finds_such_words() -> None:
    tree = ast.parse("def early_blobs(config):\n    return config.p, 'grokking_epoch', numNeurons")
    assert sorted(name for _, name in _identifiers(tree) if _of_a_family(name)) == [
        "early_blobs",
        "grokking_epoch",
        "numNeurons",
        "p",
    ]
