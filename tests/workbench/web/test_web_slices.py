"""Slices: the values that a browser decodes are those of the artifacts, for any width and modulus."""

import json

import numpy as np
import pytest
from safetensors.numpy import load
from starlette.testclient import TestClient

from tdw.drawing.area_reduction import area_weights, reduce_area, reduce_codes
from tdw.families import get_family
from tdw.families.modulo_addition_1layer.explorer.slices import NEURONS, read_mosaic
from tdw.making.tables import summarize
from tdw.recipes.reading.slices import Slice, SliceQuery
from tdw.store import Address, Provenance, Store, TableAddress
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import Settings

FAMILY, VARIANT = "modulo_addition_1layer", "p7_s1_d598_f0.5"
HERE = f"{FAMILY}/{VARIANT}"


@pytest.fixture
def client(tiny_store: Store) -> TestClient:
    return TestClient(standalone(Settings(str(tiny_store.root))), base_url="http://127.0.0.1")


def decode(slice_: dict[str, np.ndarray]) -> np.ndarray:
    """What the page's script does with codes, low and scale."""
    wide = (..., None, None)
    return slice_["low"][wide] + slice_["scale"][wide] * slice_["codes"]


def test_maps_are_the_artifacts_rows(client: TestClient, tiny_store: Store) -> None:
    found = load(client.get(f"/tdw/api/maps/{HERE}?neurons=17,3").content)
    assert found["epochs"].tolist() == [0, 10, 20]
    for i, epoch in enumerate((0, 10, 20)):
        stored = tiny_store.read(Address(FAMILY, VARIANT, "neuron_activations", epoch))
        expected = stored.arrays["neuron_activations"][[17, 3]]
        np.testing.assert_allclose(decode(found)[:, i], expected, atol=1e-6)


def test_the_mosaic_is_every_neuron_of_one_checkpoint(client: TestClient, tiny_store: Store) -> None:
    found = load(client.get(f"/tdw/api/mosaic/{HERE}/10?size=48").content)
    stored = tiny_store.read(Address(FAMILY, VARIANT, "neuron_activations", 10)).arrays["neuron_activations"]
    assert found["codes"].shape == (512, 7, 7)  # not larger than the map itself
    np.testing.assert_allclose(decode(found), stored, atol=1e-6)


def test_heads_are_the_attention_to_a_and_to_b(client: TestClient, tiny_store: Store) -> None:
    found = load(client.get(f"/tdw/api/heads/{HERE}?heads=2,0").content)
    for i, epoch in enumerate((0, 10, 20)):
        stored = tiny_store.read(Address(FAMILY, VARIANT, "attention_patterns", epoch))
        expected = stored.arrays["attention_patterns"][[2, 0], :2]
        np.testing.assert_allclose(decode(found)[:, :, i], expected, atol=1 / 510 + 1e-4)


def test_small_maps_are_those_that_the_analyzer_made(client: TestClient, tiny_store: Store) -> None:
    neurons = load(client.get(f"/tdw/api/small/{HERE}?neurons=3,500").content)
    heads = load(client.get(f"/tdw/api/smallheads/{HERE}?heads=1,0").content)
    for i, epoch in enumerate((0, 10, 20)):
        stored = tiny_store.read(Address(FAMILY, VARIANT, "downsampled_activations", epoch)).arrays
        maps = stored["neuron_acts_downsampled"][[3, 500]].astype(np.float32)
        np.testing.assert_allclose(decode(neurons)[:, i], maps, atol=np.ptp(maps) / 510 + 1e-5)
        for to, name in enumerate(("attn_to_a_downsampled", "attn_to_b_downsampled")):
            np.testing.assert_allclose(decode(heads)[:, to, i], stored[name][[1, 0]], atol=1 / 510 + 1e-3)


