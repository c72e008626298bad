"""docs/reliability.md, written from what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from tdw.store.commit import STEPS

from .outcome import Outcome

_PACKAGES = ("dagster", "torch", "numpy", "pandas", "pyarrow", "safetensors", "hypothesis")

_STAGES = ("training", "analysis", "summaries", "plots", "comparison", "events", "nothing yet")
_STEPS = ("start", *STEPS, "logged", "after", "open", "open to write", "in the middle of a write", "rename")
_STEPS_AT_LAST = ("stopped, then killed", "random time")

_HEAD = """# Reliability

What happens to results when processes die, disks fill up, bytes change and inputs mean harm. Measured, not
promised: `make faults` injects each fault for real, checks after each one what has to hold, and writes this
page. A part of it runs with every `make test`.

"""

_BY_HAND = """
## Tried by hand

A person who had not seen the code tried further inputs against the commands and a real `tdw up`. Each \
fault that
was fixed has a test.

| kind | what was found and fixed |
| --- | --- |
| checkpoints, epochs and entries for `tdw import` | no code ran; a path that is too long ended in a \
traceback, a folder or FIFO was called missing, names of tensors reached the terminal unescaped and in full |
| requests as a foreign page or tool would send them | no foreign page got through; a Host that is no host \
name, a second Host and a second Origin were believed |
| strange names and links at each level of a store | a stranger's folder `plots/manifest.json` stopped the \
export; exports left links out without a word |
| levels of a store without permission, as another user | `verify` and `status` ended in tracebacks where a \
folder may be listed but not entered, and for a closed Dagster home |
| limits, locales, closed and full outputs, a lost working folder | a full output ended in a traceback |
| four commands at once on a fresh store | nothing |
"""

_EXPLAINED = """
## What is meant

- **Killed** is SIGKILL: nothing of the process runs after it. The steps of a commit are: before, opened,
  written, synced, renamed, committed; those of an event: before, logged (in the run's database), after (in
  the index, which is what queries see).
- **A schedule** is one number, from which everything is drawn: which processes work at once, by the library
  or as Dagster runs; whose turn it is, and for how many points (operations on files of the store, steps of
  commits, writes of events); at which of them one is killed, dies in the middle of a write, is stopped
  (SIGSTOP) and goes on; which call fails, when the disk is full, which events are lost, where the clock
  jumps. The same number gives the same trace: `python -m tests.faults --schedule NUMBER`.
- **Training** is checkpoints, states and the history; **comparison** is tables, plots and reports over all
  variants; **nothing yet** is before the first step, mostly start-up and planning.
- **Undisturbed work** is the same study carried out once without faults. The work is deterministic, so every
  file has one right content, and "lost" means: a file, an event or a byte that differs from it, a cell that
  is recorded twice, a wrong value that was read, a fault that was not reported.
- The study is small (two variants of p = 5 and 7, at most five checkpoints and four analyzers, tables and
  plots): the faults do not depend on its size, and thousands fit into minutes.
- Most children are forked from a process that has everything imported; `tdw fill`, `tdw up` and what they
  start are real processes.

## What is not covered

- Power cuts. Every commit syncs file and folder before it is recorded, and a run that died with its machine
  is marked as failed when the workbench starts again; but no disk was unplugged.
- Replay states are no results: one that was about to be saved when its process died is not made again, and
  a later replay starts from the one before it.
- Postgres and other machines.
"""


def page(
    found: Sequence[tuple[str, Outcome]], *, seed: int, minutes: float, workers: int, where: Path
) -> str:
    """The page."""
    injected = sum(outcome.injected for _, outcome in found)
    deaths = sum(outcome.deaths for _, outcome in found)
    lost = sum(outcome.lost for _, outcome in found)
    result = "nothing was lost" if lost == 0 else f"{lost:,} checks failed"
    text = _HEAD
    text += f"**{injected:,} faults, {deaths:,} of them killed processes: {result}.**\n\n"
    text += f"{minutes:.0f} minutes, {workers} scenarios at a time, seed {seed}, on {_file_system(where)}"
    text += f"{_commit()}. "
    text += _machine() + "\n"
    for section in dict.fromkeys(section for section, _ in found):
        text += f"\n## {section}\n"
        rows = _merge([outcome for of, outcome in found if of == section])
        for held in dict.fromkeys(outcome.held for outcome in rows):
            text += f"\nHas to hold after each: {held}.\n\n| what was injected | how often | lost | time |\n"
            text += "| --- | ---: | ---: | ---: |\n"
            for outcome in (outcome for outcome in rows if outcome.held == held):
                figures = f"{outcome.injected:,} | {outcome.lost:,} | {outcome.seconds:,.0f} s"
                text += f"| {outcome.title} | {figures} |\n"
        notes = [
            f"- {outcome.title}: {_listed(outcome.notes)}" for outcome in rows if any(outcome.notes.values())
        ]
        if notes:
            text += "\nOf these:\n\n" + "\n".join(notes) + "\n"
        text += _deaths(rows)
        losses = [loss for outcome in rows for loss in outcome.losses]
        if losses:
            text += "\nLost:\n\n" + "\n".join(f"- `{loss[:600]}`" for loss in losses) + "\n"
    return text + _BY_HAND + _EXPLAINED


def _deaths(rows: Sequence[Outcome]) -> str:
    """What was being written, by the step at which the process died."""
    died = sum((outcome.died_at for outcome in rows), Counter[tuple[str, str]]())
    stages = [stage for stage in _STAGES if any(of == stage for of, _ in died)]
    stages += sorted({stage for stage, _ in died} - set(stages))
    steps = [step for step in _STEPS if any(at == step for _, at in died)]
    last = [step for step in _STEPS_AT_LAST if any(at == step for _, at in died)]
    steps += [*sorted({step for _, step in died} - {*steps, *last}), *last]
    if not died:
        return ""
    text = "\nWhere they died: what was being written, and the last step that it reached.\n\n"
    text += f"| | {' | '.join(steps)} |\n| --- |{' ---: |' * len(steps)}\n"
    for stage in stages:
        counts = [str(died[stage, step] or "") for step in steps]
        text += f"| {stage} | {' | '.join(counts)} |\n"
    return text


def _merge(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Outcomes of one title as one."""
    merged: dict[str, Outcome] = {}
    for outcome in outcomes:
        into = merged.setdefault(outcome.title, Outcome(outcome.title, outcome.held, notes=Counter()))
        into.injected += outcome.injected
        into.deaths += outcome.deaths
        into.lost += outcome.lost
        into.losses += outcome.losses
        into.notes += outcome.notes
        into.died_at += outcome.died_at
        into.seconds += outcome.seconds
    return list(merged.values())


def _listed(notes: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in notes.items() if number)


def _machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    cpu = f"{cpu or platform.machine()}, {os.cpu_count()} cores"
    return f"{cpu}, Python {platform.python_version()}, {packages}."


def _commit() -> str:
    """The commit that was tried, where there is one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=8", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return f", commit {found.stdout.strip()}" if found.returncode == 0 else ""


def _file_system(where: Path) -> str:
    if not Path("/proc/mounts").exists():
        return "the local disk"
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    inside = [(mount, kind) for mount, kind in mounts if where.is_relative_to(mount)]
    return max(inside, key=lambda found: len(found[0]))[1] if inside else "the local disk"
