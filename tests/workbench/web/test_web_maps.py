"""Maps at every epoch, which the page of a figure shows in place of a slider with some."""

import json

import numpy as np
import pytest
from starlette.testclient import TestClient

from tdw.drawing.marks import Axis, Scale
from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.recipes.common.panels import Maps
from tdw.store import Address, Store
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import Settings
from tdw_workbench.web.pages.maps import slice_of

FAMILY, VARIANT = get_family("modulo_addition_1layer"), "p7_s1_d598_f0.5"
HERE = f"{FAMILY.name}/{VARIANT}"
EPOCHS = [0, 10, 20]


@pytest.fixture
def client(tiny_store: Store) -> TestClient:
    return TestClient(standalone(Settings(str(tiny_store.root))), base_url="http://127.0.0.1")


def read(body: bytes) -> tuple[dict, np.ndarray]:
    """What a slice says of itself, and its maps (epochs, maps, rows, columns)."""
    length = int.from_bytes(body[:8], "little")
    header = json.loads(body[8 : 8 + length])
    about, values = json.loads(header["__metadata__"]["about"]), header["values"]
    begin, end = values["data_offsets"]
    dtype = {"U8": np.uint8, "I16": np.int16}[values["dtype"]]
    return about, np.frombuffer(body[8 + length + begin : 8 + length + end], dtype).reshape(values["shape"])


def test_attention_has_every_epoch_in_percent(client: TestClient, tiny_store: Store) -> None:
    about, values = read(client.get(f"/tdw/plot/{HERE}/attention_patterns/maps").content)
    assert about["epochs"] == EPOCHS and not about["chosen"]
    assert (about["x"], about["y"], about["side"], about["columns"]) == ("b", "a", 7, 4)
    for epoch, maps in zip(EPOCHS, values, strict=True):
        stored = tiny_store.read(Address(FAMILY.name, VARIANT, "attention_patterns", epoch))
        expected = 100 * stored.arrays["attention_patterns"][:, :2].swapaxes(0, 1).reshape(8, 7, 7)
        np.testing.assert_allclose(maps, expected, atol=0.51)
    (scale,) = about["scales"]
    assert len(bytes.fromhex(scale["colors"])) == 3 * 256 and scale["top"] == 100


def test_neurons_can_be_chosen(client: TestClient) -> None:
    for name in ("multi_scale", "multi_scale_56"):
        about, values = read(client.get(f"/tdw/plot/{HERE}/{name}/maps?n=3,17").content)
        assert about["names"][:2] == ["neuron 3", "neuron 17"] and about["chosen"] == [3, 17]
        assert values.shape[:2] == (3, 2 + 8) and [len(titles) for titles in about["titles"]] == [10]
        default, _ = read(client.get(f"/tdw/plot/{HERE}/{name}/maps").content)
        assert sum(each.startswith("neuron") for each in default["names"]) == 16


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        (f"/tdw/plot/{HERE}/multi_scale/maps?n=512", 400, "no neuron 512"),
        (f"/tdw/plot/{HERE}/multi_scale/maps?n=3,3", 400, "n is '3,3'"),
        (f"/tdw/plot/{HERE}/multi_scale/maps?n=many", 400, "n is 'many'"),
        (f"/tdw/plot/{HERE}/attention_patterns/maps?n=1", 400, "nothing can be chosen"),
        (f"/tdw/plot/{HERE}/training_curves/maps", 404, "no maps at every epoch"),
        (f"/tdw/plot/{HERE}/multi_scale/maps?size=9", 400, "unknown parameter 'size'"),
    ],
)
def test_what_can_not_be_shown_is_refused(client: TestClient, url: str, status: int, said: str) -> None:
    answer = client.get(url)
    assert answer.status_code == status and said in answer.json()["error"]


def test_the_page_shows_every_epoch_also_before_the_figure_is_saved(client: TestClient) -> None:
    page = client.get(f"/tdw/view/plot/{HERE}/multi_scale").text
    assert f'data-maps="/tdw/plot/{HERE}/multi_scale/maps"' in page and "not yet materialized" not in page
    saved = client.get(f"/tdw/view/plot/{HERE}/multi_scale?saved=1").text
    assert "data-maps" not in saved and "not yet materialized" in saved
    assert "data-maps" not in client.get(f"/tdw/view/plot/{HERE}/training_curves").text


def test_a_browser_gets_maps_anew_when_an_epoch_was_added(client: TestClient, tiny_store: Store) -> None:
    url = f"/tdw/plot/{HERE}/attention_patterns/maps"
    tag = client.get(url).headers["etag"]
    assert client.get(url, headers={"if-none-match": tag}).status_code == 304
    tiny_store.delete(Address(FAMILY.name, VARIANT, "attention_patterns", 20))
    again = client.get(url, headers={"if-none-match": tag})
    assert again.status_code == 200 and read(again.content)[0]["epochs"] == [0, 10]


def test_maps_that_are_too_much_for_one_answer_are_refused_before_they_are_sent() -> None:
    values = np.broadcast_to(np.uint8(0), (200, 64, 128, 128))
    maps = Maps(
        epochs=tuple(range(200)),
        values=values,
        names=("map",) * 64,
        titles=(("map",) * 64,) * 200,
        scales=(Scale("attention"),) * 64,
        columns=8,
        side=128,
        x=Axis("b"),
        y=Axis("a"),
    )
    with pytest.raises(BadConfig, match="200 MiB"):
        slice_of(maps)
