"""Flows over real sockets: tokens that are shared, remembered and forgotten, steps that fail, callers who leave."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from one_api.providers.flows import Exchange, Flow, Query, Refused, Response, Token, Wait, signed
from one_api.relay.direct import DirectTransport
from one_api.relay.flows import Flows
from one_api.relay.transport import Head, Timeouts, TransportError
from tests.harness import scripted
from tests.harness.scripted import Upstream, replies

pytestmark = pytest.mark.anyio


class Sink:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.hidden: tuple[str, ...] = ()
        self.status = 0
        self.body = b""
        self.error: TransportError | None = None
        self.over = asyncio.Event()

    def on_head(self, head: Head) -> None:
        self.status = head.status

    def on_data(self, data: bytes) -> None:
        self.body += data

    def on_end(self) -> None:
        self.over.set()

    def on_fail(self, error: TransportError) -> None:
        self.error = error
        self.over.set()


@dataclass
class Bench:
    upstream: Upstream
    transport: DirectTransport
    flows: Flows
    clock: list[float] = field(default_factory=lambda: [1000.0])

    def way(self, query: Query, now: float) -> Flow:
        token = yield Exchange("account", lambda: Query(url=self.upstream.at("tokens")), read)
        return query.carrying((b"x-token", token.encode()), secrets=(token,))

    def call(self, sink: Sink) -> None:
        self.flows.send(self.way, Query(url=self.upstream.at("calls")), self.transport, sink, Timeouts())

    async def answer(self) -> Sink:
        sink = Sink()
        self.call(sink)
        await asyncio.wait_for(sink.over.wait(), 20)
        return sink

    def asked(self, name: str) -> int:
        return sum(each.name == name for each in self.upstream.received)


def read(response: Response) -> Token:
    if response.status != 200:
        raise Refused(401, "no token", kind="authentication_error")
    return Token(response.members()["token"], response.members()["lifetime"])


def token(value: str = "t1", lifetime: float = 3600) -> bytes:
    return json.dumps({"token": value, "lifetime": lifetime}).encode()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with scripted.serve() as upstream:
        loop = asyncio.get_running_loop()
        transport = DirectTransport(loop)
        made = Bench(upstream, transport, Flows(loop, lambda: made.clock[0]))
        upstream.scripts = {"tokens": replies(200, token()), "calls": replies(200, b'{"ok":1}')}
        yield made
        await transport.aclose()


async def test_a_token_is_fetched_once_and_used_until_shortly_before_it_expires(bench: Bench) -> None:
    for _ in range(3):
        sink = await bench.answer()
        assert (sink.status, sink.body, sink.hidden) == (200, b'{"ok":1}', ("t1",))
    assert bench.asked("tokens") == 1
    assert {each.header("x-token") for each in bench.upstream.received if each.name == "calls"} == {"t1"}
    bench.clock[0] += 3300
    bench.upstream.scripts["tokens"] = replies(200, token("t2"))
    assert (await bench.answer()).hidden == ("t2",)


async def test_calls_that_wait_for_a_token_share_it(bench: Bench) -> None:
    del bench.upstream.scripts["tokens"]
    sinks = [Sink() for _ in range(5)]
    for sink in sinks:
        bench.call(sink)
    turn = await bench.upstream.turn()
    await turn.reply(200, token())
    await asyncio.gather(*(sink.over.wait() for sink in sinks))
    assert [sink.status for sink in sinks] == [200] * 5
    assert bench.asked("tokens") == 1


async def test_a_caller_who_leaves_takes_nobodys_token_with_him(bench: Bench) -> None:
    del bench.upstream.scripts["tokens"]
    gone, left = Sink(), Sink()
    first = bench.flows.send(bench.way, Query(url=bench.upstream.at("calls")), bench.transport, gone, Timeouts())
    bench.call(left)
    turn = await bench.upstream.turn()
    first.abort()
    await turn.reply(200, token())
    await left.over.wait()
    assert (left.status, gone.status, gone.over.is_set()) == (200, 0, False)
    assert bench.asked("calls") == 1


async def test_a_refused_key_answers_every_waiting_call_and_is_asked_about_again(bench: Bench) -> None:
    del bench.upstream.scripts["tokens"]
    sinks = [Sink(), Sink()]
    for sink in sinks:
        bench.call(sink)
    await (await bench.upstream.turn()).reply(400, b"{}")
    await asyncio.gather(*(sink.over.wait() for sink in sinks))
    assert [(sink.status, json.loads(sink.body)["error"]["message"]) for sink in sinks] == [(401, "no token")] * 2
    assert bench.asked("calls") == 0
    bench.upstream.scripts["tokens"] = replies(200, token())
    assert (await bench.answer()).status == 200


async def test_a_token_that_was_not_accepted_is_fetched_anew(bench: Bench) -> None:
    sink = await bench.answer()
    bench.flows.forget(("another",))
    await bench.answer()
    assert bench.asked("tokens") == 1
    bench.flows.forget(sink.hidden)
    await bench.answer()
    assert bench.asked("tokens") == 2


async def test_a_step_that_cannot_be_made_fails_the_call(bench: Bench) -> None:
    async def script(turn: scripted.Turn) -> None:
        turn.reset()

    bench.upstream.scripts["tokens"] = script
    sink = await bench.answer()
    assert sink.error is not None
    assert sink.error.kind == "closed"


async def test_an_address_that_is_none_fails_the_call(bench: Bench) -> None:
    sink = Sink()
    bench.flows.send(signed(lambda query, _: query), Query(url="ftp://x"), bench.transport, sink, Timeouts())
    await sink.over.wait()
    assert sink.error is not None
    assert sink.error.kind == "protocol"


async def test_a_flow_asks_waits_and_asks_again(bench: Bench) -> None:
    heard: list[bytes] = []

    def way(query: Query, now: float) -> Flow:
        for _ in range(3):
            response = yield Query(method="GET", url=bench.upstream.at("steps"))
            heard.append(response.body)
            yield Wait(0.001)
        return query

    bench.upstream.scripts["steps"] = replies(200, b'"working"')
    sink = Sink()
    bench.flows.send(way, Query(url=bench.upstream.at("calls")), bench.transport, sink, Timeouts())
    await sink.over.wait()
    assert heard == [b'"working"'] * 3
    assert sink.body == b'{"ok":1}'


async def test_who_leaves_while_a_flow_waits_is_not_called_back(bench: Bench) -> None:
    closed: list[bool] = []

    def way(query: Query, now: float) -> Flow:
        try:
            yield Query(url=bench.upstream.at("steps"))
            yield Wait(3600)
        finally:
            closed.append(True)
        return query

    sink = Sink()
    walk = bench.flows.send(way, Query(url=bench.upstream.at("calls")), bench.transport, sink, Timeouts())
    walk.pause()
    walk.resume()
    turn = await bench.upstream.turn()
    walk.abort()
    await turn.left()
    assert (closed, sink.over.is_set(), bench.asked("calls")) == ([True], False, 0)
