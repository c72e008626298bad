"""The findings of a study follow from the tables that are committed beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tdw.families import get_family
from tdw.recipes.reading.evidence import Evidence
from tdw.recipes.reading.variant_tables import VariantTables
from tdw.reports.claims.registry import judge_all
from tdw.reports.evidence import make_evidence
from tdw.study import Study, load_study

FAMILY = get_family("modulo_addition_1layer")
STUDIES = Path(__file__).parents[3] / "studies"
OVER_ALL = {"comparison", "associations", "timing"}
NOT_COMMITTED = {"m", "parting", "best", "p", "spread", "spread_others", "top", "top_others"}
"""Of Q4: its norm of every frequency of W_E is a column that results leave out."""


def committed(study: Study, tables: Path) -> Evidence:
    """The evidence, read back from the published tables."""
    found = {path.name.partition(".")[0]: pd.read_csv(path) for path in tables.iterdir()}
    variants = [
        VariantTables(
            FAMILY.parse_variant(key),
            {
                name: table[table["variant"] == key].drop(columns="variant").reset_index(drop=True)
                for name, table in found.items()
                if name not in OVER_ALL
            },
            (0, study.epochs),
            {},
        )
        for key in study.variant_keys
    ]
    return make_evidence(
        found["comparison"],
        variants,
        {},
        outcome=FAMILY.outcome,
        early_epoch=study.early_epoch,
        last_epoch=study.epochs,
    )


@pytest.mark.parametrize("name", ["eight_models", "eight_replicates"])
def test_the_committed_tables_give_the_committed_findings(name: str) -> None:
    study = load_study(STUDIES / name)
    evidence = committed(study, STUDIES / name / "results" / "tables")
    judged = [claim.to_json() for claim in judge_all(evidence, FAMILY, study.claims)]
    published = json.loads((STUDIES / name / "results" / "findings.json").read_text())
    assert [found["id"] for found in judged] == [found["id"] for found in published]
    for found, said in zip(judged, published, strict=True):
        assert (found["claim"], found["question"]) == (said["claim"], said["question"])
        assert found["verdict"] == said["verdict"], said["id"]
        assert found.get("draws") == said.get("draws"), said["id"]
        left_out: set[str] = NOT_COMMITTED if said["id"] == "Q4" else set()
        for number in said["numbers"].keys() - left_out:
            assert same(found["numbers"][number], said["numbers"][number]), (said["id"], number)


def same(found: Any, said: Any) -> bool:
    """Equal; numbers to a millionth, since float32 columns are written with as many digits as they need."""
    if isinstance(said, float):
        return found is not None and abs(found - said) <= 1e-6 * abs(said)
    return json.dumps(found) == json.dumps(said)
