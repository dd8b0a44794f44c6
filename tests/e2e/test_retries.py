"""Where a call goes when a channel fails it: the next one by priority, until the first content and no further."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e import wire
from tests.e2e.wire import Reply
from tests.e2e.world import START, World, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import DONE, Turn, Upstream, chunk, completion, event, tokens, usage_chunk

pytestmark = pytest.mark.anyio

SECRET = "sk-canary-3f9b|part-of-a-key-77"
GOOD = scripted.replies(200, completion("good", usage=tokens(20, 10)))
GOOD_STREAM = scripted.streams(chunk("good"), chunk(finish="stop"), usage_chunk(tokens(20, 10)), DONE)
COST = 40

both = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@dataclass(frozen=True, slots=True)
class Site:
    """A world; a key that can pay; a root's key; and an upstream of its own for channels that break connections.

    Connections to that one are never kept: each attempt is seen there exactly once.
    """

    world: World
    key: str
    root_key: str
    fragile: Upstream
    channels: Mapping[str, int]


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("retries")
    async with (
        open_world(directory, servers.sqlite(directory)) as world,
        scripted.serve() as fragile,
    ):
        root = world.root
        names = ("m", "n", "mapped-1", "mapped-2", "even", "odd", "pin")
        root.option("ModelRatio", json.dumps({**dict.fromkeys(names, 1), "m-dear": 10}))
        root.option("CompletionRatio", json.dumps(dict.fromkeys((*names, "m-dear"), 2)))
        channels = {
            "first": root.channel(fragile.at("first"), "m", name="first", key=SECRET, priority=9),
            "second": world.channel("second", "m,n", priority=5),
            "third": world.channel("third", "m,n", priority=1),
            "one": world.channel("one", "a", priority=2, model_mapping='{"a":"mapped-1"}'),
            "two": world.channel("two", "a", priority=1, model_mapping='{"a":"mapped-2"}'),
            **{f"even-{each}": world.channel(f"even-{each}", "even") for each in range(3)},
            "odd-1": world.channel("odd-1", "odd", weight=1),
            "odd-3": world.channel("odd-3", "odd", weight=3),
            "odd-0": world.channel("odd-0", "odd", weight=0),
            "pin-high": world.channel("pin-high", "pin", priority=9),
            "pin-low": world.channel("pin-low", "pin", priority=1),
        }
        yield Site(world, root.user("alice", START).token(), root.token(), fragile, channels)


@pytest.fixture(autouse=True)
def mended(fresh: None, site: Site) -> None:
    site.fragile.reset()


async def ask(site: Site, model: str = "m", *, stream: bool = False, key: str = "", **fields: Any) -> Reply:
    return await site.world.ask(wire.chat(key or site.key, model=model, stream=stream, **fields))


def names(site: Site) -> list[str]:
    """Which channels were asked, in order: the fragile one comes first wherever it is."""
    return [each.name for each in (*site.fragile.received, *site.world.upstream.received)]


@contextmanager
def retries(site: Site, times: int) -> Iterator[None]:
    site.world.root.option("RetryTimes", str(times))
    try:
        yield
    finally:
        site.world.root.option("RetryTimes", "0")


@contextmanager
def hasty(site: Site) -> Iterator[None]:
    """The first channel has a second for its answer."""

    def limit(parameters: str) -> None:
        site.world.root.ask("PUT", "/api/channel/", json={"id": site.channels["first"], "parameters": parameters})

    limit('{"timeouts":{"total":1}}')
    try:
        yield
    finally:
        limit("")


async def spent(site: Site) -> int:
    await site.world.books.settled()
    row = await site.world.books.user("alice")
    assert row.quota + row.used_quota == START
    return int(row.used_quota)


# --- each step --------------------------------------------------------------------------------------------------------


async def close_before_head(turn: Turn) -> None:
    turn.close()


async def reset_before_head(turn: Turn) -> None:
    turn.reset()


async def close_in_head(turn: Turn) -> None:
    await turn.send(b"HTTP/1.1 200 OK\r\ncontent-ty")
    turn.close()


async def close_after_head(turn: Turn) -> None:
    await turn.events()
    turn.close()


async def garbage(turn: Turn) -> None:
    await turn.send(b"\x15\x03\x01\x00\x02\x02F")  # what a server says who expects TLS
    turn.close()


async def silence(turn: Turn) -> None:
    await turn.left()


async def silence_after_head(turn: Turn) -> None:
    await turn.events(b": wait\n\n")
    await turn.left()


async def half_a_body(turn: Turn) -> None:
    await turn.send(scripted.head(200, [("content-type", "application/json"), ("content-length", "500")]) + b'{"id":1')
    turn.close()


def status(code: int, headers: scripted.Headers = ()) -> scripted.Script:
    return scripted.replies(code, b'{"error":{"message":"no","type":"t","param":"","code":"c"}}', headers)


ERROR = event({"error": {"message": "overloaded", "type": "server_error"}})
FAILURES: Mapping[str, scripted.Script] = {
    "close before head": close_before_head,
    "reset before head": reset_before_head,
    "close in head": close_in_head,
    "close after head": close_after_head,
    "garbage": garbage,
    "silence": silence,
    "silence after head": silence_after_head,
    "half a body": half_a_body,
    "401": status(401),
    "402": status(402),
    "403": status(403),
    "404": status(404),
    "429": status(429),
    "500": status(500),
    "503": scripted.replies(503, b"<html>busy</html>", [("content-type", "text/html")]),
    "redirect": scripted.replies(302, b"", [("location", "/elsewhere")]),
    "error in a 200": scripted.replies(200, b'{"error":{"message":"overloaded"}}'),
    "no JSON in a 200": scripted.replies(200, b"oops", [("content-type", "application/json")]),
    "error event": scripted.streams(ERROR),
    "error event after a comment": scripted.streams(b": wait\n\n", ERROR),
    "an empty stream": scripted.streams(),
}
FOR_STREAMS = (
    "close after head",
    "silence after head",
    "error event",
    "error event after a comment",
    "an empty stream",
)


@both
@pytest.mark.parametrize("case", FAILURES)
async def test_a_failed_step_moves_to_the_next_channel(site: Site, case: str, *, stream: bool) -> None:
    if case in FOR_STREAMS and not stream:
        pytest.skip("only a stream has events")
    site.fragile.scripts["first"] = FAILURES[case]
    site.world.upstream.scripts["second"] = GOOD_STREAM if stream else GOOD
    before = await spent(site)
    with retries(site, 1), hasty(site) if case.startswith("silence") else nullcontext():
        reply = await ask(site, stream=stream)
    assert reply.status == 200, reply
    assert b"good" in reply.body
    assert b"overloaded" not in reply.body
    assert names(site) == ["first", "second"]
    first, second = *site.fragile.received, *site.world.upstream.received
    assert first.body == second.body
    assert first.header("authorization") == f"Bearer {SECRET}"
    assert second.header("authorization") == "Bearer sk-upstream-second"
    assert await spent(site) - before == COST
    final = await site.world.books.last_final()
    assert (final.channel_id, final.quota, final.source) == (site.channels["second"], COST, "reported")


async def test_a_channel_that_cannot_be_reached_is_passed_over(site: Site) -> None:
    world = site.world
    dead = world.root.channel(f"http://127.0.0.1:{servers.free_port()}", "reach", name="dead", priority=9)
    deaf = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = deaf.sockets[0].getsockname()[1]
    no_tls = world.root.channel(f"https://127.0.0.1:{port}/no-tls", "reach", name="no-tls", priority=8)
    world.channel("reached", "reach", priority=1)
    world.upstream.scripts["reached"] = GOOD
    try:
        with retries(site, 2):
            assert (await ask(site, "reach")).status == 200
        assert names(site) == ["reached"]
    finally:
        for each in (dead, no_tls):
            world.root.ask("DELETE", f"/api/channel/{each}")
        deaf.close()
        await deaf.wait_closed()


@both
async def test_a_request_that_is_wrong_is_not_tried_elsewhere(site: Site, *, stream: bool) -> None:
    site.fragile.scripts["first"] = status(400)
    before = await spent(site)
    with retries(site, 2):
        reply = await ask(site, stream=stream)
    assert (reply.status, reply.error["code"]) == (400, "c")
    assert names(site) == ["first"]
    assert await spent(site) == before


@pytest.mark.parametrize("end", ["error", "cut"])
async def test_nothing_is_tried_again_after_the_first_content(site: Site, end: str) -> None:
    async def begin(turn: Turn) -> None:
        await turn.events(chunk("hello"))
        if end == "error":
            await turn.piece(ERROR)
            await turn.end()
        else:
            turn.reset()

    site.fragile.scripts["first"] = begin
    site.world.upstream.scripts["second"] = GOOD_STREAM
    with retries(site, 2):
        reply = await ask(site, stream=True)
    assert (reply.status, reply.complete) == (200, True)
    assert reply.body.startswith(chunk("hello"))
    assert b"good" not in reply.body
    assert b"[DONE]" not in reply.body
    assert names(site) == ["first"]


@pytest.mark.parametrize("times", [0, 1, 2, 5])
async def test_there_are_as_many_retries_as_the_option_says(site: Site, times: int) -> None:
    site.fragile.scripts["first"] = status(500)
    site.world.upstream.scripts["second"] = status(503)
    site.world.upstream.scripts["third"] = status(502)
    before = await spent(site)
    with retries(site, times):
        reply = await ask(site)
    assert names(site) == ["first", "second", "third"][: times + 1]
    assert reply.status == [500, 503, 502][min(times, 2)]
    assert await spent(site) == before


async def test_who_is_refused_everywhere_for_load_is_told_so(site: Site) -> None:
    site.world.upstream.scripts["second"] = status(500)
    site.world.upstream.scripts["third"] = status(429, [("retry-after", "7")])
    with retries(site, 1):
        reply = await ask(site, "n")
    assert reply.status == 429
    assert reply.error["message"].startswith("当前分组上游负载已饱和，请稍后再试 (request id: ")
    assert reply.headers["retry-after"] == "7"


@pytest.mark.parametrize("code", [429, 503, 529])
async def test_a_channel_that_asks_to_be_left_alone_comes_last(site: Site, code: int) -> None:
    model, high, low = f"busy-{code}", f"high-{code}", f"low-{code}"
    world = site.world
    world.channel(high, f"{model},other-{code}", priority=9)
    world.channel(low, model, priority=1)
    world.upstream.scripts |= {high: status(code, [("retry-after", "200")]), low: GOOD}
    assert (await ask(site, model)).status == code
    assert (await ask(site, model)).status == 200
    assert names(site) == [high, low]
    world.upstream.scripts |= {high: GOOD, low: status(500)}
    with retries(site, 1):
        assert (await ask(site, model)).status == 200
    assert names(site)[2:] == [low, high]
    assert (await ask(site, f"other-{code}")).status == 200
    assert names(site)[4:] == [high]


async def test_a_channel_that_has_no_substitute_is_asked_though_it_rests(site: Site) -> None:
    site.world.channel("only", "single")
    site.world.upstream.scripts["only"] = status(429, [("retry-after", "200")])
    assert (await ask(site, "single")).status == 429
    site.world.upstream.scripts["only"] = GOOD
    assert (await ask(site, "single")).status == 200


async def test_an_error_that_is_not_about_load_is_no_reason_to_rest(site: Site) -> None:
    site.world.channel("wrong", "confused", priority=9)
    site.world.channel("right", "confused", priority=1)
    site.world.upstream.scripts |= {"wrong": status(404, [("retry-after", "200")]), "right": GOOD}
    assert [(await ask(site, "confused")).status for _ in range(2)] == [404, 404]


async def test_each_channel_is_asked_for_its_own_name_of_the_model(site: Site) -> None:
    site.world.upstream.scripts["one"] = status(500)
    site.world.upstream.scripts["two"] = GOOD
    with retries(site, 1):
        assert (await ask(site, "a", unknown={"kept": [1, 2.5, None]})).status == 200
    one, two = site.world.upstream.received
    assert (one.json()["model"], two.json()["model"]) == ("mapped-1", "mapped-2")
    assert {**one.json(), "model": ""} == {**two.json(), "model": ""}
    assert two.json()["unknown"] == {"kept": [1, 2.5, None]}
    final = await site.world.books.last_final()
    assert (final.model_name, final.quota) == ("mapped-2", COST)


# --- choice -----------------------------------------------------------------------------------------------------------


async def routed(site: Site, model: str, calls: int) -> Counter[str]:
    """Which channels answered so many calls."""
    for name in site.channels:
        site.world.upstream.scripts[name] = GOOD
    site.world.upstream.received.clear()
    async with wire.connect(site.world.port) as connection:
        for _ in range(calls):
            connection.send(wire.chat(site.key, model=model))
            assert (await connection.reply()).status == 200
    return Counter(each.name for each in site.world.upstream.received)


async def test_channels_without_weights_all_have_their_share(site: Site) -> None:
    """How large shares are: tests/routing."""
    assert set(await routed(site, "even", 60)) == {"even-0", "even-1", "even-2"}  # once in ten thousand million not


async def test_channels_share_by_weight(site: Site) -> None:
    found = await routed(site, "odd", 60)
    assert set(found) == {"odd-1", "odd-3"}
    assert found["odd-1"] < found["odd-3"]


async def test_a_channel_without_weight_stands_behind_those_with_one(site: Site) -> None:
    for name in ("odd-1", "odd-3"):
        site.world.upstream.scripts[name] = status(500)
    site.world.upstream.scripts["odd-0"] = GOOD
    with retries(site, 2):
        assert (await ask(site, "odd")).status == 200
    assert sorted(names(site)[:2]) == ["odd-1", "odd-3"]
    assert names(site)[2:] == ["odd-0"]


async def test_an_administrators_key_may_name_a_channel(site: Site) -> None:
    low = site.channels["pin-low"]
    site.world.upstream.scripts["pin-high"] = GOOD
    site.world.upstream.scripts["pin-low"] = status(500)
    with retries(site, 3):
        reply = await ask(site, "pin", key=f"{site.root_key}-{low}")
    assert reply.status == 500
    assert names(site) == ["pin-low"]

    reply = await ask(site, "pin", key=f"{site.key}-{low}")
    assert reply.status == 403
    assert reply.error["message"].startswith("普通用户不支持指定渠道 (request id: ")
    assert set(reply.error) == {"message", "type"}
    for wrong in ("999999", "x", "-1", str(10**30)):
        reply = await ask(site, "pin", key=f"{site.root_key}-{wrong}")
        if wrong == "-1":
            continue  # "sk-key--1" names the empty channel, which is none
        assert reply.status == 400, (wrong, reply)
        assert reply.error["message"].startswith("无效的渠道 Id (request id: ")
    assert names(site) == ["pin-low"]


async def test_a_disabled_channel_is_not_asked(site: Site) -> None:
    world = site.world
    number = site.channels["pin-high"]
    for name in ("pin-high", "pin-low"):
        world.upstream.scripts[name] = GOOD
    world.root.ask("PUT", "/api/channel/", json={"id": number, "status": 2})
    try:
        assert (await ask(site, "pin")).status == 200
        assert names(site) == ["pin-low"]
        reply = await ask(site, "pin", key=f"{site.root_key}-{number}")
        assert reply.status == 403
        assert reply.error["message"].startswith("该渠道已被禁用 (request id: ")
    finally:
        world.root.ask("PUT", "/api/channel/", json={"id": number, "status": 1})
    assert (await ask(site, "pin")).status == 200
    assert names(site) == ["pin-low", "pin-high"]


async def test_a_failing_channel_does_not_hold_up_another_call(site: Site) -> None:
    """While one call waits for its first channel, others are served."""
    enough = asyncio.Event()

    async def fails_late(turn: Turn) -> None:
        await enough.wait()
        turn.close()

    site.fragile.scripts["first"] = fails_late
    site.world.upstream.scripts["second"] = GOOD
    with retries(site, 1):
        slow = asyncio.ensure_future(ask(site))
        for _ in range(20):
            assert (await ask(site, "n")).status == 200
        assert not slow.done()
        enough.set()
        assert (await slow).status == 200
