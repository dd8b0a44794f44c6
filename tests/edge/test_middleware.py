import gzip
import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from one_api.edge.middleware import Arrival, ClientIP, Compression, CrossOrigin
from one_api.lib.ids import RequestIds

pytestmark = pytest.mark.anyio

PROXY = (ip_network("10.0.0.0/8"), ip_network("::1/128"))
EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
Answer = Callable[[Request], Awaitable[Response]]


def application(answer: Answer) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (await answer(Request(scope, receive)))(scope, receive, send)

    inner = CrossOrigin(Compression(app))
    return Arrival(inner, ids=RequestIds(), client_ip=ClientIP(PROXY))


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello " * 10)


async def empty(_request: Request) -> Response:
    return Response(status_code=204)


async def ask(answer: Answer, method: str, path: str, peer: str = "203.0.113.9", **headers: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=application(answer), client=(peer, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        return await http.request(method, path, headers={"Accept-Encoding": "identity", **headers})


@pytest.mark.parametrize(
    "proxies, peer, headers, wanted",
    [
        ((), "203.0.113.9", {}, "203.0.113.9"),
        ((), "203.0.113.9", {"x-forwarded-for": "1.2.3.4"}, "203.0.113.9"),
        (PROXY, "203.0.113.9", {"x-forwarded-for": "1.2.3.4"}, "203.0.113.9"),
        (PROXY, "10.0.0.1", {}, "10.0.0.1"),
        (PROXY, "10.0.0.1", {"x-forwarded-for": "1.2.3.4"}, "1.2.3.4"),
        (PROXY, "10.0.0.1", {"x-forwarded-for": "6.6.6.6, 1.2.3.4"}, "1.2.3.4"),
        (PROXY, "10.0.0.1", {"x-forwarded-for": "6.6.6.6, 1.2.3.4, 10.9.9.9"}, "1.2.3.4"),
        (PROXY, "10.0.0.1", {"x-forwarded-for": "10.1.1.1, 10.9.9.9"}, "10.1.1.1"),
        (PROXY, "10.0.0.1", {"x-real-ip": "1.2.3.4"}, "1.2.3.4"),
        (PROXY, "10.0.0.1", {"x-forwarded-for": "5.5.5.5", "x-real-ip": "1.2.3.4"}, "5.5.5.5"),
        (PROXY, "10.0.0.1", {"x-forwarded-for": "nonsense"}, "10.0.0.1"),
        (PROXY, "10.0.0.1", {"x-forwarded-for": " , "}, "10.0.0.1"),
        (PROXY, "::ffff:10.0.0.1", {"x-forwarded-for": "1.2.3.4"}, "1.2.3.4"),
        (PROXY, "::1", {"x-forwarded-for": "2001:db8::1"}, "2001:db8::1"),
        (EVERYWHERE, "203.0.113.9", {"x-forwarded-for": "6.6.6.6, 1.2.3.4"}, "6.6.6.6"),
        (EVERYWHERE, "", {"x-forwarded-for": "6.6.6.6"}, ""),
    ],
)
def test_headers_name_a_client_only_where_a_known_proxy_wrote_them(
    proxies: Any, peer: str, headers: dict[str, str], wanted: str
) -> None:
    assert ClientIP(proxies)(peer, {key.encode(): value.encode() for key, value in headers.items()}) == wanted


async def test_every_answer_has_an_id_of_its_own() -> None:
    answers = [await ask(hello, "GET", "/", **{"X-Oneapi-Request-Id": "mine"}) for _ in range(2)]
    ids = [answer.headers["x-oneapi-request-id"] for answer in answers]
    assert all(re.fullmatch(r"\d{23,31}", request_id) for request_id in ids)
    assert ids[0] != ids[1]


async def test_the_state_holds_id_and_address() -> None:
    async def state(request: Request) -> Response:
        return PlainTextResponse(f"{request.state.ip} {request.url.scheme} {len(request.state.request_id) > 22}")

    answer = await ask(
        state, "GET", "/", peer="10.0.0.1", **{"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https"}
    )
    assert answer.text == "1.2.3.4 https True"
    answer = await ask(state, "GET", "/", **{"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https"})
    assert answer.text == "203.0.113.9 http True"


async def test_an_answer_is_compressed_for_who_asks_whatever_its_size() -> None:
    answer = await ask(hello, "GET", "/api/x", **{"Accept-Encoding": "br, gzip"})
    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert answer.text == "hello " * 10
    assert int(answer.headers["content-length"]) == len(gzip.compress(b"hello " * 10, 6, mtime=0))


@pytest.mark.parametrize(
    "path, accepted", [("/api/x", "identity"), ("/api/x", "br"), ("/v1/models", "gzip"), ("/v1x", "gzip")]
)
async def test_other_answers_are_not_compressed(path: str, accepted: str) -> None:
    answer = await ask(hello, "GET", path, **{"Accept-Encoding": accepted})
    assert "content-encoding" not in answer.headers
    assert "vary" not in answer.headers


async def test_the_billing_dashboard_is_compressed() -> None:
    answer = await ask(hello, "GET", "/v1/dashboard/billing/usage", **{"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"


async def test_nothing_is_not_compressed() -> None:
    answer = await ask(empty, "GET", "/api/x", **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.content == b""


@pytest.mark.parametrize("path", ["/api/status", "/nowhere", "/v1/chat/completions"])
async def test_a_preflight_to_any_path_succeeds(path: str) -> None:
    answer = await ask(hello, "OPTIONS", path, Origin="https://app.example")
    assert (answer.status_code, answer.content) == (204, b"")
    found = {name: value for name, value in answer.headers.items() if name.startswith("access-control")}
    assert found == {
        "access-control-allow-origin": "*",
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET,POST,PUT,DELETE,OPTIONS",
        "access-control-allow-headers": "*",
        "access-control-max-age": "43200",
    }
    assert "x-oneapi-request-id" in answer.headers


@pytest.mark.parametrize("path, open_", [("/api/status", False), ("/token", True), ("/v1/models", True)])
async def test_the_consoles_interface_is_not_for_other_pages(path: str, *, open_: bool) -> None:
    answer = await ask(hello, "GET", path, Origin="https://app.example")
    assert ("access-control-allow-origin" in answer.headers) is open_
    assert "access-control-allow-origin" not in (await ask(hello, "GET", path)).headers


@pytest.mark.parametrize("path, caching", [("/api/x", "no-store"), ("/v1/x", "no-store"), ("/x", None)])
async def test_no_answer_of_the_interface_is_stored(path: str, caching: str | None) -> None:
    assert (await ask(hello, "GET", path)).headers.get("cache-control") == caching
