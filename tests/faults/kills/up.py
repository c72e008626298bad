"""All that `tdw up` starts, killed while it works: by itself, and on a backfill that a person started."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import requests

from tdw_resources.events.partition_keys import cell_key
from tdw_workbench.servers.ports import free_port

from ..checks import Watch
from ..dagster_work import (
    EventWatch,
    definitions,
    fill_everything,
    is_cell,
    read_events,
    runs_undisturbed,
    wanted,
    without_products,
)
from ..outcome import PATIENCE_S, Outcome, Run
from ..work import ANALYZERS, EPOCHS, VARIANTS
from .killing import run_child
from .programs import HELD, kill, log_of, servers, tdw, write_study

# `tdw up` gives up on a server that dies more than five times within five minutes.
_DEATHS_A_SERVER, _WITHIN_S = 4, 300.0


def up_killed(run: Run) -> Outcome:
    """Daemon, webserver, code server, run workers and `tdw up` itself are killed while it works."""
    outcome = Outcome(
        "SIGKILL of daemon, webserver, code server, run workers and `tdw up` while it works", HELD
    )
    reference = runs_undisturbed(run)
    round_ = 0
    while round_ == 0 or not run.over:
        _carry_out(run, outcome, run.folder(f"store_{round_}"), reference)
        round_ += 1
    outcome.notes["studies completed"] += round_
    return outcome


def _carry_out(run: Run, outcome: Outcome, root: Path, reference: Path) -> None:
    expected = read_events(reference).keys()
    study = write_study(root)
    watch, events = Watch(root, reference, outcome), EventWatch(root)
    victims = ["daemon", "run", "webserver", "run", "code server", "daemon", "up", "run", "webserver", "run"]
    give_up, complete, recorded = time.monotonic() + PATIENCE_S, False, 0
    while not complete and time.monotonic() < give_up:
        with tdw("up", root, study, "--port", str(free_port())) as process:
            next_at = time.monotonic()
            while process.poll() is None and time.monotonic() < give_up:
                now = read_events(root)
                complete = expected <= now.keys()
                if complete:
                    break
                if len(now) > recorded:
                    recorded, give_up = len(now), time.monotonic() + PATIENCE_S
                time.sleep(0.3)
                if not victims or time.monotonic() < next_at or not strike(outcome, process, victims[0]):
                    continue
                when = f"after {victims.pop(0)} was killed"
                next_at = time.monotonic() + 2 + 4 * run.random.random()
                watch.look([], when=when)
                events.look(without_products(outcome.lose), when=when)
            stop(outcome, process)
    outcome.require(complete, f"`tdw up` did not complete the study: {log_of(root)}")
    definitions(root)
    ended = run_child(lambda: fill_everything(root), root)
    outcome.require(ended.code == 0, f"the fill after it failed: {ended.words}")
    watch.finish()
    repeated = {cell: n for cell, n in read_events(root).items() if n > 1}
    for cell, number in repeated.items():
        without_products(outcome.lose)(f"{cell} is recorded {number} times")
    outcome.notes["tables and plots recorded again because their inputs grew"] += sum(
        number - 1 for cell, number in repeated.items() if not is_cell(str(cell))
    )


def backfill_interrupted(run: Run) -> Outcome:
    """A person chooses partitions in the UI; the daemon that carries them out is killed and comes back."""
    outcome = Outcome(
        "SIGKILL of daemon and webserver in the middle of a backfill that was started in the UI",
        "the backfill ends as completed, each of its cells is recorded exactly once more, no other cell is, "
        "and every file keeps the bytes of undisturbed work",
    )
    reference = runs_undisturbed(run)
    root = run.scratch / "store"
    shutil.copytree(reference, root)
    study, port, died = write_study(root), free_port(), list[tuple[str, float]]()
    watch = Watch(root, reference, outcome)
    keys = [cell_key(variant, epoch) for variant in VARIANTS for epoch in EPOCHS]
    with tdw("up", root, study, "--port", str(port)) as process:
        round_ = 0
        while round_ == 0 or not run.over:
            round_ += 1
            before = read_events(root)
            assets = run.random.sample(ANALYZERS, run.random.randint(1, len(ANALYZERS)))
            backfill = _launch(port, process, assets, keys)
            for victim in run.random.choice([["daemon"], ["daemon", "webserver"], ["daemon", "daemon"]]):
                time.sleep(3 * run.random.random())
                lately = [at for name, at in died if name == victim and at > time.monotonic() - _WITHIN_S]
                if len(lately) < _DEATHS_A_SERVER and await_(lambda v=victim: strike(outcome, process, v)):
                    died.append((victim, time.monotonic()))
                    watch.look([], when=f"after {victim} was killed")
            ended = await_(lambda b=backfill: _ended(port, b))
            outcome.require(ended == "COMPLETED_SUCCESS", f"backfill {backfill} is {ended}: {log_of(root)}")
            more = read_events(root) - before
            paths = [json.dumps(list(wanted().key(name).path)) for name in assets]
            expected = Counter({(path, key): 1 for path in paths for key in keys})
            found = Counter({cell: n for cell, n in more.items() if is_cell(str(cell))})
            for cell in sorted(found.keys() | expected.keys()):
                outcome.require(
                    found[cell] == expected[cell], f"{cell} is recorded {found[cell]} times by {backfill}"
                )
        stop(outcome, process)
    watch.finish()
    outcome.notes["backfills completed"] += round_
    return outcome


# How it is done


def strike(outcome: Outcome, process: subprocess.Popen[bytes], victim: str) -> bool:
    """Kill one of what `tdw up` runs; False when it is not running at this moment."""
    named = servers(process.pid)
    if victim not in named or not kill(named[victim]):
        return False
    outcome.injected += 1
    outcome.deaths += 1
    outcome.died_at[f"`tdw up`: {victim}", "random time"] += 1
    if victim == "up":
        process.wait()
        orphans = [one for name, one in named.items() if name != "up"]
        _, alive = psutil.wait_procs(orphans, timeout=60)
        outcome.require(not alive, f"processes outlive a killed `tdw up`: {alive}")
    return True


def stop(outcome: Outcome, process: subprocess.Popen[bytes]) -> None:
    """End `tdw up` as a person does; nothing may be left of it."""
    if process.poll() is not None:
        return
    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=120)
    _, alive = psutil.wait_procs(below, timeout=30)
    outcome.require(not alive, f"processes outlive `tdw up`: {alive}")


def await_(true: Callable[[], Any]) -> Any:
    """Wait for something; its value, or the last one when patience ends."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := true()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return value


