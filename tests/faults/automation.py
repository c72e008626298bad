"""The sensor's ticks, doubled, repeated, with a lost or an old cursor, its runs killed while STARTED.

A tick is the daemon's call without the daemon: what it asks for is started unless a run of the same key was
started before, which is the daemon's own rule.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

from tdw.store import Store
from tdw_assets.automation.run_requests import run_request
from tdw_assets.automation.sensor import Seen, tick
from tdw_resources import events
from tdw_resources.instance import fail_dead_runs, open_instance
from tdw_resources.liveness import WORKER_TAG, identity
from tdw_workbench.fill.worker_process import execute

from .checks import Watch
from .dagster_work import (
    CELLS_A_BATCH,
    EventWatch,
    definitions,
    fill_everything,
    grid,
    home_of,
    prepare,
    run_statuses,
    runs_undisturbed,
    tell_of_events,
)
from .killing import run_child
from .outcome import Outcome, Run

_PATIENCE = 60


def repeated_ticks(run: Run) -> Outcome:
    """A study carried out by ticks alone, the process that ticks and works being killed at random."""
    outcome = Outcome(
        "sensor ticks doubled, with lost and old cursors and shifted clocks; their runs killed while STARTED",
        "the same gap is asked for once, no cell is recorded twice, no run stays STARTED, and the study is "
        "completed with the bytes of undisturbed work",
    )
    reference = runs_undisturbed(run)
    round_ = 0
    while not run.over:
        root = run.folder(f"store_{round_}")
        round_ += 1
        prepare(root)
        definitions(root)
        watch, seen = Watch(root, reference, outcome), EventWatch(root)
        for attempt in range(_PATIENCE):
            after = run.random.random() * 4 + 0.2 if attempt < _PATIENCE - 20 and not run.over else None
            cursor = run.random.choice(["kept", "kept", "lost", "old"])
            shift = run.random.choice([0.0, 0.0, -86_400.0, 86_400.0])
            ended = run_child(
                lambda root=root, cursor=cursor, shift=shift: _automate(root, cursor, shift),
                root,
                after_s=after,
                hooks=[tell_of_events],
            )
            ticks = sum(1 for _, step in ended.steps if step == "tick")
            outcome.injected += 2 * ticks
            outcome.notes["ticks, each of them doubled"] += ticks
            outcome.notes[f"starts with the cursor {cursor}"] += 1
            outcome.notes["starts with the clock a day off"] += shift != 0
            if ended.killed:
                ended.count_death(outcome, at_step=False)
            elif ended.code != 0:
                outcome.lose(f"ticking failed: {ended.words}")
                break
            done = [path for path in ended.committed if not path.startswith("event")]
            watch.look(done, when="after a tick")
            seen.look(outcome.lose, when="after a tick")
            if not ended.killed:
                break
        ended = run_child(lambda root=root: fill_everything(root), root)  # what was tried too often
        outcome.require(ended.code == 0, f"the last fill failed: {ended.words}")
        watch.finish()
        seen.finish(outcome.lose, reference)
        outcome.notes["runs"] += sum(run_statuses(root).values())
    outcome.notes["studies completed"] += round_
    return outcome


def _automate(root: Path, cursor: str, shift: float) -> None:
    """Tick and start what is asked for until nothing is."""
    from tdw.store import commit

    events.BATCH_CELLS = CELLS_A_BATCH
    real_time = time.time
    time.time = lambda: real_time() + shift
    store, saved, keys = Store(root), root / ".cursor", root / ".keys"
    started = set(keys.read_text().split()) if keys.exists() else set[str]()
    seen = Seen() if cursor == "lost" or not saved.exists() else Seen.read(saved.read_text())
    with open_instance(home_of(root)) as instance:
        fail_dead_runs(instance)
        while True:
            first = tick(grid(), instance, store, seen)
            second = tick(grid(), instance, store, seen)
            commit.on_step("tick", root / "tick")
            asked = [run_request(grid(), task, attempt=attempt).run_key for task, attempt in first.tasks]
            again = [run_request(grid(), task, attempt=attempt).run_key for task, attempt in second.tasks]
            if asked != again:
                raise RuntimeError(f"a doubled tick asks for something else: {asked} and {again}")
            both = zip(asked, first.tasks, strict=True)
            new = [(key, task) for key, (task, _) in both if key not in started]
            for key, task in new:
                started.add(str(key))
                with keys.open("a") as file:
                    file.write(f"{key}\n")
                if task.stage == "check":
                    checks = definitions(root).resolve_job_def("check")
                    mark = {WORKER_TAG: identity()}  # as our run launcher gives to every run
                    if not checks.execute_in_process(
                        instance=instance, raise_on_error=False, tags=mark
                    ).success:
                        raise RuntimeError("the run of the checks failed")
                    continue
                done = execute(grid(), task, defs=definitions(root), instance=instance)
                if done.error:
                    raise RuntimeError(f"{done.stage} of {done.variant}: {done.error}")
            seen = first.seen
            if cursor != "old":
                saved.write_text(json.dumps(asdict(seen)))
            if not new and not first.seen.queue:
                return
