"""The assets of a study, made from the declarations of its products: one op per stage, and one for histories.

Tables and figures of a variant are in one op: an op that yields no outputs has those that need it skipped.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from tdw.inventory.plan import STAGES
from tdw.inventory.products import Product
from tdw.recipes.catalog import catalog_of
from tdw.training.records import HISTORY
from tdw_assets.assets.links import code_metadata
from tdw_assets.assets.op_body import carry_out_cells, carry_out_tables
from tdw_assets.assets.requested_cells import CellsConfig
from tdw_assets.cells.partitions import TO_VARIANT, cell_partitions, variant_partitions
from tdw_resources.instance import ANALYSIS_POOL, TRAIN_POOL
from tdw_resources.resources import ComputeResource, StoreResource
from tdw_resources.runs.gpus import hold_gpu
from tdw_resources.wanted import WantedAssets

OWNERS = ["team:training-dynamics"]
_GROUPS = {
    "checkpoint": "training",
    "history": "training",
    "extra_epochs": "training",
    "artifact": "analysis",
}
_KINDS = {
    "checkpoint": {"pytorch", "safetensors"},
    "history": {"parquet"},
    "extra_epochs": {"json"},
    "artifact": {"numpy", "safetensors"},
    "summaries": {"parquet"},
    "plots": {"plotly"},
    "reports": {"markdown"},
}


def study_assets(wanted: WantedAssets) -> list[dg.AssetsDefinition]:
    """Every asset of the study."""
    found: list[dg.AssetsDefinition] = []
    for stage in STAGES:
        products = [p for p in wanted.products if p.stage == stage.name and p.kind != "history"]
        if products:
            found.append((_cells if stage.of_cells else _tables)(wanted, stage.op, products))
    return [*found, _tables(wanted, HISTORY, [wanted.product(HISTORY)])]


def _cells(wanted: WantedAssets, op: str, products: Sequence[Product]) -> dg.AssetsDefinition:
    """Exactly the cells that a run asks for, of any number of products, in one op that shares the passes."""

    @dg.multi_asset(
        name=wanted.named(op),
        specs=[_spec(wanted, product) for product in products],
        can_subset=len(products) > 1,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=_pool(products),
    )
    def cells(
        context: dg.AssetExecutionContext, config: CellsConfig, store: StoreResource, compute: ComputeResource
    ) -> Iterator[dg.Output]:
        device = compute.choose(wanted.study.training.device)
        with hold_gpu(device, on_wait=lambda: context.log.info("All GPUs are in use: waiting for one.")):
            yield from carry_out_cells(context, wanted, config, products, store=store.open(), device=device)

    return cells


def _tables(wanted: WantedAssets, op: str, products: Sequence[Product]) -> dg.AssetsDefinition:
    """Tables, figures and reports, of one variant or over all."""
    of_variant, history = products[0].scope == "variant", products[0].kind == "history"

    @dg.multi_asset(
        name=wanted.named(op),
        specs=[_spec(wanted, product) for product in products],
        can_subset=len(products) > 1,
        backfill_policy=dg.BackfillPolicy.single_run() if of_variant and not history else None,
        pool=_pool(products),
    )
    def tables(
        context: dg.AssetExecutionContext, store: StoreResource, compute: ComputeResource
    ) -> Iterator[dg.Output]:
        device = compute.choose(wanted.study.training.device)
        yield from carry_out_tables(context, wanted, products, store=store.open(), device=device)

    return tables


def _pool(products: Sequence[Product]) -> str:
    return TRAIN_POOL if products[0].stage == "train" else ANALYSIS_POOL


def _spec(wanted: WantedAssets, product: Product) -> dg.AssetSpec:
    """The spec of a product. A variant's table depends on all epochs of its cells."""
    cells = {each.name for each in wanted.products if each.scope == "cell"}
    mapped = product.scope == "variant"
    partitions = {"cell": cell_partitions, "variant": variant_partitions, "study": lambda _: None}
    metadata = code_metadata(wanted, product)
    if product.stage != "train":
        metadata["title"] = product.title
    if product.kind == "artifact":
        metadata["analyzer_code_version"] = catalog_of(wanted.family).analyzer(product.name).code_version
    return dg.AssetSpec(
        wanted.key(product.name),
        deps=[
            dg.AssetDep(wanted.key(name), partition_mapping=TO_VARIANT if mapped and name in cells else None)
            for name in product.inputs
        ],
        partitions_def=partitions[product.scope](wanted),
        skippable=True,
        description=f"**{product.title}**\n\n{product.description}"
        if "/" in product.name
        else product.description,
        group_name=wanted.group(_GROUPS.get(product.kind, product.kind)),
        kinds={"python", *_KINDS[product.kind]},
        owners=OWNERS,
        code_version=product.spec,
        metadata=metadata,
    )
