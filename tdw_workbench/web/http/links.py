"""Addresses of Dagster's pages."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from tdw.families import get_family


def asset_page(dagster_url: str, family: str, path: Sequence[str], *, partition: str | None = None) -> str:
    """The page of an asset, at a partition where one is given.

    Args:
        dagster_url: where Dagster is served; "" for the same origin.
        path: the parts of the asset's key after the family's prefix.
    """
    key = "/".join(quote(part, safe="") for part in (*get_family(family).asset_prefix, *path))
    query = urlencode({"view": "partitions", "partition": partition}) if partition else "view=overview"
    return f"{dagster_url}/assets/{key}?{query}"
