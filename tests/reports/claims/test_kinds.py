"""Kinds of claim: they know no family and no study, take what a claim says, and say it in its words."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pandas as pd
import pytest

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.reports.claims import registry
from tdw.reports.claims.registry import code_versions, judge_all
from tdw.study import claim_kinds
from tdw.study.claims import Claim, parse_claims

FAMILY = get_family("modulo_addition_1layer")
KEYS = [(p, seed) for p in (97, 101, 109, 113) for seed in (485, 999)]
LIBRARY = Path(registry.__file__).parent
FASTEST = {
    "id": "A", "group": "Mine", "claim": "c", "kind": "is_extreme", "which": {"p": 113, "seed": 485},
    "end": "earliest",
}  # fmt: skip


def parse(*claims: dict) -> tuple[Claim, ...]:
    return parse_claims(list(claims), FAMILY, None)


def test_every_kind_that_may_be_written_has_a_rule_with_words() -> None:
    assert registry.KINDS.keys() == claim_kinds.KINDS.keys()
    for name, kind in registry.KINDS.items():
        assert kind.words.rule and kind.words.answer and kind.words.would_change, name


def test_no_kind_names_a_field_or_measure_of_a_family_or_a_value_of_a_study() -> None:
    forbidden = {field.name for field in FAMILY.fields} - {"p", "replicate"}  # p is the p-value here
    forbidden |= {
        *FAMILY.measures,
        *FAMILY.controls,
        "blob",
        "blobs",
        "coarseness",
        "modulus",
        "grokked",
        "grokking",
    }
    for path in [*LIBRARY.glob("*.py"), Path(claim_kinds.__file__)]:
        # Docstrings and comments may give examples.
        code = re.sub(r'"""(?:.|\n)*?"""|#.*', "", path.read_text())
        found = forbidden & set(re.findall(r"[A-Za-z_]+", code))
        assert not found, f"{path.name}: {found}"
        assert not re.search(r"\b(?:97|101|109|113|485|999)\b", code), path.name


def test_another_study_judges_its_own_claims_without_an_edit_in_the_library(study) -> None:
    (fastest,) = judge_all(study(), FAMILY, parse(FASTEST))
    assert fastest.verdict == "contradicted"
    assert fastest.numbers["ahead"] == "p109_s485_d598"
    assert fastest.answer.startswith("Outcome of p=113, seed=485: 7,000; the earliest so far: p109_s485_d598")
    among = {**FASTEST, "among": {"p": 113}}
    assert judge_all(study(), FAMILY, parse(among))[0].verdict == "supported"


def test_the_latest_variant_is_looked_for_among_those_that_are_meant(study) -> None:
    latest = {**FASTEST, "which": {"p": 101, "seed": 999}, "end": "latest"}
    assert judge_all(study(), FAMILY, parse(latest))[0].verdict == "supported"  # no grok is later than all
    assert judge_all(study(), FAMILY, parse({**latest, "which": {"p": 113, "seed": 999}}))[0].numbers[
        "behind"
    ] == ("p101_s999_d598")


def test_a_claim_without_a_control_is_judged_without_one(study) -> None:
    claim = {
        "id": "A", "group": "g", "claim": "c", "kind": "never_without", "measure": "grokking_num_blobs",
        "limit": {"share": 0.01, "of": "num_neurons"},
    }  # fmt: skip
    change = {(97, 485): {"renamed_blobs": 2}}
    (judged,) = judge_all(study(change=change), FAMILY, parse(claim))
    assert (judged.verdict, judged.control) == ("supported", "")
    assert list(judged.numbers) == ["n", "least", "most", "without"]
    control = {"control": {"name": "relabelling", "series": "num_blob_neurons", "at": "outcome"}}
    (controlled,) = judge_all(study(change=change), FAMILY, parse({**claim, **control}))
    assert controlled.verdict == "contradicted"
    assert "p97_s485_d598" in controlled.control


def test_a_positive_prediction_is_the_mirror_image(study, outcomes) -> None:
    claim = {
        "id": "A", "group": "g", "claim": "c", "kind": "predicts", "measure": "early_average_blobs",
        "sign": "positive", "within": "p",
    }  # fmt: skip
    later = {key: {"early": 0.1 + (epoch or 13_000) / 50_000} for key, epoch in outcomes.items()}
    (found,) = judge_all(study(change=later), FAMILY, parse(claim))
    assert (found.verdict, found.numbers["within"]) == ("supported", 4)
    assert judge_all(study(), FAMILY, parse(claim))[0].verdict == "contradicted"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("predicts", {"measure": "early_num_blobs", "sign": "negative"}),
        ("told_apart", {"measures": ["early_test_loss", "early_mean_coarseness"]}),
        ("order_in_time", {"rises": "mean_coarseness", "rise": 0.05, "drops": "test_loss", "drop_to": 0.01}),
    ],
)
def test_whether_a_quantity_of_mere_names_goes_with_the_outcome_can_not_be_claimed(kind, given) -> None:
    with pytest.raises(BadConfig, match="depends on the names of the residues"):
        parse({"id": "A", "group": "g", "claim": "c", "kind": kind, **given})


def test_a_claim_is_judged_for_every_complete_set_of_draws(study) -> None:
    """p=109 is the fastest beside 97's plain run and not beside its replicate: what flips is undecided."""
    plain = study()

    def with_replicate(epoch: float) -> object:
        other = study(change={(97, 485): {"epoch": epoch}}).rows[0]
        config = dataclasses.replace(other.config, replicate=1)
        row = dataclasses.replace(other, config=config)
        table = pd.concat([plain.table, plain.table.iloc[:1].assign(variant=config.key)], ignore_index=True)
        return dataclasses.replace(
            plain, rows=(*plain.rows, row), table=table, times={**plain.times, config.key: epoch}
        )

    claim = {"id": "A", "group": "g", "claim": "c", "kind": "is_extreme", "which": {"p": 109, "seed": 485},
             "end": "earliest"}  # fmt: skip
    (alone,) = judge_all(plain, FAMILY, parse(claim))
    assert (alone.verdict, alone.draws) == ("supported", None)
    (holds,) = judge_all(with_replicate(9500), FAMILY, parse(claim))
    assert (holds.verdict, holds.draws.supported, holds.draws.possible) == ("supported", 2, 2)
    (flips,) = judge_all(with_replicate(5000), FAMILY, parse(claim))
    assert (flips.verdict, flips.draws.supported, flips.draws.contradicted) == ("undecided", 1, 1)
    assert "1 support the claim, 1 contradict it" in flips.draws.sentence


