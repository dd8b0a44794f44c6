"""What nobody should send: it gets a clear refusal, costs nothing, reaches nobody, and hurts no one after it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from tests.e2e import wire
from tests.e2e.bad_bodies import KEY, Case, form_cases, json_cases
from tests.e2e.bad_http import http_cases, odd
from tests.e2e.requests import JSON_ROUTES, MODELS
from tests.e2e.wire import Reply
from tests.e2e.world import START, World, open_world
from tests.harness import scripted, servers

pytestmark = pytest.mark.anyio

CASES = [*json_cases(), *form_cases(), *http_cases()]


@dataclass(frozen=True, slots=True)
class Site:
    """A world, and a key that can pay."""

    world: World
    key: str


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("bad-input")
    async with open_world(directory, servers.sqlite(directory)) as world:
        world.channel("up", MODELS)
        yield Site(world, world.root.user("alice", START).token())


@pytest.fixture(autouse=True)
def failing(fresh: None, site: Site) -> None:
    site.world.upstream.scripts["up"] = scripted.replies(500, b"{}")


async def answer(site: Site, case: Case) -> Reply:
    """The answer to a request; whatever it was, the connection is usable after it, or closed."""
    async with wire.connect(site.world.port) as connection:
        await connection.flood(case.raw.replace(KEY.encode(), site.key.encode()))
        await connection.flood(*[case.more] * case.times)
        reply = await connection.reply()
        if reply.closes:
            assert await connection.closed()
        else:
            connection.send(wire.request("/v1/models", method="GET", key=site.key))
            assert (await connection.reply()).status == 200
        return reply


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_bad_requests_are_refused_and_cost_nothing(site: Site, case: Case) -> None:
    before = await site.world.books.fingerprint()
    reply = await answer(site, case)
    assert reply.status == case.status, (reply.status, reply.body[:300])
    if case.empty:
        assert reply.body == b""
    else:
        error = reply.error
        assert set(error) in ({"message", "type"}, {"message", "type", "param", "code"}), error
        assert error["message"]
        assert error["type"] in {"one_api_error", "invalid_request_error"}
    assert await site.world.books.fingerprint() == before
    assert not site.world.upstream.received


@pytest.mark.parametrize("name", odd("k"))
async def test_odd_requests_have_one_reading(site: Site, name: str) -> None:
    upstream = site.world.upstream
    upstream.scripts["up"] = scripted.replies(200, scripted.completion(usage=scripted.tokens(1, 1)))
    reply = await answer(site, Case(name, odd(site.key)[name]))
    assert reply.status == 200, reply
    (received,) = upstream.received
    assert received.body == JSON_ROUTES["chat"].body()
    assert received.target == "/up/v1/chat/completions"
    assert received.header("host") == f"127.0.0.1:{upstream.port}"
    assert received.header("authorization") == "Bearer sk-upstream-up"


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/V1/CHAT/COMPLETIONS",
            "//v1/chat/completions",
            "/v1/chat/completions%2f..%2fedits",
            "/v1;/chat/completions",
        ),
        *("/v1/chat", "/v1/engines//embeddings", "/v1/engines/a/b/embeddings", "/v1/foo", "/api/v1/chat/completions"),
        *("/v1/oneapi/proxy/", "/v1/oneapi/proxy/1/http://evil", "/v1/oneapi/proxy/1/../../v1", "/x/../v1/edits"),
        *(
            "/v1/ch%61t/completions",
            "/v1/chat/completions/..",
            "/v1/%63hat%2fcompletions/x",
            "/.",
            "/v1/",
            "/v1",
            "/%2e%2e/v1/embeddings",
        ),
    ],
)
async def test_paths_that_are_nearly_ours_reach_nobody(site: Site, path: str) -> None:
    before = await site.world.books.fingerprint()
    await answer(site, Case(path, wire.request(path, JSON_ROUTES["chat"].body(), key=KEY)))
    assert not site.world.upstream.received
    assert await site.world.books.fingerprint() == before


async def test_who_sends_slowly_holds_up_nobody(site: Site) -> None:
    upstream = site.world.upstream
    upstream.scripts["up"] = scripted.replies(200, scripted.completion(usage=scripted.tokens(1, 1)))
    whole = JSON_ROUTES["chat"].request(site.key)
    async with AsyncExitStack() as connections:
        slow = [await connections.enter_async_context(wire.connect(site.world.port)) for _ in range(100)]
        for number, connection in enumerate(slow):
            connection.send(whole[: 1 + number * (len(whole) - 2) // len(slow)])
        for _ in range(20):
            assert (await site.world.ask(whole)).status == 200
        for number, connection in enumerate(slow):
            connection.send(whole[1 + number * (len(whole) - 2) // len(slow) :])
        assert {(await connection.reply()).status for connection in slow} == {200}
