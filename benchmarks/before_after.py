"""One table of two versions of this project: `python -m benchmarks.before_after OLD_FOLDER [NAME ...]`.

Runs each benchmark of the old folder and of this one in turn, with this Python, so that a noisy machine
disturbs both alike; of each number the best of all turns counts.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.__main__ import NAMES

HERE = Path(__file__).resolve().parents[1]
LEFT_OUT = ("target", "worst", "of PyTorch", "ours of that")
"""Columns without a measurement of ours, or that say the same as another one."""
HIGHER_IS_BETTER = ("MB/s",)
WORSE = 1.05

Found = dict[tuple[str, ...], list[float]]
"""(unit, words of a row, column) -> what was measured, a number per turn."""


def main() -> None:
    """Measure both sides and print the table; exit code 1 where a row is more than 5 % worse."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.before_after", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("old", type=Path, help="folder of the other version, such as a git worktree")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: all)")
    parser.add_argument("--turns", type=int, default=3, help="how often each side is measured")
    parser.add_argument("--rounds", type=int, help="rounds within a turn (default: the benchmark's own)")
    options = parser.parse_args()
    lines, worse = ["| benchmark | before | after | after / before |", "| --- | --- | --- | --- |"], 0
    for name in options.names or NAMES:
        sides: tuple[Found, Found] = {}, {}
        for turn in range(options.turns):
            for root, found in zip((options.old.resolve(), HERE), sides, strict=True):
                print(f"{name}, turn {turn + 1}, {root} ...", file=sys.stderr, flush=True)
                for key, value in measure(root, name, options.rounds).items():
                    found.setdefault(key, []).append(value)
        for (unit, *words), (before, after) in joined(*sides):
            ratio = before / after if unit in HIGHER_IS_BETTER else after / before
            worse += ratio > WORSE
            mark = " **worse**" if ratio > WORSE else ""
            label = ", ".join(filter(None, (name, *words, unit)))
            lines.append(f"| {label} | {before:.4g} | {after:.4g} | {ratio:.3f}{mark} |")
    print("\n".join(lines))
    sys.exit(f"{worse} more than 5 % worse" if worse else 0)


def measure(root: Path, name: str, rounds: int | None) -> dict[tuple[str, ...], float]:
    """(unit, words of the row, column) -> number, of one run of a benchmark; empty where `root` lacks it."""
    folder = root / "benchmarks"
    if not (folder / f"{name}.py").exists():
        return {}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "result.json"
        command = [sys.executable, str(folder / f"{name}.py"), "--json", str(path)]
        command += ["--rounds", str(rounds)] if rounds else []
        environment = os.environ | {"PYTHONPATH": str(root)}
        subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        return numbers(json.loads(path.read_text())["rows"])


def numbers(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, ...], float]:
    """Numbers by the unit and the words of their row and by their column."""
    found: dict[tuple[str, ...], float] = {}
    for row in rows:
        words = next(value for value in row.values() if isinstance(value, str))
        for column, value in row.items():
            if isinstance(value, (int, float)) and column not in LEFT_OUT and value > 0:
                plain = column.replace(" an ", " per ")  # as earlier versions wrote it
                found[str(row.get("unit", "")), words, plain] = float(value)
    return found


def joined(before: Found, after: Found) -> list[tuple[tuple[str, ...], tuple[float, float]]]:
    """What both sides have measured, the best of each."""

    def best(key: tuple[str, ...], values: Sequence[float]) -> float:
        return max(values) if key[0] in HIGHER_IS_BETTER else min(values)

    return [(key, (best(key, before[key]), best(key, after[key]))) for key in before if key in after]


if __name__ == "__main__":
    main()
