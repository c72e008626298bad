"""A page of another origin, in a real browser, tries to drive the workbench; then Dagster's own UI does."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from dagster_graphql import DagsterGraphQLClient
from looking import QUIET, REBOUND, webserver

from tdw.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.ci]
ACT = 'mutation { setConcurrencyLimit(concurrencyKey: "KEY", limit: 1) }'
ATTACKS = {
    "an image": "new Image().src = `${at}/graphql?query=${query}`",
    "a request with the mutation in the address": (
        "fetch(`${at}/graphql?query=${query}`, {method: 'POST', mode: 'no-cors'})"
    ),
    "a request of JSON that says it is text": (
        "fetch(`${at}/graphql`, {method: 'POST', mode: 'no-cors', body: JSON.stringify({query: act}), "
        "headers: {'Content-Type': 'text/plain; application/json'}})"
    ),
    "a reported event": (
        "fetch(`${at}/report_asset_materialization/${key}?description=x`, {method: 'POST', mode: 'no-cors'})"
    ),
    "a form": (
        "const form = document.body.appendChild(document.createElement('form')); form.method = 'post'; "
        "form.action = `${at}/graphql?query=${query}`; form.submit()"
    ),
    "a form in a frame of its own": (
        "const frame = document.body.appendChild(document.createElement('iframe')); frame.name = 'f'; "
        "const form = document.body.appendChild(document.createElement('form')); form.method = 'post'; "
        "form.target = 'f'; form.action = `${at}/graphql?query=${query}`; form.submit()"
    ),
    "a beacon": "navigator.sendBeacon(`${at}/graphql?query=${query}`, 'x')",
}
SOCKET = """(at) => new Promise((found) => {
  const socket = new WebSocket(at.replace('http', 'ws') + '/graphql', 'graphql-ws');
  socket.onopen = () => found('open');
  socket.onerror = () => found('refused');
})"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Our webserver with an empty store."""
    home = tmp_path_factory.mktemp("home")
    (home / "dagster.yaml").write_text(QUIET)
    with webserver("tdw_workbench.web", home, Store(home / "store")) as url:
        yield url


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href=data:,><p>A page of someone else</p>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def other_port() -> Iterator[int]:
    """A server of pages that are not ours."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Empty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture(params=["127.0.0.1", "localhost"])
def foreign(browser: Any, other_port: int, request: pytest.FixtureRequest) -> Iterator[Any]:
    """An attacker's page: of another port (same site), and of another name too (cross-site)."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://{request.param}:{other_port}/")
    yield page
    context.close()


def ask(url: str, query: str) -> dict[str, Any]:
    """Ask as a program does, without a browser's headers."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)["data"]


def done(url: str) -> set[str]:
    """What was changed: pools that have a limit, assets that have an event."""
    found = ask(
        url,
        "{ instance { concurrencyLimits { concurrencyKey } } "
        "assetRecordsOrError { ... on AssetRecordConnection { assets { key { path } } } } }",
    )
    pools = {limit["concurrencyKey"] for limit in found["instance"]["concurrencyLimits"]}
    return pools | {asset["key"]["path"][-1] for asset in found["assetRecordsOrError"]["assets"]}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_foreign_page_changes_nothing(foreign: Any, url: str, attack: str) -> None:
    key = "forged_" + "".join(letter if letter.isalpha() else "_" for letter in attack)
    act = ACT.replace("KEY", key)
    script = "([at, act, key]) => { const query = encodeURIComponent(act); " + ATTACKS[attack] + " }"
    ended: list[str] = []
    for how in ("requestfinished", "requestfailed"):  # the browser may hide from the page how it ended
        foreign.context.on(how, lambda sent: ended.append(sent.url) if sent.url.startswith(url) else None)
    foreign.evaluate(script, [url, act, key])
    for _ in range(300):
        if ended:
            break
        foreign.wait_for_timeout(100)
    assert ended
    assert key not in done(url)


def test_a_foreign_page_opens_no_websocket(foreign: Any, url: str) -> None:
    assert foreign.evaluate(SOCKET, url) == "refused"


@pytest.mark.parametrize("path", ["/graphql?query={version}", "/server_info", "/runs", "/tdw/ping"])
def test_a_foreign_page_gets_no_answer_even_one_that_it_could_not_read(
    foreign: Any, url: str, path: str
) -> None:
    with foreign.expect_response(lambda answer: answer.url.startswith(url)) as answer:
        foreign.evaluate("(at) => fetch(at, {mode: 'no-cors'}).catch(() => null)", f"{url}{path}")
    assert answer.value.status == 403


def test_a_foreign_page_does_not_show_ours_in_a_frame(foreign: Any, url: str) -> None:
    show = "(at) => { document.body.appendChild(document.createElement('iframe')).src = at }"
    with foreign.expect_response(lambda answer: answer.url.startswith(url)) as answer:
        foreign.evaluate(show, f"{url}/runs")
    assert answer.value.status == 403


def test_a_name_that_someone_made_resolve_to_this_machine_gets_nothing(browser: Any, url: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"{url.replace('127.0.0.1', REBOUND)}/server_info")
    assert answer.status == 403 and "TDW_ALLOWED_HOSTS" in answer.json()["remedy"]
    context.close()


def test_a_link_on_a_foreign_page_opens_the_workbench(foreign: Any, url: str) -> None:
    wrong: list[str] = []
    foreign.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    foreign.evaluate("(at) => { document.body.innerHTML = `<a href='${at}/runs'>runs</a>` }", url)
    foreign.click("text=runs")
    foreign.get_by_text("No runs found").wait_for()
    assert wrong == []


def test_dagsters_ui_reads_acts_and_subscribes(page: Any, url: str) -> None:
    asked: dict[str, tuple[int, str]] = {}

    def note(answer: Any) -> None:
        if answer.url.startswith(f"{url}/graphql"):
            name = answer.request.post_data_json["operationName"]
            asked[name] = (answer.status, answer.request.headers["content-type"])

    received: list[str] = []
    page.on("response", note)
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: received.append(frame)))
    page.goto(f"{url}/locations")
    with page.expect_response(lambda r: "mutation" in (r.request.post_data or "")) as acted:
        page.get_by_text("Reload all").click()
    assert acted.value.status == 200 and "errors" not in acted.value.json()
    page.get_by_text("location.py").first.wait_for()
    assert len(asked) > 3
    assert set(asked.values()) == {(200, "application/json")}
    assert any("connection_ack" in frame for frame in received)
    assert page.evaluate(SOCKET, url) == "open"


def test_the_query_editor_runs_a_query(page: Any, url: str) -> None:
    page.goto(f"{url}/graphql")
    page.click(".graphiql-query-editor .CodeMirror")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("{ version }")
    with page.expect_response(lambda answer: "{ version }" in (answer.request.post_data or "")) as answer:
        page.click("button.graphiql-execute-button")
    assert answer.value.status == 200 and answer.value.json()["data"]["version"]


def test_dagsters_python_client_and_a_program_are_answered(url: str) -> None:
    client = DagsterGraphQLClient("127.0.0.1", port_number=int(url.rsplit(":", 1)[1]))
    assert client._execute("{ version }")["version"] == ask(url, "{ version }")["version"]
    ask(url, ACT.replace("KEY", "by_a_program"))
    assert "by_a_program" in done(url)
