"""Removing: files and records go together, automation leaves it so, and a killed removal is gone on with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pytest
from lab import V1, V2, Lab

from tdw.errors import BadConfig, Busy
from tdw.reconcile.seen import Seen
from tdw_assets.automation.planned_runs import plan_next
from tdw_assets.automation.sensor import look
from tdw_assets.cells.partitions import register_variants, registered_variants
from tdw_assets.recording import removing
from tdw_assets.recording.removing import EXTRA, plan_results, plan_variant, remove
from tdw_assets.status import read_status
from tdw_resources.runs.stopped import find_stopped


def fill(lab: Lab, variant: str = V1, epochs: tuple[int, ...] = (0, 2, 4, 6)) -> None:
    assert lab.fill("train", variant, {"checkpoint": epochs}).success
    assert lab.fill("analyze", variant, {"coarseness": epochs}).success


def gone(lab: Lab, **named: Any) -> None:
    remove([plan_variant(lab.wanted, lab.instance, lab.store, V1, **named)], lab.instance, lab.store)


def asked_for(lab: Lab) -> set[str]:
    """Variants for which automation would start a training."""
    tick = look(lab.wanted, lab.instance, lab.store, Seen())
    return {task.variant for task, _ in tick.tasks if task.stage == "train"}


def test_epochs_go_with_their_analyses_and_dagster_says_missing(lab: Lab) -> None:
    fill(lab)
    latest = lab.instance.get_latest_materialization_event(lab.wanted.checkpoint)
    assert latest is not None and latest.asset_materialization is not None
    planned = plan_variant(lab.wanted, lab.instance, lab.store, V1, epochs={4, 6})
    assert planned.files.cells["checkpoints"] == planned.files.cells["coarseness"] == (4, 6)
    assert planned.files.nbytes == sum(path.stat().st_size for path in planned.files.files) > 0
    assert lab.store.epochs("modulo_addition_1layer", V1) == [0, 2, 4, 6]  # planning removes nothing
    gone(lab, epochs={4, 6})
    for kind, name in (("checkpoints", "checkpoint"), ("coarseness", "coarseness")):
        assert lab.store.epochs("modulo_addition_1layer", V1, kind) == [0, 2]
        assert lab.done(name) == {f"00000|{V1}", f"00002|{V1}"} and lab.failed(name) == set()
    latest = lab.instance.get_latest_materialization_event(lab.wanted.checkpoint)
    assert latest is not None and latest.asset_materialization is not None
    assert latest.asset_materialization.partition in lab.done("checkpoint")
    status = read_status(lab.wanted, lab.instance, lab.store)
    assert status.gaps[V1].checkpoint.missing == (4, 6)
    assert any(f"train of {V1} was stopped by a person" in words for words in status.waits)
    assert asked_for(lab) == {V2}
    again = plan_next(lab.wanted, lab.instance, lab.store, V1)
    assert again is not None
    fill(lab, epochs=(4, 6))
    assert read_status(lab.wanted, lab.instance, lab.store).gaps[V1].checkpoint.missing == ()
    assert find_stopped(lab.instance, lab.wanted.slug) == [] or asked_for(lab) == {V2}


def test_extra_epochs_go_and_nothing_is_stopped(lab: Lab) -> None:
    fill(lab, epochs=(0, 2, 3, 4, 5, 6))
    gone(lab, epochs=EXTRA)
    assert lab.store.epochs("modulo_addition_1layer", V1) == [0, 2, 4, 6]
    assert lab.done("coarseness") == {f"{epoch:05d}|{V1}" for epoch in (0, 2, 4, 6)}
    assert find_stopped(lab.instance, lab.wanted.slug) == []


def test_a_listed_variant_comes_back_as_missing_and_is_not_trained_before_somebody_asks(lab: Lab) -> None:
    fill(lab)
    planned = plan_variant(lab.wanted, lab.instance, lab.store, V1)
    assert planned.is_listed and planned.files.whole and not planned.leaves
    gone(lab)
    folder = lab.store.root / "modulo_addition_1layer"
    assert not (folder / V1).exists() and not list(lab.store.root.glob(".removed*"))
    assert all(not lab.done(name) for name in ("checkpoint", "coarseness", "history"))
    assert V1 in registered_variants(lab.wanted, lab.instance)
    assert asked_for(lab) == {V2}
    assert plan_variant(lab.wanted, lab.instance, lab.store, V1).is_empty


def test_a_variant_that_was_added_in_dagster_leaves_the_study(lab: Lab) -> None:
    new = "p7_s3_d598"
    register_variants(lab.wanted, lab.instance, [new])
    fill(lab, new)
    removal = plan_variant(lab.wanted, lab.instance, lab.store, new)
    remove([removal], lab.instance, lab.store)
    assert new not in registered_variants(lab.wanted, lab.instance)
    assert find_stopped(lab.instance, lab.wanted.slug) == []
    assert plan_variant(lab.wanted, lab.instance, lab.store, new).is_empty
    register_variants(lab.wanted, lab.instance, [new])
    assert new in asked_for(lab)  # added again, it begins like any other


def test_automation_does_not_train_what_is_just_being_removed(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = "p7_s3_d598"
    register_variants(lab.wanted, lab.instance, [new])
    fill(lab, new)
    meanwhile: list[set[str]] = []
    wipe = lab.instance.wipe_asset_partitions

    def look_first(key: dg.AssetKey, partitions: Sequence[str]) -> None:  # the files are gone by then
        meanwhile.append(asked_for(lab))
        wipe(key, partitions)

    monkeypatch.setattr(lab.instance, "wipe_asset_partitions", look_first)
    remove([plan_variant(lab.wanted, lab.instance, lab.store, new)], lab.instance, lab.store)
    assert meanwhile and all(new not in variants for variants in meanwhile)


def test_what_another_study_has_recorded_stays_unless_it_is_given_too(lab: Lab) -> None:
    fill(lab)
    other = lab.with_study(name="other", checkpoints=[0, 6], early_epoch=0)
    register_variants(other.wanted, other.instance, other.wanted.variants)
    fill(other, epochs=(0, 6))
    planned = plan_variant(lab.wanted, lab.instance, lab.store, V1)
    assert planned.files.cells["checkpoints"] == (2, 4) and planned.kept == {"other": 4}
    remove([planned], lab.instance, lab.store)
    assert lab.store.epochs("modulo_addition_1layer", V1) == [0, 6]
    assert other.done("checkpoint") == {f"00000|{V1}", f"00006|{V1}"}
    both = [
        plan_variant(each.wanted, lab.instance, lab.store, V1, given=["tiny", "other"])
        for each in (lab, other)
    ]
    remove(both, lab.instance, lab.store)
    assert not (lab.store.root / "modulo_addition_1layer" / V1).exists()
    assert other.done("checkpoint") == lab.done("checkpoint") == set()


@pytest.mark.parametrize("epochs", [None, {2, 4}])
def test_a_killed_removal_is_gone_on_with(
    lab: Lab, epochs: set[int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(lab)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(type(lab.instance), "wipe_asset_partitions", die)  # the files are gone by then
        with pytest.raises(Killed):
            gone(lab, epochs=epochs)
    left = () if epochs is None else (0, 6)
    assert tuple(lab.store.epochs("modulo_addition_1layer", V1)) == left
    missing = read_status(lab.wanted, lab.instance, lab.store).gaps[V1].checkpoint.missing
    assert missing == tuple(e for e in (0, 2, 4, 6) if e not in left)
    assert asked_for(lab) == {V2}
    assert not plan_variant(lab.wanted, lab.instance, lab.store, V1, epochs=epochs).is_empty
    gone(lab, epochs=epochs)
    assert lab.done("checkpoint") == {f"{epoch:05d}|{V1}" for epoch in left}
    assert plan_variant(lab.wanted, lab.instance, lab.store, V1, epochs=epochs).is_empty


def test_what_is_being_worked_on_is_refused(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(lab)
    with lab.store.lock("modulo_addition_1layer", V1, "train"), pytest.raises(Busy):
        gone(lab)
    assert lab.store.epochs("modulo_addition_1layer", V1) == [0, 2, 4, 6]
    busy = removing.find_work_in_progress(lab.wanted, lab.instance)
    changed = type(busy)(frozenset({V1}), comparison=False, everything=False)
    monkeypatch.setattr(removing, "find_work_in_progress", lambda *_: changed)
    with pytest.raises(BadConfig, match="being worked on"):
        gone(lab)


def test_what_covers_all_variants_goes_and_is_not_made_again_at_once(lab: Lab) -> None:
    lab = lab.with_study(analyzers=["coarseness"])
    fill(lab)
    lab.run("summarize", partition_key=V1)
    lab.run("compare")
    planned = plan_results(lab.wanted, lab.instance, lab.store)
    assert planned.files.documents and planned.records
    remove([planned], lab.instance, lab.store)
    assert not (lab.store.root / "modulo_addition_1layer" / lab.wanted.study.folder).exists()
    assert plan_results(lab.wanted, lab.instance, lab.store).is_empty
    states = read_status(lab.wanted, lab.instance, lab.store).states("")
    assert "done" not in states.values()


def test_dagsters_job_does_it_too(lab: Lab) -> None:
    fill(lab)
    config = {"ops": {"tiny_remove_variant_op": {"config": {"variant": V1, "files": True}}}}
    result = lab.run("remove_variant", run_config=config)
    assert result.success and lab.done("checkpoint") == set()
    assert not (lab.store.root / "modulo_addition_1layer" / V1).exists()
