"""The configuration for Celery is that of Postgres, with Dagster's own Celery launcher."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

HOMES = Path(__file__).parents[2] / "dagster_home"
REDIS = "redis://127.0.0.1:6379/7"


def settings(kind: str) -> dict[str, Any]:
    return yaml.safe_load((HOMES / kind / "dagster.yaml").read_text())


def test_only_who_starts_runs_and_how_long_they_may_wait_differ_from_postgres() -> None:
    postgres, celery = settings("postgres"), settings("celery")
    differing = {name for name in postgres.keys() | celery.keys() if postgres.get(name) != celery.get(name)}
    assert differing == {"run_launcher", "run_monitoring"}
    monitoring = celery["run_monitoring"]
    assert monitoring.pop("start_timeout_seconds") > postgres["run_monitoring"].pop("start_timeout_seconds")
    assert monitoring == postgres["run_monitoring"]


def test_dagster_makes_its_celery_launcher_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = pytest.importorskip(
        "dagster_celery.launcher", reason="needs the extra: pip install '.[celery]'"
    )
    monkeypatch.setenv("TDW_CELERY_REDIS", REDIS)
    home = tmp_path / "home"
    home.mkdir()
    # The databases need no server here: SQLite's files in their place.
    kept = {name: settings("celery")[name] for name in ("run_launcher", "run_monitoring", "run_retries")}
    (home / "dagster.yaml").write_text(yaml.safe_dump(kept))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        found = instance.run_launcher
        assert isinstance(found, launcher.CeleryRunLauncher)
        assert (found.broker, found.backend) == (REDIS, REDIS)
        assert instance.run_monitoring_enabled and not instance.run_monitoring_max_resume_run_attempts


def test_a_worker_is_told_the_same_and_keeps_what_dagster_asks_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dagster_celery", reason="needs the extra: pip install '.[celery]'")
    from dagster_celery.cli import get_config_dir

    monkeypatch.setenv("TDW_CELERY_REDIS", REDIS)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    folder = get_config_dir(str(HOMES / "celery" / "worker.yaml"))
    ask = """\
from dagster_celery.app import app
conf = app.conf
print(conf.broker_url, conf.result_backend, conf.worker_disable_prefetch, conf.result_expires)
print(conf.worker_max_tasks_per_child)"""
    env = {**os.environ, "PYTHONPATH": folder}
    said = subprocess.run(
        [sys.executable, "-c", ask], env=env, capture_output=True, text=True, check=True
    ).stdout.split()
    assert said[:3] == [REDIS, REDIS, "True"]
    assert (
        float(said[3]) > 30 * 24 * 3600
    )  # longer than any run; by default a day, then a living run is failed
    assert said[4] == "1"
