"""Relay paths taken at uvicorn's protocol class, before any ASGI message exists; other paths are uvicorn's business.

Nothing of ASGI is built until the path is known. That leans on names which are no documented API: uvicorn is pinned,
and tests/edge/test_protocol.py checks each behaviour.

A request that cannot be read has one answer, in its turn, and it is the last of its connection: what follows has no
meaning. Where an earlier answer is still under way, the connection ends with that one.
"""

import asyncio
from collections import deque
from typing import Any, Literal, Protocol, TypeAlias

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from one_api.edge.cycle import HeadCycle, RelayCycle
from one_api.edge.repeats import RepeatedHead
from one_api.edge.upgrades import is_of_a_session, with_offer, without_offer
from one_api.relay.client import Incoming
from one_api.relay.heading import UNREAD, Heading
from one_api.relay.outgoing import Outgoing

MAX_HEADERS = 32 * 1024
MAX_HEADER_COUNT = 128
HEADER_TIMEOUT = 30
BODY_STALL = 30
BODY_TIMEOUT = 600
WRITE_STALL = 120  # seconds in which a client has to take something of what waits for him
LINGER = 2
LAST_CHANCE = 1  # seconds for which an idle connection is kept when the process ends
TOO_LARGE = "the request headers are too large"

Cycle: TypeAlias = RelayCycle | RequestResponseCycle


class RelayService(Protocol):
    """What the protocol hands its calls to."""

    outgoing: Outgoing
    """What all its connections write to."""

    def read(self, method: bytes, url: bytes, headers: list[tuple[bytes, bytes]]) -> Heading | None:
        """What the head of a request says; None if it is not to be relayed."""

    def begin(self, request: Incoming) -> "asyncio.Task[None]":
        """Answer a request whose body is complete; the task is the service's to await."""

    def refuse(self, request: Incoming, status: int, message: str) -> None:
        """Answer a request that cannot be read."""

    def connected(self, connection: "RelayProtocol") -> None:
        """A connection to be looked at by the clock: its `tick` is to be called once a second, until it is gone."""

    def disconnected(self, connection: "RelayProtocol") -> None: ...


class RelayProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with the relay's fast lane."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service: RelayService = self.app_state["relay"]
        self.outgoing = self.service.outgoing
        self.pipeline: deque[tuple[Cycle, Any]]  # type: ignore[assignment]  # ours stand among uvicorn's
        self.relay: RelayCycle | None = None  # of the request being read
        self.answering: Cycle | None = None  # whose answer is under way, or went out last
        self.idle_since = 0.0
        self.reading_since = 0.0
        self.last_body = 0.0
        self.draining = False
        self._unread = 0  # bytes that wait for a client who is slow
        self._unread_since = 0.0
        self._part: Literal["nothing", "head", "body"] = "nothing"
        self._header_size = 0
        self._expects = False
        self._head_bytes = 0
        self._deaf = False
        self._source = b""  # begins with the head that is being read
        self._known: RepeatedHead | None = None
        self._missing = 0  # of a body whose head was known

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
        super().connection_made(transport)
        self.service.connected(self)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self.idle_since = 0.0
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        if self._missing and self.relay is not None:
            data = self._count(self.relay, data, 0)
        while data and self._part == "nothing" and self._known is not None and not self._deaf:
            found = self._known.match(data)
            if found is None:
                break
            start, self._missing, heading = found
            data = self._count(self._relay(heading, keep_alive=True, chunked=True), data, start)
        if data and not self._deaf:
            self.reading_since = self.reading_since or self.loop.time()
            self._parse(data)

    def _count(self, cycle: RelayCycle, data: bytes, start: int) -> bytes:
        """Take of a body what is still missing; what is left belongs to the next request."""
        end = start + self._missing
        body = data[start:end]
        self._missing -= len(body)
        if body:
            cycle.add(body)
        if self._missing:
            self.last_body = self.loop.time()
            self.reading_since = self.reading_since or self.last_body
        else:
            self._whole(cycle)
        return data[end:]

    def _parse(self, data: bytes) -> None:
        self._source = data if self._part == "nothing" else b""
        self._feed(data)
        self._source = b""
        if self._part == "head":
            # A line is told of when it has ended. What came with the beginning may belong to the request before.
            self._head_bytes = 0 if self._head_bytes < 0 else self._head_bytes + len(data)
            if self._head_bytes > MAX_HEADERS:
                self.refuse(431, TOO_LARGE)

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if self._opens_a_session():
                self._hand_over(data[offer.args[0] :])
            else:
                self._decline(data[offer.args[0] :])
        except httptools.HttpParserError:
            self.refuse(400, "the request is not valid HTTP")

    def _opens_a_session(self) -> bool:
        """Whether a WebSocket is wanted, on a connection that has nothing else to do."""
        if self._deaf or self.ws_protocol_class is None or not is_of_a_session(self.url, self.headers):
            return False
        return self.answering is None or self.answering.response_complete

    def _hand_over(self, rest: bytes) -> None:
        """The connection is uvicorn's WebSocket from now on, which reads the head once more."""
        self._deaf = True
        self.outgoing.flush()
        self.service.disconnected(self)
        self.connections.discard(self)
        made: Any = self.ws_protocol_class
        protocol = made(config=self.config, server_state=self.server_state, app_state=self.app_state)
        protocol.connection_made(self.transport)
        protocol.data_received(with_offer(self.url, self.headers, rest))
        self.transport.set_protocol(protocol)

    def _decline(self, rest: bytes) -> None:
        """Read a request that offers another protocol as if it did not."""
        if self._deaf:
            return
        method, version = self.parser.get_method(), self.parser.get_http_version()
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._feed(without_offer(method, self.url, version, self.headers, rest))

    # The parser's callbacks

    def on_message_begin(self) -> None:
        if self._deaf:
            return
        self._part = "head"
        self._head_bytes = -1
        self._header_size = 0
        self._expects = False
        self.url = b""
        self.headers = []
        self.relay = None

    def on_url(self, url: bytes) -> None:
        if not self._deaf:
            self.url += url
            self._header_size += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_size += len(name) + len(value)
        if self._header_size > MAX_HEADERS or len(self.headers) >= MAX_HEADER_COUNT:
            self.refuse(431, TOO_LARGE)
        elif self._part == "head":  # what trails a body in chunks is dropped: it was not there when others looked
            self.headers.append((name, value))
            if len(name) == 6 and name.lower() == b"expect" and value.lower() == b"100-continue":
                self._expects = True

    def on_headers_complete(self) -> None:
        if self._deaf:
            return
        url, method = self.url, self.parser.get_method()
        source, self._source = self._source, b""
        if self.parser.get_http_version() not in ("1.1", "1.0"):
            self.refuse(400, "the version of HTTP has to be 1.1 or 1.0")
        elif method == b"CONNECT":
            self.refuse(400, "this is no proxy")
        elif not url.startswith(b"/") and url != b"*":
            # An absolute form names a host of the caller's choice; none of ours is reached that way.
            self.refuse(400, "the request target must be a path")
        elif self.parser.should_upgrade():
            return  # read anew once the parser has stopped, see _decline
        elif (heading := self.service.read(method, url, self.headers)) is not None:
            persistent = self.parser.get_http_version() != "1.0"
            keep_alive = persistent and self.parser.should_keep_alive()
            if source and keep_alive:
                self._known = RepeatedHead.learn(source, self.headers, heading)
            self._relay(heading, keep_alive=keep_alive, chunked=persistent)
        else:
            headers = self.headers
            super().on_message_begin()
            self.url = url
            for name, value in headers:
                super().on_header(name, value)
            super().on_headers_complete()
            self.cycle.keep_alive = self.cycle.keep_alive and not self.draining
            self._part = "body"

    def on_body(self, body: bytes) -> None:
        if self._deaf:
            return
        self.last_body = self.loop.time()
        if self.relay is None:
            super().on_body(body)
        else:
            self.relay.add(body)

    def on_message_complete(self) -> None:
        if self._deaf or self._part != "body":
            return
        if self.relay is not None:
            self._whole(self.relay)
            return
        self._part = "nothing"
        self.reading_since = 0.0
        super().on_message_complete()

    def _whole(self, cycle: RelayCycle) -> None:
        """A request to relay has been read."""
        if not self._deaf:
            self._part = "nothing"
            self.reading_since = 0.0
            cycle.end()

    # What the connection does

    def pause_writing(self) -> None:
        super().pause_writing()
        if isinstance(self.answering, RelayCycle):
            self.answering.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread_since = 0.0
        if isinstance(self.answering, RelayCycle):
            self.answering.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        self.service.disconnected(self)
        super().connection_lost(exc)
        waiting = [cycle for cycle, _ in self.pipeline]
        self.pipeline.clear()
        for cycle in (self.answering, *waiting):
            if isinstance(cycle, RelayCycle) and not cycle.response_complete:
                cycle.lost()
            elif cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    def shutdown(self) -> None:
        """From now on each answer says that it is the last of its connection.

        Who has not been told may send one request more. A connection that is closed as it arrives loses it, and a
        proxy must not send a POST again.
        """
        self.draining = True
        last: Cycle | None = self.cycle
        if last is not None and not last.response_complete:
            told = not isinstance(last, RelayCycle) and not last.response_started
            last.keep_alive = last.keep_alive and not told
        elif self._part == "nothing":
            self.linger()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.draining and not self.pipeline:
            self.linger()

    def linger(self) -> None:
        """Wait for a request that may be on its way, and close."""
        self.loop.call_later(LAST_CHANCE, self._close_if_idle)

    def _close_if_idle(self) -> None:
        last: Cycle | None = self.cycle
        if self._part == "nothing" and (last is None or last.response_complete):
            self._close()

    def _close(self) -> None:
        self.outgoing.flush()
        self.transport.close()

    def tick(self, now: float) -> None:
        """Once a second: close what stays idle or is not read, refuse what arrives too slowly."""
        if self.flow.write_paused and self._unread_for(now) > WRITE_STALL:
            self.transport.abort()
        if self._deaf or self.transport.is_closing():
            return
        if self.idle_since and now - self.idle_since > self.timeout_keep_alive:
            self._close()
        elif self.reading_since and self.flow.read_paused:
            self.reading_since = self.last_body = now  # it is we who make it wait
        elif self.reading_since and self._too_slow(now):
            self.refuse(408, "the request arrived too slowly")

    def _unread_for(self, now: float) -> float:
        """For how long the client has taken nothing."""
        unread = self.transport.get_write_buffer_size()
        if unread < self._unread or not self._unread_since:
            self._unread_since = now
        self._unread = unread
        return now - self._unread_since

    def refuse(self, status: int, message: str) -> None:
        """The request being read cannot be: say so if it is its turn, and read no more."""
        if self._deaf:
            return
        self._deaf = True
        reading: Cycle | None = self.cycle if self._part == "body" else None
        answering = self.answering
        if answering is not None and answering is not reading and not answering.response_complete:
            self._end_with(answering, reading)
            return
        if reading is not None and not isinstance(reading, RelayCycle):
            reading.disconnected = True
            reading.message_event.set()
            if reading.response_started:
                self._close()
                return
        if not isinstance(reading, RelayCycle):
            reading = RelayCycle(self, UNREAD, keep_alive=False, chunked=True)
        reading.keep_alive = False
        self.answering = reading
        if not self.transport.is_closing():
            self.service.refuse(reading, status, message)

    def close(self) -> None:
        """Close after the last answer; where a request was not read to its end, without losing that answer.

        A reset for unread data would overtake it. What still arrives is dropped.
        """
        if self._part == "nothing" and not self._deaf:
            self._close()
            return
        self._deaf = True
        self.outgoing.flush()
        if not self.transport.is_closing():
            self.transport.write_eof()
            self.loop.call_later(LINGER, self.transport.close)

    def _end_with(self, answering: "Cycle", reading: "Cycle | None") -> None:
        """Let the last request that was read be the last of the connection."""
        if reading is not None and self.pipeline and self.pipeline[0][0] is reading:
            self.pipeline.popleft()
            reading.disconnected = True
        (self.pipeline[0][0] if self.pipeline else answering).keep_alive = False

    def _too_slow(self, now: float) -> bool:
        since = now - self.reading_since
        stalled = now - max(self.last_body, self.reading_since)
        return since > HEADER_TIMEOUT if self._part != "body" else since > BODY_TIMEOUT or stalled > BODY_STALL

    def _relay(self, heading: Heading, *, keep_alive: bool, chunked: bool) -> RelayCycle:
        """Begin a request whose body follows."""
        kind = RelayCycle if heading.method != "HEAD" else HeadCycle
        cycle = kind(self, heading, keep_alive=keep_alive, chunked=chunked)
        self.relay = cycle
        self._part = "body"
        before: Cycle | None = self.cycle
        self.cycle = cycle  # type: ignore[assignment]  # stands in for uvicorn's own
        cycle.expect_continue = self._expects
        self._expects = False
        if before is None or before.response_complete:
            self._start_asgi_task(cycle, None)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, None))
        return cycle

    def _start_asgi_task(self, cycle: "Cycle", app: Any) -> None:
        """uvicorn calls this when it is a request's turn to be answered."""
        self.answering = cycle
        if isinstance(cycle, RelayCycle):
            cycle.take_turn()
        else:
            super()._start_asgi_task(cycle, app)
