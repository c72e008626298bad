"""The study file (O6): what it means, and that every refusal names file, line, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.recipes.catalog import catalog_of
from tdw.recipes.family import Field
from tdw.study import load_study, parse_study

STUDIES = Path(__file__).parents[2] / "studies"
SMALL = """\
family: modulo_addition_1layer
variants:
  - {p: 5, seed: 1}
epochs: 100
checkpoints: [0:100:50]
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return path


def test_the_eight_models_are_the_grid_of_the_requirements() -> None:
    study = load_study(STUDIES / "eight_models")
    assert study.name == "eight_models"
    assert set(study.variant_keys) == {f"p{p}_s{s}_d598" for p in (97, 101, 109, 113) for s in (485, 999)}
    assert study.epoch_list[0] == 0 and study.epoch_list[-1] == 25_000 and len(study.epoch_list) == 95
    assert set(study.analyzer_parameters) == set(catalog_of(study.family_declaration).default_names)


def test_the_quick_start_is_one_variant_whose_key_names_its_train_fraction() -> None:
    study = load_study(STUDIES / "quickstart")
    assert study.variant_keys == ("p59_s999_d598_f0.4",)
    assert study.epoch_list[-1] == study.epochs


def test_without_a_schedule_the_family_gives_one_and_it_ends_at_the_last_epoch() -> None:
    study = parse_study({"name": "x", "variants": ["p5_s1_d598"], "epochs": 1234})
    assert study.epoch_list[-3:] == (1100, 1200, 1234)


def test_ranges_are_not_read_as_base_60_numbers(tmp_path: Path) -> None:
    study = load_study(write(tmp_path, SMALL.replace("[0:100:50]", "[1:30:10]")))
    assert study.epoch_list == (1, 11, 21, 30)


def test_parameters_of_analyzers_are_read_and_the_rest_are_defaults(tmp_path: Path) -> None:
    study = load_study(
        write(tmp_path, SMALL + "analyzers:\n  coarseness: {radius_fraction: 0.2}\n  coarseness_stats:\n")
    )
    assert study.analyzer_parameters["coarseness"].radius_fraction == 0.2
    assert list(study.analyzer_parameters) == ["coarseness", "coarseness_stats"]


def test_an_analyzer_that_is_off_by_default_is_turned_on_beside_the_others(tmp_path: Path) -> None:
    plain = load_study(write(tmp_path, SMALL))
    assert "curvature" not in plain.analyzers
    more = load_study(write(tmp_path, SMALL + "analyzers: [default, curvature]\n"))
    assert [*more.analyzers] == [*plain.analyzers, "curvature"]
    text = "analyzers:\n  default:\n  coarseness: {radius_fraction: 0.2}\n  curvature: {seed: 3}\n"
    changed = load_study(write(tmp_path, SMALL + text))
    assert {*changed.analyzers} == {*more.analyzers}
    assert changed.analyzer_parameters["coarseness"].radius_fraction == 0.2
    assert changed.analyzer_parameters["curvature"].seed == 3
    assert [*load_study(write(tmp_path, SMALL + "analyzers: [default]\n")).analyzers] == [*plain.analyzers]


def test_the_default_analyzers_leave_those_out_that_refuse_a_variant(tmp_path: Path) -> None:
    # x² + y² has answers that are not equally frequent.
    text = SMALL.replace("seed: 1}", "seed: 1, operation: squares}")
    chosen = load_study(write(tmp_path, text + "analyzers: [default, curvature]\n")).analyzers
    assert "site_geometry" not in chosen and "curvature" in chosen
    with pytest.raises(BadConfig, match="site_geometry"):
        load_study(write(tmp_path, text + "analyzers: [default, site_geometry]\n"))
    both = ["progress_measures", "site_geometry"]
    for named in (both, both[::-1]):  # the first of the file is told of, in every process
        with pytest.raises(BadConfig, match=named[0]):
            load_study(write(tmp_path, text + f"analyzers: [{', '.join(named)}]\n"))


def test_equal_studies_have_equal_fingerprints_and_others_do_not(tmp_path: Path) -> None:
    one = load_study(write(tmp_path, SMALL))
    two = load_study(write(tmp_path, SMALL + "# a remark\n"))
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != load_study(write(tmp_path, SMALL.replace("seed: 1", "seed: 2"))).fingerprint


