"""The route to a proxy channel's own API: for administrators, handed through as it is, at a fixed price."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.e2e import wire
from tests.e2e.wire import Reply
from tests.e2e.world import START, World, open_world
from tests.harness import scripted, servers

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

PROXY_QUOTA = 700


@dataclass(frozen=True, slots=True)
class Site:
    """A world with a proxy channel and another, a user's key, and root's."""

    world: World
    key: str
    root_key: str
    proxy: int
    plain: int


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("proxy-route")
    async with open_world(directory, servers.sqlite(directory)) as world:
        proxy = world.channel("proxy", "", type=43, key="Basic c2VjcmV0LWtleQ==")
        plain = world.channel("plain", "gpt-3.5-turbo")
        world.root.option("ProxyRequestQuota", str(PROXY_QUOTA))
        yield Site(world, world.root.user("alice", START).token(), world.root.token(), proxy, plain)


def bare(reply: Reply, message: str) -> None:
    """An error of One API's shape without `param` and `code`."""
    request_id = reply.headers["x-oneapi-request-id"]
    assert reply.error == {"message": f"{message} (request id: {request_id})", "type": "one_api_error"}


def proxied(site: Site, rest: str, *, key: str = "", method: str = "GET", body: bytes = b"", extra: str = "") -> bytes:
    path = f"/v1/oneapi/proxy/{site.proxy}{rest}"
    return wire.request(path, body, key=key or site.root_key, method=method, kind="application/x-own", extra=extra)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_proxied_request_is_handed_through(site: Site, method: str) -> None:
    headers = [("content-type", "text/x"), ("x-ratelimit-left", "3"), ("set-cookie", "a=b"), ("server", "secret")]
    site.world.upstream.scripts["proxy"] = scripted.replies(202, b"answer", headers)
    extra = "x-own: 1\r\ncookie: session=mine\r\nx-api-key: mine\r\nx-forwarded-for: 1.2.3.4\r\n"
    reply = await site.world.ask(proxied(site, "/a/b%20c?x=1&y=%2F", method=method, body=b"\x00raw", extra=extra))
    assert (reply.status, reply.body) == (202, b"answer")
    assert (reply.headers["content-type"], reply.headers["x-ratelimit-left"]) == ("text/x", "3")
    assert not {"set-cookie", "server"} & set(reply.headers)
    (received,) = site.world.upstream.received
    assert (received.method, received.target) == (method, "/proxy/a/b%20c?x=1&y=%2F")
    assert received.body == b"\x00raw"
    assert received.header("authorization") == "Basic c2VjcmV0LWtleQ=="
    assert (received.header("x-own"), received.header("content-type")) == ("1", "application/x-own")
    assert not {"cookie", "x-api-key", "x-forwarded-for"} & {name for name, _ in received.headers}
    final = await site.world.books.last_final()
    assert (final.quota, final.channel_id, final.username) == (PROXY_QUOTA, site.proxy, "root")


@pytest.mark.parametrize("status", [204, 304, 302, 404, 500])
async def test_whatever_a_proxied_upstream_says_is_passed_on(site: Site, status: int) -> None:
    body = b"" if status in (204, 304) else b"as it is"
    script = scripted.replies(status, body, [("location", "https://elsewhere")])

    async def bodiless(turn: scripted.Turn) -> None:
        await turn.send(scripted.head(status, []))
        turn.over.set()

    site.world.upstream.scripts["proxy"] = script if body else bodiless
    async with wire.connect(site.world.port) as connection:
        for _ in range(2):  # the connection is good for another
            connection.send(proxied(site, ""))
            reply = await connection.reply()
            assert (reply.status, reply.body, reply.complete) == (status, body, True)
            assert not (status in (204, 304) and "transfer-encoding" in reply.headers)
    assert [each.target for each in site.world.upstream.received] == ["/proxy/"] * 2


async def test_a_proxied_head_has_no_body(site: Site) -> None:
    async def play(turn: scripted.Turn) -> None:
        await turn.send(scripted.head(200, [("content-type", "text/x"), ("content-length", "7")]))
        turn.over.set()

    site.world.upstream.scripts["proxy"] = play
    async with wire.connect(site.world.port) as connection:
        connection.send(proxied(site, "/x", method="HEAD"))
        status, headers = await connection.head()
        assert (status, headers["content-type"]) == (200, "text/x")
        connection.send(wire.request("/v1/models", method="GET", key=site.key))
        assert (await connection.reply()).status == 200


async def test_a_proxied_stream_arrives_piece_by_piece(site: Site) -> None:
    async with wire.connect(site.world.port) as connection:
        connection.send(proxied(site, "/x"))
        turn = await site.world.upstream.turn()
        await turn.events(b"one")
        assert (await connection.head())[0] == 200
        assert await connection.content(3) == b"one"
        assert (await site.world.books.last_final()).quota == PROXY_QUOTA  # paid before the first byte
        await turn.piece(b"two")
        assert await connection.content(3) == b"two"
        await turn.end()
        assert await connection.rest() == (b"", True)


async def test_who_may_not_use_a_proxy_channel_reaches_nobody(site: Site) -> None:
    world = site.world
    before = await world.books.fingerprint()
    refusals = [
        (site.key, site.proxy, 403, "无权使用该渠道"),
        (site.root_key, site.plain, 403, "无权使用该渠道"),
        (site.root_key, 999_999, 400, "无效的渠道 Id"),
        (site.root_key, "x", 400, "无效的渠道 Id"),
    ]
    for key, number, status, message in refusals:
        reply = await world.ask(wire.request(f"/v1/oneapi/proxy/{number}/x", method="GET", key=key))
        assert reply.status == status, reply
        bare(reply, message)
    world.root.ask("PUT", "/api/channel/", json={"id": site.proxy, "status": 2})
    try:
        reply = await world.ask(proxied(site, "/x"))
        assert reply.status == 403
        bare(reply, "该渠道已被禁用")
    finally:
        world.root.ask("PUT", "/api/channel/", json={"id": site.proxy, "status": 1})
    assert not world.upstream.received
    assert await world.books.fingerprint() == before


async def test_a_proxied_request_that_reached_nobody_is_free(site: Site) -> None:
    world = site.world
    before = await world.books.fingerprint()

    async def close(turn: scripted.Turn) -> None:
        turn.close()

    world.upstream.scripts["proxy"] = close
    reply = await world.ask(proxied(site, "/x"))
    assert (reply.status, reply.error["code"]) == (500, "do_request_failed")
    await world.books.settled()
    assert await world.books.fingerprint() == before


async def test_a_proxied_answer_that_breaks_off_does_not_look_complete(site: Site) -> None:
    async with wire.connect(site.world.port) as connection:
        connection.send(proxied(site, "/x"))
        turn = await site.world.upstream.turn()
        await turn.events(b"one")
        assert (await connection.head())[0] == 200
        assert await connection.content(3) == b"one"
        turn.reset()
        assert await connection.rest() == (b"", False)


async def test_who_leaves_a_proxied_answer_ends_it(site: Site) -> None:
    async with wire.connect(site.world.port) as connection:
        connection.send(proxied(site, "/x"))
        turn = await site.world.upstream.turn()
        await turn.events(b"one")
        assert (await connection.head())[0] == 200
        connection.leave()
        async with asyncio.timeout(1):
            await turn.left()
