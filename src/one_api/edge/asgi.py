"""The same pipeline behind plain ASGI, for requests the protocol class hands over and for other servers."""

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send

from one_api.edge.cycle import MAX_BODY
from one_api.edge.protocol import RelayService
from one_api.relay.client import Headers, Listener
from one_api.relay.heading import Heading

WRITE_AHEAD = 256 * 1024


def target(scope: Scope) -> bytes:
    """Path and query as they were sent."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    return raw + b"?" + query if query else raw


class AsgiExchange:
    """One request and its answer as ASGI messages. Writes are queued; `run` sends them at the server's pace."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, heading: Heading) -> None:
        self._receive = receive
        self._send = send
        self._queue: asyncio.Queue[tuple[dict[str, Any], int] | None] = asyncio.Queue()
        self._waiting = 0
        self._listener: Listener | None = None
        self._paused = False
        client = scope.get("client")
        self.ip = client[0] if client else ""
        self.heading = heading
        self.body: list[bytes] = []
        self.gone = False
        self.started = False
        self._done = False

    async def run(self, service: RelayService) -> None:
        """Read the body, have the service answer it, send the answer."""
        if not await self._read():
            service.refuse(self, 413, f"the body is larger than {MAX_BODY} bytes")
        elif not self.gone:
            task = service.begin(self)
            watcher = asyncio.create_task(self._watch())
            try:
                await self._pump()
                await task
            finally:
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)
            return
        await self._pump()

    # relay.client.Client

    def listen(self, listener: Listener | None) -> None:
        self._listener = listener
        if listener is not None:
            if self.gone:
                listener.abandon()
            elif self._paused:
                listener.pause()

    def respond(self, status: int, headers: Headers, body: bytes) -> None:
        length = (b"content-length", b"%d" % len(body))
        self.start(status, headers if status in (204, 304) else (*headers, length))
        self.finish(body)

    def start(self, status: int, headers: Headers) -> None:
        self.started = True
        kept = [item for item in headers if item[0] != b"connection"]
        self._put({"type": "http.response.start", "status": status, "headers": kept}, 0)

    def write(self, data: bytes) -> None:
        if data:
            self._put({"type": "http.response.body", "body": data, "more_body": True}, len(data))

    def finish(self, data: bytes = b"") -> None:
        if not self._done:
            self._done = True
            self._put({"type": "http.response.body", "body": data, "more_body": False}, len(data))
            self._queue.put_nowait(None)

    def cut(self) -> None:
        """ASGI has no way to break an answer off but to end the application without its last message."""
        self._done = True
        self._queue.put_nowait(None)

    def _put(self, message: dict[str, Any], size: int) -> None:
        self._queue.put_nowait((message, size))
        self._waiting += size
        if self._waiting > WRITE_AHEAD and not self._paused:
            self._paused = True
            if self._listener is not None:
                self._listener.pause()

    async def _pump(self) -> None:
        while (item := await self._queue.get()) is not None:
            message, size = item
            try:
                await self._send(message)
            except OSError:
                self._leave()
            self._waiting -= size
            if self._paused and self._waiting < WRITE_AHEAD // 2:
                self._paused = False
                if self._listener is not None:
                    self._listener.resume()

    async def _read(self) -> bool:
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.gone = True
                return True
            data = message.get("body", b"")
            size += len(data)
            if size > MAX_BODY:
                return False
            if data:
                self.body.append(data)
            if not message.get("more_body"):
                return True

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave()

    def _leave(self) -> None:
        self.gone = True
        if self._listener is not None:
            self._listener.abandon()
        self._queue.put_nowait(None)
