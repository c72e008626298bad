"""`tdw fill` and `tdw status` of a study with an adaptive rule, as a person meets them."""

import json
from pathlib import Path

import pytest

from tdw.store import Store
from tdw.study import load_study
from tdw.study.extra_epochs import read_choice
from tdw_workbench.cli import main
from tdw_workbench.fill.request import FillRequest
from tdw_workbench.web.data.store_cache import StoreCache
from tdw_workbench.web.http.settings import Settings

VARIANT, OTHER = "p23_s1_d598_f0.6", "p23_s2_d598_f0.6"
FAMILY = "modulo_addition_1layer"
STUDY = f"""\
name: falling
variants: [{VARIANT}]
epochs: 600
checkpoints: [0:600:200]
early_epoch: 200
analyzers: [dominant_frequencies]
training: {{state_every: 200, test_every: 20, device: cpu}}
adaptive: {{extra_checkpoints: 3}}
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("DAGSTER_HOME", "")  # the command sets it; this puts it back
    (tmp_path / "study.yaml").write_text(STUDY)
    return ["--study", str(tmp_path / "study.yaml"), "--store", str(tmp_path / "store")]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_fill_trains_chooses_and_replays_and_a_second_one_does_nothing(
    places: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store, study = Store(tmp_path / "store"), load_study(tmp_path / "study.yaml")
    only = ["--assets", "dominant_frequencies"]  # and so no plots, which take longer than all the rest
    assert main(["status", *places]) == 0
    assert "Extra checkpoints are chosen when every variant is trained" in capfd.readouterr().out

    assert main(["fill", *places, *only]) == 0
    said = capfd.readouterr().out
    choice = read_choice(store, study)
    assert choice is not None and 1 <= len(choice.epochs) <= 3
    assert f"First pass: training {VARIANT}" in said and f"Chosen where the test loss of {VARIANT}" in said
    wanted = sorted({0, 200, 400, 600, *choice.epochs})
    assert store.epochs(FAMILY, VARIANT) == store.epochs(FAMILY, VARIANT, "dominant_frequencies") == wanted

    assert main(["fill", *places, *only]) == 0
    again = capfd.readouterr().out
    assert "Nothing is missing" in again and "Chosen" not in again and "First pass" not in again

    assert main(["status", *places, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["adaptive"]["chosen_by"] == [VARIANT] and not found["adaptive"]["due"]
    assert found["totals"]["cells"] == 2 * len(wanted) and found["totals"]["missing"] == 0
    library = StoreCache(Settings(str(store.root), studies=(tmp_path / "study.yaml",)))
    assert library.scheduled(FAMILY, VARIANT) == tuple(wanted)

    # Asked for one epoch, or for one variant while another was never tried, a fill chooses nothing.
    (tmp_path / "study.yaml").write_text(STUDY.replace(f"[{VARIANT}]", f"[{VARIANT}, {OTHER}]"))
    assert main(["fill", *places, "--variant", OTHER, "--epochs", "0", *only]) == 0
    assert read_choice(store, study) == choice
    assert store.epochs(FAMILY, OTHER) == [0]


def test_only_an_order_for_whole_training_has_two_passes(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    study = load_study(tmp_path / "study.yaml").model_dump(mode="json")

    def request(epochs: tuple[int, ...] = (), assets: tuple[str, ...] = (), **changes: object) -> FillRequest:
        return FillRequest({**study, **changes}, str(tmp_path), str(tmp_path), (VARIANT,), epochs, assets)

    assert request().has_two_passes and request(assets=("checkpoint", "coarseness")).has_two_passes
    assert not request(epochs=(1,)).has_two_passes
    assert not request(assets=("history",)).has_two_passes
    assert not request(adaptive=None).has_two_passes
    assert request().training().assets == ("checkpoint", "history")
    assert request(assets=("checkpoint", "coarseness")).training().assets == ("checkpoint",)
