"""Make one history, choice of extra epochs, table, figure or report, and commit it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from tdw.epochs import format_epochs
from tdw.errors import CorruptFile, NotFound
from tdw.execution.carry_out import CellsToMake
from tdw.execution.done import Done
from tdw.families import Family
from tdw.inventory.cells import VariantGaps, series_epochs
from tdw.inventory.products import Product
from tdw.inventory.versions import NO_INPUT, DataVersion
from tdw.inventory.wanted import Wanted
from tdw.recipes.catalog import catalog_of
from tdw.reports.registry import get_report
from tdw.store import RecordAddress, Store, TableAddress, Written
from tdw.store.fingerprints import fingerprint_json, short
from tdw.store.seal import check
from tdw.study.extra_epochs import basis, choose, find_trained, read_choice
from tdw.training.records import HISTORY

Metadata = Mapping[str, float | int | str]


def make_history(work: CellsToMake) -> Done:
    """The history table as it is now; one that is gone is made again by replay from the saved states.

    Raises:
        NotFound: the variant was never trained.
    """
    wanted, store = work.wanted, work.store
    address = TableAddress(wanted.family.name, work.variant, HISTORY)
    path = store.path(address)
    try:
        data = store.read_bytes(address)
        digest = check(data, path=path)
    except (NotFound, CorruptFile):
        work.replay()
        try:
            data = store.read_bytes(address)
        except NotFound:
            raise NotFound(f"{path}: {work.variant} has no history", "train the variant first") from None
        digest = check(data, path=path)
    table = store.read_table(address)
    last = table.iloc[-1]
    known = {name: table[name].dropna() for name in wanted.family.metric_names}
    metrics = {name: float(values.iloc[-1]) for name, values in known.items() if len(values)}
    return Done(
        name=HISTORY,
        variant=work.variant,
        epoch=None,
        version=DataVersion(wanted.checkpoint_spec(work.variant), NO_INPUT, short(digest)),
        path=str(path),
        metadata={
            "epochs": len(table),
            "last_epoch": int(last["epoch"]),
            "train_loss": float(last["train_loss"]),
            **metrics,
            **{f"lowest_{n}": float(known[n].min()) for n in metrics if n.endswith("loss")},
            "nbytes": len(data),
        },
    )


def make_choice(wanted: Wanted, store: Store, product: Product) -> Done:
    """The extra epochs: chosen when what they rest on has changed, else as they are.

    Raises:
        NotFound: no variant is trained to the end of the schedule, or its history is not.
        CorruptFile: a history that the choice would rest on is damaged.
        StoreError: the choice can't be written.
    """
    study = wanted.study
    trained = find_trained(store, study, wanted.variants)
    made = read_choice(store, study)
    if made is None or made.basis != basis(study, trained):
        made = choose(store, study, trained) if trained else None
    if made is None:
        raise NotFound(
            f"no history of study {wanted.name} reaches epoch {study.epoch_list[-1]} yet",
            "train the variants first: `tdw fill`",
        )
    address = RecordAddress(study.family, study.name)
    data = store.read_bytes(address)
    version = DataVersion(
        product.spec, short(fingerprint_json(dict(made.basis))), short(sha256(data).hexdigest())
    )
    metadata = {"epochs": format_epochs(made.epochs) or "none", "variants": ", ".join(made.variants)}
    return Done(product.name, "", None, version, metadata, str(store.path(address)))


def function_of(family: Family, product: Product) -> Callable[..., Any]:
    """The function that makes a product, for people who want to read it."""
    from tdw.making.comparison import write_comparison
    from tdw.training.loop import train

    catalog, name = catalog_of(family), product.short_name
    if product.kind == "artifact":
        return catalog.analyzer(name).function
    if product.kind == "plots":
        return catalog.plot(name).load
    if product.kind == "reports":
        return get_report(name).write
    if product.kind == "summaries":
        return catalog.summary(name).function if product.scope == "variant" else write_comparison
    return choose if product.kind == "extra_epochs" else train


def make_product(
    wanted: Wanted, store: Store, product: Product, gaps: VariantGaps | None, *, inputs: str
) -> Done:
    """Make and commit one table, figure or report: of a variant, or of the study.

    Args:
        wanted: the study; what covers all variants is made of all of `wanted.variants`.
        store: where inputs are read and the result is committed.
        product: what is made.
        gaps: of the variant; None for what covers all of them.
        inputs: hash of what is recorded of its inputs.

    Raises:
        NotFound: there is nothing to make it from yet.
    """
    if product.kind == "extra_epochs":
        return make_choice(wanted, store, product)
    variant = gaps.variant if gaps else ""
    make = {"summaries": _table if gaps else _comparison, "plots": _figure, "reports": _report}[product.kind]
    written, metadata = make(wanted, store, product, gaps)
    return Done(
        name=product.name,
        variant=variant,
        epoch=None,
        version=DataVersion(product.spec, inputs, short(written.sha256)),
        path=str(written.path),
        metadata={"nbytes": written.nbytes, **metadata},
    )


def _table(
    wanted: Wanted, store: Store, product: Product, gaps: VariantGaps | None
) -> tuple[Written, Metadata]:
    from tdw.making.tables import summarize

    assert gaps is not None
    summary = catalog_of(wanted.family).summary(product.short_name)
    done = summarize(
        store,
        wanted.family,
        wanted.family.parse_variant(gaps.variant),
        summary.name,
        parameters=wanted.parameters,
        options=wanted.study.summary_options(summary.name),
        epochs=series_epochs(gaps, summary.analyzers) if summary.analyzers else None,
    )
    return done.written, done.metadata


def _comparison(
    wanted: Wanted, store: Store, product: Product, gaps: VariantGaps | None
) -> tuple[Written, Metadata]:
    from tdw.making.comparison import write_comparison

    configs = [wanted.family.parse_variant(key) for key in wanted.variants]
    written = write_comparison(
        store, wanted.family, configs, early_epoch=wanted.study.early_epoch, folder=wanted.study.folder
    )
    return written, {"variants": len(configs)}


def _figure(
    wanted: Wanted, store: Store, product: Product, gaps: VariantGaps | None
) -> tuple[Written, Metadata]:
    from tdw.making.figures import render

    drawn = render(
        catalog_of(wanted.family).plot(product.short_name),
        store,
        family=wanted.family,
        variants=[gaps.variant] if gaps else list(wanted.variants),
        order=wanted.study.variant_keys,
        scheduled=wanted.schedule,
        folder=wanted.study.folder,
    )
    return drawn.write(store), {}


def _report(
    wanted: Wanted, store: Store, product: Product, gaps: VariantGaps | None
) -> tuple[Written, Metadata]:
    report = get_report(product.short_name)
    written = report.write(
        store,
        wanted.family,
        [wanted.family.parse_variant(key) for key in wanted.variants],
        title=f"{report.title}: {wanted.name}",
        early_epoch=wanted.study.early_epoch,
        last_epoch=wanted.study.epochs,
        study=wanted.study,
    )
    return written, {}
