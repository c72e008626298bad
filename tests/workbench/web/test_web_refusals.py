"""What the web routes refuse: foreign hosts, origins and methods, names that are none, absurd numbers."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import pytest
from starlette.testclient import TestClient

from tdw.store import Store
from tdw.store.layout import Address
from tdw_workbench.web.app import standalone
from tdw_workbench.web.http.settings import Settings, settings_from_environment

FAMILY, VARIANT = "modulo_addition_1layer", "p7_s1_d598_f0.5"
HERE = f"{FAMILY}/{VARIANT}"


@pytest.fixture
def client(tiny_store: Store) -> TestClient:
    return TestClient(standalone(Settings(str(tiny_store.root))), base_url="http://127.0.0.1:3001")


def test_ping_is_json_so_that_a_stock_server_is_told_apart(client: TestClient) -> None:
    assert client.get("/tdw/ping").json()["ok"] is True


@pytest.mark.parametrize("host", ["localhost", "localhost:3001", "127.0.0.1", "[::1]:3001", "LOCALHOST"])
def test_loopback_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/tdw/ping", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "[", "10.0.0.1"),
        *("evil.example@localhost", "localhost/evil.example", "localhost?x", "localhost#x", "local\thost"),
        *("localhost, evil.example", "localhost.", "[::ffff:127.0.0.1]"),
    ],
)
def test_other_hosts_are_refused_with_advice(client: TestClient, host: str) -> None:
    answer = client.get("/tdw/", headers={"host": host})
    assert answer.status_code == 403
    assert "TDW_ALLOWED_HOSTS" in answer.json()["remedy"]


def test_a_host_can_be_allowed_by_configuration(tiny_store: Store) -> None:
    environment = {"TDW_ALLOWED_HOSTS": "lab.example", "TDW_BASE_URL": "https://plots.example:444"}
    settings = settings_from_environment(str(tiny_store.root), environment=environment)
    client = TestClient(standalone(settings))
    for host, status in {"lab.example:80": 200, "plots.example:444": 200, "other.example": 403}.items():
        assert client.get("/tdw/ping", headers={"host": host}).status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/tdw/", f"/tdw/api/metrics/{HERE}", "/tdw/static/page.css"])
def test_only_reading_methods_are_answered(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_head_is_answered(client: TestClient) -> None:
    assert client.head("/tdw/").status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://127.0.0.1:3001"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "chrome-extension://127.0.0.1:3001"}, 403),
        ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, 200),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 200),
    ],
)
def test_pages_of_other_sites_do_not_read_ours(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    assert client.get(f"/tdw/api/metrics/{HERE}", headers=headers).status_code == status


def test_of_two_hosts_or_origins_none_is_believed(client: TestClient) -> None:
    for name, own, other in (
        ("host", "127.0.0.1:3001", "evil.example"),
        ("origin", "http://127.0.0.1:3001", "http://evil.example"),
    ):
        for both in ([own, other], [other, own]):
            assert client.get("/tdw/ping", headers=[(name, value) for value in both]).status_code == 403


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/tdw/", "/tdw/nothing", f"/tdw/api/metrics/{HERE}", "/tdw/static/embed.js"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self';" in headers["content-security-policy"]
        assert "frame-ancestors 'self'" in headers["content-security-policy"]


def test_pages_hold_no_inline_script(client: TestClient) -> None:
    for path in ("/tdw/", f"/tdw/explorer/{HERE}", f"/tdw/view/plot/{HERE}/training_curves"):
        page = client.get(path)
        assert page.status_code == 200
        assert all("src=" in tag.split(">")[0] for tag in page.text.split("<script")[1:])
        assert " onclick" not in page.text


def ask_as_written(client: TestClient, path: str) -> int:
    """The status of a path that goes to the application as it is: the test client would tidy it up."""

    async def call() -> int:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "server": ("127.0.0.1", 80),
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1")],
        }
        status = []

        async def send(message: dict) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])

        async def receive() -> dict:
            return {"type": "http.request", "body": b"", "more_body": False}

        await client.app(scope, receive, send)
        return status[0]

    # A thread of its own: a browser test of the same session may keep an event loop in this one.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(call())).result()


BAD_NAMES = ("..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a%00b", ".hidden", "x" * 200, "a b", "%ff", "é")


@pytest.mark.parametrize("bad", BAD_NAMES)
def test_names_that_are_none_are_refused_wherever_they_stand(client: TestClient, bad: str) -> None:
    for path in (
        f"/tdw/explorer/{bad}/{VARIANT}",
        f"/tdw/explorer/{FAMILY}/{bad}",
        f"/tdw/api/maps/{FAMILY}/{bad}?neurons=1",
        f"/tdw/view/plot/{HERE}/{bad}",
        f"/tdw/plot/{HERE}/{bad}/preview.png",
        f"/tdw/plot/{HERE}/training_curves/{bad}",
        f"/tdw/plot/{FAMILY}/{bad}/training_curves/figure.json",
        f"/tdw/static/{bad}",
        f"/tdw/api/mosaic/{HERE}/{bad}",
    ):
        assert ask_as_written(client, path) in (400, 404), path


@pytest.mark.parametrize(
    "path",
    [
        "/tdw/static/../web/app.py",
        "/tdw/static/%2e%2e/%2e%2e/pyproject.toml",
        "/tdw/static/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/tdw/static//etc/passwd",
        f"/tdw/plot/{HERE}/../../checkpoints/00000.safetensors",
        f"/tdw/plot/{HERE}/training_curves/manifest.json",
        f"/tdw/plot/{FAMILY}/_comparison/../{VARIANT}/history.parquet",
    ],
)
def test_no_path_leads_out_of_the_plots(client: TestClient, path: str) -> None:
    assert ask_as_written(client, path) == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"maps/{HERE}", 400),
        (f"maps/{HERE}?neurons=", 400),
        (f"maps/{HERE}?neurons=-1", 400),
        (f"maps/{HERE}?neurons=512", 400),
        (f"maps/{HERE}?neurons=1,1", 400),
        (f"maps/{HERE}?neurons=1e3", 400),
        (f"maps/{HERE}?neurons=99999999999999999999", 400),
        (f"maps/{HERE}?neurons=" + ",".join(map(str, range(20))), 400),
        (f"maps/{HERE}?neurons=1&size=0", 400),
        (f"maps/{HERE}?neurons=1&size=1000000", 400),
        (f"maps/{HERE}?neurons=1&nonsense=1", 400),
        (f"maps/{HERE}?neurons=1&size=٣", 400),
        (f"heads/{HERE}?heads=4", 400),
        (f"mosaic/{HERE}/5", 404),
        (f"mosaic/{HERE}/-1", 400),
        (f"mosaic/{HERE}/999999999999", 400),
        (f"mosaic/{HERE}/0?size=5000", 400),
        (f"metrics/{HERE}?x=1", 400),
    ],
)
def test_absurd_ranges_are_refused_with_advice(client: TestClient, path: str, status: int) -> None:
    answer = client.get(f"/tdw/api/{path}")
    assert answer.status_code == status
    assert answer.json()["remedy"]


def test_an_address_that_is_too_long_is_refused(client: TestClient) -> None:
    assert client.get(f"/tdw/api/maps/{HERE}?neurons={'1' * 9000}").status_code == 414


def test_a_person_gets_an_error_as_a_page_with_nothing_of_theirs_in_it_as_html(client: TestClient) -> None:
    answer = client.get(
        "/tdw/explorer/x/%3Cscript%3Ealert(1)%3C%2Fscript%3E", headers={"accept": "text/html"}
    )
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_a_damaged_file_is_named_and_the_others_are_shown(client: TestClient, tiny_store: Store) -> None:
    path = tiny_store.path(Address(FAMILY, VARIANT, "neuron_activations", 10))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    ids = ",".join(map(str, range(8)))
    found = [client.get(f"/tdw/api/maps/{HERE}?neurons={ids}")]
    for start in range(8, 512, 8):
        found.append(
            client.get(f"/tdw/api/maps/{HERE}?neurons={','.join(map(str, range(start, start + 8)))}")
        )
    assert {answer.status_code for answer in found} == {200}
    assert sum(b"00010.safetensors" in answer.content for answer in found) == 1


def test_artifacts_of_two_models_in_one_series_are_an_error_that_names_both(
    client: TestClient, tiny_store: Store
) -> None:
    import dataclasses

    address = Address(FAMILY, VARIANT, "neuron_activations", 20)
    artifact = tiny_store.read(address)
    foreign = dataclasses.replace(artifact.provenance, variant_fingerprint="f" * 64)
    tiny_store.write(address, artifact.arrays, provenance=foreign, quantize=["neuron_activations"])
    for path in (f"/tdw/api/maps/{HERE}?neurons=1", f"/tdw/api/explorer/{HERE}"):
        answer = client.get(path)
        assert answer.status_code == 409
        assert "ffffff" in answer.json()["error"]
        assert "variant_fingerprint" in answer.json()["error"]
