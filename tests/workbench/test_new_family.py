"""F4: from `tdw new family` to the first plot, as its how-to says, without and with a UI, and installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import requests
from running import Up, marked, until
from starlette.testclient import TestClient

import tdw
from tdw.study import load_study
from tdw_workbench.cli import main
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import Settings

NAME = "repeats_for_tests"
SMALL = f"""\
family: ./{NAME}
variants: [{{seed: 0, length: 6, batch_size: 16, lag: 1}}]
epochs: 40
checkpoints: ["0:40:10"]
early_epoch: 10
analyzers: [offset_attention]
"""
KEY = "s0_lag1_len6_batch16"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "family", NAME]) == 0
    return tmp_path / NAME


@pytest.mark.timeout(300)
def test_a_new_family_goes_to_its_first_plot_by_fill(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "my_family" not in "".join(f.read_text() for f in folder.rglob("*") if f.is_file())
    assert len((folder / "README.md").read_text().splitlines()) <= 12
    assert load_study(folder / "study.yaml").variant_keys == ("s0", "s1")
    (folder / "small.yaml").write_text(SMALL)
    places = ["--study", str(folder / "small.yaml"), "--store", str(folder / "store")]
    assert main(["fill", *places, "--workers", "1", "--assets", "plots/offset_attention"]) == 0
    v = tdw.open(folder / "store").variant(KEY)
    figure = v.plot("offset_attention")
    assert [line.name for line in figure.data] == ["L0H0", "L0H1"]
    table = v.summary("offset_attention")
    assert table["epoch"].tolist() == [0, 10, 20, 30, 40]
    assert 0.1 < table["highest"].iloc[0] < 0.4 and table["highest"].iloc[-1] > 0.9, (
        "one head learns the task"
    )
    assert v.at(40).transformer_lens().cfg.n_heads == 2
    settings = Settings(str(folder / "store"), studies=(folder / "small.yaml",))
    client = TestClient(standalone(settings), base_url="http://127.0.0.1")
    assert f"/tdw/view/plot/{NAME}/{KEY}/offset_attention" in client.get("/tdw/").text
    assert client.get(f"/tdw/view/plot/{NAME}/{KEY}/offset_attention").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Bad-Name"], "can't be called 'Bad-Name'"),
        (["class"], "can't be called 'class'"),
        (["../up"], "can't be called"),
        (["markov_icl"], "there is a family called markov_icl"),
        (["json"], "there is a Python package called json"),
        (["another_name", "--folder", "there"], "there is there already"),
        (["another_name", "--folder", "file/below"], "can't be written"),
    ],
)
def test_a_bad_name_or_place_is_refused_and_nothing_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "file").touch()
    assert main(["new", "family", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "there"]


@pytest.fixture
def site(folder: Path, tmp_path: Path) -> Path:
    """A folder with the family's package as pip installs it, its entry point included."""
    built, target = tmp_path / "built", tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "-w", str(built), str(folder)], check=True, capture_output=True)
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(target)
    return target


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_installed_family_goes_to_its_first_plot_by_up(folder: Path, site: Path) -> None:
    study = SMALL.replace(f"./{NAME}", NAME)
    up = Up.start(folder, study=study, environment={"PYTHONPATH": str(site)})
    try:
        up.await_ui(within_s=240)
        until("the study is complete", lambda: "The study is complete" in up.said(), within_s=500)
        page = requests.get(f"http://127.0.0.1:{up.port}/tdw/", timeout=30).text
        link = re.search(rf'"(/tdw/view/plot/{NAME}/{KEY}/offset_attention[^"]*)"', page)
        assert link, page[:2000]
        shown = requests.get(f"http://127.0.0.1:{up.port}{link[1]}", timeout=30)
        assert shown.status_code == 200 and "Attention to the answer" in shown.text
        assert up.stop() == 0
    finally:
        up.process.kill()
        until("nothing is left", lambda: not marked(str(folder)), within_s=40)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_package_is_found_by_its_entry_point_once_it_is_installed(site: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from tdw.families import get_family, load_family
family = get_family("{NAME}")
assert family.parse_variant("s0_lag3").lag == 3
# A study may go on naming the folder that it is installed from.
assert load_family(Path(sys.modules["{NAME}"].__file__).parent) is family
print(len(family.init_weights(family.parse_variant("s0"))))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["7"], done.stderr
