"""From a request on the wire to a call in the pipeline, and from any failure to an answer in OpenAI's shape."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import unquote

import structlog

from one_api.dialects import openai_errors
from one_api.edge.protocol import RelayProtocol
from one_api.errors import BadRequest, OneAPIError, TooLarge
from one_api.lib.ids import RequestIds
from one_api.relay.calls import PROXY, Call, mode_of
from one_api.relay.client import Client, Incoming
from one_api.relay.inflow import ClientGone

MAX_INFLATED = 32 * 1024 * 1024
MAX_RATIO = 100
RATIO_FLOOR = 64 * 1024  # below this a high ratio is harmless

_CORS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-credentials", b"true"),
)
_JSON = (b"content-type", b"application/json; charset=utf-8")

log = structlog.get_logger(__name__)


class BadGzip(Exception):
    """A body that is not the gzip stream its header says; One API answers with the bare status."""


class RelayService:
    """Takes relay requests, runs the pipeline on each, and owns the tasks until they are done."""

    def __init__(
        self,
        pipeline: Callable[[Call, Client], Awaitable[None]],
        *,
        ids: RequestIds,
        client_ip: Callable[[str, Mapping[bytes, bytes]], str],
    ) -> None:
        self._pipeline = pipeline
        self._ids = ids
        self._client_ip = client_ip
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[RelayProtocol] = set()
        self._loop = asyncio.get_running_loop()

    def owns(self, method: bytes, url: bytes) -> bool:
        if not url.startswith(b"/v1/"):
            return False
        path = url.partition(b"?")[0].decode("latin-1")
        if path.startswith(PROXY):
            return method != b"OPTIONS"
        return method == b"POST" and mode_of(path.rstrip("/")) is not None

    def begin(self, request: Incoming) -> "asyncio.Task[None]":
        task = self._loop.create_task(self._serve(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def refuse(self, request: Incoming, status: int, message: str) -> None:
        error = TooLarge(message) if status == 413 else BadRequest(message, status=status, code="invalid_request")
        self._answer(request, error, self._ids.next(), b"*")

    def connected(self, connection: RelayProtocol) -> None:
        self._connections.add(connection)

    def disconnected(self, connection: RelayProtocol) -> None:
        self._connections.discard(connection)

    async def tick(self) -> None:
        """One sweep over all connections instead of a timer for each; to be called once a second."""
        now = self._loop.time()
        for connection in tuple(self._connections):
            connection.tick(now)

    async def drain(self, patience_s: float) -> None:
        """Wait for calls under way; what is left after that long is cancelled, settled and waited for."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience_s)
        left = set(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    async def _serve(self, request: Incoming) -> None:
        request_id = self._ids.next()
        headers = {name.lower(): value for name, value in request.headers}
        try:
            if len(headers) < len(request.headers):
                refuse_twins(request.headers)
            call = self._call(request, request_id, headers)
            await self._pipeline(call, request)
        except ClientGone:
            return
        except BadGzip:
            request.respond(400, self._headers(request_id, headers.get(b"origin")), b"")
        except OneAPIError as error:
            self._fail(request, error, request_id, headers.get(b"origin"))
        except asyncio.CancelledError:
            self._fail(
                request, OneAPIError("the server is shutting down", status=503), request_id, headers.get(b"origin")
            )
            raise
        except Exception:
            log.exception("relay failed", request_id=request_id)
            self._fail(
                request, OneAPIError("internal error", code="internal_error"), request_id, headers.get(b"origin")
            )

    def _call(self, request: Incoming, request_id: str, headers: dict[bytes, bytes]) -> Call:
        target, _, query = request.url.decode("latin-1").partition("?")
        path = unquote(target) if "%" in target else target
        if not path.startswith(PROXY):
            path = path.rstrip("/")
        found = mode_of(path)
        if found is None:
            raise BadRequest(f"Invalid URL ({request.method.decode('latin-1')} {target})", status=404)
        body = request.body[0] if len(request.body) == 1 else b"".join(request.body)
        request.body = []
        encoding = headers.get(b"content-encoding")
        if encoding is not None and encoding.strip().lower() == b"gzip":
            body = inflate(body)
        return Call(
            id=request_id,
            mode=found[0],
            method=request.method.decode("latin-1"),
            path=target,
            query=query,
            headers=headers,
            body=body,
            ip=self._client_ip(request.ip, headers),
            started=self._loop.time(),
            engine=found[1],
        )

    def _fail(self, request: Incoming, error: OneAPIError, request_id: str, origin: bytes | None) -> None:
        if not request.started:
            self._answer(request, error, request_id, origin)
        else:
            request.cut()

    def _answer(self, request: Incoming, error: OneAPIError, request_id: str, origin: bytes | None) -> None:
        body = b"" if error.status in (204, 304) else openai_errors.encode_error(error, request_id)
        request.respond(error.status, (*self._headers(request_id, origin), _JSON), body)

    def _headers(self, request_id: str, origin: bytes | None) -> tuple[tuple[bytes, bytes], ...]:
        return answer_headers(request_id, origin)


def answer_headers(request_id: str, origin: bytes | None) -> tuple[tuple[bytes, bytes], ...]:
    """What every relay answer carries: the request id, and leave for any page to read it where a page asks."""
    name = (b"x-oneapi-request-id", request_id.encode())
    return (name,) if origin is None else (name, *_CORS)


_SINGLE = frozenset((b"authorization", b"content-type", b"content-encoding", b"host"))


def refuse_twins(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Two of these have two readings: who looked at the request before may have taken the other. Raises BadRequest."""
    seen = set()
    for name in (name.lower() for name, _ in headers):
        if name in _SINGLE and name in seen:
            raise BadRequest(f"the header {name.decode('latin-1')!r} is given twice")
        seen.add(name)


def inflate(body: bytes) -> bytes:
    """A gzip body, within a bound on size and on ratio. Raises BadGzip and TooLarge."""
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    limit = min(MAX_INFLATED, max(len(body) * MAX_RATIO, RATIO_FLOOR))
    try:
        inflated = reader.decompress(body, limit + 1)
    except zlib.error:
        raise BadGzip from None
    if len(inflated) > limit:
        raise TooLarge("the body is too large after inflating it")
    if not reader.eof or reader.unused_data:
        raise BadGzip
    return inflated