def test_clusters_of_scales_at_the_last_checkpoint_are_those_of_the_summary(
    client: TestClient, tiny_store: Store
) -> None:
    family = get_family(FAMILY)
    summarize(tiny_store, family, family.parse_variant(VARIANT), "scale_clusters")
    table = tiny_store.read_table(TableAddress(FAMILY, VARIANT, "scale_clusters"))
    found = load(client.get(f"/tdw/api/scales/{HERE}/20").content)
    assert found["cluster"].tolist() == table["cluster"].tolist()
    standing = table[table["representative"]].sort_values("cluster")["neuron"]
    assert found["representatives"].tolist() == standing.tolist()
    assert (
        found["sizes"].tolist()
        == table.loc[table["cluster"] >= 0, "cluster"].value_counts(sort=False).sort_index().tolist()
    )


def test_metrics_are_the_numbers_of_both_analyzers_and_nan_where_one_is_missing(
    client: TestClient, tiny_store: Store
) -> None:
    tiny_store.delete(Address(FAMILY, VARIANT, "coarseness", 10))
    found = load(client.get(f"/tdw/api/metrics/{HERE}").content)
    assert found["epochs"].tolist() == [0, 10, 20]
    assert np.isnan(found["coarseness"][1]).all()
    frequencies = tiny_store.read(Address(FAMILY, VARIANT, "neuron_frequencies", 10)).arrays
    np.testing.assert_array_equal(found["frequency"][1], frequencies["best_frequency"])
    np.testing.assert_array_equal(found["variance"][1], frequencies["variance"])
    coarse = tiny_store.read(Address(FAMILY, VARIANT, "coarseness", 20)).arrays
    np.testing.assert_array_equal(found["coarseness"][2], coarse["neuron_fft_ratio_no_dc"])
    np.testing.assert_array_equal(found["head_b_coarseness"][2], coarse["head_b_fft_ratio_no_dc"])


def test_the_description_lists_what_there_is_and_what_is_missing(
    client: TestClient, tiny_store: Store
) -> None:
    tiny_store.delete(Address(FAMILY, VARIANT, "neuron_activations", 10))
    told = client.get(f"/tdw/api/explorer/{HERE}").json()
    lengths = told["lengths"]
    assert (lengths["p"], lengths["d_mlp"], lengths["n_heads"]) == (7, 512, 4)
    assert told["epochs"] == [0, 10, 20]
    assert told["have"]["neuron_activations"] == [0, 20]
    assert told["gaps"] == ["neuron_activations: 1 of 3 epochs missing: 10"]


def test_maps_kept_on_demand_are_told_apart_and_asked_for_by_epoch(
    client: TestClient, tiny_store: Store
) -> None:
    url, heads = f"/tdw/api/maps/{HERE}?neurons=17,3", f"/tdw/api/heads/{HERE}?heads=1"
    whole, whole_heads = load(client.get(url).content), load(client.get(heads).content)
    mosaic = client.get(f"/tdw/api/mosaic/{HERE}/10?size=7").content
    for analyzer in ("neuron_activations", "attention_patterns"):
        tiny_store.drop_arrays(Address(FAMILY, VARIANT, analyzer, 10))
    told = client.get(f"/tdw/api/explorer/{HERE}").json()
    assert told["have"]["neuron_activations"] == [0, 10, 20] and told["gaps"] == []
    assert told["on_demand"]["neuron_activations"] == [10] and told["on_demand"]["coarseness"] == []
    for address, before in ((url, whole), (heads, whole_heads)):
        kept, asked = load(client.get(address).content), load(client.get(f"{address}&at=10").content)
        assert (kept["epochs"].tolist(), asked["epochs"].tolist()) == ([0, 20], [10])
        np.testing.assert_array_equal(decode(kept), decode(before)[..., [0, 2], :, :])
        np.testing.assert_array_equal(decode(asked), decode(before)[..., [1], :, :])
    assert client.get(f"/tdw/api/mosaic/{HERE}/10?size=7").content == mosaic
    for epoch in (0, 20):
        tiny_store.drop_arrays(Address(FAMILY, VARIANT, "neuron_activations", epoch))
    refused = client.get(url)
    assert refused.status_code == 400 and "kept on demand at every epoch" in refused.text
    assert client.get(f"{url}&at=7").status_code == 404


