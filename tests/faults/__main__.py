"""Inject faults for about half an hour, check what has to hold after each, and write docs/reliability.md.

    python -m tests.faults                     all of it, at least 10,000 deaths; writes the table
    python -m tests.faults --minutes 3         a sample; prints the table
    python -m tests.faults --only steps,flips  some scenarios
    python -m tests.faults --schedule 1234     one schedule again, turn by turn

Exit code 1 when anything was lost.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pickle
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import psutil

from . import report
from .dagster_work import definitions, fill_everything, prepare
from .interleavings import references, schedule
from .outcome import Outcome, Run, fast_folder
from .scenarios import SCENARIOS, Scenario
from .work import VARIANTS, fill_by_library

_FULL_MINUTES = 15.0
_DEATHS = 10_000
_PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios, side by side on all cores; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=_FULL_MINUTES, help="how long, about")
    parser.add_argument("--seed", type=int, default=None, help="repeat what a run with this seed injected")
    parser.add_argument("--only", default="", help="names of scenarios, by commas")
    parser.add_argument("--schedule", type=int, metavar="NUMBER", help="play this one again")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", metavar="FILE", help="also write the outcomes as JSON")
    parser.add_argument(
        "--write", action="store_true", help="write docs/reliability.md though it is no full run"
    )
    options = parser.parse_args(arguments)
    only = {name.strip() for name in options.only.split(",") if name.strip()}
    chosen = [scenario for scenario in SCENARIOS if not only or scenario.name in only]
    unknown = only - {scenario.name for scenario in SCENARIOS}
    if unknown or not chosen:
        parser.error(f"no scenario {unknown}; there are: {', '.join(s.name for s in SCENARIOS)}")
    seed = options.seed if options.seed is not None else Random().getrandbits(32)
    full = not only and options.minutes >= _FULL_MINUTES
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    scratch = Path(tempfile.mkdtemp(prefix="tdw-faults-", dir=fast_folder()))
    if options.schedule is not None:
        return play_again(options.schedule, scratch)
    print(f"Seed {seed}, about {options.minutes:g} minutes, {options.workers} at a time, in {scratch}")
    try:
        found = carry_out(chosen, options.minutes * 60, scratch, seed=seed, workers=options.workers)
        # Stopped by a person from here on, the page lists what was done.
        with contextlib.suppress(KeyboardInterrupt):
            while full and _deaths(found) < _DEATHS:
                # A slow machine: the table's promise is a number of deaths, not a number of minutes.
                print(f"{_deaths(found)} deaths so far: going on", flush=True)
                more = [s for s in SCENARIOS if s.name == "schedules"] * options.workers
                seed_again = Random(seed + len(found)).getrandbits(32)
                found += carry_out(more, 120, scratch, seed=seed_again, workers=options.workers)
    finally:
        # Stopped by a person, it leaves nothing either.
        for one in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        shutil.rmtree(scratch, ignore_errors=True)
    minutes = (time.monotonic() - started) / 60
    page = report.page(found, seed=seed, minutes=minutes, workers=options.workers, where=scratch.parent)
    print(page)
    if full or options.write:
        _PAGE.write_text(page)
    if options.json:
        rows = [
            vars(outcome)
            | {"section": section, "died_at": {": ".join(at): n for at, n in outcome.died_at.items()}}
            for section, outcome in found
        ]
        Path(options.json).write_text(json.dumps({"seed": seed, "minutes": minutes, "rows": rows}, indent=1))
    return 1 if any(outcome.lost for _, outcome in found) else 0


def play_again(number: int, scratch: Path) -> int:
    """Play one schedule, and print its turns; the exit code."""
    outcome = Outcome("", "")
    try:
        run = Run(scratch, Random(number), 0)
        with _silence():
            if schedule.is_of_runs(number):
                run.undisturbed(fill_everything.__name__, _fill_everything)
            references.warm_up(run)
        played = schedule.play(number, run, outcome)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print("\n".join(played.lines))
    print(f"Schedule {number}: {len(played.lines)} turns, {played.deaths} deaths, trace {played.digest}")
    print("\n".join(f"LOST {loss}" for loss in outcome.losses) or "Nothing was lost.")
    return 1 if outcome.lost else 0


def carry_out(
    scenarios: Sequence[Scenario], seconds: float, scratch: Path, *, seed: int, workers: int
) -> list[tuple[str, Outcome]]:
    """Each scenario in a process of its own, forked from this one, which has it all imported.

    Returns:
        (section, outcome), in the order of the scenarios.
    """
    shared = scratch / "shared"
    if not (scratch / "warm").exists():  # another round has it all already
        warm_up(Run(scratch / "warm", Random(seed), 0, shared), by_runs=any(s.by_runs for s in scenarios))
    total = sum(scenario.share for scenario in scenarios)
    waiting, running = list(enumerate(scenarios)), dict[int, int]()
    results: dict[int, list[Outcome]] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            number, scenario = waiting.pop(0)
            allowed = seconds * workers * scenario.share / total
            folder = scratch / f"{seed}_{number}"
            folder.mkdir()
            running[_start(scenario, Run(folder / "work", Random(seed + number), allowed, shared))] = number
        pid, status = os.wait()
        if pid not in running:
            continue
        number = running.pop(pid)
        folder, name = scratch / f"{seed}_{number}", scenarios[number].name
        results[number] = _results(folder, name, status)
        lost = sum(outcome.lost for outcome in results[number])
        injected = sum(outcome.injected for outcome in results[number])
        print(f"  {name}: {injected:,} injected, {lost} lost", flush=True)
        for what in (loss for outcome in results[number] for loss in outcome.losses):
            print(f"    LOST {what}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
    return [(scenarios[n].section, outcome) for n in sorted(results) for outcome in results[n]]


def warm_up(run: Run, *, by_runs: bool) -> None:
    """Do the undisturbed work in this process: its children then find everything imported and compiled."""
    print("Undisturbed work, to compare with ...", flush=True)
    for variant in VARIANTS:
        run.undisturbed(variant, lambda root, variant=variant: fill_by_library(root, variant))
    with _silence():
        if by_runs:
            run.undisturbed(fill_everything.__name__, _fill_everything)
        references.warm_up(run)


def _fill_everything(root: Path) -> None:
    prepare(root)
    definitions(root)
    fill_everything(root)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Dagster tells the terminal of every event."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept, nothing = [os.dup(1), os.dup(2)], os.open(os.devnull, os.O_WRONLY)
    try:
        for descriptor in (1, 2):
            os.dup2(nothing, descriptor)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, was in zip((1, 2), kept, strict=True):
            os.dup2(was, descriptor)
            os.close(was)
        os.close(nothing)


def _start(scenario: Scenario, run: Run) -> int:
    sys.stdout.flush()
    folder = run.scratch.parent
    pid = os.fork()
    if pid:
        return pid
    os.setsid()  # Ctrl-C reaches the parent alone, which ends all of them
    code = 1
    try:
        started = time.monotonic()
        run.scratch.mkdir()
        outcomes = scenario.run(run)
        outcomes = outcomes if isinstance(outcomes, list) else [outcomes]
        for outcome in outcomes:
            outcome.seconds = time.monotonic() - started
        (folder / "outcomes").write_bytes(pickle.dumps(outcomes))
        code = 0
    except BaseException:
        (folder / "error").write_text(traceback.format_exc())
    finally:
        os._exit(code)


def _results(folder: Path, name: str, status: int) -> list[Outcome]:
    """What a scenario found; one that broke is a loss."""
    path = folder / "outcomes"
    if os.waitstatus_to_exitcode(status) == 0 and path.exists():
        return list(pickle.loads(path.read_bytes()))
    words = (folder / "error").read_text()[-1500:] if (folder / "error").exists() else f"status {status}"
    broken = Outcome(name, "the scenario runs to its end")
    broken.lose(words)
    return [broken]


def _deaths(found: Sequence[tuple[str, Outcome]]) -> int:
    return sum(outcome.deaths for _, outcome in found)


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets decides the order of some files: a schedule is the same in every process.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.faults", *sys.argv[1:]])
    sys.exit(main())
