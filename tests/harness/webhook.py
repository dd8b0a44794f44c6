"""A small HTTP server that keeps what is posted to it and answers what it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Post:
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Webhook:
    """`answer` is a JSON value, or the exact bytes of a body."""

    answer: Any = field(default_factory=lambda: {"success": True, "message": ""})
    status: str = "200 OK"
    port: int = 0
    posts: list[Post] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.posts.append(Post(line, headers, body))
            content = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
            head = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + content)
            with suppress(ConnectionError):  # a client may have read enough
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def serve() -> AsyncIterator[Webhook]:
    hook = Webhook()
    server = await asyncio.start_server(hook.connected, "127.0.0.1", 0)
    hook.port = server.sockets[0].getsockname()[1]
    try:
        yield hook
    finally:
        server.close()
        await server.wait_closed()
