"""An upstream's answer as it arrives: read along, forwarded as received, its end held back until the call is paid.

An `Inflow` is the transport's Sink and the client's Listener, so that bytes of a stream go from socket to socket
without waking a task. The task waits twice: for `ready` (the whole body, or a stream's first content, or the failure
that lets another channel be tried) and, of a stream, for `ended`.
"""

import asyncio
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final

from one_api.dialects import openai_errors
from one_api.dialects.openai_chat import StreamTap, Verdict
from one_api.errors import UpstreamError
from one_api.lib import json
from one_api.lib.sse import EventTooLong, SSEReader
from one_api.relay.client import Client
from one_api.relay.transport import Exchange, Head, TransportError

MAX_WHOLE = 64 * 1024 * 1024
MAX_ERROR_BODY = 1024 * 1024
CHECKPOINT_EVENTS = 512
CHECKPOINT_SECONDS = 1.5  # and the ledger's half: a stream of two seconds has one on the disk
_CONTENT, _DONE, _ERROR = Verdict.CONTENT, Verdict.DONE, Verdict.ERROR  # looked at for every event


class Shape(Enum):
    """How an answer is handed on."""

    UNKNOWN = "unknown"
    WHOLE = "whole"
    EVENTS = "events"
    BYTES = "bytes"
    ANYTHING = "anything"  # asked for by proxied calls, paid beforehand: whatever comes is handed on at once, as bytes


# Its members by names of the module: to find one in the class takes as long as ten steps, and each call asks for many.
UNKNOWN: Final = Shape.UNKNOWN
WHOLE: Final = Shape.WHOLE
EVENTS: Final = Shape.EVENTS
BYTES: Final = Shape.BYTES
ANYTHING: Final = Shape.ANYTHING
UNTAPPED: Final = StreamTap()  # of all answers that are no streams: nothing is told to it


class ClientGone(Exception):
    """The caller left before the end of his answer."""


