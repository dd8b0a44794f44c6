"""Bytes on their way through the gateway: unchanged, however cut; no faster than they are read; to their end."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from tests.e2e import wire
from tests.e2e.books import eventually
from tests.e2e.world import START, World, open_world
from tests.harness import scripted, servers
from tests.harness.scripted import DONE, Turn, chunk, completion, event, tokens, usage_chunk

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

MODEL = "gpt-3.5-turbo"  # one unit for a token of input, two for one of output
MIB = 1024 * 1024
STANDS_STILL_S = 0.5


@dataclass(frozen=True, slots=True)
class Site:
    """A world and a key that can pay."""

    world: World
    key: str


def furnish(world: World) -> Site:
    world.root.option("ModelRatio", json.dumps(dict.fromkeys((MODEL, "renamed", "o1-mini"), 1)))
    world.root.option("CompletionRatio", json.dumps(dict.fromkeys((MODEL, "renamed", "o1-mini"), 2)))
    world.channel("up", f"{MODEL},o1-mini")
    world.channel("mapped", "alias", model_mapping='{"alias":"renamed"}')
    return Site(world, world.root.user("alice", START).token())


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("flow")
    async with open_world(directory, servers.sqlite(directory)) as world:
        yield furnish(world)


# --- byte for byte ----------------------------------------------------------------------------------------------------


def delta(text: str, **more: object) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": text}}], **more})


RAW = b"".join(
    (
        b": a comment first\n\n",
        b"event: message\ndata: " + delta("hello").encode() + b"\n\n",
        b"id: 7\r\nevent: x\r\ndata: " + delta(" world", unknown={"kept": [1, None, 2.50]}).encode() + b"\r\n\r\n",
        b":between\r\n\r\n",
        b"data:" + delta(" without a blank").encode() + b"\n\n",
        b'data: {"choices":\ndata: [{"index":0,"delta":{"content":"in two lines"}}]}\n\n',
        b"retry: 5\n\n",
        'data: {"choices": [{"index":0, "delta":{"content":"\\u4f60 你好 🙂"}}] ,"x":1e2}\n\n'.encode(),
        b"data: " + delta("", usage=tokens(20, 10)).encode() + b"\n\n",
        chunk(finish="stop"),
        DONE,
    )
)


def every(size: int) -> list[bytes]:
    return [RAW[start : start + size] for start in range(0, len(RAW), size)]


CUTTINGS: Mapping[str, list[bytes]] = {
    "whole": [RAW],
    "byte by byte": every(1),
    "by sevens": every(7),
    "by hundreds": every(100),
    "inside every line end": [each for each in re.split(rb"(?<=\r)|(?<=\n)", RAW) if each],
    "event by event": [each for each in re.split(rb"(?<=\n\n)|(?<=\r\n\r\n)", RAW) if each],
}


@pytest.mark.parametrize("cutting", CUTTINGS)
async def test_a_stream_is_forwarded_as_received(site: Site, cutting: str) -> None:
    async with wire.connect(site.world.port) as connection, wire.connect(site.world.port) as beside:
        connection.send(wire.chat(site.key, stream=True))
        turn = await site.world.upstream.turn()
        await turn.events()
        for piece in CUTTINGS[cutting]:
            await turn.piece(piece)
            # The gateway reads what lies there before it answers what came later: no two pieces meet.
            beside.send(wire.chat("sk-nobody"))
            assert (await beside.reply()).status == 401
        await turn.end()
        reply = await connection.reply()
    assert reply.complete
    assert reply.body == RAW
    final = await site.world.books.last_final()
    assert (final.quota, final.source) == (20 + 2 * 10, "reported")


@pytest.mark.parametrize("end", [DONE, DONE[:-1], DONE[:-2], DONE[:-2] + b"\r\n\r\n"])
async def test_a_stream_ends_once_however_its_end_is_written(site: Site, end: bytes) -> None:
    site.world.upstream.scripts["up"] = scripted.streams(chunk("hello"), chunk(finish="stop"), end)
    reply = await site.world.ask(wire.chat(site.key, stream=True))
    assert reply.complete
    assert reply.body.rstrip() == chunk("hello") + chunk(finish="stop") + DONE.rstrip()
    assert reply.body.endswith((b"\n\n", b"\r\n\r\n"))


async def test_a_whole_answer_is_forwarded_as_received(site: Site) -> None:
    body = b' {"id":"c",  "choices":[{"message":{"content":"hi","x":[1.50,1E2]}}],"usage":' + (
        json.dumps({**tokens(20, 10), "new_details": {"a": 1}}).encode() + b', "system_fingerprint":null}\n'
    )
    site.world.upstream.scripts["up"] = scripted.replies(200, body)
    reply = await site.world.ask(wire.chat(site.key))
    assert (reply.status, reply.body) == (200, body)


@pytest.mark.parametrize("model", [MODEL, "alias"])
async def test_unknown_fields_reach_the_upstream(site: Site, model: str) -> None:
    name = "up" if model == MODEL else "mapped"
    site.world.upstream.scripts[name] = scripted.replies(200, completion(usage=tokens(1, 1)))
    extra: dict[str, Any] = {
        "thinking": {"type": "enabled", "budget": 1.5},
        "web_search_options": {},
        "Odd Key": [None, True, "é🙂"],
    }
    messages = [{"role": "user", "content": "hello", "cache_control": {"type": "ephemeral"}}]
    request = wire.chat(site.key, model=model, messages=messages, **extra)
    assert (await site.world.ask(request)).status == 200
    (received,) = site.world.upstream.received
    sent = json.loads(request.partition(b"\r\n\r\n")[2])
    assert received.json() == {**sent, "model": "renamed" if model == "alias" else model}
    if model == MODEL:
        assert received.body == request.partition(b"\r\n\r\n")[2]


# --- usage ------------------------------------------------------------------------------------------------------------


USAGE = usage_chunk(tokens(20, 10))


@pytest.mark.parametrize("model", [MODEL, "alias", "o1-mini"])
@pytest.mark.parametrize("cut", [False, True], ids=["at once", "in pieces"])
async def test_the_usage_chunk_goes_to_who_asked_for_it(site: Site, model: str, *, cut: bool) -> None:
    stream = chunk("hello") + chunk(finish="stop") + USAGE + DONE
    pieces = [stream[at : at + 9] for at in range(0, len(stream), 9)] if cut else [stream]
    for name in ("up", "mapped"):
        site.world.upstream.scripts[name] = scripted.streams(*pieces)
    for asked in (True, False):
        options: dict[str, Any] = {"stream_options": {"include_usage": True, "x": 1}} if asked else {}
        reply = await site.world.ask(wire.chat(site.key, model=model, stream=True, **options))
        received = site.world.upstream.received[-1].json()
        if asked:
            assert received["stream_options"] == {"include_usage": True, "x": 1}
            assert reply.body == stream
        elif model == MODEL:  # nothing had to be changed, so nothing was
            assert "stream_options" not in received
        else:
            assert received["stream_options"] == {"include_usage": True}
            assert reply.body == stream.replace(USAGE, b"")
        final = await site.world.books.last_final()
        assert (final.quota, final.source) == (40, "reported")


async def test_a_usage_chunk_that_ends_the_stream_is_kept_back_too(site: Site) -> None:
    site.world.upstream.scripts["mapped"] = scripted.streams(chunk("hello"), chunk(finish="stop"), USAGE[:-2])
    reply = await site.world.ask(wire.chat(site.key, model="alias", stream=True))
    assert reply.body == chunk("hello") + chunk(finish="stop") + DONE
    assert (await site.world.books.last_final()).quota == 40


# --- back-pressure ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Spring:
    """An upstream's answer without an end, until `enough` is set."""

    sent: list[bytes] = field(default_factory=list)
    size: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def flow(self, turn: Turn) -> None:
        await turn.events()
        while not self.enough.is_set():
            # Text is kept to be counted, so there is little of it.
            await self._send(turn, event({"choices": [{"index": 0, "delta": {"content": "x"}}], "pad": "." * 8000}))
        await self._send(turn, chunk(finish="stop") + usage_chunk(tokens(20, 10)) + DONE)
        await turn.end()

    async def _send(self, turn: Turn, data: bytes) -> None:
        await turn.piece(data)
        self.sent.append(data)
        self.size += len(data)

    async def stands_still(self) -> None:
        """Returns when nothing was taken for a while."""
        async with asyncio.timeout(wire.PATIENCE_S):
            before = -1
            while before != self.size:
                before = self.size
                await asyncio.sleep(STANDS_STILL_S)  # of a socket that takes nothing there is no event


