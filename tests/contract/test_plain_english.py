"""American spelling in code, docs, pages and reports; "per" where one thing is counted by another."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "tdw", "tdw_resources", "tdw_assets", "tdw_workbench", "docs", "studies", "scripts",
    "benchmarks", "tests",
)  # fmt: skip
KINDS = {".py", ".md", ".html", ".js", ".css", ".yaml", ".toml", ".ipynb"}
BRITISH = re.compile(
    r"\b(?:"
    r"(?:re)?colour\w*|behaviour\w*|neighbour\w*|favour\w*|honour\w*|labour\w*|grey(?:s|ed|scale)?"
    r"|cent(?:re|red|res|ring)|fib(?:re|res)|met(?:re|res)|catalogu\w*|artefact\w*|programmes?|defence|licence\w*"
    r"|judgement\w*|whilst|amongst|learnt|spelt|analys(?:e|ed|er|ers|ing)"
    r"|(?:label|cancel|model|travel|level|signal|total|tunnel|channel|initial)l(?:ed|ing)"
    r"|(?:normal|material|initial|general|special|optim|minim|maxim|organ|real|recogn|summar|visual|serial"
    r"|random|regular|parametr|parameter|standard|vector|quant|discret|character|emphas|critic|central|local"
    r"|memor|synchron|categor|final|util|author|linear|symmetr|token|harmon|stabil|equal|penal|factor)"
    r"is(?:e|ed|es|er|ers|ing|ation|ations)"
    r")\b",
    re.IGNORECASE,
)
_COUNTED = (
    "bytes?|[km]b|seconds?|ms|rows?|lines?|files?|times|runs?|cells?|events?|columns?|curves?|panels?|scripts?"
    "|checksums?|range|scale|schedules?|partitions?|one"
)
_BY = (
    "epoch|checkpoint|variant|cell|second|run|study|family|analyzer|stage|layer|head|neuron|plot|row|line|file"
    "|kind|group"
)
PER = re.compile(rf"\b(?:{_COUNTED}) an? (?:{_BY})\b(?! hands)", re.IGNORECASE)
EXCEPTED = {
    "tests/contract/test_plain_english.py",  # the rules themselves
    "studies/eight_models/claims.yaml",  # its findings are published
    "studies/hundred_seeds/claims.yaml",  # registered before the runs
    "studies/hundred_seeds/README.md",
    "tests/study/test_study_claims.py",  # a word that no claim knows
    "tests/integrity/test_unreadable_files.py",  # a field that no header knows
    "tdw_workbench/static/explorer/address.js",  # "a few times a second"
}
"""Files that have to hold such words."""


def texts() -> Iterator[tuple[str, str]]:
    """(path, text) of what people of the project wrote."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    for path in (*ROOT.glob("*.md"), ROOT / "pyproject.toml", *files):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in KINDS and name not in EXCEPTED and "/results/" not in name:
            yield name, path.read_text()


def found(pattern: re.Pattern[str]) -> list[str]:
    """Where a pattern is found."""
    return [
        f"{name}:{at}: {match[0]}"
        for name, text in texts()
        for at, line in enumerate(text.splitlines(), 1)
        for match in pattern.finditer(line)
    ]


def test_spelling_is_american() -> None:
    assert found(BRITISH) == []


def test_what_is_counted_by_another_thing_is_per_that_thing() -> None:
    assert found(PER) == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (BRITISH, word)
        for word in ("Colour", "behaviours", "materialised", "normalise", "labelled", "analyse", "centre")
    ]
    + [
        (PER, phrase)
        for phrase in ("one row a variant", "3 ms an epoch", "a checksum a neuron", "bytes a cell")
    ],
)
def test_the_rules_find_what_they_are_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)
