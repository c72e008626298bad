"""Checks of tables, figures and reports: what is missing or out of date, and whether the files are sound.

The soundness of what is made for each variant is recorded for each partition, so that Dagster shows which one
is wrong. Cells are not: a check event per cell would double the event log.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from tdw.integrity.rereading import recorded_product, reread
from tdw.inventory.products import Product
from tdw.store import Store
from tdw_assets.cells.partitions import variant_partitions, with_registered
from tdw_assets.checks.asset_checks import SOUND, UP_TO_DATE, memory_of, outcome
from tdw_resources.dagster_internals import log_check
from tdw_resources.events.data_versions import read_version, read_versions
from tdw_resources.events.records import inventory_of
from tdw_resources.resources import StoreResource
from tdw_resources.wanted import WantedAssets

_KINDS = ("history", "summaries", "plots", "reports")


def check_products(
    wanted: WantedAssets, instance: dg.DagsterInstance, store: Store, selected: set[dg.AssetCheckKey]
) -> Iterator[dg.AssetCheckEvaluation]:
    """Evaluate some checks, of a whole product or of one partition."""
    if any(key.name == UP_TO_DATE for key in selected):
        inventory = inventory_of(wanted, instance, store)
        states = (*inventory.states_of(inventory.gaps()).states, *inventory.study_states().states)
        for product in _checked(wanted):
            key = wanted.key(product.name)
            of = [each for each in states if each.product.name == product.name]
            left = [each for each in of if each.state in ("missing", "out_of_date")]
            if dg.AssetCheckKey(key, UP_TO_DATE) in selected:
                lines = [f"{at.variant or 'all variants'}: {at.state.replace('_', ' ')}" for at in left]
                yield _evaluation(key, UP_TO_DATE, lines, looked_at=len(of))
    for product in _checked(wanted):
        if dg.AssetCheckKey(wanted.key(product.name), SOUND) in selected:
            yield from _sound(wanted, instance, store, product)


def _checked(wanted: WantedAssets) -> list[Product]:
    return [product for product in wanted.products if product.kind in _KINDS]


def _sound(
    wanted: WantedAssets, instance: dg.DagsterInstance, store: Store, product: Product
) -> Iterator[dg.AssetCheckEvaluation]:
    key = wanted.key(product.name)
    recorded = _contents(wanted, instance, product)
    files = [recorded_product(store, wanted, product, *of) for of in recorded.items()]
    found = reread(files, memory_of(instance, wanted, f"{wanted.slug}-{product.name}"))
    if product.scope == "study":
        yield _evaluation(key, SOUND, found.get("", []), looked_at=len(recorded))
        return
    # What is wrong comes last: Dagster shows the latest evaluation as the check's own state.
    for variant, wrong in sorted(found.items(), key=lambda item: bool(item[1])):
        yield _evaluation(key, SOUND, wrong, looked_at=1, partition=variant)


def _evaluation(
    key: dg.AssetKey, name: str, wrong: Sequence[str], *, looked_at: int, partition: str | None = None
) -> dg.AssetCheckEvaluation:
    ended = outcome(name, wrong, looked_at=looked_at)
    return dg.AssetCheckEvaluation(asset_key=key, check_name=name, partition=partition, **ended)


def _contents(
    wanted: WantedAssets, instance: dg.DagsterInstance, product: Product
) -> dict[str, tuple[str, ...]]:
    """Variant ("" for all) -> contents that this study and others with the same files have recorded."""
    key = wanted.key(product.name)
    # What covers all variants of a study has a folder of its own.
    shared = product.scope == "variant"
    others = [k for k in instance.get_asset_keys() if shared and k.path[1:] == key.path[1:] and k != key]

    def read(of: dg.AssetKey) -> dict[str, str]:
        if product.scope == "variant":
            return {v: version.content for v, version in read_versions(instance, of, wanted.variants).items()}
        version = read_version(instance, of)
        return {"": version.content} if version else {}

    beside = [read(other) for other in others]
    return {
        variant: (content, *(told[variant] for told in beside if variant in told))
        for variant, content in read(key).items()
    }


def product_checks(wanted: WantedAssets) -> dg.AssetChecksDefinition:
    """Two checks for each table, figure and report, in one op."""

    def specs(product: Product) -> list[dg.AssetCheckSpec]:
        key = wanted.key(product.name)
        by_variant = product.scope == "variant"
        sound = dg.AssetCheckSpec(
            SOUND,
            asset=key,
            description="Files that are new since the last check were read again: checksum over all bytes, "
            "the place that they belong to, and the content that their event recorded.",
            partitions_def=variant_partitions(wanted) if by_variant else None,
        )
        if product.kind == "history":
            return [sound]
        current = dg.AssetCheckSpec(
            UP_TO_DATE,
            asset=key,
            description="It is there wherever it can be made, and is made from what is recorded now. "
            "A warning while work is left.",
        )
        return [current, sound]

    @dg.multi_asset_check(
        name=wanted.named("check_products"),
        specs=[spec for product in _checked(wanted) for spec in specs(product)],
        can_subset=True,
    )
    def check(context: dg.AssetCheckExecutionContext, store: StoreResource):
        live = with_registered(wanted, context.instance)
        selected = set(context.selected_asset_check_keys)
        # Dagster refuses to take a result without partition from an op that has checks with partitions.
        for evaluation in check_products(live, context.instance, store.open(), selected):
            log_check(context, evaluation)
        yield from ()

    return check
