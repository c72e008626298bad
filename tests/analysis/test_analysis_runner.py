import dataclasses

import numpy as np
import pytest

from tdw.errors import BadConfig, FingerprintMismatch, NotFound, TdwError
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.analyzers import ANALYZERS, coarseness, coarseness_stats
from tdw.inventory.cells import find_gaps
from tdw.inventory.records import HeaderRecords
from tdw.inventory.wanted import Wanted
from tdw.making.artifacts import analyze
from tdw.recipes.catalog import catalog_of
from tdw.store import Address, Store
from tdw.training.loop import train

FAMILY = get_family("modulo_addition_1layer")
CONFIG = FAMILY.make_config(p=7, seed=1)
EPOCHS = (0, 10, 20)
ALL = {analyzer.name: EPOCHS for analyzer in ANALYZERS}
RESTING = ("coarseness_stats", "relabelling", "head_composition")
"""What rests on coarseness."""


def at(kind, epoch=20, config=CONFIG):
    return Address(FAMILY.name, config.key, kind, epoch)


def copy_checkpoint(store, source, target, *, weights=None, **changes):
    """Commit a checkpoint's weights, or other ones, under another address with other provenance."""
    artifact = store.read(source)
    provenance = dataclasses.replace(
        artifact.provenance, epoch=target.epoch, variant=target.variant, **changes
    )
    store.write(target, weights or artifact.arrays, provenance=provenance)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    list(train(CONFIG, store=Store(folder), checkpoints=EPOCHS, device="cpu"))
    return folder


@pytest.fixture
def store(trained, tmp_path):
    import shutil

    shutil.copytree(trained, tmp_path / "store")
    return Store(tmp_path / "store")


def run(store, cells, *, config=CONFIG, **options):
    return list(analyze(store, FAMILY, config, cells, device="cpu", **options))


def test_every_cell_is_computed_committed_and_yielded_by_epoch(store):
    results = run(store, ALL)
    assert [(r.epoch, r.analyzer) for r in results] == [(e, a.name) for e in EPOCHS for a in ANALYZERS]
    assert [r.error for r in results] == [None] * len(results)
    for result in results:
        artifact = store.read(at(result.analyzer, result.epoch))
        assert artifact.provenance == result.provenance
        assert result.metadata["nbytes"] == result.written.nbytes
        assert result.metadata["spec_version"] == catalog_of(FAMILY).spec_version(result.analyzer)
    assert store.read(at("neuron_activations")).arrays["neuron_activations"].shape == (512, 7, 7)
    assert store.read(at("attention_patterns")).arrays["attention_patterns"].shape == (4, 3, 7, 7)


def test_provenance_names_configuration_probe_checkpoint_code_and_parameters(store):
    parameters = {"coarseness": coarseness.Parameters(bottleneck=5)}
    (result,) = run(store, {"coarseness": [20]}, parameters=parameters)
    checkpoint = store.provenance(at("checkpoints"))
    found = result.provenance
    assert found.variant_fingerprint == CONFIG.fingerprint
    assert found.probe_fingerprint == FAMILY.probe_fingerprint(CONFIG)
    assert found.checkpoint_fingerprint == checkpoint.checkpoint_fingerprint
    assert found.parameters == {"radius_fraction": 0.125, "bottleneck": 5, "low_frequencies": 3}
    assert {"torch", "numpy", "tdw", "device"} <= set(found.environment)


def test_results_are_streamed_so_a_caller_that_stops_keeps_what_was_done(store):
    stream = analyze(store, FAMILY, CONFIG, ALL, device="cpu")
    first, second = next(stream), next(stream)
    stream.close()
    for result in (first, second):
        assert store.exists(at(result.analyzer, result.epoch))
    assert not store.exists(at("coarseness_stats", 20))


def test_the_same_checkpoint_gives_the_same_bytes(store):
    before = {r.analyzer: r.written.sha256 for r in run(store, {a.name: [20] for a in ANALYZERS})}
    after = {r.analyzer: r.written.sha256 for r in run(store, {a.name: [20] for a in ANALYZERS})}
    assert before == after


def test_one_forward_pass_a_checkpoint(store):
    passes = []

    def counted(*args, **options):
        passes.append(1)
        return FAMILY.probe_pass(*args, **options)

    family = dataclasses.replace(FAMILY, probe_pass=counted)
    list(analyze(store, family, CONFIG, ALL, device="cpu"))
    assert len(passes) == len(EPOCHS)


def test_a_required_analyzer_comes_from_the_store_when_it_is_up_to_date(store):
    def refuse(*args, **options):
        raise AssertionError("no forward pass is needed")

    run(store, {"coarseness": [20]})
    family = dataclasses.replace(FAMILY, probe_pass=refuse)
    (result,) = analyze(store, family, CONFIG, {"coarseness_stats": [20]}, device="cpu")
    assert result.error is None


def test_a_required_analyzer_that_is_missing_is_computed_along_and_not_stored(store):
    (alone,) = run(store, {"coarseness_stats": [20]})
    assert alone.error is None
    assert not store.exists(at("coarseness"))
    together = run(store, {"coarseness_stats": [20], "coarseness": [20]})
    assert together[1].written.sha256 == alone.written.sha256


def test_a_required_analyzer_of_other_parameters_is_not_taken_from_the_store(store):
    run(store, {"coarseness": [20]}, parameters={"coarseness": coarseness.Parameters(radius_fraction=0.5)})
    (result,) = run(store, {"coarseness_stats": [20]})
    wide = store.read(at("coarseness")).arrays["neuron_fft_ratio_no_dc"]
    assert wide.mean() > 0
    assert result.metadata["mean_coarseness"] == 0  # at p = 7 the default disc is the constant alone


