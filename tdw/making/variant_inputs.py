"""What the analysis of one variant needs: where its cells are, and the header of an up-to-date artifact."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tdw.errors import CorruptFile, NotFound
from tdw.parameters import as_json
from tdw.recipes.catalog import ParametersByName, catalog_of
from tdw.recipes.consistency.versions import recorded_spec_version
from tdw.recipes.family import Family, VariantConfig
from tdw.store import Address, Provenance, Store


@dataclass(frozen=True)
class VariantInputs:
    """The cells of one variant, and by what they are to be computed.

    Attributes:
        parameters: analyzer name -> its parameters dataclass.
    """

    store: Store
    family: Family
    config: VariantConfig
    parameters: ParametersByName

    def address(self, kind: str, epoch: int) -> Address:
        """Of an analyzer's artifact or of a checkpoint."""
        return Address(self.family.name, self.config.key, kind, epoch)

    def provenance(self, name: str, epoch: int, checkpoint: str) -> Provenance:
        """What an up-to-date artifact of analyzer `name` records, without its environment.

        Args:
            name: the analyzer's.
            epoch: of the checkpoint.
            checkpoint: fingerprint of the checkpoint's weights.
        """
        catalog = catalog_of(self.family)
        return Provenance(
            family=self.family.name,
            variant=self.config.key,
            name=name,
            epoch=epoch,
            code_version=catalog.analyzer(name).code_version,
            parameters=as_json(catalog.parameters_of(name, self.parameters)),
            variant_fingerprint=self.config.fingerprint,
            probe_fingerprint=self._probe_fingerprint,
            checkpoint_fingerprint=checkpoint,
            inputs=catalog.inputs_of(name, self.parameters),
        )

    @cached_property
    def _probe_fingerprint(self) -> str:
        return self.family.probe_fingerprint(self.config)

    def is_up_to_date(self, name: str, epoch: int, checkpoint: str) -> bool:
        """Whether the artifact is there, of this configuration, probe, checkpoint, code and parameters.

        Raises:
            Unreadable: it can't be read here, so nobody knows.
        """
        address = self.address(name, epoch)
        if not self.store.exists(address):
            return False
        try:
            found = self.store.provenance(address)
        except (CorruptFile, NotFound):
            return False
        return not differences(found, self.provenance(name, epoch, checkpoint))


def differences(found: Provenance, wanted: Provenance) -> list[str]:
    """What makes an artifact out of date: names of the fields, empty when it is up to date."""
    fields = (
        "family",
        "variant",
        "name",
        "variant_fingerprint",
        "probe_fingerprint",
        "checkpoint_fingerprint",
    )
    wrong = [field for field in fields if getattr(found, field) != getattr(wanted, field)]
    way = [f for f in ("code_version", "parameters", "inputs") if getattr(found, f) != getattr(wanted, f)]
    # What differs here may be the same in a file, where tuples are lists.
    if way and recorded_spec_version(found) != recorded_spec_version(wanted):
        wrong += way
    return wrong
