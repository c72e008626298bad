"""The study file of a running workbench: what is taken up, what is said, and what is kept."""

from pathlib import Path

import pytest

from tdw.errors import BadConfig
from tdw.study import load_studies
from tdw_resources.places import LAST_GOOD_VARIABLE, Places, last_good_folder, load_studies_or_last_good
from tdw_workbench.study_files import StudyFiles

GOOD = "variants: [p7_s1_d598]\nepochs: 6\ncheckpoints: [0, 6]\n"
MORE = GOOD.replace("[0, 6]", "[0, 2, 4, 6]")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "mine.yaml"
    found.write_text(GOOD)
    return found


@pytest.fixture
def file(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyFiles:
    places = Places("", (path,), tmp_path / "home")
    monkeypatch.setenv(LAST_GOOD_VARIABLE, str(last_good_folder(places.home)))
    return StudyFiles(places, load_studies([path]))


def test_a_change_is_taken_up_and_an_invalid_one_said_once(file: StudyFiles, path: Path) -> None:
    assert file.changes() == (False, "")
    for text in ("epochs: [", "epochs: [["):
        path.write_text(text)
        changed, said = file.changes()
        assert not changed and "mine.yaml" in said and "last version" in said
        assert file.changes() == (False, "")
    assert file.studies[0].epoch_list == (0, 6)
    path.write_text(MORE)
    changed, said = file.changes()
    assert changed and "changed" in said and file.studies[0].epoch_list == (0, 2, 4, 6)
    path.unlink()
    assert "can't be read" in file.changes()[1]
    path.write_text(MORE)
    assert file.changes() == (False, f"{path} can be read again.")


def test_servers_load_the_last_good_study_under_its_own_name(file: StudyFiles, path: Path) -> None:
    path.write_text(MORE)
    file.changes()
    for spoil in (lambda: path.write_text("epochs: ["), path.unlink):
        spoil()
        (study,), problem = load_studies_or_last_good([path])
        assert (study,) == file.studies and study.name == "mine" and "mine.yaml" in problem


def test_without_a_workbench_an_invalid_study_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(LAST_GOOD_VARIABLE, raising=False)
    path.write_text("epochs: [")
    with pytest.raises(BadConfig):
        load_studies_or_last_good([path])
