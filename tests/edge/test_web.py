from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from one_api.edge.web import Console, Look

pytestmark = pytest.mark.anyio

INDEX = "<!doctype html><title>One API</title>" + "<!-- room to be compressed -->" * 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(INDEX)
    (tmp_path / "assets/index-abc.js").write_text("console.log(1);" * 50)
    (tmp_path / "logo.png").write_bytes(b"\x89PNG")
    (tmp_path / ".stamp").write_text("secret")
    return tmp_path


async def ask(console: Console, method: str, path: str, **headers: str) -> httpx2.Response:
    return await asked(console.answer, method, path, **headers)


async def look_at(console: Console, path: str, look: Look) -> httpx2.Response:
    return await asked(partial(console.answer, look=look), "GET", path)


async def asked(answer: Callable[[Request], Response], method: str, path: str, **headers: str) -> httpx2.Response:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(Request(scope, receive))(scope, receive, send)

    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        return await http.request(method, path, headers={"Accept-Encoding": "identity", **headers})


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/"),
        ("GET", "/token"),
        ("GET", "/channel/edit/12"),
        ("GET", "/no/such/file.js"),
        ("POST", "/some/page"),
        ("GET", "/dashboard/billing/unknown"),
        ("GET", "/.stamp"),
        ("GET", "/assets/../../secret"),
        ("GET", "/assets/%2e%2e/%2e%2e/secret"),
        ("GET", "/assets"),
    ],
)
async def test_a_path_that_is_no_file_is_the_consoles_own(folder: Path, method: str, path: str) -> None:
    answer = await ask(Console.load(folder), method, path)
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path, kind", [("/assets/index-abc.js", "text/javascript; charset=utf-8"), ("/logo.png", "image/png")]
)
async def test_a_file_is_kept_for_a_week(folder: Path, path: str, kind: str) -> None:
    answer = await ask(Console.load(folder), "GET", path)
    assert answer.content == (folder / path[1:]).read_bytes()
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (kind, "max-age=604800")


async def test_a_file_is_compressed_for_who_asks_if_that_helps(folder: Path) -> None:
    console = Console.load(folder)
    script = await ask(console, "GET", "/assets/index-abc.js", **{"Accept-Encoding": "gzip"})
    assert script.headers["content-encoding"] == "gzip"
    assert script.text == "console.log(1);" * 50
    logo = await ask(console, "GET", "/logo.png", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in logo.headers


async def test_who_has_a_file_is_not_sent_it_again(folder: Path) -> None:
    console = Console.load(folder)
    first = await ask(console, "GET", "/")
    again = await ask(console, "GET", "/token", **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await ask(console, "GET", "/", **{"If-None-Match": '"other"'})
    assert other.status_code == 200


async def test_the_page_knows_the_theme(folder: Path) -> None:
    (folder / "index.html").write_text('<!doctype html><html lang="en"><title>One API</title>')
    console = Console.load(folder)
    berry, air = await look_at(console, "/", Look("berry")), await look_at(console, "/token", Look("air"))
    assert '<html data-theme="berry" lang="en">' in berry.text
    assert '<html data-theme="air" lang="en">' in air.text
    assert berry.headers["etag"] != air.headers["etag"]


async def test_the_page_runs_no_scripts_but_the_consoles(folder: Path) -> None:
    console = Console.load(folder)
    policy = (await ask(console, "GET", "/login")).headers["content-security-policy"]
    assert "; script-src 'self'; " in policy
    guarded = (await look_at(console, "/login", Look(turnstile=True))).headers["content-security-policy"]
    assert "; script-src 'self' https://challenges.cloudflare.com; " in guarded


async def test_the_index_has_one_address(folder: Path) -> None:
    answer = await ask(Console.load(folder), "GET", "/index.html")
    assert (answer.status_code, answer.headers["location"]) == (301, "./")


@pytest.mark.parametrize(
    "method, path, message",
    [
        ("GET", "/api/nope?x=1", "Invalid URL (GET /api/nope)"),
        ("POST", "/v1/nope/deep", "Invalid URL (POST /v1/nope/deep)"),
        ("GET", "/apix/whatever", "Invalid URL (GET /apix/whatever)"),
        ("PATCH", "/v1", "Invalid URL (PATCH /v1)"),
    ],
)
async def test_the_interfaces_have_no_page(folder: Path, method: str, path: str, message: str) -> None:
    answer = await ask(Console.load(folder), method, path)
    error = {"message": message, "type": "invalid_request_error", "param": "", "code": ""}
    assert (answer.status_code, answer.json()) == (404, {"error": error})


@pytest.mark.parametrize("path", ["/", "/token?a=1&b=%20", "/api/nope", "/%2F%2Fevil.example"])
async def test_a_slave_sends_visitors_to_its_master(folder: Path, path: str) -> None:
    answer = await ask(Console.load(folder, elsewhere="https://gw.example/"), "GET", path)
    assert (answer.status_code, answer.headers["location"]) == (301, f"https://gw.example{path}")


async def test_without_a_console_there_is_a_page_that_says_so(tmp_path: Path) -> None:
    answer = await ask(Console.load(tmp_path / "missing"), "GET", "/token")
    assert answer.status_code == 200
    assert answer.text.startswith("<!doctype html>")
    assert "has not been built" in answer.text