def resident(world: World) -> int:
    """Bytes of memory that are the gateway's own."""
    status = Path(f"/proc/{world.gateway.child.pid}/status").read_text()
    found = re.search(r"RssAnon:\s+(\d+) kB", status)
    assert found, status
    return int(found[1]) * 1024


class Reader:
    """A client with small buffers, who reads when he wants to."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        self._socket.setblocking(False)
        self._port = port

    async def __aenter__(self) -> Self:
        await asyncio.get_running_loop().sock_connect(self._socket, ("127.0.0.1", self._port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def some(self) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self._socket, 65536), wire.PATIENCE_S)

    async def rest(self) -> bytes:
        """All that comes until the end of an answer in chunks."""
        found = bytearray()
        while not found.endswith(b"\r\n0\r\n\r\n"):
            data = await self.some()
            assert data, found[-100:]
            found += data
        return bytes(found)


def unchunked(raw: bytes) -> bytes:
    """The body of an answer in chunks."""
    body = raw.partition(b"\r\n\r\n")[2]
    found: list[bytes] = []
    start = 0
    while True:
        line = body.index(b"\r\n", start)
        size = int(body[start:line], 16)
        if not size:
            return b"".join(found)
        found.append(body[line + 2 : line + 2 + size])
        start = line + 2 + size + 2


async def test_who_does_not_read_stops_the_upstream_and_fills_no_memory(site: Site) -> None:
    world = site.world
    warm = Spring()
    warm.enough.set()
    world.upstream.scripts["up"] = warm.flow
    for _ in range(20):
        assert (await world.ask(wire.chat(site.key, stream=True))).complete
    before = resident(world)

    spring = Spring()
    world.upstream.scripts["up"] = spring.flow
    async with Reader(world.port) as reader:
        await reader.send(wire.chat(site.key, stream=True))
        first = await reader.some()
        await spring.stands_still()
        assert spring.size < 16 * MIB  # what two pairs of sockets hold at most
        assert resident(world) - before < 2 * MIB
        assert (await world.ask(wire.request("/v1/models", method="GET", key=site.key))).status == 200

        stood_at = spring.size
        reading = asyncio.ensure_future(reader.rest())

        async def goes_on() -> bool:
            return spring.size > stood_at

        await eventually(goes_on)
        spring.enough.set()
        raw = first + await reading
    assert unchunked(raw) == b"".join(spring.sent)
    final = await world.books.last_final()
    assert (final.quota, final.source) == (40, "reported")


async def test_who_does_not_read_and_leaves_is_settled(site: Site) -> None:
    world, spring = site.world, Spring()
    gone = asyncio.Event()

    async def flow(turn: Turn) -> None:
        try:
            await spring.flow(turn)
        except ConnectionError:
            gone.set()
            raise

    world.upstream.scripts["up"] = flow
    count = len(await world.books.finals())
    async with Reader(world.port) as reader:
        await reader.send(wire.chat(site.key, stream=True))
        await reader.some()
        await spring.stands_still()
    await asyncio.wait_for(gone.wait(), wire.PATIENCE_S)
    await world.books.settled()
    (final,) = list(await world.books.finals())[count:]
    assert final.source == "counted"
    assert 0 < final.completion_tokens <= len(spring.sent)


# --- many -------------------------------------------------------------------------------------------------------------


async def test_three_hundred_streams_at_once_have_their_own_bills(site: Site) -> None:
    world, count = site.world, 300
    all_open, opened = asyncio.Event(), [0]

    async def play(turn: Turn) -> None:
        number = int(turn.request.json()["user"])
        await turn.events(chunk(f"first {number}"))
        opened[0] += 1
        if opened[0] == count:
            all_open.set()
        await all_open.wait()
        for each in range(3):
            await turn.piece(chunk(f" {each}"))
        await turn.piece(chunk(finish="stop") + usage_chunk(tokens(number + 1, number % 7)) + DONE)
        await turn.end()

    world.upstream.scripts["up"] = play
    before = await world.books.user("alice")

    async def call(number: int) -> tuple[str, int]:
        reply = await world.ask(wire.chat(site.key, stream=True, user=str(number)))
        assert reply.status == 200, reply
        assert reply.complete
        assert reply.body.startswith(chunk(f"first {number}"))
        assert reply.body.endswith(DONE)
        return reply.headers["x-oneapi-request-id"], number + 1 + 2 * (number % 7)

    async with asyncio.timeout(wire.PATIENCE_S):
        bills = dict(await asyncio.gather(*(call(number) for number in range(count))))
    finals = {row.request_id: row.quota for row in await world.books.finals() if row.request_id in bills}
    assert finals == bills
    after = await world.books.user("alice")
    assert after.quota + after.used_quota == START
    assert before.quota - after.quota == sum(bills.values())
    assert after.request_count - before.request_count == count
    assert not await world.books.holds()
