"""From a request on the wire to a call in the pipeline, and from any failure to an answer in the caller's dialect."""

import asyncio
import math
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from one_api.edge.protocol import RelayProtocol
from one_api.errors import BadRequest, OneAPIError, TooLarge, UpstreamError
from one_api.lib.ids import RequestIds
from one_api.limits import RateLimited
from one_api.relay.answers import own_headers
from one_api.relay.calls import Call
from one_api.relay.client import Client, Incoming
from one_api.relay.heading import Heading, read_head
from one_api.relay.health import in_a_word
from one_api.relay.inflow import ClientGone
from one_api.relay.outgoing import Outgoing
from one_api.relay.record import NAMES, Record
from one_api.relay.spoken import spoken

MAX_INFLATED = 32 * 1024 * 1024
MAX_RATIO = 100
RATIO_FLOOR = 64 * 1024  # below this a high ratio is harmless

LEFT = 499  # as nginx has it
_JSON = (b"content-type", b"application/json; charset=utf-8")

log = structlog.get_logger(__name__)


class BadGzip(Exception):
    """A body that is not the gzip stream its header says; One API answers with the bare status."""


class RelayService:
    """Takes relay requests, runs the pipeline on each, and owns the tasks until they are done.

    `told` hears of each error that a caller is told, `over` of each call that is over.
    """

    def __init__(
        self,
        pipeline: Callable[[Call, Client], Awaitable[None]],
        *,
        ids: RequestIds,
        client_ip: Callable[[str, Mapping[bytes, bytes]], str],
        told: Callable[[OneAPIError], None] | None = None,
        over: Callable[[Record], None] | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._ids = ids
        self._client_ip = client_ip
        self._told = told
        self._over = over
        self._tasks: dict[Incoming, asyncio.Task[None]] = {}
        self._connections: set[RelayProtocol] = set()
        self._loop = asyncio.get_running_loop()
        self.outgoing = Outgoing(self._loop)

    def read(self, method: bytes, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Heading | None:
        return read_head(method, url, headers)

    def begin(self, request: Incoming) -> "asyncio.Task[None]":
        # Named: asyncio would write a number for each.
        task = self._tasks[request] = asyncio.Task(self._serve(request), loop=self._loop, name="call")
        return task

    def refuse(self, request: Incoming, status: int, message: str) -> None:
        error = TooLarge(message) if status == 413 else BadRequest(message, status=status, code="invalid_request")
        record = Record(request_id=self._ids.next(), ip=request.ip)
        self._answer(request, error, record)
        if self._over is not None:
            self._over(record)

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
            await asyncio.wait(self._tasks.values(), timeout=patience_s)
        left = set(self._tasks.values())
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    async def _serve(self, request: Incoming) -> None:
        started = self._loop.time()
        record = Record(request_id=self._ids.next(), mode=NAMES[request.heading.mode], ip=request.ip)
        try:
            await self._pipeline(self._call(request, record, started), request)
        except ClientGone:
            record.status, record.cause = LEFT, record.cause or "left_early"
        except BadGzip:
            record.status, record.cause = 400, BadGzip.__name__
            request.respond(400, own_headers(record.request_id, request.heading), b"")
        except OneAPIError as error:
            self._fail(request, error, record)
        except asyncio.CancelledError:
            self._fail(request, OneAPIError("the server is shutting down", status=503), record)
            raise
        except Exception:
            log.exception("relay failed", request_id=record.request_id)
            self._fail(request, OneAPIError("internal error", code="internal_error"), record)
        finally:
            del self._tasks[request]
            if self._over is not None:
                record.ms = int((self._loop.time() - started) * 1000)
                self._over(record)

    def _call(self, request: Incoming, record: Record, started: float) -> Call:
        heading = request.heading
        record.caller_request_id = heading.caller_id
        if heading.fault:
            raise BadRequest(heading.fault, status=heading.fault_status)
        body = request.body[0] if len(request.body) == 1 else b"".join(request.body)
        request.body = []
        record.ip = self._client_ip(request.ip, heading.headers)
        return Call(
            id=record.request_id,
            mode=heading.mode,
            heading=heading,
            body=inflate(body) if heading.zipped else body,
            ip=record.ip,
            started=started,
            record=record,
        )

    def counts(self) -> tuple[int, int]:
        """Calls under way, and connections."""
        return len(self._tasks), len(self._connections)

    def _fail(self, request: Incoming, error: OneAPIError, record: Record) -> None:
        if self._told is not None:
            self._told(error)
        if not request.started:
            self._answer(request, error, record)
        else:
            record.cause = record.cause or in_a_word(error)
            request.cut()

    def _answer(self, request: Incoming, error: OneAPIError, record: Record) -> None:
        record.status, record.cause = error.status, in_a_word(error)
        body = b""
        if error.status not in (204, 304):
            body = spoken(request.heading.mode).encode_error(error, record.request_id)
        later: tuple[tuple[bytes, bytes], ...] = ()
        if isinstance(error, UpstreamError) and error.retry_after:
            later = ((b"retry-after", b"%d" % math.ceil(error.retry_after)),)
        elif isinstance(error, RateLimited):
            later = error.headers
        request.respond(error.status, (*own_headers(record.request_id, request.heading), _JSON, *later), body)


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
