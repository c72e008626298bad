"""Train a variant to the checkpoints that are asked for; what is already there is taken as it is.

The first run steps from the initialization to the last epoch. A later one, for a further epoch, for a
deleted or damaged file, or after a crash, starts from the nearest saved state before it and yields the same
bits as an uninterrupted run (T5). On its way it compares every train loss with the history and every
checkpoint with the store, before it commits anything.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdw.compute import one_thread
from tdw.epochs import parse_epochs
from tdw.errors import BadConfig, TdwError
from tdw.families import get_family
from tdw.known_settings import under_known_settings
from tdw.recipes.family import Family, Form, VariantConfig
from tdw.store import Store
from tdw.training.live import Publisher
from tdw.training.progress import Progress, Reporter
from tdw.training.records import Present, Records
from tdw.training.replay import Proof, choose_setting, restore
from tdw.training.stretches import Stretch
from tdw.training.to_do import TrainingPlan, plan_training

if TYPE_CHECKING:
    from tdw.training.trainer import Trainer

STATE_EVERY = 1000
TEST_EVERY = 10


class TrainingDiverged(TdwError):
    """The loss is not a finite number."""


@dataclass(frozen=True)
class TrainedCheckpoint:
    """A checkpoint that is committed.

    Attributes:
        epoch: optimizer steps its weights have had.
        train_loss: of these weights, float64.
        metrics: the family's, by name, such as test_loss (nats) and test_accuracy (0-1).
        fingerprint: of the weights, 64 hex digits: the checkpoint fingerprint of everything made from them.
        path, nbytes, sha256: the file, and the checksum of its content.
        seconds: wall time since the last checkpoint of this run, 0 for one that is reused.
        reused: it was there before this run and is unchanged.
    """

    epoch: int
    train_loss: float
    metrics: Mapping[str, float]
    fingerprint: str
    path: str
    nbytes: int
    sha256: str
    seconds: float
    reused: bool


@under_known_settings
def train(
    config: VariantConfig,
    *,
    store: Store,
    checkpoints: Iterable[int | str],
    last_epoch: int | None = None,
    device: str = "auto",
    form: Form | None = None,
    state_every: int = STATE_EVERY,
    test_every: int = TEST_EVERY,
    redo: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    on_wait: Callable[[], None] | None = None,
) -> Iterator[TrainedCheckpoint]:
    """Bring checkpoints of a variant into the store, one by one.

    Every checkpoint asked for is yielded once, when it is committed: first those that are there and sound,
    then the rest, ascending. Only one process at a time trains a variant; a second waits for it and then
    takes what is left.

    Args:
        config: the variant.
        store: where checkpoints, states and history go.
        checkpoints: epochs, or items of `parse_epochs`.
        last_epoch: train at least to here, even where no checkpoint is asked for.
        device: "auto", "cpu" or "cuda". "auto" goes on where the variant was begun.
        form: the network's form; None takes the one the variant was begun with, or the fastest.
        state_every: a replay state is saved every so many epochs, and at the end.
        test_every: the family's metrics are evaluated every so many epochs, and at every checkpoint.
        redo: derive checkpoints that are there once more, and commit them again.
        on_progress: called about twice a second, and at the end.
        on_wait: called once if another process is training this variant.

    Raises:
        BadConfig: a wrong epoch or setting.
        CannotReproduce: the store holds results that this environment can't give bit for bit.
        FingerprintMismatch: the store holds this key with another configuration.
        TrainingDiverged: the loss is not finite.
        StoreError: a commit failed; what was committed before stays.
    """
    asked = parse_epochs(list(checkpoints))
    last = max([*asked, *parse_epochs([] if last_epoch is None else [last_epoch])], default=0)
    for name, value in (("state_every", state_every), ("test_every", test_every)):
        if value < 1:
            raise BadConfig(f"{name} is {value}", f"use a {name} of at least 1")
    family = get_family(config.family)
    with store.lock(family.name, config.key, "train", on_wait=on_wait):
        records = Records(store, family, config)
        publisher = Publisher(store, family, config, records.history)
        plan = plan_training(records, asked, last_epoch=last, test_every=test_every, redo=redo)
        for epoch, present in plan.reused.items():
            yield describe(epoch, present, records, seconds=0.0, reused=True)
        if plan.stretches:
            setting = choose_setting(family, config, records.environment(), device=device, form=form)
            tell = [publisher.publish, *([on_progress] if on_progress else ())]
            try:
                yield from _derive(
                    family, config, records, plan, setting, state_every=state_every, on_progress=tell
                )
            finally:
                publisher.clear()


def _derive(
    family: Family,
    config: VariantConfig,
    records: Records,
    plan: TrainingPlan,
    setting: tuple[str, Form],
    *,
    state_every: int,
    on_progress: Sequence[Callable[[Progress], None]],
) -> Iterator[TrainedCheckpoint]:
    """Visit the epochs of the plan: measure, compare with what is known, commit, step."""
    from tdw.training.trainer import Trainer

    device, form = setting
    trainer = Trainer(family, config, device=device, form=form)
    proof = Proof(records, device=device, form=form)
    visits = Visits(trainer, records, plan, proof, state_every=state_every, on_progress=on_progress)
    for stretch in plan.stretches:
        proof.give_witness(trainer, stretch, first_commit=plan.first_commit(stretch))
        visits.begin(stretch)
        while True:
            with one_thread():
                train_loss = trainer.loss_and_gradients()
            yield from visits.visit(train_loss)
            if visits.at_end:
                break
            with one_thread():
                trainer.step()


class Visits:
    """What is done at each epoch of one variant's stretches: compare with what is known, record, commit."""

    def __init__(
        self,
        trainer: Trainer,
        records: Records,
        plan: TrainingPlan,
        proof: Proof,
        *,
        state_every: int,
        on_progress: Sequence[Callable[[Progress], None]],
    ) -> None:
        self.trainer, self.plan, self.proof = trainer, plan, proof
        self._records, self._state_every = records, state_every
        note, names = getattr(trainer.objective, "note", ""), records.family.metric_names
        self._reporter = Reporter(records.variant, plan.stretches, on_progress, metrics=names, note=note)
        self._frontier = max(records.states.epochs(), default=0)
        self._damaged: set[int] = set()
        self._since = time.perf_counter()
        self._stop = 0

    @property
    def at_end(self) -> bool:
        """Whether the trainer is where its stretch ends."""
        return self.trainer.epoch == self._stop

    def begin(self, stretch: Stretch) -> None:
        """Bring the trainer to the start of a stretch."""
        self._damaged |= restore(self.trainer, self._records, stretch.start)
        self._stop = stretch.stop

    def visit(self, train_loss: float) -> Iterator[TrainedCheckpoint]:
        """Do what is due at the trainer's epoch; yields its checkpoint, where one was asked for.

        Raises:
            TrainingDiverged, CannotReproduce, StoreError: see `train`.
        """
        trainer, records, plan, epoch = self.trainer, self._records, self.plan, self.trainer.epoch
        metrics = None
        if plan.evaluated[epoch]:
            with one_thread():
                metrics = trainer.objective.metrics(trainer.weights)
        if not math.isfinite(train_loss):
            raise TrainingDiverged(
                f"{records.variant}: the train loss at epoch {epoch} is {train_loss}",
                "what was committed before stays; choose another optimizer setting or seed",
            )
        self.proof.check(trainer, train_loss)
        records.history.record(epoch, train_loss, metrics)
        self._reporter.report(epoch, train_loss, metrics, at_end=self.at_end)
        environment = self.proof.environment
        present = plan.unmeasured.get(epoch)
        if epoch in plan.missing:
            present = records.commit_checkpoint(epoch, trainer.weight_arrays(), environment=environment)
        state_due = epoch % self._state_every == 0 or self.at_end
        if epoch and (epoch in self._damaged or (epoch > self._frontier and state_due)):
            records.commit_state(trainer.snapshot(), environment=environment)
            self._frontier = max(self._frontier, epoch)
        if present is not None:
            seconds = time.perf_counter() - self._since
            yield describe(epoch, present, records, seconds=seconds, reused=epoch in plan.unmeasured)
            self._since = time.perf_counter()
        if self.at_end:
            records.commit_history()


def describe(
    epoch: int, present: Present, records: Records, *, seconds: float, reused: bool
) -> TrainedCheckpoint:
    """A checkpoint as `train` tells of it; its row is in the history."""
    train_loss, *metrics = records.history.row(epoch)
    return TrainedCheckpoint(
        epoch=epoch,
        train_loss=train_loss,
        metrics=dict(zip(records.family.metric_names, metrics, strict=True)),
        fingerprint=present.fingerprint,
        path=present.written.path,
        nbytes=present.written.nbytes,
        sha256=present.written.sha256,
        seconds=seconds,
        reused=reused,
    )
