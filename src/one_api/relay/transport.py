"""TEMPORARY stand-in until the real transport lands."""

import asyncio
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit

import httptools


@dataclass(frozen=True, slots=True)
class Origin:
    secure: bool
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> "tuple[Origin, str]":
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("not an http address")
        secure = parts.scheme == "https"
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return cls(secure, parts.hostname, parts.port or (443 if secure else 80)), path


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    origin: Origin
    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Head:
    status: int
    headers: tuple[tuple[bytes, bytes], ...]

    def get(self, name: bytes) -> bytes | None:
        return next((v for k, v in self.headers if k == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    connect: float = 10
    first_byte: float = 600
    idle: float = 300
    total: float = 3600


class TransportError(Exception):
    def __init__(self, kind: Literal["connect", "tls", "timeout", "protocol", "closed", "too_large"], *, sent: bool) -> None:
        super().__init__(kind)
        self.kind = kind
        self.sent = sent


class Sink(Protocol):
    def on_head(self, head: Head) -> None: ...
    def on_data(self, data: bytes) -> None: ...
    def on_end(self) -> None: ...
    def on_fail(self, error: TransportError) -> None: ...


class Exchange(Protocol):
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def abort(self) -> None: ...


class Transport(Protocol):
    def send(self, request: HttpRequest, sink: Sink, timeouts: Timeouts) -> Exchange: ...
    async def aclose(self) -> None: ...


class _Conn(asyncio.Protocol):
    def __init__(self, owner: "DirectTransport", origin: Origin) -> None:
        self.owner, self.origin = owner, origin
        self.tr = None
        self.sink = None

    def connection_made(self, tr) -> None:
        self.tr = tr

    def start(self, request, sink) -> None:
        self.sink = sink
        self.parser = httptools.HttpResponseParser(self)
        self.hs = []
        head = [b"%b %b HTTP/1.1\r\nhost: %b:%d\r\ncontent-length: %d\r\n" % (request.method.encode(), request.target, request.origin.host.encode(), request.origin.port, len(request.body))]
        for k, v in request.headers:
            head.append(k + b": " + v + b"\r\n")
        self.tr.write(b"".join(head) + b"\r\n" + request.body)

    def data_received(self, data) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.fail("protocol")

    def on_header(self, k, v) -> None:
        self.hs.append((k.lower(), v))

    def on_headers_complete(self) -> None:
        self.sink.on_head(Head(self.parser.get_status_code(), tuple(self.hs)))

    def on_body(self, b) -> None:
        if self.sink:
            self.sink.on_data(b)

    def on_message_complete(self) -> None:
        s, self.sink = self.sink, None
        keep = self.parser.should_keep_alive()
        if s:
            s.on_end()
        if keep:
            self.owner.free.setdefault(self.origin, []).append(self)
        else:
            self.tr.close()

    def fail(self, kind) -> None:
        s, self.sink = self.sink, None
        self.tr.abort()
        if s:
            s.on_fail(TransportError(kind, sent=True))

    def connection_lost(self, exc) -> None:
        free = self.owner.free.get(self.origin, [])
        if self in free:
            free.remove(self)
        if self.sink:
            self.fail("closed")

    def pause(self) -> None:
        self.tr.pause_reading()

    def resume(self) -> None:
        self.tr.resume_reading()

    def abort(self) -> None:
        self.sink = None
        if self.tr:
            self.tr.abort()


class DirectTransport:
    def __init__(self) -> None:
        self.free = {}

    def send(self, request, sink, timeouts):
        free = self.free.get(request.origin)
        if free:
            c = free.pop()
            c.start(request, sink)
            return c
        c = _Conn(self, request.origin)

        async def go() -> None:
            try:
                await asyncio.get_running_loop().create_connection(lambda: c, request.origin.host, request.origin.port)
            except OSError:
                sink.on_fail(TransportError("connect", sent=False))
                return
            c.start(request, sink)

        c.task = asyncio.create_task(go())
        return c

    async def aclose(self) -> None: ...
