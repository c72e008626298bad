"""`tdw fill --batch`: trains variants of one shape side by side, in this process, before the runs start.

The checkpoints go into the store; the runs that follow find them there, check them and record them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tdw_workbench.fill.remaining import RemainingWork
from tdw_workbench.fill.request import FillRequest
from tdw_workbench.terminal import Screen, count

if TYPE_CHECKING:
    from tdw.training.progress import Progress


def train_batches(request: FillRequest, work: RemainingWork, screen: Screen, *, most: int) -> None:
    """Train what is missing of variants that can train together, up to `most` at a time.

    A variant that fails is named here, and fails once more in the run of its own that follows.
    """
    from tdw.store import Store
    from tdw.training.batch import BatchFailed, batches_of, train_batch
    from tdw_resources.runs.gpus import hold_gpu

    wanted, store = request.wanted(), Store(request.store)
    settings = wanted.study.training
    to_train = [wanted.family.parse_variant(key) for key, of in work.to_do.items() if of.checkpoints]
    with hold_gpu(settings.device, on_wait=lambda: screen.say("All GPUs are in use: waiting for one.")):
        for batch in batches_of(to_train, store=store, device=settings.device, most=most):
            named = f"{batch[0].key} and {count(len(batch) - 1, 'variant')} of its shape"

            def show(progress: Progress, others: int = len(batch) - 1) -> None:
                screen.paint([f"  batch     {progress}, and {count(others, 'other')}"])

            try:
                for _ in train_batch(
                    batch, store=store, checkpoints=sorted(wanted.epoch_set), device=settings.device,
                    state_every=settings.state_every, test_every=settings.test_every, on_progress=show,
                    on_wait=lambda: screen.say("Waiting for another training of these variants."),
                ):  # fmt: skip
                    pass
            except BatchFailed as error:
                screen.say(f"{named}: {error}")
            else:
                screen.say(f"{named}: trained in one batch")
            finally:
                screen.close()
