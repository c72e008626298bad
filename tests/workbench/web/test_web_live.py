"""P14: the pages say that a variant trains, how far, and show its history so far."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from training_that_goes_on import training

from tdw.store import Store
from tdw_workbench.web.app import standalone
from tdw_workbench.web.data import so_far
from tdw_workbench.web.http.settings import Settings

FAMILY, VARIANT, NEW = "modulo_addition_1layer", "p7_s1_d598_f0.5", "p7_s2_d598_f0.5"
STUDY = f"""\
name: two
variants: [{VARIANT}, {NEW}]
epochs: 200
checkpoints: [0, 10, 20]
"""
ROW = f"/tdw/api/row/{FAMILY}/{NEW}?study=two&last=200"
FIGURE = f"/tdw/plot/{FAMILY}/{NEW}/training_curves/now.json"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def client(store: Store, tmp_path: Path) -> TestClient:
    (tmp_path / "study.yaml").write_text(STUDY)
    settings = Settings(str(store.root), studies=(tmp_path / "study.yaml",))
    return TestClient(standalone(settings), base_url="http://127.0.0.1")


def test_nothing_is_said_to_train_where_nothing_does(client: TestClient) -> None:
    assert client.get("/tdw/api/now").json() == {}
    assert "state now" not in client.get("/tdw/").text
    assert client.get(FIGURE.replace(NEW, VARIANT)).status_code == 404  # its own is stored


def test_every_page_follows_a_training_from_its_first_epoch_to_its_end(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(so_far, "SHARE", 1e9)
    with training(store, NEW, last=200) as reach:
        reach(0)
        first = client.get("/tdw/api/now")
        assert list(first.json()) == [f"{FAMILY}/{NEW}"]
        tag = {"if-none-match": first.headers["etag"]}
        assert client.get("/tdw/api/now", headers=tag).status_code == 304
        row = client.get(ROW).text
        assert "epoch 0 of 200" in row and "test loss over epochs 0 to 0" in row
        reach(120)
        assert client.get("/tdw/api/now", headers=tag).status_code == 200
        row = client.get(ROW).text
        assert "epoch 120 of 200" in row and "test loss over epochs 0 to 120" in row
        # The curve ends where the training is, not at the right edge of the picture.
        x = [float(point) for point in re.findall(r"[ML]([\d.]+) ", row)]
        assert 70 < max(x) < 90
        assert f">{NEW}</code>" in client.get("/tdw/").text
        for page in ("view/variant", "view/plot"):
            url = f"/tdw/{page}/{FAMILY}/{NEW}" + ("/training_curves" if page == "view/plot" else "")
            text = client.get(url).text
            assert FIGURE in text and 'data-figure=""' in text and "data-kept" not in text
        drawn = client.get(FIGURE).json()
        assert drawn["running"].startswith("training, epoch 120 of 200")
        assert "training, epoch 120 of 200" in drawn["figure"]["layout"]["title"]["text"]
        # The stored figures of the study are made of what is committed alone.
        assert client.get(FIGURE.replace("now.json", "figure.json")).status_code == 404
    assert client.get("/tdw/api/now").json() == {}
    assert "state now" not in client.get(ROW).text
    assert client.get(FIGURE).json()["running"] is None  # however long the last figure would have been kept


def test_the_history_of_a_training_that_ended_is_shown_until_its_figure_is_made(
    tiny_store: Store, tmp_path: Path
) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    settings = Settings(str(tiny_store.root), studies=(tmp_path / "study.yaml",))
    client = TestClient(standalone(settings), base_url="http://127.0.0.1")
    ended = client.get(FIGURE.replace(NEW, VARIANT)).json()
    assert (ended["running"], ended["stored"]) == (None, False)
    assert "training, epoch" not in ended["figure"]["layout"]["title"]["text"] and ended["figure"]["data"]
    page = client.get(f"/tdw/view/variant/{FAMILY}/{VARIANT}").text
    assert (
        'data-kept="yes"' in page
        and "drawn again while it goes on" in page
        and "No epoch has been trained" not in page
    )


def test_what_the_first_figure_of_a_server_costs_does_not_hold_up_the_next(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(so_far, "SHARE", 1e-9)
    clock = [100.0]
    monkeypatch.setattr(so_far.time, "monotonic", lambda: clock[0])
    seen: list[str] = []
    with training(store, NEW, last=200) as reach:
        for epoch in (10, 50, 90):
            reach(epoch)
            seen.append(client.get(FIGURE).json()["running"].split(" of ")[0])
            clock[0] += 1.0
    assert seen == ["training, epoch 10", "training, epoch 50", "training, epoch 50"]


def test_the_page_of_a_variant_names_its_configuration(client: TestClient) -> None:
    page = client.get(f"/tdw/view/variant/{FAMILY}/{VARIANT}").text
    assert "<code>weight_decay</code>" in page and "<strong>7</strong>" in page
    assert client.get(f"/tdw/view/variant/{FAMILY}/p5_s9_d598").status_code == 404
