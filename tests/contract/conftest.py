"""Our subclass of Dagster's webserver as Dagster builds it, at the root and below a prefix."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import dagster_webserver.app as dagster_app
import pytest
from bench import Workbench
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from starlette.testclient import TestClient

from tdw_workbench.web.webserver import TdwWebserver


@pytest.fixture(scope="module", params=["", "/dag"])
def workbench(request: pytest.FixtureRequest) -> Iterator[Workbench]:
    with (
        pytest.MonkeyPatch.context() as patch,
        dg.DagsterInstance.local_temp() as instance,
        WorkspaceProcessContext(instance, EmptyWorkspaceTarget(), version="test") as context,
    ):
        patch.setenv("TDW_ALLOWED_HOSTS", "lab.example")
        patch.setattr(dagster_app, "DagsterWebserver", TdwWebserver)
        app = dagster_app.create_app_from_workspace_process_context(context, request.param)
        yield Workbench(app, request.param, instance)


@pytest.fixture
def served(workbench: Workbench) -> tuple[TestClient, str]:
    return workbench.client(), workbench.prefix
