import dataclasses
import re
import shutil

import numpy as np
import pytest

from tdw.errors import BadConfig, CorruptFile, FingerprintMismatch, NotFound
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.analyzers import ANALYZERS, coarseness
from tdw.families.modulo_addition_1layer.summaries import SUMMARIES
from tdw.families.modulo_addition_1layer.summaries.learning.grokking import Parameters
from tdw.making.artifacts import analyze
from tdw.making.tables import summarize
from tdw.recipes.catalog import catalog_of
from tdw.store import Address, Store, TableAddress
from tdw.training.loop import train

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.make_config(p=7, seed=1)
EPOCHS = (0, 10, 20)
NAMES = [summary.name for summary in SUMMARIES]


def at(kind, epoch=20, config=CONFIG):
    return Address(FAMILY.name, config.key, kind, epoch)


def fill(store, cells, *, config=CONFIG, **options):
    for result in analyze(store, FAMILY, config, cells, device="cpu", **options):
        assert result.error is None


def run(store, name, *, config=CONFIG, **options):
    return summarize(store, FAMILY, config, name, **options)


def read(store, name):
    return store.read_table(TableAddress(FAMILY.name, CONFIG.key, name))


def change(store, address, **changes):
    """Commit an artifact again with another provenance."""
    artifact = store.read(address)
    store.write(address, artifact.arrays, provenance=dataclasses.replace(artifact.provenance, **changes))


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analyzed")
    list(train(CONFIG, store=Store(folder), checkpoints=EPOCHS, device="cpu"))
    fill(Store(folder), {analyzer.name: EPOCHS for analyzer in ANALYZERS})
    return folder


@pytest.fixture
def store(analyzed, tmp_path):
    shutil.copytree(analyzed, tmp_path / "store")
    return Store(tmp_path / "store")


@pytest.mark.parametrize("name", NAMES)
def test_a_summary_is_committed_with_what_it_was_made_from(store, name):
    done = run(store, name)
    table, provenance = store.read_table_with_provenance(TableAddress(FAMILY.name, CONFIG.key, name))
    assert provenance == done.provenance
    assert set(provenance.inputs) == set(catalog_of(FAMILY).summary(name).needs)
    assert provenance.variant_fingerprint == CONFIG.fingerprint
    assert done.missing == {}
    assert done.metadata["num_rows"] == len(table) > 0
    if "epoch" in table:
        assert sorted(set(table["epoch"])) == list(EPOCHS)


@pytest.mark.parametrize("name", NAMES)
def test_a_summary_made_twice_has_the_same_bytes(store, name):
    assert run(store, name).written == run(store, name).written


def test_the_table_shows_what_the_artifacts_hold(store):
    run(store, "coarseness")
    run(store, "neuron_coarseness")
    table, matrix = read(store, "coarseness"), read(store, "neuron_coarseness")
    for i, epoch in enumerate(EPOCHS):
        stored = store.read(at("coarseness_stats", epoch)).arrays
        assert table["mean_coarseness"][i] == stored["mean_coarseness"]
        values = store.read(at("coarseness", epoch)).arrays["neuron_fft_ratio_no_dc"]
        np.testing.assert_array_equal(matrix.iloc[i, 1:].to_numpy(np.float32), values)


def test_the_grokking_rule_of_the_study_is_used_and_recorded(store):
    options = catalog_of(FAMILY).resolve_options("grokking", {"metric": "test_accuracy", "threshold": 0.5})
    done = run(store, "grokking", options=options)
    assert done.provenance.parameters == {"metric": "test_accuracy", "threshold": 0.5}
    assert read(store, "grokking")["metric"].tolist() == ["test_accuracy"]
    assert catalog_of(FAMILY).summary_version("grokking", options) != catalog_of(FAMILY).summary_version(
        "grokking"
    )


# Gaps


def test_missing_epochs_are_absent_rows_and_said(store):
    store.delete(at("coarseness", 10))
    done = run(store, "heads")
    assert done.missing == {"coarseness": (10,)}
    assert done.metadata["missing"] == "coarseness: 10"
    assert sorted(set(read(store, "heads")["epoch"])) == [0, 20]


def test_epochs_asked_for_are_those_in_the_table_and_what_they_lack_is_said(store):
    done = run(store, "coarseness", epochs=(0, 20, 30))
    assert done.missing == {"coarseness_stats": (30,)}
    assert read(store, "coarseness")["epoch"].tolist() == [0, 20]


def test_nothing_to_summarize_says_what_is_missing(store):
    with pytest.raises(NotFound, match="coarseness_stats"):
        run(store, "coarseness", epochs=(5,))


def test_a_variant_without_history_can_not_be_said_to_grok(store):
    with pytest.raises(NotFound, match="history"):
        run(store, "grokking", config=FAMILY.make_config(p=7, seed=3))


# What a summary was made from


def inputs(store, name, **options):
    return run(store, name, **options).provenance.inputs