def test_a_damaged_required_artifact_is_computed_along(store):
    run(store, {"coarseness": [20]})
    path = store.path(at("coarseness"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    (result,) = run(store, {"coarseness_stats": [20]})
    assert result.error is None


def test_an_error_in_one_cell_leaves_the_rest_alone(store):
    def fail(context, parameters):
        raise TdwError("it failed", "on purpose")

    broken = tuple(
        dataclasses.replace(recipe, function=fail) if recipe is coarseness.ANALYZER else recipe
        for recipe in FAMILY.recipes
    )
    family = dataclasses.replace(FAMILY, recipes=broken)
    cells = {analyzer.name: [20] for analyzer in ANALYZERS}
    results = {r.analyzer: r for r in analyze(store, family, CONFIG, cells, device="cpu")}
    failed = {name for name, result in results.items() if result.error is not None}
    assert failed == {*RESTING, "coarseness"}
    assert "coarseness, which failed: it failed" in str(results["coarseness_stats"].error)
    assert results["coarseness"].written is None
    assert not store.exists(at("coarseness"))
    assert store.exists(at("neuron_activations"))


def test_a_missing_checkpoint_is_an_error_of_its_cells_only(store):
    results = run(store, {"coarseness": [5, 20], "coarseness_stats": [5]})
    assert [(r.epoch, type(r.error)) for r in results] == [(5, NotFound), (5, NotFound), (20, type(None))]


def test_a_checkpoint_of_another_configuration_is_refused_naming_both(store):
    other = FAMILY.make_config(p=7, seed=2)
    copy_checkpoint(store, at("checkpoints"), at("checkpoints", config=other))
    (result,) = run(store, {"coarseness": [20]}, config=other)
    assert isinstance(result.error, FingerprintMismatch)
    for fingerprint in (CONFIG.fingerprint, other.fingerprint):
        assert fingerprint[:12] in str(result.error)


def test_a_checkpoint_whose_weights_are_not_those_it_names_is_refused(store):
    weights = store.read(at("checkpoints", 10)).arrays
    copy_checkpoint(store, at("checkpoints"), at("checkpoints"), weights=weights)
    (result,) = run(store, {"coarseness": [20]})
    assert isinstance(result.error, FingerprintMismatch)


def test_a_diverged_checkpoint_is_reported_not_stored(store):
    from tdw.store.fingerprints import fingerprint_arrays

    weights = {name: array.copy() for name, array in store.read(at("checkpoints")).arrays.items()}
    weights["embed.W_E"][0] = np.nan
    copy_checkpoint(
        store,
        at("checkpoints"),
        at("checkpoints", 30),
        weights=weights,
        checkpoint_fingerprint=fingerprint_arrays(weights),
    )
    results = run(store, {a.name: [30] for a in ANALYZERS})
    assert all(isinstance(result.error, TdwError) for result in results)
    assert not store.exists(at("coarseness", 30))


def test_wrong_arguments_are_refused_at_the_call(store):
    with pytest.raises(BadConfig, match="no analyzer is called 'roughness'"):
        analyze(store, FAMILY, CONFIG, {"roughness": [0]})
    with pytest.raises(BadConfig, match="resolve_parameters"):
        analyze(store, FAMILY, CONFIG, {}, parameters={"coarseness": {"bottleneck": 3}})
    with pytest.raises(BadConfig, match="device"):
        analyze(store, FAMILY, CONFIG, {}, device="abacus")


# Gaps


def gaps(store, **options):
    names = [analyzer.name for analyzer in ANALYZERS]
    wanted = Wanted.of_variant(FAMILY, CONFIG, epochs=(0, 10, 15), analyzers=names, **options)
    found = find_gaps(wanted, HeaderRecords(wanted, store), store)[CONFIG.key].to_analyze()
    return {name: list(epochs) for name, epochs in found.items()}


def test_cells_without_artifact_are_missing_and_epochs_without_checkpoint_are_not_cells(store):
    run(store, {"coarseness": [10]})
    found = gaps(store)
    assert found["coarseness"] == [0]
    assert found["coarseness_stats"] == [0, 10]
    run(store, found)
    assert gaps(store) == {}


def test_changed_parameters_put_an_analyzer_and_what_rests_on_it_out_of_date(store):
    run(store, gaps(store))
    changed = gaps(store, parameters={"coarseness": coarseness.Parameters(radius_fraction=0.2)})
    assert changed == {name: [0, 10] for name in (*RESTING, "coarseness")}
    changed = gaps(store, parameters={"coarseness_stats": coarseness_stats.Parameters(bins=10)})
    assert changed == {"coarseness_stats": [0, 10]}


def test_a_retrained_checkpoint_puts_its_cells_out_of_date(store):
    run(store, gaps(store))
    source = at("checkpoints", 10)
    mark = store.provenance(source).checkpoint_fingerprint
    weights = store.read(source).arrays
    copy_checkpoint(store, source, at("checkpoints", 0), weights=weights, checkpoint_fingerprint=mark)
    assert gaps(store) == {analyzer.name: [0] for analyzer in ANALYZERS}


def test_an_unreadable_artifact_counts_as_missing(store):
    run(store, gaps(store))
    store.path(at("coarseness", 10)).write_bytes(b"not a tensor file")
    assert gaps(store) == {"coarseness": [10]}
