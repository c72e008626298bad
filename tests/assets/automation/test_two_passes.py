"""A study with an adaptive rule: a first pass, one choice for all variants, a second pass by replay."""

from pathlib import Path

import pytest
from lab import V1, V2, Automation, Lab

from tdw.reconcile.attempts import still_training
from tdw.reconcile.tick import find_tasks
from tdw.store import Address, RecordAddress, Store, TableAddress
from tdw.store.fingerprints import fingerprint_arrays
from tdw.study.extra_epochs import Choice, read_choice
from tdw.study.extra_epochs import choose as make_choice
from tdw.training.loop import train
from tdw_assets.cells.as_it_is import as_it_is
from tdw_assets.cells.partitions import register_variants, variants_name, with_registered
from tdw_assets.status import read_status
from tdw_resources.events.records import inventory_of
from tdw_resources.runs.work_in_progress import StudyRuns

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
    config = lab.wanted.family.parse_variant(variant)
    settings = lab.wanted.study.training
    for _ in train(
        config,
        store=lab.store,
        checkpoints=lab.wanted.study.epoch_list,
        device="cpu",
        state_every=settings.state_every,
        test_every=settings.test_every,
    ):
        pass


def fall(lab: Lab, variant: str) -> None:
    """Let the recorded test loss of a variant fall, which that of so tiny a network does not always do."""
    address = TableAddress(lab.wanted.family.name, variant, "history")
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
    assert not first.seen.extra and read_choice(lab.store, lab.wanted.study) is None
    for planned, _ in first.tasks:
        automation.carry_out(planned)
    for variant in (V1, V2):
        fall(lab, variant)

    (choose,) = automation.tick().tasks
    assert choose[0].stage == "choose"
    assert automation.carry_out(choose[0]).success
    second = automation.tick()
    choice = read_choice(lab.store, lab.wanted.study)
    assert choice is not None and choice.variants == (V1, V2)
    extra = choice.epochs
    assert 1 <= len(extra) <= 3 and not set(extra) & {0, 20, 40} and second.seen.extra == list(extra)
    assert {(task.stage, task.variant, task.size) for task, _ in second.tasks} == {
        ("train", V1, len(extra)),
        ("train", V2, len(extra)),
    }
    # The definitions are those of a code location that is loaded after the choice, as every run's are.
    automation.lab = Lab(lab.wanted.with_extra(lab.store), lab.instance, lab.store)
    for planned, _ in second.tasks:
        automation.carry_out(planned)
    for planned, _ in automation.tick().tasks:
        automation.carry_out(planned)
    passes = {(stage, variant): n for variant in (V1, V2) for stage, n in PASSES.items()}
    assert automation.done == passes | {("choose", ""): 1}
    assert lab.instance.get_latest_materialization_event(lab.wanted.key("extra_epochs"))
    assert {task.stage for task, _ in automation.tick().tasks} == {"summarize"}
    status = read_status(lab.wanted, lab.instance, lab.store)
    assert status.wanted.epochs == tuple(sorted({0, 20, 40, *extra}))
    assert status.to_dict()["totals"]["missing"] == status.to_dict()["totals"]["out_of_date"] == 0

    direct = Store(tmp_path / "direct")
    family = lab.wanted.family
    for variant in (V1, V2):
        wanted = list(status.wanted.epochs)
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
    for stage in ("train", "choose", "analyze"):
        assert not find_tasks(stage, *as_it_is(lab.wanted, lab.instance, lab.store))


def choose(lab: Lab) -> Choice | None:
    """By the asset's own run."""
    assert lab.run("choose").success
    return read_choice(lab.store, lab.wanted.study)


def test_nothing_is_chosen_while_a_variant_can_still_be_trained(automation: Automation) -> None:
    lab = automation.lab
    train_by_hand(lab, V1)
    inventory = inventory_of(lab.wanted, lab.instance, lab.store)
    assert inventory.choice() == (None, True) and inventory.task("choose")
    assert still_training(inventory, StudyRuns(lab.wanted, lab.instance)) == [V2]
    assert {task.stage for task, _ in automation.tick().tasks} == {"train"}
    assert not find_tasks("choose", *as_it_is(lab.wanted, lab.instance, lab.store))
    assert lab.wanted.with_extra(lab.store).epochs == (0, 20, 40)


