"""An upstream that does byte for byte what a test tells it: any status, any framing, silence, resets, garbage.

A channel's base address is `upstream.at("name")`. A request to it is played by the script of that name, or, where there
is none, waits for the test to take it with `turn()` and to answer it by hand. What arrived is kept in `received`.
"""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.client import responses
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0  # a loaded machine, not an expectation

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Received:
    """One request. `headers` are as they came, names in lower case."""

    name: str
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The only value of a header, "" without one."""
        found = [value for key, value in self.headers if key == name]
        assert len(found) < 2, (name, found)
        return found[0] if found else ""

    def json(self) -> Any:
        return json.loads(self.body)


class Turn:
    """One request, its connection, and what is sent back on it."""

    def __init__(self, request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self.over = asyncio.Event()
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def start(self, status: int = 200, headers: Headers = ()) -> None:
        """The head of an answer in chunks."""
        await self.send(head(status, (*headers, ("transfer-encoding", "chunked"))))

    async def piece(self, data: bytes) -> None:
        """A chunk of it."""
        if data:
            await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def events(self, data: bytes = b"") -> None:
        """The head of a stream of events, and its first piece."""
        await self.start(headers=[("content-type", "text/event-stream")])
        await self.piece(data)

    async def end(self) -> None:
        """The end of an answer in chunks; the connection serves the next request."""
        await self.send(b"0\r\n\r\n")
        self.over.set()

    async def reply(self, status: int, body: bytes, headers: Headers = (("content-type", "application/json"),)) -> None:
        """A whole answer; the connection serves the next request."""
        await self.send(head(status, (*headers, ("content-length", str(len(body))))) + body)
        self.over.set()

    def close(self) -> None:
        """Send no more; the other side reads an end."""
        self._writer.close()
        self.over.set()

    def keep_little(self) -> None:
        """Let the system hold back no more than it must of what is sent."""
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)

    def reset(self) -> None:
        """Break the connection."""
        sock: socket.socket = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        self.over.set()

    async def left(self, within: float = PATIENCE_S) -> None:
        """Returns when the gateway has closed the connection; fails the test if it does not in time."""
        try:
            data = await asyncio.wait_for(self._reader.read(1), within)
        except ConnectionError:
            data = b""
        assert data == b"", "the gateway sent more than its request"
        self.close()


Script = Callable[[Turn], Awaitable[None]]


@dataclass(slots=True)
class Upstream:
    """A server on a free port of 127.0.0.1."""

    port: int = 0
    scripts: dict[str, Script] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    connections: set[asyncio.StreamWriter] = field(default_factory=set)
    _turns: "asyncio.Queue[Turn]" = field(default_factory=asyncio.Queue)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    def at(self, name: str) -> str:
        """The base address of the channel whose script has this name."""
        return f"http://127.0.0.1:{self.port}/{name}"

    async def turn(self) -> Turn:
        """The next request that no script answers."""
        return await asyncio.wait_for(self._turns.get(), PATIENCE_S)

    def reset(self) -> None:
        """Forget scripts and requests of an earlier test."""
        faults, self.faults = self.faults, []
        assert not faults, faults
        self.scripts = {}
        self.received = []
        while not self._turns.empty():
            self._turns.get_nowait().close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections.add(writer)
        try:
            while not writer.is_closing() and (request := await _read(reader)) is not None:
                self.received.append(request)
                turn = Turn(request, reader, writer)
                script = self.scripts.get(request.name)
                if script is None:
                    await self._turns.put(turn)
                else:
                    await script(turn)
                await turn.over.wait()
        except (ConnectionError, asyncio.CancelledError):
            pass
        except BaseException as fault:  # noqa: BLE001  # a script's assertion belongs to the test, not to this task
            self.faults.append(fault)
        finally:
            self.connections.discard(writer)
            self._tasks.discard(task)
            writer.transport.abort()

    async def aclose(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


@asynccontextmanager
async def serve() -> AsyncIterator[Upstream]:
    """An upstream that listens; a script that failed fails the test at the end."""
    upstream = Upstream()
    server = await asyncio.start_server(upstream._connected, "127.0.0.1", 0, limit=2**26)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        await upstream.aclose()
        await server.wait_closed()
    assert not upstream.faults, upstream.faults


async def _read(reader: asyncio.StreamReader) -> Received | None:
    """The next request; None at the end of the connection. Read strictly: the gateway writes one form only."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise AssertionError(f"half a request: {error.partial!r}") from None
        return None
    line, *fields = raw[:-4].decode("latin-1").split("\r\n")
    method, target, version = line.split(" ")
    assert version == "HTTP/1.1", line
    headers = []
    for each in fields:
        name, colon, value = each.partition(": ")
        assert colon, each
        headers.append((name.lower(), value))
    lengths = [value for name, value in headers if name == "content-length"]
    assert len(lengths) < 2, headers
    assert not any(name == "transfer-encoding" for name, _ in headers), headers
    body = await reader.readexactly(int(lengths[0])) if lengths else b""
    return Received(target.split("/")[1], method, target, tuple(headers), body)


def head(status: int, headers: Headers) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {responses.get(status, 'Unheard of')}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join((*lines, "", "")).encode("latin-1")


# --- answers of OpenAI's form -----------------------------------------------------------------------------------------


def chunk(text: str = "", *, finish: str | None = None, usage: object = None) -> bytes:
    """One event of a chat stream."""
    choice = {"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}
    value: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return event({**value, "choices": [choice], **({} if usage is None else {"usage": usage})})


def usage_chunk(usage: object) -> bytes:
    """The event that holds the usage and no choice."""
    return event(
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage}
    )


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def tokens(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def completion(text: str = "hi", *, usage: object = None) -> bytes:
    """A whole chat answer."""
    message = {"role": "assistant", "content": text}
    value: dict[str, Any] = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
    value["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return json.dumps(value if usage is None else {**value, "usage": usage}).encode()


def replies(status: int, body: bytes, headers: Headers = (("content-type", "application/json"),)) -> Script:
    """A script that gives one whole answer."""

    async def script(turn: Turn) -> None:
        await turn.reply(status, body, headers)

    return script


def either(whole: bytes, stream: bytes) -> Script:
    """A script that gives one of the two, as it is asked."""

    async def script(turn: Turn) -> None:
        googles = turn.request.target.endswith(":streamGenerateContent?alt=sse")
        await (streams(stream) if googles or turn.request.json().get("stream") else replies(200, whole))(turn)

    return script


def recorded(folder: Path) -> Script:
    """A script that gives a case of tests/dialects, as it is asked."""
    return either((folder / "answer.in.json").read_bytes(), (folder / "stream.in.sse").read_bytes())


def streams(*pieces: bytes) -> Script:
    """A script that streams these pieces and ends cleanly."""

    async def script(turn: Turn) -> None:
        await turn.events()
        for data in pieces:
            await turn.piece(data)
        await turn.end()

    return script
