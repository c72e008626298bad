"""Every product of a study in the order of work: what it is made from, by what, and where its files are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tdw.making.comparison import ASSOCIATIONS
from tdw.parameters import as_json
from tdw.recipes.catalog import catalog_of
from tdw.recipes.reading.variant_tables import tables_of
from tdw.reports.registry import reports_of
from tdw.store import Store, TableAddress, document_files, reading
from tdw.store.fingerprints import fingerprint_json, short
from tdw.store.layout import CHECKPOINTS
from tdw.study.extra_epochs import basis
from tdw.training.environment import code_version
from tdw.training.records import HISTORY

if TYPE_CHECKING:
    from tdw.inventory.wanted import Wanted

CHECKPOINT = "checkpoint"
EXTRA_EPOCHS = "extra_epochs"
COMPARISON = "summaries/comparison"
Kind = Literal["checkpoint", "history", "extra_epochs", "artifact", "summaries", "plots", "reports"]
Scope = Literal["cell", "variant", "study"]
_TRAINED = "Weights after exactly `epoch` optimizer steps, under TransformerLens names.\n\n"
_HISTORY = (
    "Train loss of every epoch, the metrics of every evaluated one, each of the weights after exactly that "
    "many steps. Training writes it; materializing it checks and records it."
)
_EXTRA = (
    "Epochs that are added to the schedule, the same for all variants: where the test loss falls fastest. "
    "They are chosen when every variant is trained to the end of the schedule, or can't be, and again when "
    "more variants are; then they are wanted like any other, and filled by replay."
)


@dataclass(frozen=True)
class Product:
    """Something that is made, once per cell, per variant or per study.

    Attributes:
        name: "checkpoint", "history", "extra_epochs", an analyzer's name, "summaries/<name>",
            "plots/<name>" or "reports/<name>".
        stage: in which it is made; see `plan.STAGES`.
        needs: names of the products it can't be made without.
        uses: names of products that are in it where they are there.
        spec: version of its code and own parameters; that of a checkpoint counts its variant too
            (`Wanted.checkpoint_spec`).
        title, description: for people; `description` is Markdown.
        beside: further tables that are committed with it.
    """

    name: str
    kind: Kind
    scope: Scope
    stage: str
    needs: tuple[str, ...]
    uses: tuple[str, ...]
    spec: str
    title: str
    description: str
    beside: tuple[str, ...] = ()

    @property
    def short_name(self) -> str:
        """The name in its registry."""
        return self.name.rpartition("/")[2]

    @property
    def inputs(self) -> tuple[str, ...]:
        """All that decides its content, each once."""
        return tuple(dict.fromkeys((*self.needs, *self.uses)))

    def exists(self, family: str, store: Store, variant: str) -> bool:
        """Whether the files of a table, figure or report of a variant, or in a study's folder, are there."""
        if self.kind in ("summaries", "history"):
            names = (self.short_name, *self.beside)
            return all(store.exists(TableAddress(family, variant, name)) for name in names)
        manifest = store.document_folder(family, variant, self.short_name) / document_files.MANIFEST
        with reading.access(manifest):
            return bool(manifest.exists())


def stored_kind(name: str) -> str:
    """What the files of a product go by in the store."""
    folder, _, short_name = name.rpartition("/")
    return {CHECKPOINT: CHECKPOINTS, HISTORY: f"summaries/{HISTORY}"}.get(
        name, f"plots/{short_name}" if folder == "reports" else name
    )


def products_of(wanted: Wanted) -> tuple[Product, ...]:
    """All that the study's analyzers allow."""
    found = [*_training(wanted), *_artifacts(wanted)]
    for more in (_tables, _comparison, _figures, _reports):
        found += list(more(wanted, [product.name for product in found]))
    return tuple(found)


def _training(wanted: Wanted) -> Iterator[Product]:
    spec, about = code_version(wanted.family), _TRAINED + wanted.family.description
    yield Product(CHECKPOINT, "checkpoint", "cell", "train", (), (), spec, "Checkpoints", about)
    yield Product(HISTORY, "history", "variant", "train", (CHECKPOINT,), (), spec, "History", _HISTORY)
    if wanted.study.adaptive is not None:
        rule = short(fingerprint_json({**basis(wanted.study, ()), "variants": None}))
        yield Product(
            EXTRA_EPOCHS, "extra_epochs", "study", "choose", (), (HISTORY,), rule, "Extra epochs", _EXTRA
        )


def _artifacts(wanted: Wanted) -> Iterator[Product]:
    for name, spec in wanted.analyzer_specs.items():
        analyzer = catalog_of(wanted.family).analyzer(name)
        arrays = "\n".join(f"- `{array}`: {meaning}" for array, meaning in analyzer.arrays.items())
        needs = (CHECKPOINT, *(other for other in analyzer.requires if other in wanted.analyzers))
        about = f"{analyzer.description}\n\n{arrays}"
        yield Product(name, "artifact", "cell", "analyze", needs, (), spec, analyzer.title, about)


def _tables(wanted: Wanted, there: Sequence[str]) -> Iterator[Product]:
    catalog = catalog_of(wanted.family)
    for summary in catalog.summaries_of(wanted.analyzers):
        spec = catalog.summary_version(summary.name, wanted.study.summary_options(summary.name))
        yield Product(
            f"summaries/{summary.name}", "summaries", "variant", "summarize", summary.needs, (), spec,
            summary.title, summary.description,
        )  # fmt: skip


def _comparison(wanted: Wanted, there: Sequence[str]) -> Iterator[Product]:
    comparison = wanted.family.comparison
    tables = tuple(name for each in tables_of(wanted.family) if (name := f"summaries/{each}") in there)
    if tables and comparison:
        spec = fingerprint_json(["comparison", comparison.code_version, wanted.study.early_epoch])
        yield Product(
            COMPARISON, "summaries", "study", "compare", (), tables, short(spec),
            "Comparison of variants", comparison.description, (ASSOCIATIONS,) if comparison.associate else (),
        )  # fmt: skip


def _figures(wanted: Wanted, there: Sequence[str]) -> Iterator[Product]:
    for plot in catalog_of(wanted.family).plots:
        needs, uses = (tuple(map(_product_name, names)) for names in (plot.needs, plot.uses))
        if not set(needs) <= set(there):
            continue
        parameters = as_json(plot.parameters())
        spec = fingerprint_json([plot.name, plot.code_version, parameters, list(wanted.schedule)])
        of_variant = plot.scope == "variant"
        yield Product(
            f"plots/{plot.name}", "plots", "variant" if of_variant else "study",
            "summarize" if of_variant else "compare", needs, tuple(name for name in uses if name in there),
            short(spec), plot.title, plot.description,
        )  # fmt: skip


def _reports(wanted: Wanted, there: Sequence[str]) -> Iterator[Product]:
    if COMPARISON not in there:
        return
    tables = tuple(name for name in there if name.startswith("summaries/"))
    for report in reports_of(wanted.family):
        versions = {report.name: report.code_version, **report.made_by(wanted.family, wanted.study)}
        spec = fingerprint_json([versions, wanted.study.record()])
        yield Product(
            f"reports/{report.name}", "reports", "study", "compare", (COMPARISON,), tables, short(spec),
            report.title, report.about,
        )  # fmt: skip


def _product_name(need: str) -> str:
    return CHECKPOINT if need == CHECKPOINTS else need
