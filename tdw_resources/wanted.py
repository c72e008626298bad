"""What a study wants as Dagster knows it: names and keys of its assets."""

from __future__ import annotations

import dagster as dg

from tdw.inventory.wanted import Wanted


class WantedAssets(Wanted):
    """The cells and products that a study wants, with the keys and names of their assets in Dagster."""

    @property
    def slug(self) -> str:
        """The study's name as Dagster takes it: all of its names begin with that."""
        return self.study.slug

    def key(self, *parts: str) -> dg.AssetKey:
        """An asset key: of the parts, or of a product's name."""
        return dg.AssetKey([self.slug, *"/".join(parts).split("/")])

    def named(self, what: str) -> str:
        """The name of a job, an op, a sensor or a schedule."""
        return f"{self.slug}_{what}"

    def group(self, what: str) -> str:
        """The name of a group of assets."""
        return f"{self.slug}/{what}"

    @property
    def checkpoint(self) -> dg.AssetKey:
        """The checkpoints' asset."""
        return self.key("checkpoint")
