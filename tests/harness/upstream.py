"""An upstream that answers as it was recorded, in order: the truth of what was asked and what was produced.

Address images of any size as `/img/<width>x<height>.<png|jpg|gif|webp>`; they are neither scripted nor remembered.
A request beyond the script gets status 500 and is remembered like the others.
"""

import asyncio
import base64
import json
import os
import re
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from http.client import responses
from pathlib import Path
from typing import Any, Literal

from tests.harness import upstream_images

IMAGE = re.compile(r"/img/(\d+)x(\d+)\.(\w+)")
LIMIT = 2**26


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One scripted answer. With `pieces` the body is sent in chunks; `gap` and `delay` are seconds.

    end: how it ends. `cut` closes the connection after the pieces, `drop` without any answer.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: tuple[bytes, ...] | None = None
    gap: float = 0
    delay: float = 0
    end: Literal["clean", "cut", "drop"] = "clean"

    @classmethod
    def recorded(cls, raw: Mapping[str, Any]) -> "Reply":
        """From the form of a recorded line: json, text, base64 or sse."""
        kind, body, pieces = "text/plain; charset=utf-8", b"", None
        if "json" in raw:
            kind, body = "application/json", json.dumps(raw["json"], ensure_ascii=False).encode()
        elif "base64" in raw:
            kind, body = "application/octet-stream", base64.b64decode(raw["base64"])
        elif "sse" in raw:
            kind, pieces = "text/event-stream", tuple(piece.encode() for piece in raw["sse"])
        else:
            body = raw.get("text", "").encode()
        return cls(
            status=raw.get("status", 200),
            headers={"Content-Type": kind, **raw.get("headers", {})},
            body=body,
            pieces=pieces,
            gap=raw.get("gap", 0),
            delay=raw.get("delay", 0),
            end="drop" if raw.get("drop") else "cut" if raw.get("abort") else "clean",
        )


UNSCRIPTED = Reply(status=500, headers={"Content-Type": "application/json"}, body=b'{"error":{"message":"unscripted"}}')


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came; header names as they were written."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(slots=True)
class Receipt:
    """What was produced for one request: `sent` are body bytes the socket took, `usage` what the answer claims."""

    number: int
    path: str
    sent: int = 0
    events: int = 0
    usage: Any = None
    ended: bool = False


class Upstream:
    """`script` says what comes next, `taken` what was asked since the last time. Both may be called from any thread."""

    def __init__(self, journal: Path | None = None, *, keep_alive: bool = True) -> None:
        self.port = 0
        self.receipts: list[Receipt] = []
        self._journal = journal
        self._keep_alive = keep_alive
        self._replies: deque[Reply] = deque()
        self._seen: list[Seen] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def script(self, replies: Iterable[Reply]) -> None:
        """Replaces what was left of an earlier script."""
        self._replies = deque(replies)

    @property
    def asked(self) -> int:
        """How many requests `taken` would give."""
        return len(self._seen)

    def taken(self) -> list[Seen]:
        seen, self._seen = self._seen, []
        return seen

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while (seen := await read_request(reader)) is not None:
                if not await self._answer(seen, writer):
                    break
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort() if writer.is_closing() else writer.close()

    async def aclose(self) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        """True if the connection may serve another request."""
        image = IMAGE.fullmatch(seen.path)
        if image is not None and image[3] in upstream_images.KINDS:
            kind, make = upstream_images.KINDS[image[3]]
            await self._whole(
                writer, Reply(headers={"Content-Type": kind}, body=make(int(image[1]), int(image[2]))), seen
            )
            return True
        reply = self._replies.popleft() if self._replies else UNSCRIPTED
        receipt = Receipt(len(self.receipts) + 1, seen.path)
        self.receipts.append(receipt)
        self._seen.append(seen)
        try:
            await asyncio.sleep(reply.delay)  # as it was recorded
            if reply.end == "drop":
                return False
            if reply.pieces is None:
                receipt.sent, receipt.usage = await self._whole(writer, reply, seen), claimed(reply.body)
            else:
                await self._pieces(writer, reply, reply.pieces, receipt)
            receipt.ended = reply.end == "clean"
            return receipt.ended and self._keep_alive
        finally:
            self._write_down(receipt)

    async def _whole(self, writer: asyncio.StreamWriter, reply: Reply, seen: Seen) -> int:
        bodiless = reply.status in {204, 304}
        length = {} if bodiless else {"Content-Length": str(len(reply.body))}
        body = b"" if bodiless or seen.method == "HEAD" else reply.body
        writer.write(head(reply.status, {**reply.headers, **length, **self._lasting()}) + body)
        await writer.drain()
        return len(body)

    async def _pieces(
        self, writer: asyncio.StreamWriter, reply: Reply, pieces: tuple[bytes, ...], receipt: Receipt
    ) -> None:
        writer.write(head(reply.status, {**reply.headers, "Transfer-Encoding": "chunked", **self._lasting()}))
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(reply.gap)
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            receipt.sent += len(piece)
            receipt.events += piece.count(b"\n\n")
            receipt.usage = claimed(piece.removeprefix(b"data:")) or receipt.usage
        if reply.end == "clean":
            writer.write(b"0\r\n\r\n")
            await writer.drain()

    def _lasting(self) -> dict[str, str]:
        return {} if self._keep_alive else {"Connection": "close"}

    def _write_down(self, receipt: Receipt) -> None:
        if self._journal is None:
            return
        with self._journal.open("a", encoding="utf-8") as out:
            out.write(json.dumps(asdict(receipt)) + "\n")
            out.flush()
            os.fsync(out.fileno())


@asynccontextmanager
async def serve(journal: Path | None = None, *, keep_alive: bool = True) -> AsyncIterator[Upstream]:
    """An upstream on a free port of 127.0.0.1, in the running loop. Receipts go to `journal` too, fsync'd.

    Without keep_alive every request has a connection of its own, so that none is tried again on a fresh one.
    """
    upstream = Upstream(journal, keep_alive=keep_alive)
    server = await asyncio.start_server(upstream.connected, "127.0.0.1", 0, limit=LIMIT)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        await upstream.aclose()
        await server.wait_closed()


@contextmanager
def serve_in_thread(journal: Path | None = None) -> Iterator[Upstream]:
    """The same in a loop of its own, for tests that have none."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    stop: list[asyncio.Event] = []
    found: list[Upstream] = []

    async def run() -> None:
        async with serve(journal) as upstream:
            stop.append(asyncio.Event())
            found.append(upstream)
            started.set()
            await stop[0].wait()

    def body() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=body, name="upstream")
    thread.start()
    assert started.wait(10), "the upstream did not start"
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop[0].set)
        thread.join()


async def read_request(reader: asyncio.StreamReader) -> Seen | None:
    """The next request of a connection; None when it was closed between two."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    line, *fields = raw[:-4].decode("latin-1").split("\r\n")
    method, target, _ = line.split(" ")
    headers = tuple((name, value.strip()) for name, _, value in (each.partition(":") for each in fields))
    framing = {name.lower(): value for name, value in headers}
    if framing.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(framing.get("content-length", "0")))
    path, _, query = target.partition("?")
    return Seen(method, path, query, headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return bytes(body)


def head(status: int, headers: Mapping[str, str]) -> bytes:
    fields = {"Server": "mock", **headers}
    lines = [
        f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}",
        *(f"{name}: {value}" for name, value in fields.items()),
    ]
    return "\r\n".join((*lines, "", "")).encode("latin-1")


def claimed(data: bytes) -> Any:
    """The usage an answer, or an event of it, reports; None without one."""
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value.get("usage") if isinstance(value, dict) else None
