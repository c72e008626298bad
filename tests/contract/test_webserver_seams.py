"""The seams of dagster-webserver that ours builds on. When one fails after an upgrade: see ADVICE."""

from __future__ import annotations

import re

import dagster as dg
import dagster_webserver.app as dagster_app
import pytest
from dagster_webserver import __version__
from dagster_webserver.webserver import DagsterWebserver
from starlette.responses import HTMLResponse
from starlette.testclient import TestClient

from tdw_workbench.web.webserver import TdwWebserver, install, with_script

PINNED = "1.13.27"
ADVICE = (
    "dagster-webserver has changed under tdw_workbench/web/webserver.py. Go back to the pinned version "
    f"({PINNED}), or change that module to fit the new DagsterWebserver and raise the pin here and in "
    "pyproject.toml."
)


def test_the_versions_are_the_pinned_ones() -> None:
    assert (dg.__version__, __version__) == (PINNED, PINNED), ADVICE


def test_the_server_that_dagster_builds_can_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dagster_app, "DagsterWebserver", DagsterWebserver)
    install()
    assert dagster_app.DagsterWebserver is TdwWebserver, ADVICE


def test_another_seam_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dagster_app, "DagsterWebserver", object)
    with pytest.raises(RuntimeError, match="pinned dagster-webserver"):
        install()


def test_our_routes_win_over_dagsters_catch_all(served: tuple[TestClient, str]) -> None:
    client, prefix = served
    assert client.get(f"{prefix}/tdw/ping").json()["ok"] is True, ADVICE
    assert client.get(f"{prefix}/tdw", follow_redirects=False).headers["location"] == f"{prefix}/tdw/", ADVICE
    assert client.get(f"{prefix}/tdw/").status_code == 200, ADVICE
    # With the server's instance, the pages start and stop work through its GraphQL.
    assert f'data-graphql="{prefix}/graphql"' in client.get(f"{prefix}/tdw/").text, ADVICE


def test_dagsters_own_routes_are_untouched(served: tuple[TestClient, str]) -> None:
    client, prefix = served
    assert client.get(f"{prefix}/server_info").json()["dagster_version"] == dg.__version__, ADVICE
    query = {"query": "{workspaceOrError{__typename}}"}
    answer = client.post(f"{prefix}/graphql", json=query).json()
    assert answer["data"]["workspaceOrError"]["__typename"] == "Workspace", ADVICE


def test_dagsters_page_carries_our_script_under_its_own_nonce(served: tuple[TestClient, str]) -> None:
    client, prefix = served
    page = client.get(f"{prefix}/assets/plots/whatever")
    nonce = re.search(r"'nonce-(\w+)'", page.headers["content-security-policy"])
    assert nonce, ADVICE
    assert f'<script nonce="{nonce[1]}" src="{prefix}/tdw/static/embed.js"' in page.text, ADVICE
    assert "frame-src" not in page.headers["content-security-policy"], ADVICE
    assert client.get(f"{prefix}/tdw/static/embed.js").status_code == 200


def test_names_are_checked_under_dagster_too(served: tuple[TestClient, str]) -> None:
    client, prefix = served
    assert client.get(f"{prefix}/tdw/static/..%2f..%2fpyproject.toml").status_code == 404
    assert client.get(f"{prefix}/tdw/ping", headers={"host": "evil.example"}).status_code == 403
    assert client.post(f"{prefix}/tdw/ping").status_code == 405


@pytest.mark.parametrize(
    "page",
    [
        HTMLResponse("<body></body>"),
        HTMLResponse("no body", headers={"content-security-policy": "script-src 'nonce-abc'"}),
    ],
)
def test_a_page_that_looks_otherwise_is_left_as_it_is(page: HTMLResponse) -> None:
    assert with_script(page, "/tdw") is page
