"""Pages below a path of a proxy: all links are below it, whether the proxy takes the path off or not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from tdw.errors import BadConfig
from tdw.families import get_family
from tdw.making.figures import render
from tdw.recipes.catalog import catalog_of
from tdw.store import Store
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import settings_from_environment
from tdw_workbench.web.prefix import Prefixed, prefix_of

PREFIX = "/user/me@lab.org/proxy/3000"
BASE = f"http://127.0.0.1{PREFIX}"
FAMILY, VARIANT = get_family("modulo_addition_1layer"), "p7_s1_d598_f0.5"
PAGES = (
    "/",
    f"/explorer/{FAMILY.name}/{VARIANT}",
    f"/view/plot/{FAMILY.name}/{VARIANT}/training_curves",
    "/dashboards/",
    f"/dashboards/{FAMILY.name}",
)
_ADDRESS = re.compile(r'(?:href|src|data-[a-z]+)="(/[^"]*)"')


class Proxy:
    """What stands in front: answers below the prefix alone, and takes it off or passes it on."""

    def __init__(self, app: ASGIApp, *, strips: bool) -> None:
        self._app, self._strips = app, strips

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if not scope["path"].startswith(f"{PREFIX}/"):
                await send({"type": "http.response.start", "status": 421, "headers": []})
                await send({"type": "http.response.body", "body": b"not below the prefix"})
                return
            if self._strips:
                short = scope["path"].removeprefix(PREFIX)
                scope = {**scope, "path": short, "raw_path": short.encode()}
        await self._app(scope, receive, send)


@pytest.fixture(params=[True, False], ids=["the proxy strips", "the proxy passes on"])
def strips(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
def client(tiny_store: Store, strips: bool) -> TestClient:
    plot = catalog_of(FAMILY).plot("training_curves", scope="variant")
    render(plot, tiny_store, family=FAMILY, variants=[VARIANT]).write(tiny_store)
    study = tiny_store.root / "study.yaml"
    study.write_text(f"variants: [{VARIANT}]\nepochs: 20\ncheckpoints: [0, 10, 20]\n")
    settings = settings_from_environment(
        str(tiny_store.root),
        study=study,
        dagster_url="http://127.0.0.1:3000",
        environment={"TDW_BASE_URL": BASE},
    )
    return TestClient(Proxy(standalone(settings), strips=strips), base_url="http://127.0.0.1")


@pytest.mark.parametrize("page", PAGES)
def test_all_that_a_page_links_to_is_below_the_prefix_and_there(client: TestClient, page: str) -> None:
    answer = client.get(f"{PREFIX}/tdw{page}")
    assert answer.status_code == 200
    found = {address.partition("#")[0].replace("&amp;", "&") for address in _ADDRESS.findall(answer.text)}
    assert any("/static/" in address for address in found)
    # Scripts append to these.
    for address in found - {f"{PREFIX}/tdw/api", f"{PREFIX}/tdw/view/compare/"}:
        assert client.get(address).status_code == 200, address


def test_redirects_and_error_pages_stay_below_the_prefix(client: TestClient) -> None:
    for path in ("/tdw", "/"):
        answer = client.get(f"{PREFIX}{path}", follow_redirects=False)
        assert answer.headers["location"] == f"{PREFIX}/tdw/"
    error = client.get(f"{PREFIX}/tdw/explorer/none/none", headers={"accept": "text/html"})
    assert error.status_code == 404 and f'href="{PREFIX}/tdw/"' in error.text


def test_the_prefix_of_a_base_url_is_its_path() -> None:
    assert prefix_of("http://127.0.0.1:3001") == prefix_of("http://127.0.0.1:3001/") == prefix_of("") == ""
    assert prefix_of("https://hub.example/user/me@lab.org/proxy/3000/") == PREFIX


@pytest.mark.parametrize("path", ["/a%40b", "/a/../b", "/{x}", "/a//b", "/a?x=1", "/a#b", '/"><script>'])
def test_a_base_url_that_pages_could_not_keep_to_is_refused(path: str) -> None:
    with pytest.raises(BadConfig, match="TDW_BASE_URL"):
        settings_from_environment(environment={"TDW_BASE_URL": f"http://127.0.0.1:3001{path}"})


@pytest.fixture
def dagster(strips: bool, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Dagster's webserver with ours in it, as `python -m tdw_workbench.web` starts it."""
    import sys

    import dagster_webserver.app as dagster_app
    import dagster_webserver.cli as dagster_cli

    from tdw_workbench.web.__main__ import add_prefix
    from tdw_workbench.web.webserver import TdwWebserver

    monkeypatch.setenv("TDW_BASE_URL", BASE)
    monkeypatch.setattr(dagster_app, "DagsterWebserver", TdwWebserver)
    name = "create_app_from_workspace_process_context"
    monkeypatch.setattr(dagster_cli, name, getattr(dagster_cli, name))
    monkeypatch.setattr(sys, "argv", ["web"])
    add_prefix()
    assert sys.argv == ["web", "--path-prefix", PREFIX]
    with (
        dg.DagsterInstance.local_temp() as instance,
        WorkspaceProcessContext(instance, workspace_load_target=EmptyWorkspaceTarget()) as context,
    ):
        app = dagster_cli.create_app_from_workspace_process_context(context, PREFIX)
        assert isinstance(app, Prefixed)
        yield TestClient(Proxy(app, strips=strips), base_url="http://127.0.0.1")


def test_dagsters_own_pages_are_below_the_prefix_too(dagster: TestClient) -> None:
    page = dagster.get(f"{PREFIX}/assets/plots/whatever")
    assert f'src="{PREFIX}/tdw/static/embed.js"' in page.text and f'data-root="{PREFIX}/tdw"' in page.text
    assert dagster.get(f"{PREFIX}/tdw/ping").json()["ok"] is True
    query = {"query": "{workspaceOrError{__typename}}"}
    assert dagster.post(f"{PREFIX}/graphql", json=query).json()["data"]["workspaceOrError"]
