"""The guard in front of Dagster's own routes: what a page of another origin or name sends does nothing.

The requests are those that browsers send; tests/browser/test_foreign_pages.py has a real one send them.
"""

from __future__ import annotations

import re
from urllib.parse import quote

import httpx
import pytest
from bench import Workbench
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.testclient import WebSocketDenialResponse

HERE = "http://127.0.0.1:3000"
HOST = {"host": "127.0.0.1:3000"}
"""The test client names another in a websocket's request."""
READ = "{ version }"
ACT = 'mutation { setConcurrencyLimit(concurrencyKey: "KEY", limit: 1) }'
FOREIGN: dict[str, dict[str, str]] = {
    "another site, as Chrome tells": {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    "another site without Sec-Fetch": {"origin": "https://evil.example"},
    "another port": {"origin": "http://127.0.0.1:9999", "sec-fetch-site": "same-site"},
    "another name of this machine": {"origin": "http://localhost:3000", "sec-fetch-site": "cross-site"},
    "a sandboxed frame": {"origin": "null", "sec-fetch-site": "cross-site"},
    "Sec-Fetch alone, another site": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    "Sec-Fetch alone, another port": {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
    "a form of another site": {
        "origin": "https://evil.example",
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
    },
    "a name that resolves to this machine": {"host": "evil.example:3000"},
    "such a name, as its own page": {
        "host": "evil.example:3000",
        "origin": "http://evil.example:3000",
        "sec-fetch-site": "same-origin",
    },
}
OURS: dict[str, dict[str, str]] = {
    "a program": {},
    "the UI": {"origin": HERE, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
    "the UI in an older browser": {"origin": HERE},
    "behind a proxy": {"host": "lab.example", "origin": "https://lab.example"},
    "behind a proxy that names the port": {"host": "lab.example:443", "origin": "https://lab.example"},
    "behind a proxy at a port": {"host": "lab.example:8443", "origin": "https://lab.example:8443"},
}
foreign = pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
ours = pytest.mark.parametrize("headers", OURS.values(), ids=OURS)


def done(workbench: Workbench) -> set[str]:
    """What was changed: pools that have a limit, assets that have an event."""
    assets = {key.to_user_string() for key in workbench.instance.all_asset_keys()}
    return assets | set(workbench.instance.event_log_storage.get_concurrency_keys())


def refused(answer: httpx.Response, *statuses: int) -> None:
    assert answer.status_code in statuses, answer.text[:300]
    assert answer.json()["error"] and answer.json()["remedy"]


@foreign
def test_a_foreign_page_runs_no_mutation(workbench: Workbench, headers: dict[str, str]) -> None:
    client, url, act = workbench.client(), f"{workbench.prefix}/graphql", ACT.replace("KEY", "foreign")
    refused(client.post(url, json={"query": act}, headers=headers), 403)
    refused(client.post(url, params={"query": act}, headers=headers), 403)
    refused(client.get(url, params={"query": act}, headers=headers), 403)
    assert "foreign" not in done(workbench)


@foreign
@pytest.mark.parametrize("kind", ["materialization", "observation", "check"])
def test_a_foreign_page_reports_no_event(workbench: Workbench, headers: dict[str, str], kind: str) -> None:
    url = f"{workbench.prefix}/report_asset_{kind}/forged"
    told = {"description": "<b>", "check_name": "c", "passed": "true"}
    refused(workbench.client().post(url, params=told, headers=headers), 403)
    refused(workbench.client().post(url, json=told, headers=headers), 403)
    assert "forged" not in done(workbench)


@foreign
def test_a_foreign_page_reads_nothing(workbench: Workbench, headers: dict[str, str]) -> None:
    client = workbench.client()
    refused(client.post(f"{workbench.prefix}/graphql", json={"query": READ}, headers=headers), 403)
    for path in (
        "graphql?query={version}",
        "server_info",
        "logs/a/b.out",
        "download_debug/x",
        "notebook?path=a",
    ):
        refused(client.get(f"{workbench.prefix}/{path}", headers=headers), 403)


@foreign
def test_a_foreign_page_opens_no_websocket(workbench: Workbench, headers: dict[str, str]) -> None:
    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        workbench.client().websocket_connect(
            f"{workbench.prefix}/graphql", ["graphql-ws"], headers=HOST | headers
        ),
    ):
        pass
    refused(denied.value, 403)


@ours
def test_programs_and_our_own_pages_read_act_and_subscribe(
    workbench: Workbench, headers: dict[str, str], request: pytest.FixtureRequest
) -> None:
    client, url = workbench.client(), f"{workbench.prefix}/graphql"
    key = re.sub(r"\W+", "_", request.node.name)
    assert client.post(url, json={"query": READ}, headers=headers).json()["data"]["version"]
    acted = client.post(url, json={"query": ACT.replace("KEY", key)}, headers=headers)
    assert acted.json()["data"] == {"setConcurrencyLimit": True}
    report = f"{workbench.prefix}/report_asset_materialization/{key}_1"
    assert client.post(report, json={}, headers=headers).status_code == 200
    report = f"{workbench.prefix}/report_asset_materialization/{key}_2"
    assert client.post(report, params={"description": "d"}, headers=headers).status_code == 200
    assert {key, f"{key}_1", f"{key}_2"} <= done(workbench)
    with client.websocket_connect(url, ["graphql-ws"], headers=HOST | headers) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}
    assert client.get(f"{workbench.prefix}/server_info", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/graphql", "/graphql%0A"])
@pytest.mark.parametrize("query", [ACT.replace("KEY", "by_get"), READ, "subscription { x }"])
def test_graphql_is_not_answered_by_get(workbench: Workbench, path: str, query: str) -> None:
    answer = workbench.client().get(f"{workbench.prefix}{path}?query={quote(query)}")
    refused(answer, 405)
    assert answer.headers["allow"] == "POST"
    assert "by_get" not in done(workbench)


def test_the_query_editor_still_opens_by_get_and_runs_nothing(workbench: Workbench) -> None:
    url = f"{workbench.prefix}/graphql?query={quote(ACT.replace('KEY', 'editor'))}"
    page = workbench.client().get(url, headers={"accept": "text/html,*/*;q=0.8"})
    assert page.status_code == 200 and "graphiql" in page.text
    assert "editor" not in done(workbench)


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/plain; application/json",
        "text/plain;charset=application/json",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=b",
        "",
        None,
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/graphql%0A"])
def test_graphql_is_answered_for_json_alone(workbench: Workbench, path: str, kind: str | None) -> None:
    act = ACT.replace("KEY", "not_json")
    for body in (act, f'{{"query": {quote(act)!r}}}', ""):
        answer = workbench.client().post(
            f"{workbench.prefix}{path}?query={quote(act)}",
            content=body,
            headers={} if kind is None else {"content-type": kind},
        )
        refused(answer, 415)
    assert "not_json" not in done(workbench)


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; application/json", None])
def test_a_report_with_a_body_needs_json(workbench: Workbench, kind: str | None) -> None:
    url = f"{workbench.prefix}/report_asset_materialization/not_json"
    headers = {} if kind is None else {"content-type": kind}
    refused(workbench.client().post(url, content="{}", headers=headers), 415)
    assert "not_json" not in done(workbench)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_from_another_page_opens_pages_and_no_download(workbench: Workbench, site: str) -> None:
    client = workbench.client()
    link = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    page = {**link, "accept": "text/html"}
    for path in ("/", "/runs", "/assets/plots/x", "/graphql", "/tdw/"):
        answer = client.get(f"{workbench.prefix}{path}", headers=page)
        assert answer.status_code == 200, path
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    for path in (
        "/logs/a/b.out",
        "/notebook?path=a.ipynb",
        "/dagit/notebook?path=a.ipynb",
        "/download_debug/x",
    ):
        refused(client.get(f"{workbench.prefix}{path}", headers=page), 403)
    refused(client.get(f"{workbench.prefix}/", headers={**page, "sec-fetch-dest": "iframe"}), 403)


def routes_of(routes: list[BaseRoute], at: str = "") -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for route in routes:
        if isinstance(route, WebSocketRoute):
            found.add(("WEBSOCKET", at + route.path))
        elif isinstance(route, Route):
            found |= {(method, at + route.path) for method in (route.methods or ()) if method != "HEAD"}
        elif isinstance(route, Mount) and not route.path.endswith(("/tdw", "/_next", "/vendor")):
            found |= routes_of(route.routes, at + route.path)
    return found


def test_every_route_of_dagsters_is_one_that_the_guard_was_made_for(workbench: Workbench) -> None:
    """A new one fails here: decide who may ask it, in tdw_workbench/web/http/guard.py, then list it."""
    pages = {"/{path:path}", "/", "/tdw", "/server_info", "/dagit_info"}
    files = {"/logs/{path:path}", "/notebook", "/dagit/notebook", "/download_debug/{run_id:str}"}
    reports = {
        f"/report_asset_{kind}/{{asset_key:path}}" for kind in ("materialization", "check", "observation")
    }
    decided = {("GET", path) for path in pages | files | {"/graphql"}}
    decided |= {("POST", path) for path in reports | {"/graphql"}} | {("WEBSOCKET", "/graphql")}
    found = {
        (method, path.removeprefix(workbench.prefix) or "/")
        for method, path in routes_of(workbench.app.routes)
        if not re.fullmatch(r".*/[\w-]+\.(ico|png|svg|txt|json|html|mp4)", path)
    }
    assert found == decided
