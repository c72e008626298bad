"""Run the benchmarks and write docs/performance.md: `python -m benchmarks [NAME ...]`.

Each script stands on its own too. What is not run again keeps its last result, in benchmarks/results.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "performance.md"
NAMES = (
    "training",
    "epoch",
    "batch",
    "families",
    "analysis",
    "landscape",
    "startup",
    "quickstart",
    "disk",
    "orchestration",
    "events",
    "scale",
    "study",
    "sweep",
    "web",
)
HEAD = """\
# Performance

Written by `make bench` (`python -m benchmarks`), which runs the scripts in `benchmarks/`; each can be run
alone. Ratios compare two sides measured in the same run; absolute times depend on the machine, which was
shared with other work while these were taken.
"""


def main() -> None:
    """Run what is asked for, then write the page from all results."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: all)")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    RESULTS.mkdir(exist_ok=True)
    failed = []
    for name in options.names or NAMES:
        print(f"{name} ...", flush=True)
        command = [sys.executable, str(HERE / f"{name}.py"), "--json", str(RESULTS / f"{name}.json")]
        if subprocess.run(command, cwd=HERE, check=False).returncode:
            failed.append(name)
    PAGE.write_text(render(), encoding="utf-8")
    print(f"wrote {PAGE}")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; their last results stay")


def render() -> str:
    """The page, from the results there are."""
    sys.path.insert(0, str(HERE))
    from common import markdown

    sections: list[str] = [HEAD]
    for name in NAMES:
        path = RESULTS / f"{name}.json"
        if not path.exists():
            continue
        result: dict[str, Any] = json.loads(path.read_text())
        environment = ", ".join(f"{key} {value}" for key, value in result["environment"].items())
        parts = [f"## {result['title']}", markdown(result["rows"]), result["notes"]]
        parts.append(f"`benchmarks/{name}.py`; {environment}.")
        sections.append("\n\n".join(part for part in parts if part) + "\n")
    return "\n".join(sections)


if __name__ == "__main__":
    main()