@pytest.mark.parametrize(
    ("old", "new", "line", "wanted"),
    [
        ("epochs: 100", "epoch: 100", 4, "epoch: Extra inputs are not permitted"),
        ("epochs: 100", "epochs: ten", 4, "epochs: .*'ten'"),
        ("p: 5", "p: 15", 3, r"variants.0: p is 15, which is not an odd prime\n.*13 or 17"),
        ("p: 5", "q: 5", 3, "unknown q and missing p"),
        ("seed: 1}", "seed: 1}\n  - p5_s1_d598", 4, "p5_s1_d598 is listed twice"),
        ("[0:100:50]", "[0:100:50, 200]", 5, "checkpoints.1: 200 asks for epoch 200, training ends at 100"),
        ("[0:100:50]", "[100:0:50]", 5, "ends before it starts"),
        ("[0:100:50]", "[]", 5, "no epoch is listed"),
        ("family: modulo_addition_1layer", "family: modulo", 1, "no family is called 'modulo'"),
        ("epochs: 100", "epochs: 100\nanalyzers: [coarsenes]", 5, "no analyzer is called 'coarsenes'"),
        ("epochs: 100", "epochs: 100\nanalyzers: {coarseness: {radius: 1}}", 5, "no parameter 'radius'"),
        ("epochs: 100", "epochs: 100\nanalyzers: {default: {seed: 1}}", 5, "it takes no parameters"),
        ("epochs: 100", "epochs: 100\ngrokking: {metric: loss}", 5, "grokking: grokking: parameter metric"),
        ("epochs: 100", "epochs: 100\ntraining: {test_every: 0}", 5, "training.test_every: "),
        ("  - {p: 5, seed: 1}", "  grid: {p: [], seed: [1]}", 3, "spans 0 variants"),
    ],
)
def test_a_wrong_study_is_refused_with_file_line_and_remedy(
    tmp_path: Path, old: str, new: str, line: int, wanted: str
) -> None:
    assert old in SMALL
    path = write(tmp_path, SMALL.replace(old, new))
    with pytest.raises(BadConfig, match=wanted) as caught:
        load_study(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert "\n  -> " in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("- a\n", "holds list, not a mapping"),
        ("a: [1\n", "not YAML"),
        (SMALL + "epochs: 50\n", "'epochs' is given twice"),
        ("!!python/object/apply:os.system ['true']\n", "not YAML"),
    ],
)
def test_what_is_no_study_at_all_is_refused(tmp_path: Path, text: str, wanted: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(BadConfig, match=wanted):
        load_study(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"nowhere\.yaml: can't be read"):
        load_study(tmp_path / "nowhere.yaml")


def test_early_is_an_epoch_that_has_a_checkpoint() -> None:
    values = {"variants": ["p5_s1_d598"], "epochs": 600, "checkpoints": ["0:600:200"], "name": "x"}
    assert parse_study(values).early_epoch == 600
    assert parse_study({**values, "epochs": 9000, "checkpoints": [0, 900, 1000, 9000]}).early_epoch == 1000
    assert parse_study({**values, "early_epoch": 200}).early_epoch == 200
    with pytest.raises(BadConfig, match=r"epoch 300 is not among the checkpoints.*\n.*200, the nearest"):
        parse_study({**values, "early_epoch": 300})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "name",
    "family",
    "variants",
    "epochs",
    "checkpoints",
    "analyzers",
    "training",
    "grokking",
    "early_epoch",
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(FIELDS), VALUES)
def test_whatever_a_field_holds_it_is_used_or_refused_with_a_message(field: str, value: object) -> None:
    values = {"name": "x", "variants": ["p5_s1_d598"], "epochs": 100, "checkpoints": [0, 100], field: value}
    try:
        study = parse_study(values)
    except BadConfig as error:
        assert error.what and error.remedy
    else:
        assert study.variant_keys and study.epoch_list


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(get_family("modulo_addition_1layer").fields), VALUES)
def test_whatever_a_variants_field_holds_it_is_used_or_refused_with_a_message(
    field: Field, value: object
) -> None:
    variant = {"p": 5, "seed": 1, field.name: value}
    try:
        study = parse_study({"name": "x", "variants": [variant], "epochs": 100, "checkpoints": [0, 100]})
    except BadConfig as error:
        assert error.what and error.remedy
    else:
        assert study.variant_keys


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_arbitrary_files_are_refused_with_a_message(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "study.yaml"
    path.write_bytes(data)
    with pytest.raises(BadConfig):
        load_study(path)


@pytest.mark.parametrize("word", ["yes", "true", "no", "on"])
@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("variants: [{{p: 7, seed: {}}}]", "variants.0.seed"),
        ("variants: [{{p: 7, seed: 1, train_fraction: {}}}]", "variants.0.train_fraction"),
        ("variants: {{grid: {{p: [7], seed: [2, {}]}}}}", "variants.grid.seed.1"),
        ("variants: [{}]", "variants.0"),
        ("epochs: {}", "epochs"),
        ("checkpoints: [0, {}]", "checkpoints.1"),
        ("early_epoch: {}", "early_epoch"),
        ("training: {{state_every: {}}}", "training.state_every"),
        ("grokking: {{threshold: {}}}", "grokking.threshold"),
        ("adaptive: {{extra_checkpoints: {}}}", "adaptive.extra_checkpoints"),
        ("analyzers: {{coarseness_stats: {{bins: {}}}}}", "analyzers.coarseness_stats.bins"),
        ("name: {}", "name"),
    ],
)
def test_a_boolean_is_no_number_and_its_line_is_named(
    tmp_path: Path, line: str, field: str, word: str
) -> None:
    name = line.split(":")[0]
    others = {"family": "modulo_addition_1layer", "variants": "[{p: 7, seed: 1}]", "epochs": "9"}
    text = "".join(f"{key}: {value}\n" for key, value in others.items() if key != name)
    number = text.count("\n") + 1
    with pytest.raises(BadConfig, match=rf"mine\.yaml:{number}: {field}: it is (true|false)"):
        load_study(write(tmp_path, text + line.format(word) + "\n"))


def test_an_anchor_that_leads_into_itself_is_refused_and_not_followed(tmp_path: Path) -> None:
    with pytest.raises(BadConfig):
        load_study(write(tmp_path, "variants: &a [*a]\nepochs: 9\n"))