def test_a_variant_that_has_failed_holds_nobody_up_and_counts_when_it_is_done(lab: Lab) -> None:
    lab = lab.with_study(**STUDY)
    train_by_hand(lab, V1)
    inventory = inventory_of(lab.wanted, lab.instance, lab.store)
    assert not still_training(inventory, StudyRuns(lab.wanted, lab.instance), given_up=[V2])
    made = choose(lab)
    assert made is not None and made.variants == (V1,) and inventory.choice() == (made, False)
    assert inventory.task("choose") is None and choose(lab) == made
    train_by_hand(lab, V2)
    assert inventory.choice() == (made, True)
    again = choose(lab)
    assert again is not None and again.variants == (V1, V2)


def test_a_choice_of_an_earlier_version_is_recorded_as_it_is(automation: Automation) -> None:
    lab = automation.lab
    for variant in (V1, V2):
        train_by_hand(lab, variant)
    study = lab.wanted.study
    made = make_choice(lab.store, study, (V1, V2))
    path = lab.store.path(RecordAddress(study.family, study.name))
    before = path.stat().st_mtime_ns
    (task, _), *_ = automation.tick().tasks
    assert task.stage == "choose" and automation.carry_out(task).success
    assert path.stat().st_mtime_ns == before and read_choice(lab.store, study) == made
    assert "choose" not in {task.stage for task, _ in automation.tick().tasks}


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
    for _ in range(8):
        tasks = automation.tick().tasks
        if automation.seen.extra:
            chosen_at.append(automation.done["train", V2])
        for task, _attempt in tasks:
            if task.stage in ("train", "choose"):
                automation.carry_out(task)
    choice = read_choice(lab.store, lab.wanted.study)
    assert choice is not None and choice.variants == (V1,)
    assert chosen_at[0] == 3, "the choice waits as long as there are attempts left"
    assert automation.done["train", V1] == 2
    assert set(choice.epochs) < set(lab.store.epochs(lab.wanted.family.name, V1))


def test_a_variant_that_is_added_keeps_the_choice_in_force_until_it_is_trained(lab: Lab) -> None:
    lab = lab.with_study(**STUDY)
    for variant in (V1, V2):
        train_by_hand(lab, variant)
        fall(lab, variant)
    made = choose(lab)
    assert made is not None and made.epochs
    register_variants(lab.wanted, lab.instance, [V3])
    wider = with_registered(lab.wanted, lab.instance).with_extra(lab.store)
    inventory = inventory_of(wider, lab.instance, lab.store)
    assert inventory.choice() == (made, False) and wider.variants == (V1, V2, V3)
    assert set(made.epochs) < wider.epoch_set
    train_by_hand(lab, V3)
    again = choose(lab)
    assert again is not None and again.variants == (V1, V2, V3)


def test_removing_a_variant_chooses_again_and_does_not_bring_it_back(automation: Automation) -> None:
    lab = automation.lab
    for variant in (V1, V2):
        train_by_hand(lab, variant)
    fall(lab, V2)
    automation.carry_out(automation.tick().tasks[0][0])
    automation.tick()
    assert automation.seen.extra
    lab.instance.delete_dynamic_partition(variants_name(lab.wanted), V2)
    automation.carry_out(automation.tick().tasks[0][0])
    result = automation.tick()
    choice = read_choice(lab.store, lab.wanted.study)
    assert choice is not None and choice.variants == (V1,)
    assert V2 not in result.seen.marks


def test_a_history_that_is_damaged_is_said_and_nothing_is_chosen(automation: Automation) -> None:
    lab = automation.lab
    for variant in (V1, V2):
        train_by_hand(lab, variant)
    path = lab.store.path(TableAddress(lab.wanted.family.name, V2, "history"))
    path.write_bytes(path.read_bytes()[:-9])
    for _ in range(3):
        ((task, _),) = automation.tick().tasks
        result = automation.carry_out(task)
        said = str(result.failure_data_for_node("tiny_choose_extra_epochs"))
        assert str(path) in said and "tdw verify --repair" in said
    assert read_choice(lab.store, lab.wanted.study) is None
    assert "choose" not in {task.stage for task, _ in automation.tick().tasks}


def test_a_study_without_a_rule_is_the_same_grid(lab: Lab) -> None:
    assert lab.wanted.with_extra(lab.store) is lab.wanted
    inventory = inventory_of(lab.wanted, lab.instance, lab.store)
    assert inventory.choice() == (None, False) and inventory.task("choose") is None
    assert "extra_epochs" not in {product.name for product in lab.wanted.products}
    assert not lab.store.path(RecordAddress(lab.wanted.family.name, "tiny")).exists()
    assert read_status(lab.wanted, lab.instance, lab.store).to_dict()["adaptive"] is None
