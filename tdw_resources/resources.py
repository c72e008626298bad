"""Dagster resources: where artifacts go and what computes them. Configuration only; nothing heavy is held."""

import dagster as dg

from tdw.store import Store
from tdw_resources.places import find_places


class StoreResource(dg.ConfigurableResource):
    """The artifact store."""

    root: str = ""
    """Folder; empty: $TDW_STORE, else the project's own."""

    def open(self) -> Store:
        """The store itself."""
        return Store(self.root or find_places().store)


class ComputeResource(dg.ConfigurableResource):
    """Where training and forward passes run."""

    device: str = ""
    """auto, cpu or cuda; empty: what the study says."""

    def choose(self, of_study: str) -> str:
        """This resource's device, else the study's."""
        return self.device or of_study