def _ask(port: int, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """What the UI's GraphQL says; {} while nobody answers."""
    try:
        reply = requests.post(
            f"http://127.0.0.1:{port}/graphql", json={"query": query, "variables": variables}, timeout=60
        ).json()
    except (requests.RequestException, ValueError):
        return {}
    return reply.get("data") or {}


def _launch(port: int, process: subprocess.Popen[bytes], assets: Sequence[str], keys: Sequence[str]) -> str:
    """Start a backfill as the UI does, as soon as the UI can; its id."""
    query = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
        __typename ... on LaunchBackfillSuccess { backfillId } } }"""
    params = {
        "assetSelection": [{"path": list(wanted().key(name).path)} for name in assets],
        "partitionNames": list(keys),
    }

    def launched() -> str:
        if process.poll() is not None:
            raise RuntimeError("`tdw up` ended")
        return _ask(port, query, {"params": params}).get("launchPartitionBackfill", {}).get("backfillId", "")

    return str(await_(launched))


def _ended(port: int, backfill: str) -> str:
    """The status with which a backfill ended; "" while it has not."""
    query = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
        ... on PartitionBackfill { status } } }"""
    found = _ask(port, query, {"id": backfill}).get("partitionBackfillOrError") or {}
    status = str(found.get("status", ""))
    return status if status.startswith(("COMPLETED", "FAILED", "CANCELED")) else ""
