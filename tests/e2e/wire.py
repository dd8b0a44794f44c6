"""A client of raw bytes: sends what no library would, and reads answers strictly."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

PATIENCE_S = 60.0  # a loaded machine, not an expectation


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. `complete`: its framing was ended as it should be."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json()["error"]
        return found

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == "close"


class Wire:
    """One connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def flood(self, *pieces: bytes) -> None:
        """Send until all is out or the other side no longer takes it."""
        try:
            for data in pieces:
                self._writer.write(data)
                await self._writer.drain()
        except ConnectionError:
            pass

    async def head(self) -> tuple[int, dict[str, str]]:
        raw = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        line, *fields = raw[:-4].decode("latin-1").split("\r\n")
        version, status, _phrase = line.split(" ", 2)
        assert version == "HTTP/1.1", line
        pairs = [each.split(": ", 1) for each in fields]
        names = [name.lower() for name, _ in pairs]
        assert len(set(names)) == len(names), names
        return int(status), {name.lower(): value for name, value in pairs}

    async def reply(self) -> Reply:
        """The next answer, interim ones skipped."""
        status, headers = await self.head()
        while status == 100:
            status, headers = await self.head()
        if "content-length" in headers:
            assert "transfer-encoding" not in headers
            return Reply(status, headers, await self.exactly(int(headers["content-length"])))
        if headers.get("transfer-encoding") == "chunked":
            return Reply(status, headers, *await self._chunks())
        if status in (204, 304):
            return Reply(status, headers, b"")
        return Reply(status, headers, await asyncio.wait_for(self._reader.read(), PATIENCE_S))

    async def exactly(self, size: int) -> bytes:
        return await asyncio.wait_for(self._reader.readexactly(size), PATIENCE_S)

    async def chunk(self) -> bytes:
        """One chunk of an answer in chunks, b"" for the last."""
        line = await asyncio.wait_for(self._reader.readuntil(b"\r\n"), PATIENCE_S)
        data = await self.exactly(int(line, 16) + 2)
        assert data.endswith(b"\r\n"), data
        return data[:-2]

    async def content(self, size: int) -> bytes:
        """Chunks of an answer until they hold so many bytes, which they must reach exactly."""
        found = b""
        while len(found) < size:
            found += await self.chunk()
        assert len(found) == size, found
        return found

    async def until(self, mark: bytes) -> bytes:
        """Chunks of an answer until they hold `mark`."""
        found = b""
        while mark not in found:
            data = await self.chunk()
            assert data, (mark, found)
            found += data
        return found

    async def rest(self) -> tuple[bytes, bool]:
        """What is left of an answer in chunks, and whether its framing was ended as it should be."""
        return await self._chunks()

    async def closed(self, within: float = PATIENCE_S) -> bool:
        """Whether nothing more comes and the connection ends."""
        try:
            return await asyncio.wait_for(self._reader.read(1), within) == b""
        except ConnectionError:
            return True

    def leave(self) -> None:
        """Break the connection off, as a client that is killed."""
        self._writer.transport.abort()

    async def _chunks(self) -> tuple[bytes, bool]:
        body = b""
        try:
            while data := await self.chunk():
                body += data
        except (asyncio.IncompleteReadError, ConnectionError):
            return body, False
        return body, True


@asynccontextmanager
async def connect(port: int) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**26)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


def request(
    path: str,
    body: bytes = b"",
    *,
    key: str = "",
    method: str = "POST",
    kind: str = "application/json",
    extra: str = "",
) -> bytes:
    """A well-formed request; `extra` are more header lines, each with its end."""
    lines = f"{method} {path} HTTP/1.1\r\nhost: gateway\r\n"
    if key:
        lines += f"authorization: Bearer {key}\r\n"
    if kind:
        lines += f"content-type: {kind}\r\n"
    return f"{lines}content-length: {len(body)}\r\n{extra}\r\n".encode("latin-1") + body


def chat(key: str, *, extra: str = "", **fields: object) -> bytes:
    """A chat request; `fields` are laid over a short one."""
    value = {"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "hello"}], **fields}
    return request("/v1/chat/completions", json.dumps(value).encode(), key=key, extra=extra)
