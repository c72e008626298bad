"""A real `tdw up` on a tiny study, and its UI's GraphQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import requests

from tdw_workbench.servers.ports import free_port

V1, V2 = "p7_s1_d598", "p7_s2_d598"
STUDY = f"""\
name: tiny
variants: [{V1}, {V2}]
epochs: 6
checkpoints: [0, 2, 4, 6]
early_epoch: 2
analyzers: [coarseness, coarseness_stats]
training: {{state_every: 3, test_every: 2, device: cpu}}
"""
REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "tdw"}


def marked(mark: str) -> list[psutil.Process]:
    """Living processes that carry `mark` in their environment: all that ever came from ours."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TDW_TEST_MARK") == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def until(what: str, true: Callable[[], Any], *, within_s: float) -> Any:
    """Wait for something; its value."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        value = true()
        if value:
            return value
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {within_s:g} s")


@dataclass
class Up:
    """A running `tdw up`."""

    folder: Path
    port: int
    process: subprocess.Popen[str]

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        study: str = STUDY,
        studies: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Up:
        port = free_port()
        arguments = ["up", "--store", str(folder / "store")]
        for name, text in (studies or {"study": study}).items():
            (folder / f"{name}.yaml").write_text(text)
            arguments += ["--study", str(folder / f"{name}.yaml")]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tdw_workbench.cli", *arguments, "--port", str(port)],
            cwd=cwd,
            env={**os.environ, "TDW_TEST_MARK": str(folder), **(environment or {})},
            stdout=(folder / "up.out").open("a"),
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return cls(folder, port, process)

    def said(self) -> str:
        return (self.folder / "up.out").read_text()

    def await_ui(self, within_s: float = 90) -> None:
        def answers() -> bool:
            assert self.process.poll() is None, self.said()
            try:
                ping = requests.get(f"http://127.0.0.1:{self.port}/tdw/ping", timeout=2).json()
                loaded = self.ask(
                    "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }"
                )
            except (requests.RequestException, ValueError):
                return False
            entries = loaded["workspaceOrError"].get("locationEntries") or []
            return ping["ok"] and [entry["loadStatus"] for entry in entries] == ["LOADED"]

        until("the UI answers", answers, within_s=within_s)

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        reply = requests.post(
            f"http://127.0.0.1:{self.port}/graphql",
            json={"query": query, "variables": dict(variables or {})},
            timeout=30,
        ).json()
        assert "errors" not in reply, reply["errors"]
        return reply["data"]

    def stop(self, how: int = signal.SIGINT, *, within_s: float = 60) -> int:
        self.process.send_signal(how)
        return self.process.wait(within_s)

    def runs(self) -> list[dict[str, Any]]:
        query = "{ runsOrError { ... on Runs { results { runId jobName status tags { key value } } } } }"
        found = self.ask(query)["runsOrError"]["results"]
        return [run | {"tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def materialized(self, *path: str) -> int:
        """Number of materialized partitions of an asset."""
        query = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) {
            ... on AssetNode { partitionStats { numMaterialized numFailed numPartitions } } } }"""
        node = self.ask(query, {"key": {"path": list(path)}})["assetNodeOrError"]
        return node["partitionStats"]["numMaterialized"]
