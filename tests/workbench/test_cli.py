"""The command line: what is refused, in which words, and with which exit code."""

import io
import json
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tdw.errors import BadConfig
from tdw.store import Address, Store
from tdw_resources.instance import open_instance
from tdw_resources.places import find_places
from tdw_workbench.cli import COMMANDS, build_parser, main
from tdw_workbench.fill import announcing, carry_out
from tdw_workbench.fill.request import ALL, FillRequest, close_over_inputs

STUDY = """\
name: tiny
variants: [p7_s1_d598]
epochs: 6
checkpoints: [0, 2, 4, 6]
early_epoch: 2
analyzers: [coarseness, coarseness_stats]
training: {state_every: 3, test_every: 2, device: cpu}
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Arguments that name a study and a store of this test's own."""
    monkeypatch.setenv("DAGSTER_HOME", "")  # the command sets it; this puts it back
    (tmp_path / "study.yaml").write_text(STUDY)
    return ["--study", str(tmp_path / "study.yaml"), "--store", str(tmp_path / "store")]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--variant", "p8_s1_d598"], ["p is 8", "use 7 or 11"]),
        (["--variant", "p7_s01_d598"], ["p7_s01_d598", "p7_s1_d598"]),
        (["--epochs", "5:1"], ["5:1", "1:5"]),
        (["--epochs", "many"], ["'many'", "0:1500:100"]),
        (["--assets", "coarsness"], ["coarsness", "coarseness_stats"]),
        (["--workers", "0"], ["--workers is 0", "at least 1"]),
        (["--batch", "0"], ["--batch is 0", "at least 1"]),
    ],
)
def test_a_fill_that_makes_no_sense_is_refused_with_a_remedy(
    places: list[str], arguments: list[str], named: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fill", *places, *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith("tdw fill: ") and "\n  -> " in said
    for words in named:
        assert words in said


def test_a_dry_run_says_what_is_missing_and_leaves_everything_as_it_is(
    places: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert main(["fill", *places, "--dry-run", "--variant", "p7_s1_d598,p7_s2_d598"]) == 0
    said = capsys.readouterr().out
    row = next(line for line in said.splitlines() if line.startswith("p7_s2_d598"))
    assert row.split()[1:3] == ["4", "8"]
    assert "In all 24 cells" in said and "this was a dry run" in said
    assert sorted(tmp_path.rglob("*")) == before
    assert main(["fill", *places, "--dry-run", "--variant", "p8_s1_d598"]) == 2
    assert "p is 8" in capsys.readouterr().err


def test_a_person_is_asked_before_much_is_started_and_a_program_is_not(
    places: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(announcing, "ASK_ABOVE", 11)
    monkeypatch.setattr(carry_out, "_work", lambda *_, **__: started.append(1) or [])
    for typed, more, code in (("n\n", [], 1), ("", [], 1), ("y\n", [], 0), ("", ["--yes"], 0)):
        stdin = io.StringIO(typed)
        monkeypatch.setattr(stdin, "isatty", lambda: True)
        monkeypatch.setattr("sys.stdin", stdin)
        assert main(["fill", *places, *more]) == code
        assert ("In all 12 cells" in capsys.readouterr().out) == (not more)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["fill", *places]) == 0
    assert len(started) == 3


def test_a_study_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for command in ("up", "fill", "status"):
        assert main([command, "--study", str(tmp_path / "none.yaml"), "--store", str(tmp_path)]) == 2
        assert str(tmp_path / "none.yaml") in capsys.readouterr().err


def test_a_store_that_can_not_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "file").write_text("")
    where = ["--study", str(tmp_path / "study.yaml"), "--store", str(tmp_path / "file" / "store")]
    assert main(["fill", *where]) == 1
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert {"up", "fill", "status"} <= set(COMMANDS)
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            build_parser().parse_args([command, "--help"])
        assert ended.value.code == 0
        assert len(capsys.readouterr().out) > 200


def test_the_status_of_an_empty_study_says_what_is_missing(
    places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", *places, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["totals"]["missing"] == 12 and not found["complete"]
    assert found["variants"]["p7_s1_d598"]["cells"]["coarseness"]["missing"] == "0:6:2"
    assert main(["status", *places]) == 0
    said = capsys.readouterr().out
    assert "0/4" in said and "0/8" in said and "0/11" in said
    assert main(["status", *places, "--variant", "p7_s9_d598"]) == 2
    assert "it has: p7_s1_d598" in capsys.readouterr().err


def test_an_order_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    from tdw.study import parse_study

    study = parse_study({"name": "tiny", "variants": ["p7_s1_d598"], "epochs": 6, "checkpoints": ["0:6:2"]})
    request = FillRequest(
        study.model_dump(mode="json"), str(tmp_path), str(tmp_path), ("p7_s1_d598",), (1, 2)
    )
    again: FillRequest = pickle.loads(pickle.dumps(request))
    assert again == request
    assert again.wanted().epochs == (1, 2) and again.wanted().study == study


def test_assets_are_filled_with_what_they_are_made_from() -> None:
    from tdw.study import parse_study
    from tdw_resources.wanted import WantedAssets

    wanted = WantedAssets.of(
        parse_study({"name": "s", "variants": ["p7_s1_d598"], "epochs": 6, "checkpoints": [0]})
    )
    assert close_over_inputs(wanted, ["coarseness_stats"]) == ("checkpoint", "coarseness", "coarseness_stats")
    found = close_over_inputs(wanted, ["plots/training_curves"])
    assert {"checkpoint", "history", "summaries/grokking", "plots/training_curves"} <= set(found)
    assert "neuron_activations" not in found and ALL not in found
    with pytest.raises(BadConfig, match=r"analyzers: \[default, curvature\]"):
        close_over_inputs(wanted, ["curvature"])


@pytest.mark.slow
@pytest.mark.ci
def test_a_fill_of_more_than_the_study_lists_does_what_is_asked_and_no_more(
    places: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = Store(tmp_path / "store")

    def epochs(kind: str, variant: str = "p7_s5_d598") -> list[int]:
        return store.epochs("modulo_addition_1layer", variant, kind)

    more = ["--variant", "p7_s5_d598", "--epochs", "0,1,3", "--assets", "coarseness"]
    assert main(["fill", *places, *more]) == 0
    said = capfd.readouterr().out
    assert "Added to study tiny: p7_s5_d598" in said and "Not in the checkpoints of study tiny: 1, 3" in said
    assert epochs("checkpoints") == epochs("coarseness") == [0, 1, 3]
    assert not epochs("coarseness_stats") and not epochs("checkpoints", "p7_s1_d598")


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.timeout(600)
def test_a_fill_makes_everything_and_a_second_one_nothing(
    places: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["fill", *places]) == 0
    store = Store(tmp_path / "store")
    assert store.epochs("modulo_addition_1layer", "p7_s1_d598", "coarseness_stats") == [0, 2, 4, 6]
    assert (tmp_path / "store/modulo_addition_1layer/p7_s1_d598/summaries/coarseness.parquet").exists()
    capfd.readouterr()
    assert main(["fill", *places]) == 0
    assert "Nothing is missing" in capfd.readouterr().out

    # Out of date: said by a plain fill, computed again when asked for.
    (tmp_path / "study.yaml").write_text(
        STUDY.replace("[coarseness, coarseness_stats]", "{coarseness: {bottleneck: 5}, coarseness_stats: {}}")
    )
    assert main(["fill", *places]) == 0
    assert "8 cells out of date" in capfd.readouterr().out
    assert main(["fill", *places, "--out-of-date"]) == 0
    assert main(["status", *places, "--json"]) == 0
    assert json.loads(capfd.readouterr().out.split("Done in")[-1].partition("\n")[2])["complete"]


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.timeout(600)
def test_a_fill_in_batches_records_what_was_trained_together(
    places: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.yaml").write_text(
        STUDY.replace("[p7_s1_d598]", "[p7_s1_d598, p7_s2_d598, p5_s1_d598]")
    )
    only = ["--assets", "checkpoint"]
    assert main(["fill", *places, *only, "--batch", "8"]) == 0
    said = capfd.readouterr().out
    assert "p7_s1_d598 and 1 variant of its shape: trained in one batch" in said
    store, forms = Store(tmp_path / "store"), {}
    for variant in ("p7_s1_d598", "p7_s2_d598", "p5_s1_d598"):
        assert store.epochs("modulo_addition_1layer", variant) == [0, 2, 4, 6]
        address = Address("modulo_addition_1layer", variant, "checkpoints", 6)
        forms[variant] = store.provenance(address).environment["form"]
    assert forms["p7_s1_d598"] == forms["p7_s2_d598"] == "batch" != forms["p5_s1_d598"]
    assert main(["fill", *places, *only]) == 0
    assert "Nothing is missing: 12 cells" in capfd.readouterr().out


def test_ctrl_c_in_the_middle_of_an_import_does_not_change_the_exit_code(tmp_path: Path) -> None:
    # Importing a module with dataclasses executes strings, which is where CPython behaves so.
    code = (
        "import os, signal; from tdw_workbench.interrupts import take_signals; take_signals(signal.SIGINT)\n"
        "try: exec('os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(5)')\n"
        "except KeyboardInterrupt: pass"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("name", ["a b", "a#b", "ä+&=b", "100%"])
def test_a_store_may_have_any_name_that_dagster_can_keep(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    with open_instance(find_places(str(tmp_path / name), study=places[1]).home):
        pass
    assert list((tmp_path / name / ".dagster").rglob("runs.db"))
    assert main(["status", *places[:2], "--store", str(tmp_path / name)]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("name", ["a?b", "a%20b"])
def test_a_store_whose_path_would_lead_dagster_elsewhere_is_refused(
    tmp_path: Path, places: list[str], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "a b").mkdir()
    assert main(["fill", *places[:2], "--store", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert str(tmp_path / name) in said and "--store" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a b", "study.yaml"]
    assert not list((tmp_path / "a b").iterdir())


@pytest.mark.parametrize("command", ["serve", "up"])
def test_a_port_that_can_not_be_used_is_refused_with_a_remedy(
    command: str, places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in ("0", "-1", "99999"):
        assert main([command, *places, "--port", wrong]) == 2
        assert f"--port is {wrong}" in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main([command, *places, "--port", str(port)]) == 1
    told = capsys.readouterr()
    assert f"port {port} of 127.0.0.1 can't be used" in told.err and "choose another with --port" in told.err
    assert "http" not in told.out  # it has not said that it serves


def test_an_address_of_another_machine_is_refused(
    places: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *places, "--host", "192.0.2.1"]) == 1
    assert "--host has to be an address of this machine" in capsys.readouterr().err