class Cut(Exception):
    """The upstream broke off, or reported an error, after the first content. `reported` is what it said, if it did."""

    def __init__(self, message: str, reported: openai_errors.Reported | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.reported = reported


class Inflow:
    """One answer of one upstream.

    `wants` is the shape a good answer has. `strip_usage`: the caller did not ask for the usage chunk that we asked for.
    `hidden`: secrets of the request that nobody may see in its answer, besides the channel's key.
    """

    __slots__ = (
        "_checkpoint",
        "_checkpoint_at",
        "_checkpoint_events",
        "_client",
        "_exchange",
        "_failed",
        "_limit",
        "_loop",
        "_parts",
        "_reader",
        "_size",
        "_strip_usage",
        "_wants",
        "ended",
        "head",
        "hidden",
        "ready",
        "shape",
        "tail",
        "tap",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        wants: Shape,
        strip_usage: bool = False,
        checkpoint: Callable[["Inflow"], None] | None = None,
    ) -> None:
        self._loop = loop
        self._wants = wants
        self._strip_usage = strip_usage
        self._checkpoint = checkpoint
        self._checkpoint_at = 0.0
        self._checkpoint_events = 0
        self._exchange: Exchange | None = None
        self._failed = False
        self._client: Client | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._limit = MAX_WHOLE
        self._reader: SSEReader | None = None
        self.head: Head | None = None
        self.hidden: tuple[str, ...] = ()
        self.shape = UNKNOWN
        self.tap = UNTAPPED if wants is WHOLE else StreamTap()
        self.tail = b""
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = self.ready if wants is WHOLE else loop.create_future()

    # The pipeline's side

    def bind(self, exchange: Exchange) -> None:
        self._exchange = exchange

    @property
    def accepted(self) -> bool:
        """Whether the upstream has begun an answer that is none of its errors."""
        return self.head is not None and self.head.status in (200, 201)

    @property
    def body(self) -> bytes:
        """What has arrived and was not forwarded."""
        return b"".join(self._parts)

    @property
    def begun(self) -> Any:
        """What a stream said of its prompt before anything else, as a usage object; most say nothing."""
        return self.tap.begun

    @property
    def number(self) -> int:
        """How many events went out, in a dialect that counts them."""
        return 0

    def attach(self, client: Client) -> None:
        """From now on content goes to the client; what waited goes first."""
        self._client = client
        self._checkpoint_at = self._loop.time()
        waiting, self._parts = b"".join(self._parts), []
        if self.shape is not BYTES or self._wants is ANYTHING:
            client.write(waiting)
        elif self.ended.done():
            self.tail = waiting
        else:
            self._parts = [waiting]  # the last piece known stays back until the end is paid
        client.listen(self)

    def close(self) -> None:
        """Nothing more is wanted of the upstream; after its end this does nothing."""
        self._checkpoint = None  # it knows the call, and the call knows us: no cycle is left for the collector
        self._client = None
        if self._exchange is not None:
            self._exchange.abort()
            self._exchange = None
        if self._failed or not self.ended.done():
            self.ready, self.ended = self._let_go(self.ready), self._let_go(self.ended)

    def _let_go(self, future: "asyncio.Future[None]") -> "asyncio.Future[None]":
        """Over. An error holds the frames it went through, and they hold us, with all the text that came."""
        if not future.done():
            future.cancel()
        elif not future.cancelled() and future.exception() is not None:
            future = self._loop.create_future()
            future.cancel()
        return future

    # client.Listener

    def abandon(self) -> None:
        self._fail(ClientGone(), ClientGone())

    def pause(self) -> None:
        if self._exchange is not None:
            self._exchange.pause()

    def resume(self) -> None:
        if self._exchange is not None:
            self._exchange.resume()

    # transport.Sink

    def on_head(self, head: Head) -> None:
        self.head = head
        good = head.status in (200, 201)
        kind = (head.get(b"content-type") or b"").lower()
        if self._wants is ANYTHING:
            self.shape = BYTES
        elif not good:
            self.shape, self._limit = WHOLE, MAX_ERROR_BODY
        elif self._wants is EVENTS and not kind.startswith(b"application/json"):
            self.shape, self._reader = EVENTS, SSEReader()
        elif self._wants is BYTES and not kind.startswith(b"application/json"):
            self.shape = BYTES
        else:
            self.shape = WHOLE

    def on_data(self, data: bytes) -> None:
        if self._reader is not None:
            self._on_events(data)  # first: it is called for every event of every stream
        elif self.shape is BYTES:
            self._on_bytes(data)
        else:
            self._size += len(data)
            if self._size > self._limit:
                self._on_too_large()
            else:
                self._parts.append(data)

    def on_end(self) -> None:
        self._exchange = None
        if self._reader is not None:
            self._on_events_end()
            return
        if self.shape is BYTES and self._client is not None:
            self.tail, self._parts = b"".join(self._parts), []
        _resolve(self.ready)
        _resolve(self.ended)

    def on_fail(self, error: TransportError) -> None:
        self._exchange = None
        self._fail(error.told(), Cut(f"the upstream broke off ({error.kind})"))

    # Streams

    def _on_events(self, data: bytes) -> None:
        reader = self._reader
        if reader is None or self.ended.done():
            return
        judge = self.tap.event
        single = reader.single(data)
        if single is not None:
            verdict = judge(single)
            if verdict is _CONTENT and self._client is not None:
                self._client.write(data)
                self._note_progress()
            else:
                self._sort_out(((data, verdict),))
            return
        plain = reader.plain(data)
        if plain is None:
            self._on_mixed(reader, data)
            return
        verdicts = []
        for content in plain:
            verdict = judge(content)
            verdicts.append(verdict)
            if verdict is _DONE or verdict is _ERROR:
                break  # what follows was never said, as it would not have been in another read
        if verdicts.count(_CONTENT) == len(verdicts):
            if not self.ready.done():
                self.ready.set_result(None)
            self._pass_on(data)
        else:
            self._sort_out(
                (b"data: %b\n\n" % content, verdict) for content, verdict in zip(plain, verdicts, strict=False)
            )

    def _on_mixed(self, reader: SSEReader, data: bytes) -> None:
        """Comments, other fields, CRLF, or an event cut in the middle."""
        try:
            events = reader.feed(data)
        except EventTooLong:
            self._stop(Cut("the upstream sent an event larger than 16 MiB"))
            return
        self._sort_out((raw, self.tap.event(content)) for raw, content in events)

    def _sort_out(self, events: Iterable[tuple[bytes, Verdict]]) -> None:
        """Forward what is to be forwarded, up to the end or an error."""
        kept: list[bytes] = []
        for raw, verdict in events:
            if verdict is Verdict.CONTENT:
                kept.append(raw)
                _resolve(self.ready)
            elif verdict is Verdict.FORWARD or (verdict is Verdict.USAGE_ONLY and not self._strip_usage):
                kept.append(raw)
            elif verdict is Verdict.DONE:
                self._pass_on(b"".join(kept))
                self._complete(self.tail + raw)
                return
            elif verdict is Verdict.LAST:
                self.tail += raw
                _resolve(self.ready)
            elif verdict is Verdict.MORE:
                kept.append(self.tail + raw)
                self.tail = b""
            elif verdict is Verdict.ERROR:
                self._pass_on(b"".join(kept))
                reported = openai_errors.from_object(self.tap.error)
                self._stop(Cut(reported.message, reported))
                return
        self._pass_on(b"".join(kept))

    def _on_events_end(self) -> None:
        reader = self._reader
        if reader is None or self.ended.done():
            return
        self._sort_out((raw, self.tap.event(content)) for raw, content in reader.close() if _is_whole(content))
        if self.ended.done():
            return
        if self.tap.finished:  # some providers end without the mark that clients wait for
            self._complete(self.tail + self.tap.end)
        else:
            self._stop(Cut("the upstream's stream ended before its answer did"))

    def _complete(self, tail: bytes) -> None:
        self.tail = tail
        _resolve(self.ready)
        _resolve(self.ended)

    def _stop(self, cut: Cut) -> None:
        reported = cut.reported
        error = (
            UpstreamError(cut.message, retry=True)
            if reported is None
            else UpstreamError(
                reported.message, code=reported.code, kind=reported.type, param=reported.param, retry=True
            )
        )
        self._fail(error, cut)

    def _pass_on(self, data: bytes) -> None:
        if not data:
            return
        if self._client is None:
            self._parts.append(data)
            return
        self._client.write(data)
        self._note_progress()

    def _on_bytes(self, data: bytes) -> None:
        if self._client is None:
            self._parts.append(data)
            if not self.ready.done():
                _resolve(self.ready)
            return
        if self._wants is ANYTHING:
            self._client.write(data)
            return
        self._client.write(b"".join(self._parts))
        self._parts = [data]

    def _note_progress(self) -> None:
        if self._checkpoint is None:
            return
        events, now = self.tap.events, self._loop.time()
        if now - self._checkpoint_at >= CHECKPOINT_SECONDS or events - self._checkpoint_events >= CHECKPOINT_EVENTS:
            self._checkpoint_at, self._checkpoint_events = now, events
            self._checkpoint(self)

    # Failures

    def _on_too_large(self) -> None:
        if self.head is not None and self.head.status not in (200, 201):
            self.close_upstream()
            _resolve(self.ready)  # enough of an error to tell what it was
            _resolve(self.ended)
        else:
            self._fail(UpstreamError("the upstream's answer is too large"), Cut("the upstream's answer is too large"))

    def close_upstream(self) -> None:
        if self._exchange is not None:
            self._exchange.abort()
            self._exchange = None

    def _fail(self, before: BaseException, after: BaseException) -> None:
        """`before` is for whoever still waits for the first content, `after` for whoever waits for the end."""
        self.close_upstream()
        self._failed = True
        for future, error in ((self.ready, before), (self.ended, after)):
            if not future.done():
                future.set_exception(error)
                future.exception()  # seen, should nobody wait for it any more


def _is_whole(content: bytes | None) -> bool:
    """Whether what came after the last blank line is an event without its own, and not the half of one."""
    if content is None or content == b"[DONE]":
        return True
    try:
        json.decode(content)
    except json.InvalidJSON:
        return False
    return True


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
