"""What every op of ours does around its work: who it is, how far it is, and what failed."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import dagster as dg

from tdw.errors import TdwError
from tdw_resources.liveness import WORKER_TAG, identity
from tdw_resources.progress import Report, reporting

STOPPED_TAG = "tdw/stopped"
"""On runs that a person stopped: they did not fail, and are taken up again."""


@contextlib.contextmanager
def at_work(context: dg.AssetExecutionContext, *, variant: str, stage: str) -> Iterator[Report]:
    """Sign the run with this process, so that its death is noticed, and yield a progress report.

    Our own errors end the run as failures that show what was wrong and what to do, without a stack trace of
    Dagster's around them.
    """
    instance, run = context.instance, context.run
    if run.tags.get(WORKER_TAG) != identity():
        instance.add_run_tags(run.run_id, {WORKER_TAG: identity()})
    home = Path(instance.root_directory) if instance.is_persistent else None
    with contextlib.ExitStack() as stack:
        report = (
            stack.enter_context(reporting(home, run.run_id, variant=variant, stage=stage))
            if home
            else _ignore
        )
        try:
            yield report
        except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt):
            instance.add_run_tags(run.run_id, {STOPPED_TAG: "true"})
            raise
        except TdwError as error:
            raise dg.Failure(
                description=str(error),
                metadata={"what was wrong": error.what, "what to do": error.remedy},
                allow_retries=False,
            ) from error


def waiting(context: dg.AssetExecutionContext, variant: str) -> Callable[[], None]:
    """Says once that another process works on the variant."""
    return lambda: context.log.info(
        f"{variant}: another run works on it; this one waits and takes what is left"
    )


def raise_failures(failed: Mapping[str, Exception], *, total: int) -> None:
    """Fail the run when some of its cells failed; the others are committed and recorded.

    Args:
        failed: cell, in words -> its error.
    """
    if not failed:
        return
    shown = [f"- {cell}: {error}" for cell, error in list(failed.items())[:20]]
    more = [f"- and {len(failed) - 20} more"] if len(failed) > 20 else []
    raise dg.Failure(
        description=f"{len(failed)} of {total} cells failed; the others are done.\n"
        + "\n".join(shown + more),
        metadata={"failed": len(failed), "errors": dg.MetadataValue.md("\n".join(shown + more))},
        allow_retries=False,
    ) from next(iter(failed.values()))


def _ignore(done: int, total: int, text: str) -> None:
    """Nobody looks at the progress of an instance in memory."""
