"""From the store to a figure, and to the files of a plot's bundle."""

# Plotly ships no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from tdw.drawing.matplotlib.pen import small_png
from tdw.drawing.plotly.pen import figure
from tdw.drawing.style import Figure, figure_json, looks, short_labels
from tdw.families import Family
from tdw.families.stored import stored_variants
from tdw.known_settings import under_known_settings
from tdw.parameters import as_json, override
from tdw.recipes.catalog import catalog_of
from tdw.recipes.figure import Plot
from tdw.recipes.reading.reader import Beside, Sources, VariantReader
from tdw.store import Provenance, Store, Written, tdw_version
from tdw.store.layout import natural_order
from tdw.training.live import read_running
from tdw.training.records import HISTORY

if TYPE_CHECKING:
    import pandas as pd

    from tdw.recipes.common.panels import Maps

FIGURE, PREVIEW, DATA = "figure.json", "preview.png", "data.csv"


@dataclass(frozen=True)
class Rendered:
    """A plot, ready to be committed.

    Attributes:
        files: "figure.json" (Plotly), "preview.png" (at most 420 × 240 pixels) and "data.csv".
        provenance: what it was made from, each input with the fingerprint of its content.
        folder: of a plot over several variants: where it belongs; None for no study's.
    """

    plot: Plot
    files: Mapping[str, bytes]
    provenance: Provenance
    folder: str | None = None

    def write(self, store: Store) -> Written:
        """Commit it."""
        of = self.provenance
        where = of.variant or self.folder
        return store.write_document(of.family, where, self.plot.name, files=self.files, provenance=of)


@under_known_settings
def render(
    plot: Plot,
    store: Store,
    *,
    family: Family,
    variants: Sequence[str],
    order: Sequence[str] = (),
    scheduled: Sequence[int] | None = None,
    parameters: Mapping[str, Any] | None = None,
    folder: str | None = None,
) -> Rendered:
    """Draw a plot from what is stored.

    Args:
        plot: what to draw.
        store: where the results are.
        family: of the variants.
        variants: keys, one for a plot of a variant.
        order: the study's variants; fixes the colors. Those that it does not name come after it.
        scheduled: epochs that should be there; None for those that have a checkpoint.
        parameters: field -> value, where they differ from the plot's defaults.
        folder: of the study for which several variants are drawn, as `Study.folder`; None for none.

    Raises:
        NotFound: what the plot needs is not there.
        CorruptFile, FingerprintMismatch: each names the file or the difference.
        BadConfig: a parameter that the plot does not have or can't use.
    """
    sources, data, resolved = _load(
        plot,
        store,
        family=family,
        variants=variants,
        order=order,
        scheduled=scheduled,
        parameters=parameters,
        folder=folder,
    )
    chart = plot.chart(data)
    files = {
        FIGURE: figure_json(figure(chart)).encode(),
        PREVIEW: small_png(chart),
        DATA: plot.table(data).to_csv(index=False, lineterminator="\n").encode(),
    }
    one = plot.scope == "variant"
    inputs = {
        (name if one else f"{reader.variant}/{name}"): content
        for reader in sources.variants
        for name, content in reader.inputs.items()
    }
    provenance = Provenance(
        family=family.name,
        variant=sources.only.variant if one else "",
        name=plot.name,
        code_version=plot.code_version,
        parameters=as_json(resolved),
        variant_fingerprint=sources.only.fingerprint("variant_fingerprint") if one else "",
        probe_fingerprint=sources.only.fingerprint("probe_fingerprint") if one else "",
        inputs=inputs,
        environment={"tdw": tdw_version(), "plotly": version("plotly")},
    )
    return Rendered(plot, files, provenance, folder)


@under_known_settings
def variant_figure(store: Store, family: Family, variant: str, name: str, **parameters: Any) -> Figure:
    """The interactive figure of a variant's plot, from what is stored now. Raises what `render` raises.

    While the variant trains, its history is shown so far, and the title says so.
    """
    plot = catalog_of(family).plot(name, scope="variant")
    running = read_running(store, family, variant) if HISTORY in plot.needs else None
    so_far = None if running is None else running.table()
    data = _load(plot, store, family=family, variants=[variant], parameters=parameters, so_far=so_far)[1]
    chart = plot.chart(data)
    return figure(replace(chart, title=f"{chart.title} · {running}") if running else chart)


@under_known_settings
def every_epoch(store: Store, family: Family, variant: str, name: str, **parameters: Any) -> Maps | None:
    """The maps of a variant's plot at every epoch that there is; None for a plot without; see `Plot.every`.

    Raises:
        NotFound, CorruptFile, FingerprintMismatch, BadConfig: as `render`.
    """
    plot = catalog_of(family).plot(name, scope="variant")
    if plot.every is None:
        return None
    return plot.every(_sources(store, family, [variant]), override(name, plot.parameters, parameters))


@under_known_settings
def comparison_figure(
    store: Store,
    family: Family,
    name: str,
    *,
    variants: Sequence[str] | None = None,
    folder: str | None = None,
    **parameters: Any,
) -> Figure:
    """The interactive figure of a plot over variants (all that are stored, or those named).

    `folder` is that of the study whose comparison table the figure may show, None for no study's.
    """
    plot = catalog_of(family).plot(name, scope="comparison")
    keys = sorted(stored_variants(store, family), key=natural_order) if variants is None else variants
    data = _load(plot, store, family=family, variants=keys, parameters=parameters, folder=folder)[1]
    return figure(plot.chart(data))


@dataclass(frozen=True)
class Drawn:
    """A figure and the data that it shows, in long form."""

    figure: Figure
    table: pd.DataFrame


@under_known_settings
def chosen_figure(
    store: Store, family: Family, name: str, *, variants: Sequence[str], beside: Beside
) -> Drawn:
    """A plot over variants that a person chose; see `comparison_figure`.

    Colors are by their order among the chosen ones, so that few of many can be told apart.
    """
    plot = catalog_of(family).plot(name, scope="comparison")
    data = _load(plot, store, family=family, variants=variants, order=variants, beside=beside)[1]
    return Drawn(figure(plot.chart(data)), plot.table(data))


def _load(
    plot: Plot,
    store: Store,
    *,
    family: Family,
    variants: Sequence[str],
    parameters: Mapping[str, Any] | None = None,
    **reading: Any,
) -> tuple[Sources, Any, Any]:
    """Sources, data and resolved parameters; `reading` are keywords of `_sources`."""
    resolved = override(plot.name, plot.parameters, parameters or {})
    sources = _sources(store, family, variants, **reading)
    return sources, plot.load(sources, resolved), resolved


def _sources(
    store: Store,
    family: Family,
    variants: Sequence[str],
    *,
    order: Sequence[str] = (),
    scheduled: Sequence[int] | None = None,
    folder: str | None = None,
    so_far: pd.DataFrame | None = None,
    beside: Beside | None = None,
) -> Sources:
    look = looks(_in_order({*stored_variants(store, family), *variants}, order))
    labels = short_labels(variants)
    return Sources(
        tuple(
            VariantReader(
                store,
                family.name,
                variant=variant,
                label=labels[variant],
                look=look[variant],
                scheduled=scheduled,
                folder=folder,
                so_far=so_far,
                beside=beside,
            )
            for variant in variants
        )
    )


def _in_order(variants: set[str], order: Sequence[str]) -> list[str]:
    """The study's order first, then the rest by the numbers in their keys."""
    return [*dict.fromkeys(order), *sorted(variants - set(order), key=natural_order)]
