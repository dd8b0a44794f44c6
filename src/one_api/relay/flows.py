"""Walks along flows: sends what they yield, keeps the tokens they want, hands their last answer to the caller's sink.

By callbacks, as transports do it, so that a caller who leaves stops his flow wherever it is. Tokens are the process's:
fetched once for all calls that wait, remembered until shortly before they expire, and in no log.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

from one_api.providers.flows import Exchange as TokenExchange
from one_api.providers.flows import Flow, Query, Refused, Response, Token, Wait, Way
from one_api.relay.transport import Exchange, Head, HttpRequest, Origin, Sink, Timeouts, Transport, TransportError

STEP: Final = Timeouts(connect=10, first_byte=60, idle=30, total=90)
"""Of a request on the way. That of a whole call is its last request's."""
MOST_BYTES: Final = 4 * 1024 * 1024
MOST_TOKENS: Final = 10_000
MARGIN_S: Final = 300.0
_USER_AGENT: Final = (b"user-agent", b"one-api")
_JSON_HEAD: Final = ((b"content-type", b"application/json"),)


class Caller(Sink, Protocol):
    """Who gets the last answer. `hidden` are secrets of the request that are no part of the channel's key."""

    hidden: tuple[str, ...]


class Flows:
    """The tokens of a process, and the way to them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, now: Callable[[], float]) -> None:
        self.loop = loop
        self.now = now
        self._tokens: dict[str, tuple[Token, float]] = {}
        self._fetching: dict[str, _Fetch] = {}

    def send(self, way: Way, query: Query, transport: Transport, sink: Caller, timeouts: Timeouts) -> Exchange:
        """Like a transport's `send`: nothing is called back before it returns."""
        walk = _Walk(self, way(query, self.now()), transport, sink, timeouts)
        self.loop.call_soon(walk.go)
        return walk

    def forget(self, secrets: tuple[str, ...]) -> None:
        """An upstream did not accept a request with these: tokens among them are fetched anew."""
        for name, (token, _) in tuple(self._tokens.items()):
            if token.value in secrets:
                del self._tokens[name]

    # For walks.

    def known(self, name: str) -> str:
        """A token that is good for a while, "" without one."""
        token, until = self._tokens.get(name, (Token("", 0), 0.0))
        return token.value if self.now() < until else ""

    def fetch(self, wanted: TokenExchange, transport: Transport, walk: "_Walk") -> None:
        """Tells `walk` what comes of it, later. It is asked once, however many want to know. Raises Refused."""
        fetch = self._fetching.get(wanted.name)
        if fetch is None:
            fetch = self._fetching[wanted.name] = _Fetch(self, wanted)
            try:
                send(wanted.ask(), transport, _Collector(fetch))
            except (Refused, ValueError):
                del self._fetching[wanted.name]
                raise
        fetch.waiting.append(walk)

    def fetched(self, name: str, token: Token | None) -> None:
        del self._fetching[name]
        if token is None:
            return
        if len(self._tokens) >= MOST_TOKENS:
            self._tokens.clear()
        until = self.now() + token.lifetime - min(MARGIN_S, token.lifetime / 2)
        self._tokens[name] = (token, until)


class _Asker(Protocol):
    def heard(self, response: Response, /) -> None: ...
    def failed(self, error: TransportError, /) -> None: ...


class _Fetch:
    """A token on its way. Whoever gave up waiting is not told."""

    def __init__(self, flows: Flows, wanted: TokenExchange) -> None:
        self._flows = flows
        self._wanted = wanted
        self.waiting: list[_Walk] = []

    def heard(self, response: Response) -> None:
        try:
            token = self._wanted.read(response)
        except Refused as refused:
            self._flows.fetched(self._wanted.name, None)
            for walk in self.waiting:
                walk.throw(refused)
            return
        self._flows.fetched(self._wanted.name, token)
        for walk in self.waiting:
            walk.step(token.value)

    def failed(self, error: TransportError) -> None:
        self._flows.fetched(self._wanted.name, None)
        for walk in self.waiting:
            walk.failed(error)


