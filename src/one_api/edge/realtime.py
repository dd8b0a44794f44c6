"""WebSockets of callers: from a handshake to a session in the relay, and from any failure to an answer they can read.

A refusal before the session is an HTTP answer with OpenAI's error, later ones are events. The key is in a header, or,
for pages, which can set none, in a subprotocol: https://platform.openai.com/docs/guides/realtime-websocket.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

from one_api.accounts import rules
from one_api.accounts.rules import Credentials
from one_api.dialects import openai_errors, realtime
from one_api.errors import BadRequest, OneAPIError
from one_api.lib.ids import RequestIds, callers_id
from one_api.providers import REALTIME_PATH, Mode
from one_api.relay.calls import Call
from one_api.relay.heading import TWO_KEYS, Heading
from one_api.relay.health import in_a_word
from one_api.relay.realtime import BROKEN, Socket
from one_api.relay.record import NAMES, Record

PROTOCOL: Final = "realtime"
SWITCHED: Final = 101
_KEY: Final = "openai-insecure-api-key."

log = structlog.get_logger(__name__)

Run = Callable[[Call, Socket], Awaitable[None]]


class Sessions:
    """The ASGI application of `/v1/realtime`."""

    def __init__(
        self,
        run: Run,
        *,
        ids: RequestIds,
        client_ip: Callable[[str, Mapping[bytes, bytes]], str],
        told: Callable[[OneAPIError], None] | None = None,
        over: Callable[[Record], None] | None = None,
    ) -> None:
        self._run = run
        self._ids = ids
        self._client_ip = client_ip
        self._told = told
        self._over = over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = asyncio.get_running_loop().time()
        headers = {name.lower(): value for name, value in scope["headers"]}
        peer = scope["client"][0] if scope.get("client") else ""
        record = Record(
            request_id=self._ids.next(),
            caller_request_id=callers_id(headers.get(b"x-request-id")),
            mode=NAMES[Mode.REALTIME],
            ip=self._client_ip(peer, headers),
        )
        socket = AsgiSocket(scope, receive, send, record)
        try:
            await self._run(_call(scope, headers, record, started), socket)
        except OneAPIError as error:
            await self._fail(socket, error)
        except asyncio.CancelledError:  # we are shutting down
            record.cause = "cut"
            if record.status != SWITCHED:
                record.status = 503
            raise
        except Exception:
            log.exception("a session failed", request_id=record.request_id)
            await self._fail(socket, OneAPIError("internal error", code="internal_error"))
        finally:
            if self._over is not None:
                record.ms = int((asyncio.get_running_loop().time() - started) * 1000)
                self._over(record)

    async def _fail(self, socket: "AsgiSocket", error: OneAPIError) -> None:
        if self._told is not None:
            self._told(error)
        await socket.fail(error)


def _call(scope: Scope, headers: Mapping[bytes, bytes], record: Record, started: float) -> Call:
    heading = Heading(
        mode=Mode.REALTIME,
        method="GET",
        path=REALTIME_PATH,
        engine=_model(scope["query_string"]),
        headers=headers,
        credentials=_credentials(headers, scope["subprotocols"]),
        caller_id=record.caller_request_id,
    )
    return Call(
        id=record.request_id,
        mode=Mode.REALTIME,
        heading=heading,
        body=b"",
        ip=record.ip,
        started=started,
        record=record,
    )


def _model(query: bytes) -> str:
    """Raises BadRequest for two."""
    asked = parse_qs(query.decode("latin-1"), encoding="utf-8")
    named = {name for key in ("model", "deployment") for name in asked.get(key, ())}
    if len(named) > 1:
        raise BadRequest("the query names two different models")
    return next(iter(named), "")


def _credentials(headers: Mapping[bytes, bytes], subprotocols: list[str]) -> Credentials | None:
    """Raises BadRequest for two different keys."""
    given = [headers.get(name, b"").decode("latin-1") for name in (b"authorization", b"api-key")]
    given += [each.removeprefix(_KEY) for each in subprotocols if each.startswith(_KEY)]
    found = [each for text in given if (each := rules.read_key(text.strip())) is not None]
    if len(set(found)) > 1:
        raise BadRequest(TWO_KEYS)
    return found[0] if found else None


class AsgiSocket:
    """A caller's WebSocket as ASGI messages."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, record: Record) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._record = record
        self._open = False
        self._gone = False

    async def accept(self) -> None:
        chosen = PROTOCOL if PROTOCOL in self._scope["subprotocols"] else None
        self._open = True
        self._record.status = SWITCHED
        await self._put({"type": "websocket.accept", "subprotocol": chosen, "headers": self._named()})

    async def receive(self) -> str | bytes | None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._gone = True
                return None
            if message["type"] == "websocket.receive":
                text: str | None = message.get("text")
                return message["bytes"] if text is None else text

    async def send(self, message: str) -> None:
        await self._put({"type": "websocket.send", "text": message})

    async def close(self, code: int, reason: str) -> None:
        await self._put({"type": "websocket.close", "code": code, "reason": reason})
        self._gone = True

    async def fail(self, error: OneAPIError) -> None:
        """Say what went wrong, and end it. Raises ClientDisconnected where that is before the session."""
        self._record.cause = in_a_word(error)
        if self._open:
            await self.send(realtime.encode_error(error, self._record.request_id))
            await self.close(BROKEN, "")
            return
        self._record.status = error.status
        headers = [(b"content-type", b"application/json; charset=utf-8"), *self._named()]
        body = openai_errors.encode_error(error, self._record.request_id)
        await self._put({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
        await self._put({"type": "websocket.http.response.body", "body": body})
        raise ClientDisconnected  # else uvicorn takes the handshake for one that was forgotten, and logs an error

    def _named(self) -> list[tuple[bytes, bytes]]:
        own, theirs = self._record.request_id.encode(), self._record.caller_request_id.encode()
        return [(b"x-oneapi-request-id", own), *([(b"x-request-id", theirs)] if theirs else [])]

    async def _put(self, message: dict[str, Any]) -> None:
        if self._gone:
            return
        try:
            await self._send(message)
        except OSError:
            self._gone = True
