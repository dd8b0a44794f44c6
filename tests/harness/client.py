"""A client that sends exactly the bytes a test names: no header of its own besides Host and Content-Length.

Every request has its own connection. An answer that breaks off is returned as far as it came, marked incomplete.
"""

import asyncio
import gzip
from collections.abc import Sequence
from dataclasses import dataclass

PATIENCE_S = 60.0  # a loaded machine, not an expectation
LIMIT = 2**26

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is unframed, its content encoding is as sent; `complete` if the framing says so."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool

    def header(self, name: str) -> str | None:
        """All values of a header, joined as HTTP allows; None without one."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    def content(self) -> bytes:
        """The body as the application meant it."""
        return gzip.decompress(self.body) if self.header("content-encoding") == "gzip" else self.body


class BadAnswer(Exception):
    """What came back is no HTTP/1.1."""


def encode_request(method: str, target: str, headers: Headers, body: bytes, *, host: str) -> bytes:
    """The bytes of a request. Content-Length is written where a body may be expected."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers)]
    if body or method in {"POST", "PUT", "PATCH"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


async def exchange(
    port: int, request: bytes, *, bodiless: bool = False, source_ip: str | None = None, leave_after: int | None = None
) -> Answer:
    """Send a request to 127.0.0.1 and read its answer.

    bodiless: the request was HEAD. leave_after: close the connection once the body has this many bytes.
    """
    async with asyncio.timeout(PATIENCE_S):
        local = None if source_ip is None else (source_ip, 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LIMIT, local_addr=local)
        try:
            writer.write(request)
            await writer.drain()
            return await read_answer(reader, bodiless=bodiless, leave_after=leave_after)
        finally:
            writer.transport.abort()


async def read_answer(reader: asyncio.StreamReader, *, bodiless: bool, leave_after: int | None = None) -> Answer:
    """Read one final answer; interim ones are skipped."""
    status = 100
    headers: tuple[tuple[str, str], ...] = ()
    while 100 <= status < 200:
        try:
            status, headers = parse_head(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError as error:
            raise BadAnswer(f"the connection ended after {error.partial!r}") from None
    if bodiless or status in {204, 304}:
        return Answer(status, headers, b"", complete=True)
    body = bytearray()
    complete = await _read_body(reader, headers, body, leave_after)
    return Answer(status, headers, bytes(body), complete)


def parse_head(raw: bytes) -> tuple[int, tuple[tuple[str, str], ...]]:
    line, *fields = raw[:-4].decode("utf-8", "surrogateescape").split("\r\n")
    version, _, rest = line.partition(" ")
    if version != "HTTP/1.1" or not rest[:3].isdecimal():
        raise BadAnswer(f"not a status line: {line!r}")
    headers = []
    for each in fields:
        name, colon, value = each.partition(":")
        if not colon or name != name.strip():
            raise BadAnswer(f"not a header: {each!r}")
        headers.append((name, value.strip()))
    return int(rest[:3]), tuple(headers)


async def _read_body(
    reader: asyncio.StreamReader, headers: tuple[tuple[str, str], ...], body: bytearray, leave_after: int | None
) -> bool:
    framing = {name.lower(): value for name, value in headers}
    try:
        if framing.get("transfer-encoding", "").lower() == "chunked":
            return await _read_chunks(reader, body, leave_after)
        if "content-length" in framing:
            body += await reader.readexactly(int(framing["content-length"]))
            return True
        while data := await reader.read(2**16):
            body += data
        return True
    except asyncio.IncompleteReadError as error:
        body += error.partial
        return False
    except ConnectionError:
        return False


async def _read_chunks(reader: asyncio.StreamReader, body: bytearray, leave_after: int | None) -> bool:
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        if size:
            body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise BadAnswer("a chunk does not end where it says")
        if not size:
            return True
        if leave_after is not None and len(body) >= leave_after:
            return False
