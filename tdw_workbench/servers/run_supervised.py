"""Run a module that ends when its supervisor does.

`python -m tdw_workbench.servers.run_supervised MODULE ARGUMENTS`. Dagster's servers outlive a killed parent;
this follows the process that $TDW_SUPERVISOR names.
"""

from __future__ import annotations

import runpy
import signal
import sys

from tdw_resources.runs.liveness import die_with_supervisor


def main() -> None:
    """Run the module under this process."""
    # Servers started from a background shell inherit an ignored SIGINT, and Dagster copies it to SIGTERM.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    die_with_supervisor()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
