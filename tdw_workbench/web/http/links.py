"""Addresses of Dagster's pages."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from tdw.study import Study
from tdw_resources.links import LOCATION


def sensor_page(dagster_url: str, study: Study) -> str:
    """The page of a study's sensor, whose ticks say what was asked for, why, and what is waited for."""
    return f"{dagster_url}/locations/{LOCATION}/sensors/{study.slug}_reconcile"


def runs_page(dagster_url: str, variant: str) -> str:
    """The runs of a variant, whoever asked for them."""
    return f"{dagster_url}/runs?{urlencode({'q[0]': f'tag:tdw/variant={variant}'})}"


def asset_page(
    dagster_url: str, study: Study | None, path: Sequence[str], *, partition: str | None = None
) -> str:
    """The page of an asset, at a partition where one is given; without a study, the list of all assets.

    Args:
        dagster_url: where Dagster is served; "" for the same origin.
        study: whose asset.
        path: the parts of the asset's key after the study's.
    """
    if study is None:
        return f"{dagster_url}/assets"
    key = "/".join(quote(part, safe="") for part in (study.slug, *path))
    query = urlencode({"view": "partitions", "partition": partition}) if partition else "view=overview"
    return f"{dagster_url}/assets/{key}?{query}"
