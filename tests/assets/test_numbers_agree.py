"""First page, `tdw status` and `tdw fill` count the same, whatever lies in the store."""

from __future__ import annotations

from pathlib import Path

import yaml
from lab import V1, Lab
from starlette.testclient import TestClient

from tdw_assets.status import read_status
from tdw_workbench.fill.remaining import RemainingWork
from tdw_workbench.fill.request import FillRequest
from tdw_workbench.web.app import standalone
from tdw_workbench.web.data.runs import Runs
from tdw_workbench.web.http.settings import Settings

FAMILY = "modulo_addition_1layer"


def test_first_page_status_and_terminal_count_alike(lab: Lab, tmp_path: Path) -> None:
    """With gaps, cells that are out of date, epochs beside the schedule, and a key that names no variant."""
    lab = lab.with_study(analyzers=["coarseness", "site_geometry"])
    assert lab.fill("train", V1, {"checkpoint": (0, 2, 3, 4)}).success
    assert lab.fill("analyze", V1, {"coarseness": (0, 2, 3), "site_geometry": (3, 4)}).success
    lab.instance.add_dynamic_partitions("tiny_variants", ["p8-typo"])
    parameters = {"coarseness": {"radius_fraction": 0.25}, "site_geometry": {}}
    lab = lab.with_study(analyzers=parameters)

    status = read_status(lab.wanted, lab.instance, lab.store).to_dict()["variants"]
    study = lab.wanted.study
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study.record()))
    settings = Settings(str(lab.store.root), studies=(tmp_path / "study.yaml",))
    app = standalone(settings, runs=Runs(lab.instance))
    client = TestClient(app, base_url="http://127.0.0.1")
    request = FillRequest(
        study=study.model_dump(mode="json"),
        store=str(lab.store.root),
        home=str(tmp_path / "home"),
        variants=tuple(status),
    )
    work = RemainingWork.find(request, request.wanted(), lab.instance, lab.store)

    assert "p8-typo" not in status and "p8-typo" not in client.get("/tdw/").text
    assert sum(of["totals"]["there"] for of in status.values()) == work.cells_there == 3 + 2 + 1
    assert sum(of["totals"]["out_of_date"] for of in status.values()) == work.out_of_date == 2
    for variant, of in status.items():
        row = client.get(f"/tdw/api/row/{FAMILY}/{variant}?study=tiny&last=6").text
        trained, all_of = of["cells"]["checkpoint"]["there"], of["totals"]
        wanted = len(study.epoch_list)
        for there, whole in (
            (trained, wanted),
            (all_of["there"] - trained, all_of["cells"] - wanted),
        ):
            assert f'<td class="number">{there} / {whole}</td>' in row
        to_do = work.to_do[variant]
        assert to_do.checkpoints == wanted - trained
        assert to_do.analyses == all_of["cells"] - wanted - (all_of["there"] - trained)
    outdated = client.get(f"/tdw/api/outdated/{FAMILY}/{V1}").json()["out_of_date"]
    assert outdated == {"coarseness": 2}
    assert status[V1]["cells"]["coarseness"]["out_of_date"] == "0, 2"
