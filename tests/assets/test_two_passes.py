"""A study with an adaptive rule: a first pass, one choice for all variants, a second pass by replay."""

from pathlib import Path

import pytest
from lab import V1, V2, Lab
from test_reconcile import Automation

from tdw.store import Address, RecordAddress, Store, TableAddress
from tdw.store.fingerprints import fingerprint_arrays
from tdw.study.extra_epochs import read_choice
from tdw.training.loop import train
from tdw_assets.automation.extra_epochs import look, settle
from tdw_assets.automation.schedules import find_tasks
from tdw_assets.automation.sensor import _extend
from tdw_assets.cells.partitions import register_variants, variants_name, with_registered
from tdw_assets.status import take_survey

V3 = "p7_s3_d598"
PASSES = {"train": 2, "analyze": 1}
STUDY: dict[str, object] = {
    "epochs": 40,
    "checkpoints": ["0:40:20"],
    "early_epoch": 20,
    "analyzers": ["coarseness", "coarseness_stats"],
    "training": {"state_every": 10, "test_every": 2, "device": "cpu"},
    "adaptive": {"extra_checkpoints": 3},
}


@pytest.fixture
def automation(lab: Lab) -> Automation:
    return Automation(lab.with_study(**STUDY))


def train_by_hand(lab: Lab, variant: str) -> None:
    """To the end of the schedule, without Dagster."""
    config = lab.grid.family.parse_variant(variant)
    settings = lab.grid.study.training
    for _ in train(
        config,
        store=lab.store,
        checkpoints=lab.grid.study.epoch_list,
        device="cpu",
        state_every=settings.state_every,
        test_every=settings.test_every,
    ):
        pass


def fall(lab: Lab, variant: str) -> None:
    """Let the recorded test loss of a variant fall, which that of so tiny a network does not always do."""
    address = TableAddress(lab.grid.family.name, variant, "history")
    table, provenance = lab.store.read_table_with_provenance(address)
    table["test_loss"] = table["test_loss"].where(table["test_loss"].isna(), 0.8 ** table["epoch"])
    lab.store.write_table(address, table, provenance=provenance)


@pytest.mark.slow
@pytest.mark.ci
def test_the_sensor_asks_for_the_second_pass_and_its_checkpoints_are_those_of_a_direct_run(
    automation: Automation, tmp_path: Path
) -> None:
    lab = automation.lab
    first = automation.tick()
    assert {(task.stage, task.variant) for task, _ in first.tasks} == {("train", V1), ("train", V2)}
    assert not first.seen.extra and read_choice(lab.store, lab.grid.study) is None
    for planned, _ in first.tasks:
        automation.carry_out(planned)
    for variant in (V1, V2):
        fall(lab, variant)

    second = automation.tick()
    choice = read_choice(lab.store, lab.grid.study)
    assert choice is not None and choice.variants == (V1, V2)
    extra = choice.epochs
    assert 1 <= len(extra) <= 3 and not set(extra) & {0, 20, 40} and second.seen.extra == list(extra)
    assert {(task.stage, task.variant, task.size) for task, _ in second.tasks} == {
        ("train", V1, len(extra)),
        ("train", V2, len(extra)),
    }
    # The definitions are those of a code location that is loaded after the choice, as every run's are.
    automation.lab = Lab(lab.grid.with_extra(lab.store), lab.instance, lab.store)
    for planned, _ in second.tasks:
        automation.carry_out(planned)
    for planned, _ in automation.tick().tasks:
        automation.carry_out(planned)
    assert automation.done == {(job, variant): n for variant in (V1, V2) for job, n in PASSES.items()}
    assert {task.stage for task, _ in automation.tick().tasks} == {"summarize"}
    survey = take_survey(lab.grid, lab.instance, lab.store)
    assert survey.wanted.epochs == tuple(sorted({0, 20, 40, *extra}))
    assert survey.to_dict()["totals"]["missing"] == survey.to_dict()["totals"]["out_of_date"] == 0

    direct = Store(tmp_path / "direct")
    family = lab.grid.family
    for variant in (V1, V2):
        wanted = list(survey.wanted.epochs)
        for kind in ("checkpoints", "coarseness", "coarseness_stats"):
            assert lab.store.epochs(family.name, variant, kind) == wanted
        config = family.parse_variant(variant)
        made = list(train(config, store=direct, checkpoints=wanted, device="cpu", test_every=2))
        for checkpoint in made:
            address = Address(family.name, variant, "checkpoints", checkpoint.epoch)
            assert fingerprint_arrays(lab.store.read(address).arrays) == checkpoint.fingerprint

    # It is decided once: neither a lost cursor nor another night asks for anything.
    record = lab.store.path(RecordAddress(family.name, "tiny"))
    before = record.stat().st_mtime_ns
    automation.seen = type(automation.seen)()
    assert {task.stage for task, _ in automation.tick().tasks} == {"summarize"}
    assert record.stat().st_mtime_ns == before
    for stage in ("train", "analyze"):
        assert not find_tasks(stage, lab.grid, lab.instance, lab.store)


