"""One relayed request on one connection: collects it, and is the Client its answer goes to.

It stands where uvicorn keeps its RequestResponseCycle (attribute `cycle` of the protocol), with the names uvicorn reads
from it: response_complete, keep_alive, disconnected, message_event.
"""

import asyncio
from collections.abc import Sized
from http import HTTPStatus
from itertools import chain
from typing import Final, Protocol

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

from one_api.relay.client import Headers, Incoming, Listener
from one_api.relay.heading import Heading
from one_api.relay.outgoing import Outgoing

_LINE: Final = b": ".join  # of a name and its value
_LINES: Final = b"\r\n".join
MAX_BODY = 32 * 1024 * 1024
LARGE: Final = 8 * 1024  # many pieces of that size may come in one turn, from a source that is to pause between them
STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}".encode() for status in HTTPStatus}


class Service(Protocol):
    """Who answers a request that has been read."""

    def begin(self, request: Incoming) -> object: ...


class Connection(Protocol):
    """The connection a request came on: uvicorn's names, and ours for what it lacks."""

    transport: asyncio.Transport
    flow: FlowControl
    loop: asyncio.AbstractEventLoop
    server_state: ServerState
    client: tuple[str, int] | None
    idle_since: float
    draining: bool
    outgoing: Outgoing

    @property
    def service(self) -> Service: ...
    @property
    def pipeline(self) -> Sized: ...
    def on_response_complete(self) -> None: ...
    def refuse(self, status: int, message: str) -> None: ...
    def close(self) -> None: ...
    def linger(self) -> None: ...


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
        "heading",
        "keep_alive",
        "paused",
        "protocol",
        "response_complete",
        "started",
        "transport",
        "whole",
    )
    message_event = _NO_EVENT

    def __init__(self, protocol: Connection, heading: Heading, *, keep_alive: bool, chunked: bool) -> None:
        self.protocol = protocol
        self.transport = protocol.transport
        self.heading = heading
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
        self.paused = self.protocol.flow.write_paused
        if self.whole:
            self.protocol.service.begin(self)
        elif self.expect_continue:
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def add(self, data: bytes) -> None:
        if self.response_complete:
            return
        self._size += len(data)
        if self._size > MAX_BODY:
            self.protocol.refuse(413, f"the body is larger than {MAX_BODY} bytes")
        else:
            self.body.append(data)

    def end(self) -> None:
        self.whole = True
        if not self._waiting_turn and not self.response_complete:
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
        lines = self._head_of(status, headers)
        if status not in (204, 304):
            lines.append(b"content-length: %d" % len(body))
        self.started = True
        self._write(_LINES((*lines, b"", body)))
        self._complete()

    def start(self, status: int, headers: Headers) -> None:
        # Held until the first piece, so that both leave in one segment.
        if not self._chunked:
            self.keep_alive = False
        lines = self._head_of(status, headers)
        if self._chunked:
            lines.append(b"transfer-encoding: chunked")
        self._head = _LINES((*lines, b"", b""))
        self.started = True

    def write(self, data: bytes) -> None:
        if self.disconnected or not data:
            return
        data = b"%b%x\r\n%b\r\n" % (self._head, len(data), data) if self._chunked else self._head + data
        self._head = b""
        if len(data) < LARGE:
            self._write(data)
        else:
            self.protocol.outgoing.send(self.transport, data)

    def finish(self, data: bytes = b"") -> None:
        if self.disconnected or self.response_complete:
            return
        if self._chunked:
            last = b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else b"0\r\n\r\n"
            self._write(self._head + last)
        else:
            self._write(self._head + data)
        self._head = b""
        self._complete()

    def cut(self) -> None:
        if self.disconnected or self.response_complete:
            return
        if self._head:
            self._write(self._head)
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
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.abandon()

    def _write(self, data: bytes) -> None:
        self.protocol.outgoing.write(self.transport, data)

    def _head_of(self, status: int, headers: Headers) -> list[bytes]:
        """Its lines but for the one that says where the body ends."""
        protocol = self.protocol
        if protocol.draining:
            self.keep_alive = False
        first = STATUS_LINES.get(status) or b"HTTP/1.1 %d " % status
        lines = [first, *map(_LINE, chain(protocol.server_state.default_headers, headers))]
        if not self.keep_alive:
            lines.append(b"connection: close")
        return lines

    def _complete(self) -> None:
        self.response_complete = True
        self._listener = None
        protocol = self.protocol
        if not self.keep_alive:
            protocol.server_state.total_requests += 1
            protocol.close()
        elif protocol.pipeline:
            protocol.on_response_complete()
        else:
            # No timer per answer: the server's tick closes connections that stay idle.
            protocol.server_state.total_requests += 1
            protocol.idle_since = protocol.loop.time()
            if protocol.draining:
                protocol.linger()


class HeadCycle(RelayCycle):
    """The answer to a HEAD request: the head of another's, without a body whatever it says of one."""

    __slots__ = ()

    def respond(self, status: int, headers: Headers, body: bytes) -> None:  # noqa: ARG002  # the base class has it
        self.start(status, headers)
        self.finish()

    def write(self, data: bytes) -> None:
        """Nothing: the head waits for the end."""

    def finish(self, data: bytes = b"") -> None:  # noqa: ARG002  # as above
        if self.disconnected or self.response_complete:
            return
        self._write(self._head)
        self._head = b""
        self._complete()
