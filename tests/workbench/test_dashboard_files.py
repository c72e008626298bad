"""Dashboards as files: versions that are never changed, two who save at once, files that were changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdw.errors import BadConfig, CorruptFile, NotFound, Unreadable
from tdw.families import all_families, get_family
from tdw.integrity.repair import needs_fill, repair
from tdw.integrity.verify import verify
from tdw.store import DashboardAddress, Provenance, Store
from tdw_workbench.web.dashboards import files
from tdw_workbench.web.dashboards.defaults import default_of
from tdw_workbench.web.dashboards.model import Dashboard, Panel, parse_dashboard

FAMILY = "modulo_addition_1layer"
BOARD = Dashboard(
    family=FAMILY,
    title="Mine",
    panels=(
        Panel(kind="figure", name="training_curves", variant="p7_s1_d598", epoch=500),
        Panel(kind="maps", name="neurons", part="3,17"),
        Panel(kind="note", text="# why"),
    ),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_what_is_saved_is_read_and_every_version_stays(store: Store) -> None:
    first = files.save(store, "mine", BOARD, base=0)
    second = files.save(store, "mine", BOARD.model_copy(update={"title": "Ours"}), base=1)
    assert (first.version, second.version) == (1, 2)
    assert files.read(store, "mine").dashboard.title == "Ours"
    assert files.read(store, "mine", 1) == first
    assert files.versions(store, "mine") == [1, 2]


def test_of_two_who_save_the_second_is_told_and_nothing_is_lost(store: Store) -> None:
    files.save(store, "mine", BOARD, base=0)
    files.save(store, "mine", BOARD.model_copy(update={"title": "Theirs"}), base=1)
    for base, said in ((1, "saved by somebody else meanwhile"), (0, "there is a dashboard 'mine' already")):
        with pytest.raises(files.SavedSince, match=said):
            files.save(store, "mine", BOARD, base=base)
    assert files.read(store, "mine").dashboard.title == "Theirs"


def test_deleting_takes_every_version_and_nothing_that_is_not_ours(store: Store) -> None:
    for base in (0, 1):
        files.save(store, "mine", BOARD, base=base)
    notes = store.root / "_dashboards" / "mine" / "notes.txt"
    notes.write_text("mine")
    with pytest.raises(files.SavedSince, match="its last version is 2"):
        files.delete(store, "mine", version=1)
    assert files.versions(store, "mine") == [1, 2]
    files.delete(store, "mine", version=2)
    assert files.saved_dashboards(store) == [] and notes.read_text() == "mine"
    for name in ("mine", "never"):
        with pytest.raises(NotFound, match=name):
            files.delete(store, name, version=2)
    assert [path.name for path in (store.root / "_dashboards").iterdir()] == ["mine"]
    assert files.save(store, "mine", BOARD, base=0).version == 1


@pytest.mark.parametrize("spoil", [lambda data: data.replace(b"Mine", b"Mein"), lambda data: data[:90]])
def test_a_changed_file_is_named_stops_no_other_and_the_version_before_comes_back(
    store: Store, spoil: object
) -> None:
    files.save(store, "mine", BOARD, base=0)
    files.save(store, "mine", BOARD, base=1)
    files.save(store, "other", BOARD, base=0)
    path = store.path(DashboardAddress("mine", 2))
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(CorruptFile, match=r"_dashboards/mine/00002\.json"):
        files.read(store, "mine")
    listed = {each.name: each for each in files.saved_dashboards(store)}
    assert "00002.json" in listed["mine"].problem and listed["other"].dashboard == BOARD
    repaired = list(repair(store, [each.finding for each in verify(store) if each.finding]))
    assert [each.done for each in repaired] == ["moved"] and not any(map(needs_fill, repaired))
    assert files.read(store, "mine").version == 1


def test_a_sound_store_with_dashboards_has_no_strangers(store: Store) -> None:
    files.save(store, "mine", BOARD, base=0)
    checked = list(verify(store))
    assert [each.finding for each in checked] == [None]
    (store.root / "_dashboards" / "mine" / "notes.txt").write_text("mine")
    assert [each.finding.problem for each in verify(store) if each.finding] == ["not ours"]


def test_a_file_of_another_format_is_not_taken_for_damage(store: Store) -> None:
    note = Provenance(family=FAMILY, variant="", name="mine")
    store.write_record(DashboardAddress("mine", 1), {"format": 9, "dashboard": {}}, provenance=note)
    with pytest.raises(Unreadable, match="its format is 9"):
        files.read(store, "mine")


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "_x", FAMILY, "x" * 200, "a..b"])
def test_a_name_that_can_not_be_one_is_refused(store: Store, name: str) -> None:
    with pytest.raises(BadConfig):
        files.save(store, name, BOARD, base=0)
    assert not (store.root / "_dashboards").exists()


@pytest.mark.parametrize(
    ("panel", "said"),
    [
        (Panel(kind="figure", name="no_such"), "no figure 'no_such'"),
        (Panel(kind="table", name="grokking", variant="../x"), "no variant"),
        (Panel(kind="figure", name="comparison", where="../../etc"), "not the folder of a study"),
        (Panel(kind="maps", name="neurons", part="3;17"), "maps '3;17'"),
    ],
)
def test_what_can_never_be_shown_is_not_saved(store: Store, panel: Panel, said: str) -> None:
    with pytest.raises(BadConfig, match=said):
        files.save(store, "mine", BOARD.model_copy(update={"panels": (panel,)}), base=0)


def test_every_wrong_value_is_named() -> None:
    with pytest.raises(BadConfig) as error:
        parse_dashboard('{"family": "x", "title": "", "panels": [{"kind": "movie", "width": 40}], "more": 1}')
    for place in ("title", "panels.0.kind", "panels.0.width", "more"):
        assert place in error.value.what


def test_a_dashboard_that_is_not_there_is_not_found(store: Store) -> None:
    files.save(store, "mine", BOARD, base=0)
    for name, version in (("none", None), ("mine", 7)):
        with pytest.raises(NotFound):
            files.read(store, name, version)


@pytest.mark.parametrize("family", all_families(), ids=lambda family: family.name)
def test_every_family_has_a_default_that_can_be_saved(store: Store, family: object) -> None:
    saved = default_of(family)  # type: ignore[arg-type]
    assert saved.dashboard.panels
    assert files.save(store, "copy", saved.dashboard, base=0).dashboard == saved.dashboard


def test_the_default_of_modular_addition_shows_the_five_analyses_the_explorer_and_small_maps() -> None:
    names = [panel.name for panel in default_of(get_family(FAMILY)).dashboard.panels]
    five = {
        "coarseness_distribution",
        "mean_coarseness",
        "neuron_coarseness",
        "early_coarseness",
        "blob_count",
    }
    assert five | {"neurons", "heads", "multi_scale"} <= {*names}
    assert len(names) == 12
