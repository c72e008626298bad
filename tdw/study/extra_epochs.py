"""The extra epochs of a study with `adaptive`: chosen once, the same for all variants, and stored (T5).

A choice rests on the test losses of the variants that are trained to the last scheduled epoch. It is a
function of these losses, the rule and the schedule alone: only epochs that the first pass evaluated count, so
a replay, which evaluates at its checkpoints too, never moves it, and a lost record comes back the same.

It stays until its basis changes: the rule, the last epoch or the set of trained variants. Until the next
choice is made, the last one is in force. What a later choice leaves out stays in the store as ordinary
checkpoints.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tdw.errors import CorruptFile, NotFound
from tdw.store import Address, Provenance, RecordAddress, Store, TableAddress
from tdw.store.fingerprints import fingerprint_arrays
from tdw.store.layout import CHECKPOINTS
from tdw.study.models import Study

if TYPE_CHECKING:
    import pandas as pd

    from tdw.study.extra_epochs_rule import AdaptiveRule

CODE_VERSION = "1"
NAME = "adaptive"
HISTORY = "history"
DECADES = 0.01
"""The least fall of test loss, in powers of ten, that deserves a checkpoint: 2.3 %."""


@dataclass(frozen=True)
class Choice:
    """Extra epochs, and what they rest on.

    Attributes:
        epochs: ascending, none of them scheduled when it was made.
        basis: as `basis` gives it.
    """

    epochs: tuple[int, ...]
    basis: Mapping[str, Any]

    @property
    def variants(self) -> tuple[str, ...]:
        """Keys of the variants whose losses it rests on."""
        return tuple(self.basis["variants"])


def basis(study: Study, trained: Iterable[str]) -> dict[str, Any]:
    """What a choice depends on; while it is the same, the choice stays.

    Args:
        study: with an adaptive rule.
        trained: variants that are trained to the last scheduled epoch.
    """
    assert study.adaptive is not None
    return {
        "rule_version": CODE_VERSION,
        "extra_checkpoints": study.adaptive.extra_checkpoints,
        "last_epoch": study.epoch_list[-1],
        "variants": sorted(trained),
    }


def read_choice(store: Store, study: Study) -> Choice | None:
    """The choice that is in force, of epochs that training still reaches.

    None for a study without a rule, before the first choice, and when the record is damaged: then the next
    one is made, from the same losses and so with the same epochs.
    """
    if study.adaptive is None:
        return None
    try:
        values, provenance = store.read_record(_address(study))
        epochs = tuple(int(epoch) for epoch in values["epochs"])
        choice = Choice(tuple(e for e in epochs if e <= study.epoch_list[-1]), provenance.parameters["basis"])
        return choice if choice.variants else None
    except (NotFound, CorruptFile, KeyError, TypeError, ValueError):
        return None


def find_trained(store: Store, study: Study, variants: Iterable[str]) -> list[str]:
    """Those of `variants` that are trained to the last scheduled epoch. Looks at file names only."""
    last = study.epoch_list[-1]
    return [
        variant
        for variant in variants
        if store.exists(Address(study.family, variant, CHECKPOINTS, last))
        and store.exists(TableAddress(study.family, variant, HISTORY))
    ]


def choose(store: Store, study: Study, trained: Collection[str]) -> Choice | None:
    """Choose from the histories of the trained variants, and commit the choice.

    Returns:
        None while a history does not reach the last scheduled epoch.

    Raises:
        CorruptFile: a history is damaged; names the file.
        StoreError: the disk refused; an older choice stays.
    """
    from tdw.study.extra_epochs_rule import adaptive_epochs

    losses: dict[str, pd.DataFrame] = {}
    for variant in sorted(trained):
        table = store.read_table(TableAddress(study.family, variant, HISTORY))
        losses[variant] = _first_pass(table, study)
        if losses[variant].empty or losses[variant]["epoch"].iloc[-1] < study.epoch_list[-1]:
            return None
    rule = make_rule(study)
    epochs = adaptive_epochs(losses, study.epoch_list, rule=rule)
    choice = Choice(epochs, basis(study, trained))
    provenance = Provenance(
        family=study.family,
        variant="",
        name=NAME,
        code_version=CODE_VERSION,
        parameters={
            "study": study.name,
            "basis": dict(choice.basis),
            "checkpoints": list(study.checkpoints),
            "test_every": study.training.test_every,
            "decades_per_checkpoint": rule.decades_per_checkpoint,
            "min_gap": rule.min_gap,
        },
        inputs={f"{variant}/{HISTORY}": _fingerprint(table) for variant, table in losses.items()},
    )
    store.write_record(_address(study), {"epochs": list(epochs)}, provenance=provenance)
    return choice


def make_rule(study: Study) -> AdaptiveRule:
    """The rule as the study sets it: steps of equal fall, no closer than test loss is evaluated."""
    from tdw.study.extra_epochs_rule import AdaptiveRule

    assert study.adaptive is not None
    return AdaptiveRule(
        decades_per_checkpoint=DECADES,
        max_extra=study.adaptive.extra_checkpoints,
        min_gap=study.training.test_every,
    )


def _first_pass(history: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Columns epoch and test_loss, of the epochs that the schedule alone has evaluated, ascending."""
    epoch = history["epoch"]
    due = (epoch % study.training.test_every == 0) | epoch.isin(study.epoch_list)
    rows = due & (epoch <= study.epoch_list[-1]) & history["test_loss"].notna()
    return history.loc[rows, ["epoch", "test_loss"]].sort_values("epoch")


def _fingerprint(losses: pd.DataFrame) -> str:
    return fingerprint_arrays({name: losses[name].to_numpy() for name in losses.columns})


def _address(study: Study) -> RecordAddress:
    return RecordAddress(study.family, study.name)
