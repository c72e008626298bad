"""Assets that need each other in one run, as a person selects them in the UI: none skipped, none doubled."""

import dagster as dg
from lab import V1, Lab

from tdw_resources.dagster_internals import RANGE_END, RANGE_START
from tdw_resources.events.partition_keys import cell_key

EPOCHS = (0, 2, 4, 6)


def run_over(lab: Lab, *keys: dg.AssetKey, **kwargs: object) -> dg.ExecuteInProcessResult:
    defs = lab.defs
    job = dg.define_asset_job("chosen", selection=list(keys))
    chosen = dg.Definitions(
        assets=defs.assets, resources=defs.resources, jobs=[job], executor=dg.in_process_executor
    )
    return chosen.resolve_job_def("chosen").execute_in_process(
        instance=lab.instance, raise_on_error=False, **kwargs
    )


def test_checkpoints_and_what_is_made_from_them_are_made_in_one_run(lab: Lab) -> None:
    some = {RANGE_START: cell_key(V1, 0), RANGE_END: cell_key(V1, 6)}
    names = ("coarseness", "coarseness_stats")
    result = run_over(lab, lab.wanted.checkpoint, *map(lab.wanted.key, names), tags=some)
    assert result.success
    for name in ("checkpoint", *names):
        assert sorted(lab.events(name)) == [cell_key(V1, epoch) for epoch in EPOCHS]
        assert not lab.failed(name)


def test_history_tables_and_plots_of_a_variant_are_made_in_one_run(lab: Lab) -> None:
    assert lab.fill("train", V1, {"checkpoint": EPOCHS}).success
    assert lab.fill("analyze", V1, dict.fromkeys(("coarseness", "coarseness_stats"), EPOCHS)).success
    keys = [
        lab.wanted.key("history"),
        lab.wanted.key("summaries", "coarseness"),
        lab.wanted.key("summaries", "grokking"),
        lab.wanted.key("plots", "mean_coarseness"),
    ]
    assert run_over(lab, *keys, partition_key=V1).success
    for key in keys:
        assert lab.instance.get_materialized_partitions(key) == {V1}
