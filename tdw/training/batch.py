"""Train a batch of variants of one shape as one program: the plain form with a leading axis over variants.

Weights and moments are stacked; each variant's own tensors are views into the stack, so checkpoints, states
and history come about as for a variant alone (`loop.Visits`), in the same files. Each variant starts where it
is, takes its steps, and is done with while others go on. On a CPU this is no faster than variants one by one;
it is made for CUDA, where one small variant leaves most of a card idle, and has never run there.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdw.compute import one_thread
from tdw.epochs import parse_epochs
from tdw.errors import BadConfig, TdwError, listed
from tdw.families import get_family
from tdw.known_settings import under_known_settings
from tdw.recipes.family import Family, VariantConfig
from tdw.store import Store
from tdw.training.environment import resolve_device
from tdw.training.live import Publisher
from tdw.training.loop import STATE_EVERY, TEST_EVERY, TrainedCheckpoint, Visits, describe
from tdw.training.progress import Progress
from tdw.training.records import Records
from tdw.training.replay import Proof, choose_setting
from tdw.training.stretches import Stretch
from tdw.training.to_do import TrainingPlan, plan_training

if TYPE_CHECKING:
    from tdw.training.trainer import Trainer


class BatchFailed(TdwError):
    """Some variants of a batch failed; the others are trained."""


def batch_shape(family: Family, config: VariantConfig) -> Hashable:
    """What variants that train in one batch have in common; None where the family has no batch form."""
    if family.pure_loss is None:
        return None
    loss = family.pure_loss(config, device="cpu")
    tensors = tuple((name, tuple(tensor.shape)) for name, tensor in loss.tensors(0).items())
    return family.name, tuple(config.weight_shapes.items()), loss.trained, loss.kind, tensors


@under_known_settings
def batches_of(
    configs: Iterable[VariantConfig], *, store: Store, device: str, most: int
) -> list[list[VariantConfig]]:
    """Variants by shape, in batches of two to `most`; those that have to train alone are left out.

    These are a variant with a shape of its own, one that was begun in another form or on another device, one
    whose files can't be gone on with (its own training says why), and any of a family without batch form.
    """
    device = resolve_device(device)
    alike: dict[Hashable, list[VariantConfig]] = {}
    for config in configs:
        family = get_family(config.family)
        shape = batch_shape(family, config)
        if shape is None:
            continue
        with suppress(TdwError):
            recorded = Records(store, family, config).environment()
            choose_setting(family, config, recorded, device=device, form="batch")
            alike.setdefault(shape, []).append(config)
    batches = [found[at : at + most] for found in alike.values() for at in range(0, len(found), most)]
    return [batch for batch in batches if len(batch) > 1]


@under_known_settings
def train_batch(
    configs: Sequence[VariantConfig],
    *,
    store: Store,
    checkpoints: Iterable[int | str],
    device: str = "auto",
    state_every: int = STATE_EVERY,
    test_every: int = TEST_EVERY,
    on_progress: Callable[[Progress], None] | None = None,
    on_wait: Callable[[], None] | None = None,
) -> Iterator[tuple[str, TrainedCheckpoint]]:
    """Bring checkpoints of several variants into the store; `loop.train` says what all arguments mean.

    A variant that is complete takes no part. One that fails stops no other.

    Args:
        configs: variants of one `batch_shape`, each once.
        on_progress: called about twice a second for each variant.

    Yields:
        Key and checkpoint: those that are there and sound first, then each as it is committed.

    Raises:
        BadConfig: variants that are not of one shape, or a family without batch form.
        BatchFailed: at the end, where variants failed; lists each with its error. One that was begun in
            another form or on another device can't go on in a batch.
    """
    from tdw.training.trainer import Trainer

    asked = parse_epochs(list(checkpoints))
    family = _family_of(configs)
    device = resolve_device(device)
    failed: dict[str, TdwError] = {}
    with ExitStack() as held:
        # In one order everywhere: two batches can't wait for each other.
        configs = sorted(configs, key=lambda config: config.key)
        for config in configs:
            held.enter_context(store.lock(family.name, config.key, "train", on_wait=on_wait))
        waiting: list[tuple[Records, VariantConfig, TrainingPlan]] = []
        for config in configs:
            try:
                records = Records(store, family, config)
                plan = plan_training(
                    records, asked, last_epoch=max(asked, default=0), test_every=test_every, redo=False
                )
                for epoch, present in plan.reused.items():
                    yield config.key, describe(epoch, present, records, seconds=0.0, reused=True)
                if plan.stretches:
                    choose_setting(family, config, records.environment(), device=device, form="batch")
                    waiting.append((records, config, plan))
            except TdwError as error:
                failed[config.key] = error
        lanes: list[_Lane] = []
        for records, config, plan in waiting:
            publisher = Publisher(store, family, config, records.history)
            held.callback(publisher.clear)
            trainer = Trainer(family, config, device=device, form="batch")
            proof = Proof(records, device=device, form="batch", batch=len(waiting))
            tell = [publisher.publish, *([on_progress] if on_progress else ())]
            visits = Visits(trainer, records, plan, proof, state_every=state_every, on_progress=tell)
            lanes.append(_Lane(config.key, visits, _stretches(plan, proof)))
        yield from _in_step(lanes, failed)
    if failed:
        errors = listed([f"{key}: {error}" for key, error in failed.items()])
        raise BatchFailed(
            f"{len(failed)} of {len(configs)} variants of the batch failed:\n  {errors}",
            "the others are trained; see each error",
        )


def _family_of(configs: Sequence[VariantConfig]) -> Family:
    """Their family, which can train them in a batch."""
    if len({config.key for config in configs}) != len(configs) or not configs:
        raise BadConfig("a batch has no variant, or one of them twice", "name each variant once")
    family = get_family(configs[0].family)
    shapes = {batch_shape(family, config) for config in configs}
    if None in shapes or len(shapes) > 1:
        named = ", ".join(config.key for config in configs[:4])
        why = "the family has no batch form" if None in shapes else "they are of different shapes"
        raise BadConfig(f"{named} ... can't train in one batch: {why}", "train them one by one")
    return family


def _stretches(plan: TrainingPlan, proof: Proof) -> list[tuple[Stretch, bool]]:
    """What a variant has to do: stretches, and whether one is a witness, which commits nothing."""
    needed = (proof.find_witness(each, first_commit=plan.first_commit(each)) for each in plan.stretches)
    witness = next((each for each in needed if each is not None), None)
    found = [(each, False) for each in plan.stretches]
    return found if witness is None else [(witness, True), *found]


@dataclass(eq=False)
class _Lane:
    """One variant of a batch, and what it still has to do.

    Attributes:
        only_checks: the present stretch is a witness.
        moving: it is within a stretch; else it goes along, and nobody looks.
    """

    key: str
    visits: Visits
    left: list[tuple[Stretch, bool]]
    only_checks: bool = False
    moving: bool = False

    @property
    def trainer(self) -> Trainer:
        return self.visits.trainer

    def visit(self, train_loss: float) -> Iterator[tuple[str, TrainedCheckpoint]]:
        if self.only_checks:
            self.visits.proof.check(self.trainer, train_loss)
            return
        for done in self.visits.visit(train_loss):
            yield self.key, done


def _in_step(lanes: list[_Lane], failed: dict[str, TdwError]) -> Iterator[tuple[str, TrainedCheckpoint]]:
    """Carry out the lanes' stretches, the first ones of all side by side, then the second ones."""
    from tdw.training.trainer import Batch

    while any(lane.left for lane in lanes):
        checking = any(lane.left and lane.left[0][1] for lane in lanes)  # all witnesses come first
        for lane in lanes:
            try:
                if lane.left and lane.left[0][1] == checking:
                    stretch, lane.only_checks = lane.left.pop(0)
                    lane.visits.begin(stretch)
                    lane.moving = True
                elif not lane.trainer.weights:
                    lane.trainer.restore(None)
            except TdwError as error:
                failed[lane.key] = error
                lane.left.clear()
                lane.trainer.restore(None)  # its place is kept: the batch is of one width throughout
        lanes.sort(key=lambda lane: (repr(lane.trainer.optimizer.settings), lane.trainer.epoch))
        batch = Batch([lane.trainer for lane in lanes])
        while any(lane.moving for lane in lanes):
            with one_thread():
                losses = batch.losses()
            for lane, loss in zip(lanes, losses, strict=True):
                try:
                    if lane.moving:
                        yield from lane.visit(loss)
                        lane.moving = not lane.visits.at_end
                except TdwError as error:
                    failed[lane.key] = error
                    lane.left.clear()
                    lane.moving = False
            with one_thread():
                batch.step()