def test_nothing_is_chosen_while_a_variant_can_still_be_trained(lab: Lab) -> None:
    lab = lab.with_study(**STUDY)
    train_by_hand(lab, V1)
    settled = settle(lab.grid, lab.instance, lab.store)
    assert settled.due and settled.choice is None and settled.waits_for == (V2,)
    assert settled.grid.epochs == (0, 20, 40)


def test_a_variant_that_has_failed_holds_nobody_up_and_counts_when_it_is_done(lab: Lab) -> None:
    lab = lab.with_study(**STUDY)
    train_by_hand(lab, V1)
    settled = settle(lab.grid, lab.instance, lab.store, given_up=[V2])
    assert settled.choice is not None and settled.choice.variants == (V1,) and not settled.due
    assert settle(lab.grid, lab.instance, lab.store).choice == settled.choice
    train_by_hand(lab, V2)
    assert look(lab.grid, lab.store).due
    again = settle(lab.grid, lab.instance, lab.store)
    assert again.choice is not None and again.choice.variants == (V1, V2)


@pytest.mark.slow
def test_the_automation_gives_a_failing_variant_up_and_chooses_without_it(
    automation: Automation, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = automation.lab
    train_by_hand(lab, V1)
    fall(lab, V1)

    def broken(config: object, **kwargs: object) -> object:
        if getattr(config, "key", "") == V2:
            raise RuntimeError("the loss is not finite")
        return train(config, **kwargs)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr("tdw.training.loop.train", broken)
    chosen_at: list[int] = []
    for _ in range(6):
        tasks = automation.tick().tasks
        if automation.seen.extra:
            chosen_at.append(automation.done["train", V2])
        for task, _attempt in tasks:
            if task.stage == "train":
                automation.carry_out(task)
    choice = read_choice(lab.store, lab.grid.study)
    assert choice is not None and choice.variants == (V1,)
    assert chosen_at[0] == 3, "the choice waits as long as there are attempts left"
    assert automation.done["train", V1] == 2
    assert set(choice.epochs) < set(lab.store.epochs(lab.grid.family.name, V1))


def test_a_variant_that_is_added_keeps_the_choice_in_force_until_it_is_trained(lab: Lab) -> None:
    lab = lab.with_study(**STUDY)
    for variant in (V1, V2):
        train_by_hand(lab, variant)
        fall(lab, variant)
    made = settle(lab.grid, lab.instance, lab.store).choice
    assert made is not None and made.epochs
    register_variants(lab.grid, lab.instance, [V3])
    wider = with_registered(lab.grid, lab.instance)
    settled = settle(wider, lab.instance, lab.store)
    assert settled.choice == made and settled.grid.variants == (V1, V2, V3)
    assert set(made.epochs) < settled.grid.epoch_set
    train_by_hand(lab, V3)
    again = settle(wider, lab.instance, lab.store).choice
    assert again is not None and again.variants == (V1, V2, V3)


def test_removing_a_variant_chooses_again_and_does_not_bring_it_back(automation: Automation) -> None:
    lab = automation.lab
    for variant in (V1, V2):
        train_by_hand(lab, variant)
    fall(lab, V2)
    automation.tick()
    before = automation.seen.extra
    assert before
    lab.instance.delete_dynamic_partition(variants_name(lab.grid), V2)
    result = automation.tick()
    choice = read_choice(lab.store, lab.grid.study)
    assert choice is not None and choice.variants == (V1,)
    assert V2 not in result.seen.marks


def test_a_history_that_is_damaged_is_said_and_nothing_is_chosen(automation: Automation) -> None:
    lab = automation.lab
    for variant in (V1, V2):
        train_by_hand(lab, variant)
    path = lab.store.path(TableAddress(lab.grid.family.name, V2, "history"))
    path.write_bytes(path.read_bytes()[:-9])
    grid, why = _extend(lab.grid, lab.instance, lab.store)
    assert grid.epochs == (0, 20, 40) and len(why) == 1
    assert "can't be chosen" in why[0] and str(path) in why[0] and "tdw verify --repair" in why[0]


def test_a_study_without_a_rule_is_the_same_grid(lab: Lab) -> None:
    assert lab.grid.with_extra(lab.store) is lab.grid
    settled = settle(lab.grid, lab.instance, lab.store)
    assert settled.grid is lab.grid and not settled.due and not settled.waits_for
    assert not lab.store.path(RecordAddress(lab.grid.family.name, "tiny")).exists()
    assert take_survey(lab.grid, lab.instance, lab.store).to_dict()["adaptive"] is None
