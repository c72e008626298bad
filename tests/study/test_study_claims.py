"""Claims of a study file: read with their lines, checked when the study is loaded, carried by JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tdw.errors import BadConfig
from tdw.study import Study, load_study

STUDY = "variants: [{p: 7, seed: 1, train_fraction: 0.5}]\nepochs: 20\ncheckpoints: ['0:20:10']\n"
CLAIM = """\
- id: A1
  group: Expected
  claim: p=7 is first.
  kind: is_extreme
  which: {p: 7}
  end: earliest
"""


def write(folder: Path, claims: str, *, line: str = "claims: claims.yaml\n") -> Path:
    (folder / "study.yaml").write_text(STUDY + line)
    (folder / "claims.yaml").write_text(claims)
    return folder / "study.yaml"


def test_claims_are_read_from_the_file_that_the_study_names_or_from_the_study(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, CLAIM))
    assert [(claim.id, claim.kind, claim.parameters["end"]) for claim in study.claims] == [
        ("A1", "is_extreme", "earliest")
    ]
    inline = "claims:\n" + "".join(f"  {line}\n" for line in CLAIM.splitlines())
    assert load_study(write(tmp_path, "", line=inline)).claims == study.claims
    assert load_study(write(tmp_path, CLAIM, line="")).claims == ()  # a file that is not named is not read


@pytest.mark.parametrize(
    ("old", "new", "line", "wanted"),
    [
        ("end: earliest", "end: first", 6, r"claim A1: end: .*'earliest' or 'latest'"),
        ("end: earliest", "ends: earliest", 1, "claim A1: end is missing"),
        (
            "end: earliest",
            "end: earliest\n  colour: red",
            7,
            "claim A1: colour is unknown.*which, end, among, by",
        ),
        ("{p: 7}", "{q: 7}", 5, "claim A1: which: modulo_addition_1layer has no field 'q'; it has p, seed"),
        ("is_extreme", "is_greatest", 4, "no kind is called 'is_greatest'.*outcomes_are"),
        ("id: A1", "id: 'A 1'", 1, "claim A 1: id"),
        ("group: Expected", "group: ''", 2, "claim A1: group"),
        ("end: earliest", "end: earliest\n  figures: [nothing]", 7, "has no figure 'nothing'.*test_loss"),
        (CLAIM, CLAIM + CLAIM, 7, "claim A1 is listed twice"),
        (CLAIM, "A1: 3\n", 1, "holds dict, not a list"),
        (CLAIM, "- 3\n", 1, "holds int, not a claim"),
        ("is_extreme", "./rules.py:mine", 4, "has no words of its own"),
    ],
)
def test_a_wrong_claim_is_refused_with_file_line_id_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, wanted: str
) -> None:
    file = write(tmp_path, CLAIM.replace(old, new))
    with pytest.raises(BadConfig, match=rf"(?s)claims\.yaml:{line}: .*{wanted}"):
        load_study(file)


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ("measure: blobs", "has no number 'blobs'; it has num_neurons"),
        ("measure: mean_coarseness", "has no number 'mean_coarseness'"),  # a series
        ("control: {name: shuffling, series: x}", "has no control 'shuffling'; it has relabelling"),
        ("control: {name: relabelling, series: x}", "relabelling has no series 'x'; it has mean_coarseness"),
        ("limit: {share: 2, of: num_neurons}", "limit.share: .*less than or equal to 1"),
    ],
)
def test_measures_and_controls_are_those_of_the_family(tmp_path: Path, parameters: str, wanted: str) -> None:
    values = {"measure": "measure: grokking_num_blobs", "limit": "limit: {share: 0.01, of: num_neurons}"}
    values[parameters.split(":")[0]] = parameters
    lines = ["- {id: H, group: g, claim: c, kind: never_without", *values.values()]
    with pytest.raises(BadConfig, match=f"claims.yaml:1: .*claim H: .*{wanted}"):
        load_study(write(tmp_path, ", ".join(lines) + "}\n"))


def test_a_claims_file_that_is_not_there_is_refused_with_the_line_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(
        BadConfig, match=r"(?s)nothing\.yaml: can't be read.*study\.yaml:4: `claims` names it"
    ):
        load_study(write(tmp_path, CLAIM, line="claims: nothing.yaml\n"))


PYTHON = "- {id: P, group: g, claim: c, kind: '%s', words: {rule: r, answer: a}}\n"


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("./../claims.py:mine", "leaves the folder"),
        ("claims:mine", "no kind is called"),
        ("os:system", "no kind is called"),
        ("/etc/claims.py:mine", "no kind is called"),
        ("./nothing.py:mine", "can't be read"),
    ],
)
def test_python_is_taken_from_beside_the_study_file_only(tmp_path: Path, kind: str, wanted: str) -> None:
    (tmp_path / "claims.py").write_text("def mine(case, parameters): ...\n")
    folder = tmp_path / "study"
    folder.mkdir()
    with pytest.raises(BadConfig, match=wanted):
        load_study(write(folder, PYTHON % kind))


def test_loading_a_study_does_not_run_its_python(tmp_path: Path) -> None:
    (tmp_path / "claims.py").write_text("raise RuntimeError('ran')\n")
    (claim,) = load_study(write(tmp_path, PYTHON % "./claims.py:mine")).claims
    assert claim.file == str(tmp_path / "claims.py")
    assert len(claim.code_version) == 12


def test_a_study_with_claims_goes_through_json_and_its_record_names_no_folder(tmp_path: Path) -> None:
    (tmp_path / "claims.py").write_text("x = 1\n")
    study = load_study(write(tmp_path, CLAIM + PYTHON % "./claims.py:mine"))
    again = Study.model_validate(json.loads(json.dumps(study.model_dump(mode="json"))), strict=False)
    assert again.claims == study.claims
    assert str(tmp_path) not in json.dumps(study.record())
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "claims.py").write_text("x = 1\n")
    other = load_study(write(moved, CLAIM + PYTHON % "./claims.py:mine"))
    assert other.record()["claims"] == study.record()["claims"]
    (moved / "claims.py").write_text("x = 2\n")
    assert load_study(moved).record()["claims"] != study.record()["claims"]
