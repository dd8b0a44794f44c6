"""A scripted peer on a real socket, and a sink that remembers what it was told."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from one_api.relay.transport import Head, Headers, HttpRequest, Origin, TransportError

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Peer:
    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    secure: bool = False
    host: str = "127.0.0.1"

    def request(
        self, *, method: str = "POST", target: bytes = b"/x", headers: Headers = (), body: bytes = b"{}"
    ) -> HttpRequest:
        origin = Origin(self.secure, self.host, self.port)
        return HttpRequest(origin=origin, method=method, target=target, headers=headers, body=body)


@asynccontextmanager
async def peer(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """`script` gets each connection; whatever it raises for a lost connection is its end."""
    made = Peer(0, secure=tls is not None)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.connections += 1
        task = asyncio.current_task()
        if task is not None:
            tasks.add(task)
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """One request: its head and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length: "):
            return head + await reader.readexactly(int(line[16:]))
    return head


def answering(*answers: bytes, close: bool = False) -> Script:
    """Each request on a connection gets the next of these bytes; then the connection stays open, or not."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await read_request(reader)
            writer.write(answer)
            await writer.drain()
        if not close:
            await reader.read()

    return script


class Told:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.pieces: list[bytes] = []
        self.error: TransportError | None = None
        self.calls: list[str] = []
        self.done = asyncio.Event()

    def on_head(self, head: Head) -> None:
        self.calls.append("head")
        self.head = head

    def on_data(self, data: bytes) -> None:
        self.calls.append("data")
        self.pieces.append(data)

    def on_end(self) -> None:
        self.calls.append("end")
        self.done.set()

    def on_fail(self, error: TransportError) -> None:
        self.calls.append("fail")
        self.error = error
        self.done.set()

    async def end(self) -> str:
        """How it ended: "ok" or the kind of the failure."""
        await asyncio.wait_for(self.done.wait(), 60)
        return "ok" if self.error is None else self.error.kind

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def status(self) -> int:
        return 0 if self.head is None else self.head.status
