"""What stands around the work of an op: the run's signature, its failures named together, its outputs."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import dagster as dg

from tdw.compute import collect_garbage_seldom, keep_freed_memory
from tdw.execution.done import Failed, list_failures
from tdw_assets.assets.requested_cells import as_failure
from tdw_resources.dagster_internals import defer_events_from_now
from tdw_resources.runs.heartbeat import beating, is_shared
from tdw_resources.runs.liveness import STOPPED_TAG, WORKER_TAG, identity
from tdw_resources.runs.progress import OnProgress, reporting
from tdw_resources.runs.tags import purpose
from tdw_resources.wanted import WantedAssets


@contextlib.contextmanager
def at_work(
    context: dg.AssetExecutionContext, wanted: WantedAssets, *, variant: str, stage: str
) -> Iterator[OnProgress]:
    """Sign the run with its purpose and this process, so that its death is noticed; yield a progress report.

    The purpose tells a run that a person stops apart from one to be started again, also where that person had
    started it from Dagster's own dialog.

    Our own errors end the run as failures that show what was wrong and what to do, without a stack trace of
    Dagster's around them.
    """
    keep_freed_memory()
    collect_garbage_seldom()
    instance, run = context.instance, context.run
    if run.tags.get(WORKER_TAG) != identity():
        instance.add_run_tags(
            run.run_id, {**purpose(wanted, stage=stage, variant=variant), **run.tags, WORKER_TAG: identity()}
        )
    home = Path(instance.root_directory) if instance.is_persistent else None
    with contextlib.ExitStack() as stack:
        if is_shared(instance):
            stack.enter_context(beating(instance))
        progress = reporting(home, run.run_id, variant=variant, stage=stage) if home else None
        report = stack.enter_context(progress) if progress else _ignore
        try:
            with as_failure():
                yield report
        except (dg.DagsterExecutionInterruptedError, KeyboardInterrupt):
            instance.add_run_tags(run.run_id, {STOPPED_TAG: "true"})
            raise


def waiting(context: dg.AssetExecutionContext, variant: str) -> Callable[[], None]:
    """Says once that another process works on the variant."""
    words = f"{variant}: another run works on it; this one waits and takes what is left"
    return lambda: context.log.info(words)


def raise_failures(failed: Sequence[Failed], *, total: int) -> None:
    """Fail the run when some of its cells failed; the others are committed and recorded.

    Cells that failed for one reason are named together.
    """
    if not failed:
        return
    listed = list_failures(failed)
    others = "; the others are done" if len(failed) < total else ""
    raise dg.Failure(
        description=f"{len(failed)} of {total} failed{others}.\n{listed}",
        metadata={"failed": len(failed), "reasons": dg.MetadataValue.md(listed)},
        allow_retries=False,
    ) from failed[0].error


def hand_over(context: dg.AssetExecutionContext) -> Iterator[dg.Output]:
    """What an op of ours yields at its end: outputs that say no more than "done".

    Dagster skips an op when one that it needs, in the same run, yields no output. The cells are recorded
    already, one by one, so Dagster is told not to record the whole range of the run once more.
    """
    defer_events_from_now(context)
    selected = context.op_execution_context.selected_output_names
    for output in context.op_def.output_defs:  # in the order of the specs: each after what it needs
        if output.name in selected:
            yield dg.Output(None, output_name=output.name)


def _ignore(done: int, total: int, text: str) -> None:
    """Nobody looks at the progress of an instance in memory."""
