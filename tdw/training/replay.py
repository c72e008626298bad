"""Same bits or an error: which environment a variant goes on in, and how a replay proves itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, get_args

import numpy as np

from tdw.compute import one_thread
from tdw.errors import CorruptFile, NotFound
from tdw.recipes.family import Family, Form, VariantConfig
from tdw.store.fingerprints import fingerprint_arrays
from tdw.training.environment import CannotReproduce, describe_environment, differences, resolve_device
from tdw.training.stretches import Stretch, cheapest_witness

if TYPE_CHECKING:
    from tdw.training.records import Records
    from tdw.training.trainer import Trainer


def choose_setting(
    family: Family, config: VariantConfig, recorded: dict[str, str] | None, *, device: str, form: Form | None
) -> tuple[str, Form]:
    """Device and form to go on in: those the variant was begun with, where the caller leaves the choice.

    Args:
        family: the variant's.
        config: the variant.
        recorded: environment of what is stored of it, None for a new one.
        device: "auto", "cpu" or "cuda".
        form: None leaves the choice.

    Raises:
        CannotReproduce: another device or form is asked for than the stored bits were made with.
        BadConfig: the device or form is not available here.
    """
    if recorded is None:
        where = resolve_device(device)
        return where, form if form == "batch" else family.objective(config, device=where, form=form).form
    begun_on = "cpu" if recorded.get("device", "cpu") == "cpu" else "cuda"
    begun_in: Form = next((each for each in get_args(Form) if each == recorded.get("form")), "plain")
    for name, asked, begun in (
        ("device", None if device == "auto" else device, begun_on),
        ("form", form, begun_in),
    ):
        if asked not in (None, begun):
            raise CannotReproduce(
                f"{config.key} was begun with {name} {begun!r} and can't go on with {asked!r} bit for bit",
                f"leave {name} out to go on as it was begun, or train into another store",
            )
    return resolve_device(begun_on), begun_in


def restore(trainer: Trainer, records: Records, epoch: int) -> set[int]:
    """Bring the trainer to the state of `epoch`, or to the nearest sound one before it.

    Returns:
        Epochs of states that were skipped because they are damaged.
    """
    damaged: set[int] = set()
    for candidate in reversed([state for state in records.states.epochs() if state <= epoch]):
        try:
            trainer.restore(records.states.load(candidate))
        except (CorruptFile, NotFound):
            damaged.add(candidate)
        else:
            return damaged
    trainer.restore(None)
    return damaged


class Proof:
    """Compares what a replay derives with what the store knew on entry, before anything is committed."""

    def __init__(self, records: Records, *, device: str, form: Form, batch: int = 1) -> None:
        self.environment = describe_environment(records.family, device=device, form=form, batch=batch)
        recorded = records.environment()
        self._imported = recorded.get("file", "") if recorded and "imported" in recorded else None
        self._records = records
        self._differences = [] if recorded is None else differences(recorded, self.environment)
        self._states = records.states.epochs()
        self._known = records.checkpoints | set(self._states)
        self._losses = records.history.train_losses()
        # How a product of a batch rounds may depend on the place in it: going on in batches is always proved.
        self._proved = not self._differences and form != "batch"

    def give_witness(self, trainer: Trainer, stretch: Stretch, *, first_commit: int) -> None:
        """Derive a known result once more if the environment changed and none lies on the way.

        Raises:
            CannotReproduce: it comes out differently.
        """
        witness = self.find_witness(stretch, first_commit=first_commit)
        if witness is None:
            return
        restore(trainer, self._records, witness.start)
        with one_thread():
            while trainer.epoch < witness.stop:
                self.check(trainer, trainer.loss_and_gradients())
                trainer.step()
        self._check_weights(trainer)
        self._proved = True

    def find_witness(self, stretch: Stretch, *, first_commit: int) -> Stretch | None:
        """What to derive once more before a stretch; None where nothing need be, or nothing is known."""
        on_the_way = range(stretch.start + 1, first_commit + 1)
        if self._proved or any(e in self._known or self._expects_loss(e) for e in on_the_way):
            return None
        return cheapest_witness(self._known, self._states)

    def check(self, trainer: Trainer, train_loss: float) -> None:
        """Compare train loss and weights at the trainer's epoch with what is known of it, bit for bit.

        Raises:
            CannotReproduce: they differ.
        """
        epoch = trainer.epoch
        if self._expects_loss(epoch) and self._losses[epoch] != train_loss:
            stored = float(self._losses[epoch])
            self._fail(f"the train loss at epoch {epoch} comes out as {train_loss!r}, stored is {stored!r}")
        self._check_weights(trainer)

    def _check_weights(self, trainer: Trainer) -> None:
        if trainer.epoch not in self._known:
            return
        stored = self._records.known_fingerprint(trainer.epoch)
        derived = fingerprint_arrays(trainer.weight_arrays())
        if stored is not None and stored != derived:
            self._fail(
                f"the weights of epoch {trainer.epoch} come out as {derived[:12]}, stored are {stored[:12]}"
            )

    def _expects_loss(self, epoch: int) -> bool:
        return epoch < len(self._losses) and not np.isnan(self._losses[epoch])

    def _fail(self, what: str) -> NoReturn:
        if self._imported is not None:
            raise CannotReproduce(
                f"{self._records.variant}: its checkpoints were imported ({self._imported}), and training "
                f"here gives others: {what}; so what was not imported can't be made",
                "import the missing epochs too, or take them out of the study; what is there is analyzed",
            )
        here = self.environment
        same = f"the environment is the recorded one (torch {here['torch']}, {here['cpu']})"
        raise CannotReproduce(
            f"{self._records.variant}: the stored bits don't come out again: {what}; "
            + ("; ".join(self._differences) or same),
            "replay where it was trained, with the same versions, or train it again into another store",
        )
