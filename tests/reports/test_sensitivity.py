"""Sensitivity to thresholds and epochs: each table counts what it says, by another way than the code's."""

from __future__ import annotations

import numpy as np
import pytest

from tdw.families.modulo_addition_1layer.reports.sensitivity import read_fractions, sensitivity
from tdw.making.tables import summarize
from tdw.reports.evidence import read_evidence
from tdw.store import Store


def rows_of(text: str, heading: str) -> dict[str, list[str]]:
    """First cell -> the others, of the table below a heading."""
    section = text.split(f"### {heading}")[1].split("###")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells if row[0] != "---"}


def test_other_thresholds_and_epochs_are_counted(study) -> None:
    text = sensitivity(
        study(change={(113, 999): {"blobs": 40}}), {"p97_s485_d598": np.array([0.8, 0.9, 0.96])}
    )
    grokking = rows_of(text, "Grokking epoch")
    assert grokking["**test loss < 0.01**"] == [
        "9,000", "11,000", "10,000", "none by 25,000", "6,000", "8,500", "7,000", "12,000",
    ]  # fmt: skip
    assert grokking["test loss < 0.001"][0] == "none by 25,000"  # the made-up loss ends at 0.001
    assert rows_of(text, "Blobs at grokking")["**0.7**"] == [*["100"] * 7, "40"]
    dominant = rows_of(text, "Dominant frequencies")
    assert dominant["**2, 0.3**"][0] == "3 (unknown)" or dominant["**2, 0.3**"][0] == "3 (1)"
    assert dominant["3, 0.3"][0].startswith("0")  # they are at 3 times 1 to 1.02
    clustered = rows_of(text, "Neurons in a frequency's cluster")
    assert [clustered[name][0] for name in ("0.75", "**0.85**", "0.95")] == ["3", "2", "1"]
    assert clustered["0.75"][1] == "unknown"
    early = rows_of(text, "Rank correlation")
    assert early["**1,000**"][:3] == ["8", "−1", "4.96e−05"]  # 2 / 8!
    assert early["200"] == ["0", "unknown", "unknown", "undefined: there is no correlation"]


def test_the_defaults_agree_with_what_the_analyzers_found(tiny_store: Store) -> None:
    from tdw.families import get_family

    family = get_family("modulo_addition_1layer")
    config = family.parse_variant("p7_s1_d598_f0.5")
    for name in ("grokking", "coarseness", "frequencies"):
        summarize(tiny_store, family, config, name)
    evidence = read_evidence(tiny_store, family, [config], early_epoch=10, last_epoch=20)
    text = sensitivity(evidence, read_fractions(tiny_store, evidence))
    table = evidence.rows[0].tables.get("frequencies")
    assert table is not None
    (clustered,) = rows_of(text, "Neurons in a frequency's cluster")["**0.85**"]
    assert float(clustered) == pytest.approx(table["num_clustered_neurons"].iloc[-1])
    (dominant,) = rows_of(text, "Dominant frequencies")["**2, 0.3**"]
    assert int(dominant.split()[0]) == table["num_dominant_frequencies"].iloc[-1]
    (blobs,) = rows_of(text, "Blobs at grokking")["**0.7**"]
    coarse = evidence.rows[0].tables.get("coarseness")
    assert coarse is not None and float(blobs) == coarse["num_blob_neurons_0.7"].iloc[-1]
