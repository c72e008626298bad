"""Slices of the sequence explorer: what a browser decodes is the stored attention of the head it asks for."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import synthetic_sequences as made
from safetensors.numpy import load
from starlette.testclient import TestClient

from tdw.store import Address, Store
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import Settings

KEY = "layers3_heads2_std0.1_s0"
HERE = f"symbolic_ioi/{KEY}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    for name in ("attention_patterns", "head_scores"):
        made.write(store, "symbolic_ioi", KEY, made.transformer_arrays, only=name)
    return store


@pytest.fixture
def client(store: Store) -> TestClient:
    return TestClient(standalone(Settings(str(store.root))), base_url="http://127.0.0.1")


def stored(store: Store, epoch: int) -> dict[str, np.ndarray]:
    return store.read(Address("symbolic_ioi", KEY, "attention_patterns", epoch)).arrays


def test_attention_of_a_head_is_the_artifacts_in_a_sequence_and_in_the_mean(
    client: TestClient, store: Store
) -> None:
    for query, pick in (
        ("layer=2&head=1", lambda arrays: arrays["mean"][2, 1]),
        ("layer=1&head=0&sequence=3", lambda arrays: arrays["sequences"][3, 1, 0]),
    ):
        found = load(client.get(f"/tdw/api/attention/{HERE}?{query}").content)
        assert found["epochs"].tolist() == list(made.EPOCHS) and found["codes"].dtype == np.uint8
        for i, epoch in enumerate(made.EPOCHS):
            decoded = (found["codes"][i] / 255) ** 2
            np.testing.assert_allclose(decoded, pick(stored(store, epoch)), atol=1 / 255)


def test_maps_of_heads_for_a_dashboard_are_the_square_root_of_their_mean_attention(
    client: TestClient, store: Store
) -> None:
    found = load(client.get(f"/tdw/panel/api/heads/{HERE}?heads=5,2").content)
    decoded = found["low"][..., None, None] + found["scale"][..., None, None] * found["codes"]
    for i, epoch in enumerate(made.EPOCHS):
        for row, (layer, head) in enumerate(((2, 1), (1, 0))):
            expected = np.sqrt(stored(store, epoch)["mean"][layer, head])
            np.testing.assert_allclose(decoded[row, i], expected, atol=0.51 / 255)
    refused = client.get(f"/tdw/panel/api/heads/{HERE}?heads=6")
    assert "there are 6: 0 to 5" in refused.json()["remedy"]


def test_sequences_come_with_the_names_of_their_tokens_and_scores_with_chance(
    client: TestClient, store: Store
) -> None:
    found = load(client.get(f"/tdw/api/sequences/{HERE}").content)
    np.testing.assert_array_equal(found["tokens"], stored(store, 40)["tokens"])
    assert json.loads(found["labels"].tobytes()) == ["A", "B", "C", "D", "E", "F", "<BOS>", "<MID>"]
    scores = load(client.get(f"/tdw/api/scores/{HERE}").content)
    assert scores["prefix_matching"].shape == (4, 3, 2) and scores["chance"].tolist() == [0.25] * 3
    assert scores["prefix_matching"][2, 2, 1] == pytest.approx(0.2 + 0.2 + 20 / 80)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("layer=3&head=0", 400),
        ("layer=0", 400),
        ("layer=0&head=0&sequence=4", 404),
        ("layer=0,1&head=0", 400),
    ],
)
def test_what_is_not_there_is_refused(client: TestClient, query: str, status: int) -> None:
    assert client.get(f"/tdw/api/attention/{HERE}?{query}").status_code == status


def test_damaged_attention_is_left_out_and_named(client: TestClient, store: Store) -> None:
    path = Path(store.path(Address("symbolic_ioi", KEY, "attention_patterns", 0)))
    data = bytearray(path.read_bytes())
    even = np.float16(1 / 3).tobytes()
    at = data.rfind(even)  # in one of the maps: a third of a query's attention
    assert at > 0
    data[at + 1] = 0
    path.write_bytes(data)
    answers = [
        load(client.get(f"/tdw/api/attention/{HERE}?layer={layer}&head={head}{sequence}").content)
        for layer in range(3)
        for head in range(2)
        for sequence in ("", "&sequence=0", "&sequence=1", "&sequence=2", "&sequence=3")
    ]
    left_out = [answer for answer in answers if answer["epochs"].tolist() == [10, 20, 40]]
    assert len(left_out) == 1 and len(answers) == 30
