"""What the store holds of one variant's training, and the commits that add to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tdw.errors import BadConfig, CorruptFile, NotFound
from tdw.recipes.consistency.invariant import require_configuration
from tdw.recipes.family import Family, VariantConfig, wrong_layout
from tdw.store import Address, Provenance, Store, TableAddress, Written
from tdw.store.fingerprints import fingerprint_arrays
from tdw.store.layout import CHECKPOINTS
from tdw.store.seal import check
from tdw.training.environment import code_version
from tdw.training.history import History
from tdw.training.states import StateStore

if TYPE_CHECKING:
    from tdw.training.trainer import Arrays, Snapshot

HISTORY = "history"


@dataclass(frozen=True)
class Present:
    """A checkpoint that is in the store, its checksum verified."""

    written: Written
    fingerprint: str


class Records:
    """Checkpoints, states and history of one variant. One process at a time: hold the store's lock."""

    def __init__(self, store: Store, family: Family, config: VariantConfig) -> None:
        self.store, self.variant = store, config.key
        self.states = StateStore(store, family.name, config.key, config.fingerprint)
        self.family, self._config = family, config
        self.history = self._read_history(config)
        self.checkpoints = set(store.epochs(family.name, config.key, CHECKPOINTS))
        self._probe_fingerprint = family.probe_fingerprint(config)

    def environment(self) -> dict[str, str] | None:
        """The environment of the newest readable state, else checkpoint; None when there is none."""
        addresses = [self.states.address(epoch) for epoch in reversed(self.states.epochs())]
        addresses += [self._checkpoint(epoch) for epoch in sorted(self.checkpoints, reverse=True)]
        for address in addresses:
            sound = self._sound(address)
            if sound is not None:
                return dict(sound[1].environment)
        return None

    def sound_checkpoints(self, epochs: Iterable[int]) -> dict[int, Present]:
        """Those of `epochs` that are there and whose bytes are what was committed.

        Raises:
            FingerprintMismatch: one was made with another configuration of this key.
        """
        found: dict[int, Present] = {}
        for epoch in epochs:
            sound = self._sound(self._checkpoint(epoch))
            if sound is not None:
                written, provenance = sound
                require_configuration(provenance, self._config.fingerprint, path=written.path)
                found[epoch] = Present(written, provenance.checkpoint_fingerprint)
        return found

    def known_fingerprint(self, epoch: int) -> str | None:
        """The fingerprint of the weights stored for `epoch`, as checkpoint or state; None when damaged."""
        for address in (self._checkpoint(epoch), self.states.address(epoch)):
            sound = self._sound(address)
            if sound is not None:
                return sound[1].checkpoint_fingerprint
        return None

    def commit_checkpoint(self, epoch: int, weights: Arrays, *, environment: dict[str, str]) -> Present:
        """Commit a checkpoint.

        Raises:
            BadConfig: weights of another name, shape or dtype than the configuration's; nothing is written.
        """
        wrong = wrong_layout(self._config.weight_shapes, weights)
        if wrong:
            raise BadConfig(
                f"epoch {epoch} of {self.variant} has weights that are not the configuration's: {wrong}",
                "give float32 weights of this family",
            )
        fingerprint = fingerprint_arrays(weights)
        provenance = self._provenance("checkpoint", epoch, fingerprint, environment)
        written = self.store.write(self._checkpoint(epoch), weights, provenance=provenance)
        self.checkpoints.add(epoch)
        return Present(written, fingerprint)

    def commit_state(self, snapshot: Snapshot, *, environment: dict[str, str]) -> None:
        """Commit the history so far, then a state: no state is ahead of the history."""
        self.commit_history()
        fingerprint = fingerprint_arrays(snapshot.weights)
        self.states.save(
            snapshot, provenance=self._provenance("state", snapshot.epoch, fingerprint, environment)
        )

    def commit_history(self) -> None:
        """Commit the history as it is now, without an environment: whoever visits an epoch gets its row."""
        provenance = self._provenance(HISTORY, None, "", {})
        self.store.write_table(self._history_address, self.history.to_frame(), provenance=provenance)

    @property
    def _history_address(self) -> TableAddress:
        return TableAddress(self.states.family, self.variant, HISTORY)

    def _read_history(self, config: VariantConfig) -> History:
        address = self._history_address
        try:
            table, provenance = self.store.read_table_with_provenance(address)
        except (NotFound, CorruptFile):
            return History(self.family.metric_names)  # replayed from the states
        require_configuration(provenance, config.fingerprint, path=self.store.path(address))
        return History(self.family.metric_names, table)

    def _sound(self, address: Address) -> tuple[Written, Provenance] | None:
        """File and provenance, or None where it is missing or its bytes are not what was committed."""
        path = self.store.path(address)
        try:
            data = self.store.read_bytes(address)
            digest = check(data, path=path)
            return Written(str(path), len(data), digest), self.store.provenance(address)
        except (CorruptFile, NotFound):
            return None

    def _checkpoint(self, epoch: int) -> Address:
        return Address(self.states.family, self.variant, CHECKPOINTS, epoch)

    def _provenance(
        self, name: str, epoch: int | None, fingerprint: str, environment: dict[str, str]
    ) -> Provenance:
        return Provenance(
            family=self.family.name,
            variant=self.variant,
            name=name,
            epoch=epoch,
            code_version=code_version(self.family),
            variant_fingerprint=self._config.fingerprint,
            probe_fingerprint=self._probe_fingerprint,
            checkpoint_fingerprint=fingerprint,
            environment=environment,
        )
