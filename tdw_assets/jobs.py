"""The jobs of a study: one per stage, and those that add and remove variants."""

import itertools

import dagster as dg

from tdw.inventory.plan import STAGES
from tdw.recipes.family import Field
from tdw_assets.assets.requested_cells import as_failure
from tdw_assets.automation.run_requests import Jobs
from tdw_assets.cells.partitions import register_variants, registered_keys, remove_keys
from tdw_assets.recording.removing import EXTRA, plan_variant, remove
from tdw_resources.dagster_internals import UnresolvedAssetJobDefinition
from tdw_resources.runs.tags import study_tag
from tdw_resources.wanted import WantedAssets

_TYPES = {int: dg.Int, float: dg.Float, str: dg.String}


def stage_jobs(wanted: WantedAssets) -> Jobs:
    """train -> analyze -> summarize (tables and plots of a variant) -> compare (over all variants).

    Checks are left out: they belong to what a person materializes, and have a job of their own.
    """
    selections = {
        stage.name: [
            wanted.key(product.name)
            for product in wanted.products
            if product.stage == stage.name and product.kind != "history"
        ]
        for stage in STAGES
    }
    return {
        name: dg.define_asset_job(
            wanted.named(name),
            selection=dg.AssetSelection.assets(*keys).without_checks(),
            tags=study_tag(wanted),
        )
        for name, keys in selections.items()
        if keys
    }


def check_job(wanted: WantedAssets) -> UnresolvedAssetJobDefinition:
    """All checks of a study, as the sensor asks for them when there is nothing else to do."""
    checks = dg.AssetSelection.checks_for_assets(*(wanted.key(product.name) for product in wanted.products))
    return dg.define_asset_job(wanted.named("check"), selection=checks, tags=study_tag(wanted))


def register_variants_job(wanted: WantedAssets) -> dg.JobDefinition:
    """Adds variants to the study from a form: each parameter takes one value or several, spread as a grid."""

    def entry(field: Field) -> dg.Field:
        kind = [_TYPES[field.type]]
        words = f"{field.help}; several values are spread as a grid"
        if field.default is None:
            return dg.Field(kind, description=words)
        return dg.Field(kind, description=words, default_value=[field.default])

    fields = {field.name: entry(field) for field in wanted.family.fields}

    @dg.op(name=wanted.named("register_variants_op"), config_schema=fields)
    def register(context: dg.OpExecutionContext) -> None:
        keys = spread(wanted, context.op_config)
        added = register_variants(wanted, context.instance, keys)
        there = [key for key in keys if key not in added]
        context.log.info(f"added to study {wanted.name}: {', '.join(added) or 'nothing'}")
        if there:
            context.log.info(f"there already: {', '.join(there)}")

    @dg.job(
        name=wanted.named("register_variants"),
        description=f"Adds variants of {wanted.family.title} to study {wanted.name}. The sensor "
        f"`{wanted.named('reconcile')}` then has them trained, analyzed and summarized.",
    )
    def register_variants_graph() -> None:
        register()

    return register_variants_graph


def remove_variant_job(wanted: WantedAssets) -> dg.JobDefinition:
    """Takes a variant out of the study, and on request deletes its files for good."""

    @dg.op(
        name=wanted.named("remove_variant_op"),
        config_schema={
            "variant": dg.Field(str, description="its key"),
            "files": dg.Field(bool, default_value=False, description="delete all files of it, too, for good"),
            "extra_epochs": dg.Field(
                bool,
                default_value=False,
                description="delete no more than its epochs that are not in the study",
            ),
        },
        required_resource_keys={"store"},
    )
    def remove_one(context: dg.OpExecutionContext) -> None:
        key, deletes, extra = (context.op_config[name] for name in ("variant", "files", "extra_epochs"))
        known = registered_keys(wanted, context.instance)
        if key not in known:
            raise dg.Failure(
                f"{key!r} is no variant of study {wanted.name}\n  -> it has: {', '.join(map(repr, known))}",
                allow_retries=False,
            )
        if deletes or extra:
            store = context.resources.store.open()
            with as_failure():
                gone = plan_variant(wanted, context.instance, store, key, epochs=EXTRA if extra else None)
                remove([gone], context.instance, store)
            context.log.info(
                f"{len(gone.files.files)} files of {key} are deleted, {gone.files.nbytes:,} bytes"
            )
        else:
            remove_keys(wanted, context.instance, [key])
            context.log.info(
                f"{key} is not part of study {wanted.name} any more; its files stay in the store"
            )

    @dg.job(
        name=wanted.named("remove_variant"),
        tags=study_tag(wanted),
        description=f"Takes a variant out of study {wanted.name}; its files stay, unless `files` is set. "
        "One that the study file lists comes back when the file is loaded again. `tdw remove --dry-run` says "
        "what would be deleted.",
    )
    def remove_variant_graph() -> None:
        remove_one()

    return remove_variant_graph


def spread(wanted: WantedAssets, values: dict[str, list[int | float | str]]) -> list[str]:
    """Variant keys of a grid of parameters.

    Raises:
        dg.Failure: a parameter that the family can't use; says which, and the nearest that it can.
    """
    names = [field.name for field in wanted.family.fields]
    with as_failure():
        points = itertools.product(*(values[name] for name in names))
        return [wanted.family.make_config(**dict(zip(names, point, strict=True))).key for point in points]