def test_a_slice_that_was_seen_is_not_sent_again_until_a_file_changes(
    client: TestClient, tiny_store: Store
) -> None:
    url = f"/tdw/api/maps/{HERE}?neurons=1"
    tag = {"if-none-match": client.get(url).headers["etag"]}
    assert client.get(url, headers=tag).status_code == 304
    address = Address(FAMILY, VARIANT, "neuron_activations", 20)
    artifact = tiny_store.read(address)
    tiny_store.write(
        address, artifact.arrays, provenance=artifact.provenance, quantize=["neuron_activations"]
    )
    assert client.get(url, headers=tag).status_code == 200


@pytest.mark.parametrize(("width", "p"), [(3, 5), (40, 23), (1, 31), (130, 11)])
def test_any_width_and_modulus_can_be_looked_at(tmp_path: object, width: int, p: int) -> None:
    store, name = Store(str(tmp_path)), NEURONS
    maps = np.random.default_rng(0).random((width, p, p), dtype=np.float32)
    address = Address(FAMILY, VARIANT, name, 0)
    store.write(address, {name: maps}, provenance=Provenance(FAMILY, VARIANT, name, 0), quantize=[name])
    lengths = {"p": p, "d_mlp": width}
    found = read_mosaic(SliceQuery(store, {name: [address]}, lengths, {}, {"size": 8})).arrays
    side = min(p, 8)
    assert found["codes"].shape == (width, side, side)
    np.testing.assert_allclose(decode(dict(found)), reduce_area(maps, 8), atol=1 / 255)


def test_reducing_by_area_is_the_mean_over_the_covered_area() -> None:
    fine = np.arange(36.0).reshape(1, 6, 6)
    np.testing.assert_allclose(reduce_area(fine, 3)[0], fine.reshape(3, 2, 3, 2).mean(axis=(1, 3)))
    # 5 to 2: the middle row and column count half on either side.
    np.testing.assert_allclose(area_weights(5, 2), [[0.4, 0.4, 0.2, 0, 0], [0, 0, 0.2, 0.4, 0.4]], rtol=1e-6)
    np.testing.assert_allclose(reduce_area(fine, 4).mean(), fine.mean(), rtol=1e-6)
    assert reduce_area(fine, 6).shape == (1, 6, 6)


def test_a_fine_checkerboard_becomes_gray_and_no_coarse_pattern() -> None:
    p, target = 113, 50
    board = (np.indices((p, p)).sum(axis=0) % 2 * 255).astype(np.uint8)[None]
    picked = board[0][np.ix_(*[np.arange(target) * p // target] * 2)]
    assert picked.std() > 100  # picking pixels keeps full contrast: this is the moiré that is to be avoided
    small = reduce_codes(board, target)[0].astype(float)
    assert abs(small.mean() - 127.5) < 2
    assert small.std() < 12


def test_a_slice_names_the_files_that_were_left_out() -> None:
    encoded = Slice({"x": np.zeros(2, np.float32)}, ["00500.safetensors: damaged"]).encode()
    header = json.loads(encoded[8 : 8 + int.from_bytes(encoded[:8], "little")])
    assert json.loads(header["__metadata__"]["problems"]) == ["00500.safetensors: damaged"]


def test_an_encoded_slice_is_what_the_safetensors_library_reads():
    rng = np.random.default_rng(0)
    arrays = {
        "codes": rng.integers(0, 255, (3, 5, 7), np.uint8)[:, ::2],  # not contiguous
        "low": rng.normal(size=(3, 2)).astype(np.float32),
        "epochs": np.arange(5, dtype=np.int32),
        "frequency": np.arange(-1, 2, dtype=np.int16),
        "none": np.zeros((0, 4), np.float32),
    }
    found = load(Slice(arrays).encode())
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype, name
        np.testing.assert_array_equal(found[name], array)
