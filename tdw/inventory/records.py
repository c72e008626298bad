"""Where it is recorded what a product was made by: the protocol, and the headers of the files themselves.

Dagster's event log is the other source (`tdw_resources.events.records`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from tdw.errors import CorruptFile, NotFound
from tdw.inventory.products import CHECKPOINT, stored_kind
from tdw.inventory.versions import NO_INPUT, DataVersion
from tdw.recipes.consistency.versions import recorded_spec_version
from tdw.store import Address, Provenance, Store
from tdw.store.fingerprints import fingerprint_json, short

if TYPE_CHECKING:
    from tdw.inventory.wanted import Wanted

_T = TypeVar("_T")


class Records(Protocol):
    """The latest recorded data version of every product."""

    def cells(
        self, name: str, epochs: Mapping[str, Collection[int]]
    ) -> Mapping[str, Mapping[int, DataVersion]]:
        """Variant -> epoch -> version of a product of scope cell.

        Args:
            name: of the product.
            epochs: variant -> epochs that have a file; the answer may hold others too.
        """
        ...

    def by_variant(self, name: str, variants: Collection[str]) -> Mapping[str, DataVersion]:
        """Variant -> version of a product of scope variant."""
        ...

    def of_study(self, name: str) -> DataVersion | None:
        """Version of a product of scope study."""
        ...

    def elsewhere(self, name: str, variant: str) -> Collection[DataVersion]:
        """What other studies, and versions before this one, have recorded of a table or figure of a variant:
        it has the same files.
        """
        ...


@dataclass(frozen=True)
class HeaderRecords:
    """What the headers of the stored artifacts say. Tables and figures are left to the event log."""

    wanted: Wanted
    store: Store

    def cells(
        self, name: str, epochs: Mapping[str, Collection[int]]
    ) -> Mapping[str, Mapping[int, DataVersion]]:
        """See `Records`. A file that is damaged is not recorded.

        Raises:
            Unreadable: one can't be read here, so nobody knows.
        """
        return {variant: dict(self._read(name, variant, some)) for variant, some in epochs.items()}

    def by_variant(self, name: str, variants: Collection[str]) -> Mapping[str, DataVersion]:
        """See `Records`: none."""
        return {}

    def of_study(self, name: str) -> DataVersion | None:
        """See `Records`: none."""
        return None

    def elsewhere(self, name: str, variant: str) -> Collection[DataVersion]:
        """See `Records`: none."""
        return ()

    def _read(self, name: str, variant: str, epochs: Collection[int]) -> list[tuple[int, DataVersion]]:
        family = self.wanted.family
        config = family.parse_variant(variant)
        expected = {"family": family.name, "variant": variant, "variant_fingerprint": config.fingerprint}
        expected["name"] = name
        if name != CHECKPOINT:
            expected["probe_fingerprint"] = family.probe_fingerprint(config)
        found: list[tuple[int, DataVersion]] = []
        for epoch in epochs:
            try:
                header = self.store.provenance(Address(family.name, variant, stored_kind(name), epoch))
            except (CorruptFile, NotFound):
                continue
            strange = any(getattr(header, field) != value for field, value in expected.items())
            found.append((epoch, _version(header, name, strange=strange)))
        return found


@dataclass(frozen=True)
class Remembered:
    """Records that are asked for each table and figure once: a run judges its products one after another, and
    nobody else records them while it holds their lock.
    """

    records: Records
    _known: dict[tuple[str, ...], Any] = field(default_factory=dict[tuple[str, ...], Any])

    def cells(
        self, name: str, epochs: Mapping[str, Collection[int]]
    ) -> Mapping[str, Mapping[int, DataVersion]]:
        """See `Records`: asked again each time."""
        return self.records.cells(name, epochs)

    def by_variant(self, name: str, variants: Collection[str]) -> Mapping[str, DataVersion]:
        """See `Records`."""
        return self._once((name, *variants), lambda: self.records.by_variant(name, variants))

    def of_study(self, name: str) -> DataVersion | None:
        """See `Records`."""
        return self._once((name,), lambda: self.records.of_study(name))

    def elsewhere(self, name: str, variant: str) -> Collection[DataVersion]:
        """See `Records`: asked again each time."""
        return self.records.elsewhere(name, variant)

    def forget(self, name: str) -> None:
        """Ask for this product again: it has just been recorded."""
        for key in [key for key in self._known if key[0] == name]:
            del self._known[key]

    def _once(self, key: tuple[str, ...], ask: Callable[[], _T]) -> _T:
        if key not in self._known:
            self._known[key] = ask()
        return self._known[key]


def _version(header: Provenance, name: str, *, strange: bool) -> DataVersion:
    """Of a header; one that belongs to another model has no spec, and so is out of date."""
    weights = short(header.checkpoint_fingerprint)
    if name == CHECKPOINT:
        spec = short(fingerprint_json([header.variant_fingerprint, header.code_version]))
        return DataVersion("" if strange else spec, NO_INPUT, weights)
    return DataVersion("" if strange else recorded_spec_version(header), weights, "")
