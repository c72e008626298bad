"""`tdw`: one command per module in `tdw_workbench.commands`.

Exit codes: 0 done; 1 something failed (what was finished is kept); 2 the command can't be carried out as
given; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import keyword
import os
import signal
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper

from tdw.compute import collect_garbage_seldom, without_collecting
from tdw.errors import BadConfig, TdwError
from tdw_resources.places import Places, find_places
from tdw_workbench.interrupts import take_signals

COMMANDS = (
    "up", "fill", "status", "verify", "thin", "serve", "dashboard", "compare", "export", "import", "new",
    "remove", "remove-key",
)  # fmt: skip


def build_parser() -> argparse.ArgumentParser:
    """The parser; each command's module adds its own arguments and its `run`."""
    parser = argparse.ArgumentParser(
        prog="tdw", description="Training Dynamics Workbench: how does behavior X change across training?"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name in COMMANDS:
        # Neither a keyword nor a hyphen can be in a module's name.
        part = name.replace("-", "_") + "_" * keyword.iskeyword(name)
        module = importlib.import_module(f"tdw_workbench.commands.{part}")
        summary = (module.__doc__ or name).strip().splitlines()[0]
        sub = commands.add_parser(
            name,
            help=summary,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    return parser


def listed(items: Iterable[str]) -> list[str]:
    """What an argument lists that may be given again, or joined by commas."""
    return [part.strip() for item in items for part in item.split(",") if part.strip()]


def add_places(parser: argparse.ArgumentParser) -> None:
    """The arguments of a command that is about one study, or none."""
    parser.add_argument(
        "--study", metavar="FILE", help="study file (default: $TDW_STUDY, else the quick start)"
    )
    _add_store(parser)


def add_studies(parser: argparse.ArgumentParser) -> None:
    """The same of a command that takes several studies."""
    parser.add_argument(
        "--study",
        metavar="FILE",
        action="append",
        help="study file; may be given again (default: $TDW_STUDY, which may name several with a colon "
        "between them, else the quick start)",
    )
    _add_store(parser)


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store",
        metavar="DIR",
        help="where results go; it has its own Dagster instance in DIR/.dagster "
        "(default: $TDW_STORE, else the project's store)",
    )
    parser.add_argument(
        "--home",
        metavar="DIR",
        help="another Dagster instance to record in, whatever the store is (default: $TDW_DAGSTER_HOME, else "
        "the store's own; $DAGSTER_HOME is not used)",
    )


def places_of(options: argparse.Namespace) -> Places:
    """What a command that called `add_places` or `add_studies` works on."""
    return find_places(options.store, study=options.study, home=options.home)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit code."""
    take_signals(signal.SIGINT)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file's name may hold what no terminal can show
            stream.reconfigure(errors="backslashreplace")
    collect_garbage_seldom()
    with without_collecting():
        parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        code = int(options.run(options))
        if sys.stdout is not None:  # started with it closed
            sys.stdout.flush()
        return code
    except BadConfig as error:
        print(f"tdw {options.command}: {error}", file=sys.stderr)
        return 2
    except TdwError as error:
        print(f"tdw {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f"\ntdw {options.command}: stopped; what was finished is kept, the same command goes on",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:
        _forget_output()
        return 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        _forget_output()
        what = error.filename or "the output"
        print(f"tdw {options.command}: {what}: can't be written ({error.strerror})", file=sys.stderr)
        print("  -> make room, then run it again; what was finished is kept", file=sys.stderr)
        return 1


def _forget_output() -> None:
    """Python writes what is left once more at its end, and would complain of the same file or pipe."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