def test_a_new_epoch_a_lost_one_and_a_recomputed_one_show_in_the_inputs(store):
    before = inputs(store, "coarseness")
    fill(store, {"coarseness_stats": [20]})
    assert inputs(store, "coarseness") == before
    store.delete(at("coarseness_stats", 20))
    fewer = inputs(store, "coarseness")
    changed = {"coarseness": coarseness.Parameters(radius_fraction=0.5)}
    fill(store, {"coarseness_stats": [20]}, parameters=changed)
    recomputed = inputs(store, "coarseness", parameters=changed, epochs=[20])
    assert len({str(found) for found in (before, fewer, recomputed)}) == 3


def test_a_longer_history_shows_in_the_inputs(store):
    before = inputs(store, "grokking")
    list(train(CONFIG, store=store, checkpoints=(30,), device="cpu"))
    assert inputs(store, "grokking") != before


# The invariant


def test_mixed_parameters_are_refused_with_both_values_and_the_remedy(store):
    parameters = {"coarseness": coarseness.Parameters(bottleneck=5)}
    fill(store, {"coarseness": [10]}, parameters=parameters)
    with pytest.raises(FingerprintMismatch) as caught:
        run(store, "neuron_coarseness")
    message = str(caught.value)
    assert "parameters of coarseness: " in message and "at epoch 10; " in message
    assert '"bottleneck":5' in message
    assert '"bottleneck":14' in message
    assert "tdw fill --out-of-date" in message


def test_artifacts_that_are_all_out_of_date_are_refused_too(store):
    with pytest.raises(FingerprintMismatch, match=r"parameters of coarseness: .* at epochs 0:20:10; "):
        run(store, "neuron_coarseness", parameters={"coarseness": coarseness.Parameters(bottleneck=5)})


def test_artifacts_of_changed_parameters_are_taken_when_those_are_in_force(store):
    parameters = {"coarseness": coarseness.Parameters(bottleneck=5)}
    fill(store, {"coarseness": EPOCHS}, parameters=parameters)
    assert run(store, "neuron_coarseness", parameters=parameters).metadata["num_rows"] == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("variant_fingerprint", "a" * 64),
        ("probe_fingerprint", "b" * 64),
        ("checkpoint_fingerprint", "c" * 64),
        ("code_version", "0"),
    ],
)
def test_each_fingerprint_is_held_and_both_values_are_named(store, field, value):
    expected = getattr(store.provenance(at("coarseness", 10)), field)
    change(store, at("coarseness", 10), **{field: value})
    with pytest.raises(FingerprintMismatch) as caught:
        run(store, "neuron_coarseness")
    message = str(caught.value)
    assert f"{field} of coarseness" in message and "at epoch 10" in message
    assert value[:12] in message
    assert expected[:12] in message


def test_every_difference_is_listed(store):
    change(store, at("coarseness", 0), variant_fingerprint="a" * 64, code_version="0")
    change(store, at("coarseness", 20), probe_fingerprint="b" * 64)
    with pytest.raises(FingerprintMismatch) as caught:
        run(store, "neuron_coarseness")
    for field, epoch in (("variant_fingerprint", 0), ("code_version", 0), ("probe_fingerprint", 20)):
        assert re.search(f"{field} of coarseness: .* at epoch {epoch};", str(caught.value))


def test_artifacts_of_a_retrained_checkpoint_are_refused(store):
    change(store, at("checkpoints", 10), checkpoint_fingerprint="d" * 64)
    with pytest.raises(FingerprintMismatch, match=r"checkpoint_fingerprint of .*, epoch 10: "):
        run(store, "coarseness")


def test_without_its_checkpoint_analyzers_must_still_agree_on_it(store):
    store.delete(at("checkpoints", 10))
    assert run(store, "heads").missing == {}
    change(store, at("attention_patterns", 10), checkpoint_fingerprint="d" * 64)
    with pytest.raises(FingerprintMismatch, match="checkpoint_fingerprint"):
        run(store, "heads")


def test_a_damaged_artifact_is_named(store):
    path = store.path(at("coarseness_stats", 10))
    data = bytearray(path.read_bytes())
    data[-3] ^= 4
    path.write_bytes(data)
    with pytest.raises(CorruptFile, match=r"00010\.safetensors"):
        run(store, "coarseness")


def test_a_history_of_another_configuration_is_refused(store):
    address = TableAddress(FAMILY.name, CONFIG.key, "history")
    table, provenance = store.read_table_with_provenance(address)
    store.write_table(
        address, table, provenance=dataclasses.replace(provenance, variant_fingerprint="e" * 64)
    )
    with pytest.raises(FingerprintMismatch, match="eeeeeeeeeeee"):
        run(store, "grokking")


# Wrong arguments


def test_an_unknown_summary_is_answered_with_those_there_are(store):
    with pytest.raises(BadConfig, match="neuron_coarseness"):
        run(store, "roughness")


def test_options_of_another_summary_are_refused(store):
    with pytest.raises(BadConfig, match="resolve_options"):
        run(store, "neurons", options=Parameters())


def test_a_wrong_option_is_refused_by_name():
    with pytest.raises(BadConfig, match="grokking has no parameter 'limit'"):
        catalog_of(FAMILY).resolve_options("grokking", {"limit": 1})