def test_claims_are_corrected_for_one_another_and_say_what_would_decide_them(study) -> None:
    claim = {
        "group": "g",
        "claim": "c",
        "kind": "predicts",
        "measure": "early_average_blobs",
        "sign": "negative",
    }
    shuffled = {
        key: {"early": e} for key, e in zip(KEYS, (0.3, 0.2, 0.4, 0.5, 0.45, 0.25, 0.6, 0.22), strict=True)
    }
    found = judge_all(study(change=shuffled), FAMILY, parse({"id": "A", **claim}, {"id": "B", **claim}))
    assert all(one.test.corrected == pytest.approx(min(1, 2 * one.test.p_value)) for one in found)
    assert found[0].verdict == "undecided"
    assert "variants would decide it with 80 % power at level 0.025" in found[0].test.power


def test_a_claim_has_its_own_words_and_chooses_its_numbers(study) -> None:
    claim = {**FASTEST, "words": {"answer": "First: {quickest}."}, "numbers": ["at", "ahead"]}
    (judged,) = judge_all(study(), FAMILY, parse(claim))
    assert judged.answer == "First: p109_s485_d598."
    assert list(judged.numbers) == ["at", "ahead"]
    assert judged.rule.startswith("Supported when p=113, seed=485")


@pytest.mark.parametrize(
    "change", [{"words": {"answer": "{unheard}"}}, {"numbers": ["unheard"]}, {"words": {"rule": "{0}"}}]
)
def test_words_and_numbers_that_the_kind_does_not_have_are_refused_with_those_it_has(study, change) -> None:
    with pytest.raises(BadConfig, match=r"claim A: kind is_extreme has no number .*(?s:.*)it has .*quickest"):
        judge_all(study(), FAMILY, parse({**FASTEST, **change}))


def test_a_python_function_beside_the_study_file_judges_too(study, tmp_path: Path) -> None:
    file = tmp_path / "claims.py"
    file.write_text(
        "from tdw.reports.claims.verdicts import Found\n"
        "def all_reach(case, parameters):\n"
        "    n = len(case.evidence.reached)\n"
        "    return Found('supported' if n >= parameters['least'] else 'contradicted', {'n': n})\n"
        "def nothing(case, parameters):\n"
        "    return None\n"
    )
    claim = {
        "id": "P", "group": "g", "claim": "c", "kind": "./claims.py:all_reach", "least": 7,
        "words": {"rule": "At least 7.", "answer": "{n} variants."},
    }  # fmt: skip
    claims = parse_claims([claim], FAMILY, tmp_path)
    (judged,) = judge_all(study(), FAMILY, claims)
    assert (judged.verdict, judged.answer) == ("supported", "7 variants.")
    version = code_versions(claims)["./claims.py:all_reach"]
    with pytest.raises(BadConfig, match="returned NoneType"):
        judge_all(study(), FAMILY, parse_claims([{**claim, "kind": "./claims.py:nothing"}], FAMILY, tmp_path))
    with pytest.raises(BadConfig, match="has no function unheard"):
        judge_all(study(), FAMILY, parse_claims([{**claim, "kind": "./claims.py:unheard"}], FAMILY, tmp_path))
    file.write_text(file.read_text() + "# changed\n")
    assert code_versions(parse_claims([claim], FAMILY, tmp_path))["./claims.py:all_reach"] != version
    with pytest.raises(BadConfig, match="has changed since the study was loaded"):
        judge_all(study(), FAMILY, claims)
