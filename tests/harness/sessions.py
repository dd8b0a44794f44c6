"""An upstream of WebSockets that does what a test's script says, on a free port of 127.0.0.1."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

Script = Callable[["Turn"], Awaitable[None]]


class Turn:
    """One session."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    async def send(self, kind: str, **fields: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, "event_id": "e", **fields}))

    async def hear(self) -> Any:
        return json.loads(await self.connection.recv())


@dataclass
class Sessions:
    port: int = 0
    scripts: dict[str, Script] = field(default_factory=dict)
    refusals: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    opened: list[Request] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)

    def at(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def reset(self) -> None:
        self.scripts, self.refusals, self.opened, self.closed = {}, {}, [], []

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.opened.append(request)
        refusal = self.refusals.get(request.path.split("/")[1])
        if refusal is None:
            return None
        response = connection.respond(HTTPStatus(refusal[0]), refusal[1].decode())
        response.headers["content-type"] = "application/json"
        return response

    async def _talk(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        try:
            await self.scripts[connection.request.path.split("/")[1]](Turn(connection))
        except ConnectionClosed:
            pass
        finally:
            await connection.close()
            self.closed.append(connection.close_code or 0)


@asynccontextmanager
async def sessions() -> AsyncIterator[Sessions]:
    found = Sessions()
    server = await serve(found._talk, "127.0.0.1", 0, process_request=found._admit, compression=None)
    found.port = next(iter(server.sockets)).getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()
