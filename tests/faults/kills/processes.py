"""`tdw fill` and its workers, killed while they work."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import psutil

from ..checks import Watch
from ..dagster_work import EventWatch, runs_undisturbed
from ..outcome import PATIENCE_S, Outcome, Run
from ..work import Tree
from .programs import HELD, kill, log_of, tdw, write_study


def fill_killed(run: Run) -> Outcome:
    """`tdw fill` itself is killed, or one of its workers."""
    outcome = Outcome("SIGKILL of `tdw fill` and of its worker processes", HELD)
    reference = runs_undisturbed(run)
    round_ = 0
    while round_ == 0 or not run.over:
        root = run.folder(f"store_{round_}")
        round_ += 1
        study = write_study(root)
        watch, events = Watch(root, reference, outcome), EventWatch(root)
        # The first round kills each once, however little time there is.
        victims = ["worker", "fill", "all"]
        while victims:
            victim = victims.pop(run.random.randrange(len(victims)))
            with tdw("fill", root, study) as process:
                if not _await_files(process, root, run.random.randint(1, 25)):
                    break
                time.sleep(run.random.random())
                _kill(outcome, process, victim)
            events.look(outcome.lose, when=f"after {victim} was killed")
            watch.look([], when=f"after {victim} was killed")
        with tdw("fill", root, study) as process:
            outcome.require(process.wait(timeout=PATIENCE_S) == 0, f"the last fill failed: {log_of(root)}")
        watch.finish()
        events.finish(outcome.lose, reference)
    outcome.notes["studies completed"] += round_
    return outcome


def _await_files(process: subprocess.Popen[bytes], root: Path, more: int) -> bool:
    """Wait until so many files more are committed; False when the process ends before."""
    there = len(Tree.of(root).digests)
    while process.poll() is None:
        if len(Tree.of(root).digests) >= there + more:
            return True
        time.sleep(0.1)
    return False


def _kill(outcome: Outcome, process: subprocess.Popen[bytes], victim: str) -> None:
    """Kill `tdw fill`, one of its workers, or all of them."""
    workers = psutil.Process(process.pid).children(recursive=True)
    family = [psutil.Process(process.pid), *workers]
    victims = {"fill": family[:1], "worker": workers[:1], "all": family}[victim]
    killed = [kill(one) for one in victims].count(True)
    outcome.injected += killed
    outcome.deaths += killed
    outcome.died_at[f"`tdw fill`: {victim}", "random time"] += killed
    if victim == "worker":
        process.wait(timeout=PATIENCE_S)  # it goes on with another worker, or ends and says so
    else:
        _, alive = psutil.wait_procs(workers, timeout=30)
        outcome.require(not alive, f"workers outlive `tdw fill`: {alive}")
