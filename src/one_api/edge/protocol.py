"""Relay paths taken at uvicorn's protocol class, before any ASGI message exists; other paths are uvicorn's business.

Nothing of ASGI is built until the path is known. For a relay path a `RelayCycle` stands where uvicorn keeps its
RequestResponseCycle (attribute `cycle`), with the names uvicorn reads from it: response_complete, keep_alive,
disconnected, message_event, run_asgi. That leans on names which are no documented API: uvicorn is pinned, and
tests/edge/test_protocol.py checks each behaviour.
"""

import asyncio
from collections import deque
from http import HTTPStatus
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from one_api.relay.client import Headers, Incoming, Listener

MAX_BODY = 32 * 1024 * 1024
MAX_HEADERS = 32 * 1024
MAX_HEADER_COUNT = 128
HEADER_TIMEOUT = 30
BODY_STALL = 30
BODY_TIMEOUT = 600
LINGER = 2

_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


class RelayService(Protocol):
    """What the protocol hands its calls to."""

    def owns(self, method: bytes, url: bytes) -> bool:
        """Whether this request is relayed."""

    def begin(self, request: Incoming) -> "asyncio.Task[None]":
        """Answer a request whose body is complete; the task is the service's to await."""

    def refuse(self, request: Incoming, status: int, message: str) -> None:
        """Answer a request that cannot be read."""

    def connected(self, connection: "RelayProtocol") -> None:
        """A connection to be looked at by the clock: its `tick` is to be called once a second."""

    def disconnected(self, connection: "RelayProtocol") -> None:
        """It is gone."""


class _NoEvent:
    """uvicorn sets its cycle's event when a body arrives; nobody waits for ours."""

    def set(self) -> None:
        return


_NO_EVENT = _NoEvent()


class RelayCycle:
    """One relayed request on one connection: collects it, and is the Client its answer goes to."""

    __slots__ = (
        "_chunked",
        "_head",
        "_listener",
        "_size",
        "_waiting_turn",
        "body",
        "disconnected",
        "expect_continue",
        "headers",
        "keep_alive",
        "method",
        "paused",
        "protocol",
        "response_complete",
        "started",
        "transport",
        "url",
        "whole",
    )
    message_event = _NO_EVENT

    def __init__(self, protocol: "RelayProtocol", method: bytes, *, keep_alive: bool, chunked: bool) -> None:
        self.protocol = protocol
        self.transport = protocol.transport
        self.method = method
        self.url = protocol.url
        self.headers = protocol.headers
        self.keep_alive = keep_alive
        self.body: list[bytes] = []
        self.expect_continue = False
        self.whole = False
        self.response_complete = False
        self.disconnected = False
        self.paused = False
        self.started = False
        self._size = 0
        self._waiting_turn = True
        self._chunked = chunked
        self._head = b""
        self._listener: Listener | None = None

    # The request

    def take_turn(self) -> None:
        """No answer before this one is under way on the connection: ours may go out."""
        self._waiting_turn = False
        if self.whole:
            self._begin()
        elif self.expect_continue:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def run_asgi(self, _app: Any) -> None:
        """uvicorn starts what waited in its pipeline like this."""
        self.take_turn()

    def add(self, data: bytes) -> None:
        if self.response_complete:
            return
        self._size += len(data)
        if self._size > MAX_BODY:
            self.refuse(413, f"the body is larger than {MAX_BODY} bytes")
        else:
            self.body.append(data)

    def end(self) -> None:
        self.whole = True
        if not self._waiting_turn and not self.response_complete:
            self._begin()

    def refuse(self, status: int, message: str) -> None:
        """Answer before the request is read to its end, and close: what follows on the connection has no meaning."""
        self.keep_alive = False
        self.protocol.service.refuse(self, status, message)

    def _begin(self) -> None:
        self.protocol.service.begin(self)

    # The answer (relay.client.Client)

    @property
    def gone(self) -> bool:
        return self.disconnected

    @property
    def ip(self) -> str:
        client = self.protocol.client
        return client[0] if client else ""

    def listen(self, listener: Listener | None) -> None:
        self._listener = listener
        if listener is not None:
            if self.disconnected:
                listener.abandon()
            elif self.paused:
                listener.pause()

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        if self.disconnected or self.response_complete:
            return
        length = b"" if status in (204, 304) else b"content-length: %d\r\n" % len(body)
        self.started = True
        self.transport.write(b"".join((self._head_of(status, headers), length, b"\r\n", body)))
        self._complete()

    def start(self, status: int, headers: Headers) -> None:
        # Held until the first piece, so that both leave in one segment.
        framing = b"transfer-encoding: chunked\r\n\r\n" if self._chunked else b"\r\n"
        if not self._chunked:
            self.keep_alive = False
        self._head = self._head_of(status, headers) + framing
        self.started = True

    def write(self, data: bytes) -> None:
        if self.disconnected or not data:
            return
        if self._chunked:
            self.transport.write(b"%b%x\r\n%b\r\n" % (self._head, len(data), data))
        else:
            self.transport.write(self._head + data)
        self._head = b""

    def finish(self, data: bytes = b"") -> None:
        if self.disconnected or self.response_complete:
            return
        if self._chunked:
            last = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else b"0\r\n\r\n"
            self.transport.write(self._head + last)
        else:
            self.transport.write(self._head + data)
        self._head = b""
        self._complete()

    def cut(self) -> None:
        if self.disconnected or self.response_complete:
            return
        if self._head:
            self.transport.write(self._head)
        self.keep_alive = False
        self._complete()

    # What the connection does

    def pause(self) -> None:
        self.paused = True
        if self._listener is not None:
            self._listener.pause()

    def resume(self) -> None:
        self.paused = False
        if self._listener is not None:
            self._listener.resume()

    def lost(self) -> None:
        self.disconnected = True
        if self._listener is not None:
            self._listener.abandon()

    def _head_of(self, status: int, headers: Headers) -> bytes:
        protocol = self.protocol
        if protocol.draining:
            self.keep_alive = False
        parts = [_STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status]
        for name, value in protocol.server_state.default_headers:
            parts += (name, b": ", value, b"\r\n")
        for name, value in headers:
            parts += (name, b": ", value, b"\r\n")
        if not self.keep_alive:
            parts.append(b"connection: close\r\n")
        return b"".join(parts)

    def _complete(self) -> None:
        self.response_complete = True
        self._listener = None
        protocol = self.protocol
        if not self.keep_alive or protocol.draining:
            protocol.server_state.total_requests += 1
            if self.whole:
                self.transport.close()
            else:
                protocol.linger()
        elif protocol.pipeline:
            protocol.on_response_complete()
        else:
            # No timer per answer: the server's tick closes connections that stay idle.
            protocol.server_state.total_requests += 1
            protocol.idle_since = protocol.loop.time()


class RelayProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with the relay's fast lane."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service: RelayService = self.app_state["relay"]
        self.relay: RelayCycle | None = None
        self.pipeline: deque[Any]
        self.idle_since = 0.0
        self.reading_since = 0.0
        self.last_body = 0.0
        self.draining = False
        self._header_size = 0
        self._refused = False
        self._lingering = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
        super().connection_made(transport)
        self.service.connected(self)

    def data_received(self, data: bytes) -> None:
        if self._lingering:
            return
        if not self.reading_since:
            self.reading_since = self.loop.time()
        self.idle_since = 0.0
        super().data_received(data)

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.relay = None
        self._header_size = 0
        self._refused = False

    def on_url(self, url: bytes) -> None:
        self.url += url
        self._measure(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._measure(len(name) + len(value))
        if not self._refused:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._refused:
            return
        url = self.url
        if not url.startswith(b"/") and url != b"*":
            # An absolute form names a host of the caller's choice; none of ours is reached that way.
            self._refuse(400, b"the request target must be a path")
            return
        method = self.parser.get_method()
        if self.service.owns(method, url) and not self.parser.should_upgrade():
            self._relay(method)
            return
        headers = self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._refused:
            return
        self.last_body = self.loop.time()
        if self.relay is None:
            super().on_body(body)
        else:
            self.relay.add(body)

    def on_message_complete(self) -> None:
        self.reading_since = 0.0
        if self._refused:
            return
        if self.relay is None:
            super().on_message_complete()
        else:
            self.relay.end()

    def pause_writing(self) -> None:
        super().pause_writing()
        cycle = self._relayed()
        if cycle is not None:
            cycle.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        cycle = self._relayed()
        if cycle is not None:
            cycle.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        cycle = self._relayed()
        self.service.disconnected(self)
        super().connection_lost(exc)
        if cycle is not None and not cycle.response_complete:
            cycle.lost()

    def shutdown(self) -> None:
        self.draining = True
        super().shutdown()

    def tick(self, now: float) -> None:
        """Once a second: close what stays idle, refuse what arrives too slowly."""
        if self.transport.is_closing() or self._lingering:
            return
        if self.idle_since and now - self.idle_since > self.timeout_keep_alive:
            self.transport.close()
        elif self.reading_since and self._too_slow(now):
            relay = self.relay
            if relay is not None and not relay.response_complete:
                relay.refuse(408, "the request arrived too slowly")
            else:
                self._refuse(408, b"the request arrived too slowly")

    def _relayed(self) -> RelayCycle | None:
        cycle: object = self.cycle
        return cycle if isinstance(cycle, RelayCycle) else None

    def _too_slow(self, now: float) -> bool:
        if self.relay is None:
            return now - self.reading_since > HEADER_TIMEOUT and now - self.last_body > BODY_STALL
        return now - self.reading_since > BODY_TIMEOUT or now - max(self.last_body, self.reading_since) > BODY_STALL

    def _relay(self, method: bytes) -> None:
        version = self.parser.get_http_version()
        cycle = RelayCycle(
            self,
            method,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            chunked=version != "1.0",
        )
        self.relay = cycle
        before: RequestResponseCycle | RelayCycle | None = self.cycle
        self.cycle = cycle  # type: ignore[assignment]  # stands in for uvicorn's own
        for name, value in self.headers:
            if len(name) == 6 and name.lower() == b"expect" and value.lower() == b"100-continue":
                cycle.expect_continue = True
        if before is None or before.response_complete:
            cycle.take_turn()
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, None))

    def _measure(self, size: int) -> None:
        self._header_size += size
        if not self._refused and (self._header_size > MAX_HEADERS or len(self.headers) >= MAX_HEADER_COUNT):
            self._refuse(431, b"the request headers are too large")

    def _refuse(self, status: int, message: bytes) -> None:
        self._refused = True
        if self.transport.is_closing():
            return
        body = b'{"error":{"message":"%b","type":"invalid_request_error","param":"","code":""}}' % message
        self.transport.write(
            b"%bcontent-type: application/json; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
            % (_STATUS_LINES[status], len(body), body)
        )
        self.linger()

    def linger(self) -> None:
        """Close without losing the answer: a reset for unread data would overtake it. What still arrives is dropped."""
        self._lingering = True
        if not self.transport.is_closing():
            self.transport.write_eof()
            self.loop.call_later(LINGER, self.transport.close)