class _Walk:
    """One call's flow. It is an Exchange of which the transport's is the last part."""

    def __init__(self, flows: Flows, flow: Flow, transport: Transport, sink: Caller, timeouts: Timeouts) -> None:
        self._flows = flows
        self._flow = flow
        self._transport = transport
        self._sink: Caller | None = sink
        self._timeouts = timeouts
        self._under_way: Exchange | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._deadline = flows.loop.time() + timeouts.total if timeouts.total else 0.0

    # transport.Exchange

    def pause(self) -> None:
        self._paused = True
        if self._under_way is not None:
            self._under_way.pause()

    def resume(self) -> None:
        self._paused = False
        if self._under_way is not None:
            self._under_way.resume()

    def abort(self) -> None:
        self._sink = None
        self._flow.close()
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.abort()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # The steps

    def go(self) -> None:
        self.step(None)

    def heard(self, response: Response) -> None:
        self._under_way = None
        self.step(response)

    def failed(self, error: TransportError) -> None:
        sink, self._sink = self._sink, None
        self._under_way = None
        if sink is not None:
            sink.on_fail(error)

    def step(self, found: Response | str | None) -> None:
        """Go on with what was found; `None` after a wait, and at the beginning."""
        self._take(lambda: self._flow.send(found))

    def throw(self, refused: Refused) -> None:
        self._take(lambda: self._flow.throw(refused))

    def _take(self, move: Callable[[], Any]) -> None:
        if self._sink is None:
            return
        try:
            self._follow(move())
        except StopIteration as done:
            self._finish(self._sink, done.value)
        except Refused as refused:
            self._answer(self._sink, refused)
        except ValueError as error:
            self._astray(error)

    def _follow(self, wanted: Query | TokenExchange | Wait) -> None:
        if self._deadline and self._flows.loop.time() > self._deadline:
            self.failed(TransportError("timeout", sent=True))
            return
        match wanted:
            case Query():
                self._under_way = send(wanted, self._transport, _Collector(self))
            case TokenExchange():
                token = self._flows.known(wanted.name)
                if token:
                    self.step(token)
                else:
                    self._flows.fetch(wanted, self._transport, self)
            case Wait():
                self._timer = self._flows.loop.call_later(wanted.seconds, self.go)

    def _finish(self, sink: Caller, query: Query) -> None:
        sink.hidden = query.secrets
        try:
            request = http_request(query)
        except ValueError as error:
            self._astray(error)
            return
        self._under_way = self._transport.send(request, sink, self._timeouts)
        if self._paused:
            self._under_way.pause()

    def _astray(self, error: ValueError) -> None:
        """An address that is none."""
        self.failed(TransportError("protocol", str(error), sent=False))

    def _answer(self, sink: Caller, refused: Refused) -> None:
        self._sink = None
        sink.on_head(Head(refused.status, _JSON_HEAD))
        sink.on_data(refused.body)
        sink.on_end()


class _Collector:
    """The sink of a request on the way."""

    def __init__(self, asker: _Asker) -> None:
        self._asker = asker
        self._status = 0
        self._body = bytearray()

    def on_head(self, head: Head) -> None:
        self._status = head.status

    def on_data(self, data: bytes) -> None:
        if len(self._body) < MOST_BYTES:  # the rest is missed by whoever reads it
            self._body += data

    def on_end(self) -> None:
        self._asker.heard(Response(self._status, bytes(self._body)))

    def on_fail(self, error: TransportError) -> None:
        self._asker.failed(error)


def send(query: Query, transport: Transport, sink: Sink) -> Exchange:
    """Raises ValueError for an address that is none."""
    return transport.send(http_request(query), sink, STEP)


def http_request(query: Query) -> HttpRequest:
    """Raises ValueError for an address that is none."""
    origin, path = Origin.parse(query.url)
    named = any(name == _USER_AGENT[0] for name, _ in query.headers)
    headers = query.headers if named else (*query.headers, _USER_AGENT)
    return HttpRequest(
        origin=origin, method=query.method, target=path.encode("latin-1"), headers=headers, body=query.body
    )
