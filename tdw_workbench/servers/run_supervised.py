"""Run a module that ends when its supervisor does.

`python -m tdw_workbench.servers.run_supervised [--after PORT IMPORTS] MODULE ARGUMENTS`. Dagster's servers
outlive a killed parent; this follows the process that $TDW_SUPERVISOR names. A server that needs the one at
PORT imports what it runs, the module IMPORTS, while that one starts.
"""

from __future__ import annotations

import importlib
import runpy
import signal
import sys
import time

from tdw_resources.runs.liveness import die_with_supervisor
from tdw_workbench.servers.ports import answers


def main() -> None:
    """Run the module under this process."""
    # Servers started from a background shell inherit an ignored SIGINT, and Dagster copies it to SIGTERM.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    die_with_supervisor()
    sys.argv = sys.argv[1:]
    if sys.argv[0] == "--after":
        _, port, imports, *sys.argv = sys.argv
        importlib.import_module(imports)
        while not answers(int(port)):
            time.sleep(0.05)
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
