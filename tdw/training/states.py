"""Replay states: weights and the optimizer's moments, from which training goes on bit for bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from tdw.errors import CorruptFile
from tdw.recipes.consistency.invariant import require_configuration
from tdw.store import Address, Provenance, Store, Written
from tdw.store.layout import STATES
from tdw.store.seal import REMEDY

if TYPE_CHECKING:
    from tdw.training.trainer import Snapshot

_SEPARATOR = "/"  # exp_avg/embed.W_E is the optimizer's, embed.W_E a weight


@dataclass(frozen=True)
class StateStore:
    """The states of one variant.

    Attributes:
        variant_fingerprint: of the configuration that they must have been made with.
    """

    store: Store
    family: str
    variant: str
    variant_fingerprint: str

    def epochs(self) -> list[int]:
        """Epochs of the saved states, ascending."""
        return self.store.epochs(self.family, self.variant, STATES)

    def address(self, epoch: int) -> Address:
        """The path of the state of `epoch`."""
        return Address(self.family, self.variant, STATES, epoch)

    def save(self, snapshot: Snapshot, *, provenance: Provenance) -> Written:
        """Commit a state. The array of a moment is named `exp_avg/embed.W_E`."""
        arrays = {**snapshot.weights, **snapshot.optimizer}
        return self.store.write(self.address(snapshot.epoch), arrays, provenance=provenance)

    def load(self, epoch: int) -> Snapshot:
        """The state of `epoch`.

        Raises:
            NotFound, CorruptFile: no such state, or its bytes are not what was committed.
            FingerprintMismatch: it belongs to another configuration.
        """
        from tdw.training.trainer import Snapshot

        artifact = self.store.read(self.address(epoch))
        path = self.store.path(self.address(epoch))
        require_configuration(artifact.provenance, self.variant_fingerprint, path=path)
        parts: dict[bool, dict[str, npt.NDArray[Any]]] = {True: {}, False: {}}
        for name, array in artifact.arrays.items():
            parts[_SEPARATOR in name][name] = array
        for key in parts[True]:
            moment, _, name = key.partition(_SEPARATOR)
            if not moment.isidentifier() or name not in parts[False]:
                raise CorruptFile(f"{path}: holds {key!r}, which no replay state does", REMEDY)
        return Snapshot(epoch, weights=parts[False], optimizer=parts[True])
