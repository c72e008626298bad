"""F2-F5: the families of the kit go from a configuration to tables; keys are canonical; replay is exact."""

from __future__ import annotations

import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.families.markov_icl import Config as Markov
from tdw.families.markov_icl.tables import half_rise
from tdw.families.quadratic_mlp.analyzers import one_frequency
from tdw.integrity.verify import verify
from tdw.notebook.make import make_variant
from tdw.reports.claims.registry import judge_all
from tdw.store import Address, Store
from tdw.study import load_study
from tdw.study.claims import parse_claims
from tdw.training.loop import train

STUDIES = Path(__file__).parents[2] / "studies"
SMALL: dict[str, dict[str, Any]] = {
    "quadratic_mlp": {"p": 7, "seed": 0, "width": 20, "label_noise": 0.1},
    "symbolic_ioi": {"seed": 0, "n_names": 3, "d_model": 8, "n_heads": 2},
    "markov_icl": {
        "seed": 0, "n_states": 3, "length": 12, "batch_size": 4, "d_model": 8, "n_heads": 2,
        "n_layers": 3, "d_mlp": 6, "normalization": "LN",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Store]:
    stores = {}
    for name, values in SMALL.items():
        stores[name] = Store(tmp_path_factory.mktemp(name))
        family = get_family(name)
        make_variant(stores[name], family, family.make_config(**values), (0, 3, 6))
    return stores


@pytest.mark.parametrize("name", SMALL)
def test_a_family_goes_from_its_configuration_to_tables_that_hold_what_they_declare(
    made: dict[str, Store], name: str
) -> None:
    import tdw

    assert [checked.finding for checked in verify(made[name]) if checked.finding] == []
    workbench = tdw.open(made[name])
    row = workbench.table().iloc[0]
    assert row["last_epoch"] == 6 and row["missing"] == ""
    assert workbench.variant(row["variant"]).plot("training_curves").data


def test_head_scores_and_attributions_stand_in_tables_by_the_names_of_heads(made: dict[str, Store]) -> None:
    import tdw

    family = get_family("markov_icl")
    v = tdw.open(made["markov_icl"]).variant(family.make_config(**SMALL["markov_icl"]).key)
    scores = v.summary("head_scores")
    heads = [f"L{layer}H{head}" for layer in range(3) for head in range(2)]
    assert (scores["best_previous_token"] == scores[[f"previous_token_{h}" for h in heads]].max(axis=1)).all()
    arrays = v.at(6).artifact("head_scores")["previous_token"]
    assert scores["previous_token_L2H1"].iloc[-1] == arrays[2, 1]
    written = v.summary("logit_attribution")
    assert [*heads, "bias"] == [name for name in written if name in (*heads, "bias")]
    losses = v.summary("logit_lens")
    assert losses["lens_3"].tolist() == losses["loss"].tolist()


@st.composite
def markov(draw: st.DrawFn) -> Markov:
    return Markov(
        seed=draw(st.integers(0, 2**40)),
        n_states=draw(st.integers(2, 4)),
        data_seed=draw(st.integers(0, 9)),
        length=draw(st.integers(3, 7)),
        batch_size=draw(st.integers(1, 4)),
        n_layers=draw(st.integers(0, 2)),
        n_heads=draw(st.sampled_from([1, 2])),
        d_model=4,
        d_mlp=draw(st.sampled_from([0, 3])),
        normalization=draw(st.sampled_from(["none", "LN", "LNPre"])),
        init_scheme=draw(st.sampled_from(["torch", "normal"])),
        optimizer=draw(st.sampled_from(["AdamW", "Adam", "SGD", "Muon"])),
        lr=draw(st.sampled_from([3e-3, 1e-2, 1])),
        weight_decay=draw(st.sampled_from([0.0, 0.1])),
        clip=draw(st.sampled_from([0.0, 1.0])),
    )


@settings(max_examples=10, deadline=None)
@given(config=markov(), state_every=st.integers(1, 4), asked=st.lists(st.integers(0, 6), min_size=1))
def test_any_epoch_of_a_stream_of_minibatches_has_the_bits_of_an_undisturbed_run(
    config: Markov, state_every: int, asked: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole, parts = Store(Path(folder) / "whole"), Store(Path(folder) / "parts")
        list(train(config, store=whole, checkpoints=range(7), state_every=state_every, test_every=3))
        for epoch in (6, *asked):
            list(train(config, store=parts, checkpoints=[epoch], state_every=state_every, test_every=3))
        for epoch in {6, *asked}:
            address = Address("markov_icl", config.key, "checkpoints", epoch)
            assert whole.path(address).read_bytes() == parts.path(address).read_bytes()


@settings(max_examples=60)
@given(config=markov())
def test_a_key_names_one_configuration_both_ways(config: Markov) -> None:
    assert Markov.parse(config.key) == config
    assert Markov.parse(config.key).fingerprint == config.fingerprint
    assert all(type(getattr(config, f.name)) is float for f in fields(Markov) if f.type == "float")


def test_a_key_names_what_differs_from_the_default_and_no_other_writing_is_taken() -> None:
    assert Markov(seed=3).key == "k2_s3"
    assert Markov(seed=3, lr=0.01, weight_decay=1, optimizer="SGD").key == "k2_s3_opt-SGD_lr0.01_wd1.0"
    for key in (
        "k2",
        "s3_k2",
        "k2_s3_lr0.003",
        "k2_s3_lr1e-2",
        "k2_s3_s3",
        "k2_s3_q7",
        "k2_s03",
        "k٢_s3",
        "",
    ):
        with pytest.raises(BadConfig):
            Markov.parse(key)


@pytest.mark.parametrize(
    ("family", "values"),
    [
        ("markov_icl", {"seed": 0, "length": 2048, "batch_size": 60_000}),
        ("quadratic_mlp", {"seed": 0, "p": 997, "width": 65_536}),
        ("symbolic_ioi", {"seed": 0, "n_names": 64, "d_model": 8_192, "n_heads": 256}),
    ],
)
def test_what_no_machine_can_hold_is_refused_with_an_estimate(family: str, values: dict[str, Any]) -> None:
    with pytest.raises(BadConfig, match=r"GiB"):
        get_family(family).make_config(**values)


def test_half_of_a_rise_is_read_at_the_first_epoch_that_has_it() -> None:
    epochs = np.array([0, 10, 20, 30])
    assert half_rise(epochs, np.array([0.1, 0.2, 0.6, 0.9])) == 20
    assert half_rise(epochs, np.array([0.04, 0.05, 0.2, 0.25])) == 20
    # As in the run of the study that ends before its head is there.
    assert np.isnan(half_rise(epochs, np.array([0.044, 0.097, 0.143, 0.163])))
    assert np.isnan(half_rise(epochs, np.empty(0)))


def test_a_neuron_has_one_frequency_when_its_three_vectors_do() -> None:
    assert one_frequency(np.array([[2, 2, 2], [2, 2, 3]])).tolist() == [True, False]


@pytest.mark.parametrize("name", ["induction", "gromov", "gromov_noise", "symbolic_ioi"])
def test_the_studies_that_ship_can_be_read(name: str) -> None:
    study = load_study(STUDIES / name)
    assert study.claims and len(set(study.variant_keys)) == len(study.configs)


def test_claims_of_limits_and_of_order_are_judged_by_every_variant_that_is_finished() -> None:
    family = get_family("markov_icl")
    claims = parse_claims(
        [
            {"id": "A", "group": "g", "claim": "c", "kind": "lies_between", "measure": "final_loss",
             "least": 0.5, "most": 0.6},
            {"id": "B", "group": "g", "claim": "c", "kind": "lies_between", "measure": "final_loss",
             "least": 0.5, "most": 0.6, "of": "mean"},
            {"id": "C", "group": "g", "claim": "c", "kind": "comes_before", "earlier": "unigram_epoch",
             "later": "bigram_epoch"},
        ],
        family,
        None,
    )  # fmt: skip

    def verdicts(*values: tuple[float, float, float], finished: bool = True) -> list[str]:
        return [judged.verdict for judged in judge_all(_evidence(*values, finished=finished), family, claims)]

    assert verdicts((0.55, 10, 20), (0.58, 10, 30)) == ["supported"] * 3
    assert verdicts((0.49, 10, 20), (0.58, 30, 10)) == ["contradicted", "supported", "contradicted"]
    assert verdicts((0.41, 10, 10), (0.55, 10, 20))[1:] == ["contradicted", "undecided"]
    assert verdicts((0.55, 10, np.nan))[2] == "undecided"
    assert verdicts((0.1 + 0.2 + 0.3, 10, 20))[0] == "supported"  # rounding
    assert verdicts((0.55, 10, 20), finished=False) == ["undecided"] * 3


def _evidence(*values: tuple[float, float, float], finished: bool) -> Any:
    import pandas as pd

    from tdw.recipes.reading.evidence import Evidence, Row

    rows = tuple(
        Row(
            config=Markov(seed=i),
            outcome=None,
            reached=None,
            epoch=np.nan,
            censored=np.nan,
            finished=finished,
            early_epoch=1,
            values=dict(zip(("final_loss", "unigram_epoch", "bigram_epoch"), each, strict=True)),
            tables={},
            inputs={},
        )
        for i, each in enumerate(values)
    )
    return Evidence(pd.DataFrame(), rows, {}, 1, 10, None)
