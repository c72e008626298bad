"""The claims of the eight models as data give the findings that they gave as code.

`golden_findings.json` was written by the code that held these claims in Python, for made-up studies. The
committed results come from the real runs; of their tables only the small ones are committed, so what rests on
training histories, on single neurons, on the spectra of W_E or on renamed runs can't be computed again.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tdw.families import get_family
from tdw.recipes.evidence import Evidence
from tdw.recipes.variant_tables import VariantTables
from tdw.reports.claims.registry import judge_all
from tdw.reports.evidence import make_evidence

FAMILY = get_family("modulo_addition_1layer")
RESULTS = Path(__file__).parents[3] / "studies" / "eight_models" / "results"
GOLDEN = json.loads((Path(__file__).parent / "golden_findings.json").read_text())
KEYS = [(p, seed) for p in (97, 101, 109, 113) for seed in (485, 999)]
FAILING = {"epoch": None, "blobs": 3}
CASES = {
    "as expected": {},
    "a failure apart": {(101, 999): {"early": 0.05, "blobs": 3, "renamed_blobs": 0}},
    "three failures": {(101, 999): FAILING, (97, 999): FAILING, (113, 999): FAILING},
    "rise first": {key: {"rise": 4500} for key in KEYS},
    "other outcomes": {
        (97, 485): {"epoch": 10_500, "blobs": 3},
        (113, 485): {"epoch": 5500},
        (97, 999): {"epoch": 8000, "renamed_blobs": 2},
    },
}
NOT_COMMITTED = {
    "E1": {"nearest"},
    "H1": {"renamed", "num_renamed", "least_renamed"},
    "H2": {"control"},
    "H3": {"renamed"},
    "H5": {"renamed", "share"},
    "Q1": {"control"},
    "Q2": {"before", "with", "after", "num_before", "num_with", "num_after", "p"}
    | {f"renamed_{place}" for place in ("before", "with", "after", "no")},
    "Q3": {"n", "common", "expected", "p", "least", "most"},
    "Q4": {"m", "parting", "best", "p", "spread", "spread_others", "top", "top_others"},
    "Q5": {"control"},
}


@pytest.mark.parametrize("case", CASES)
def test_made_up_studies_give_the_same_findings_byte_for_byte(study, eight_models, case) -> None:
    judged = judge_all(study(change=CASES[case]), FAMILY, eight_models.claims)
    found = {claim.id: json.dumps(claim.to_json()) for claim in judged}
    assert found == GOLDEN[case]


@pytest.fixture(scope="module")
def committed() -> Evidence:
    """The evidence as far as its tables are committed."""
    table = pd.read_csv(RESULTS / "tables" / "comparison.csv")
    variants: list[VariantTables] = []
    for key, last in zip(table["variant"], table["last_epoch"], strict=True):
        tables = {
            name: pd.read_csv(RESULTS / "tables" / f"{key}_{name}.csv")
            for name in ("coarseness", "progress_measures")
        }
        variants.append(VariantTables(FAMILY.parse_variant(key), tables, (0, int(last)), {}))
    return make_evidence(table, variants, {}, outcome=FAMILY.outcome, early_epoch=1000, last_epoch=25_000)


def test_the_committed_tables_give_the_committed_findings(committed, eight_models) -> None:
    judged = {claim.id: claim.to_json() for claim in judge_all(committed, FAMILY, eight_models.claims)}
    published = json.loads((RESULTS / "findings.json").read_text())
    assert list(judged) == [finding["id"] for finding in published]
    for finding in published:
        found, unknown = judged[finding["id"]], NOT_COMMITTED.get(finding["id"], set())
        assert found["claim"] == finding["claim"]
        assert found["question"] == finding["question"]
        # Without renamed runs shares over them are left out.
        names = [name for name in finding["numbers"] if name not in unknown]
        assert [name for name in found["numbers"] if name not in unknown] == names
        compared = {name: (found["numbers"][name], finding["numbers"][name]) for name in names}
        assert {n: json.dumps(a) for n, (a, _) in compared.items()} == {
            n: json.dumps(b) for n, (_, b) in compared.items()
        }, finding["id"]
        if finding["id"] not in ("H2", "Q2", "Q3"):  # their verdicts rest on what is not committed
            assert found["verdict"] == finding["verdict"], finding["id"]
