"""A stream of the Responses API, read into the neutral model's events from bytes cut anywhere.

https://developers.openai.com/api/reference/resources/responses/streaming-events. Event types that are not known here,
those of the vendor's own tools among them, are passed over.
"""

from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects.responses.answer import (
    BROKEN,
    NOTHING,
    Item,
    Response,
    decode_item,
    decode_usage,
    failure,
    reason_of,
)
from one_api.lib.sse import EventTooLong, SSEReader

UNREADABLE: Final = "the upstream sent an event that cannot be read"
_CALLS: Final = ("function_call", "custom_tool_call")


class _Event(msgspec.Struct):
    """An event of any type; what is read of few is read when they come."""

    type: str = ""
    response: msgspec.Raw = NOTHING
    output_index: Any = 0
    summary_index: Any = 0
    delta: Any = None
    item: msgspec.Raw = NOTHING
    error: Any = None
    code: Any = None
    message: Any = None


_event = msgspec.json.Decoder(_Event)
_response: msgspec.json.Decoder[Response | None] = msgspec.json.Decoder(Response | None)


class StreamDecoder:
    """`feed` takes bytes and gives the events that are complete; after one that ends the stream there are no more.

    `usage` is the report of the last event; nothing is said of the prompt before it. Pieces of a call that is no longer
    the last are an error to who feeds, and has to pass calls on one by one; not to who only reads along.
    """

    __slots__ = ("_argued", "_call", "_called", "_ordered", "_over", "_reader", "prompt", "usage")

    def __init__(self) -> None:
        self._reader = SSEReader()
        self._ordered = False
        self._call: Any = -1
        self._called = False
        self._argued = False
        self._over = False
        self.prompt: ir.Usage | None = None
        self.usage: ir.Usage | None = None

    def feed(self, data: bytes) -> list[ir.Event]:
        if self._over:
            return []
        self._ordered = True
        try:
            pieces = self._reader.feed(data)
        except EventTooLong:
            return self._fail(ir.Failed("upstream_error", "the upstream sent an event larger than 16 MiB"))
        return self._events(pieces)

    def close(self) -> list[ir.Event]:
        """What the end of the stream left open, if it is whole."""
        found = [] if self._over else self._events(self._reader.close())
        self._over = True
        return [event for event in found if not (isinstance(event, ir.Failed) and event.message == UNREADABLE)]

    def _events(self, pieces: list[tuple[bytes, bytes | None]]) -> list[ir.Event]:
        found: list[ir.Event] = []
        for _, data in pieces:
            if self._over:
                break
            found.extend([ir.Alive()] if data is None else self.read(data))
        return found

    def read(self, data: bytes) -> list[ir.Event]:
        """The events of one `data` field."""
        if data == b"[DONE]":
            return []
        try:
            return self._read(_event.decode(data))
        except BROKEN:
            return self._fail(ir.Failed("upstream_error", UNREADABLE))

    def _read(self, event: _Event) -> list[ir.Event]:
        match event.type:
            case "response.output_text.delta" | "response.refusal.delta" if _text(event.delta):
                return [ir.TextDelta(event.delta, refused=event.type == "response.refusal.delta")]
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" if _text(event.delta):
                return [ir.ThinkingDelta(event.delta)]
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                return self._argue(event)
            case "response.reasoning_summary_part.added" if event.summary_index:
                return [ir.ThinkingDelta("\n\n")]
            case "response.output_item.added" | "response.output_item.done":
                item = decode_item(event.item)
                return [] if item is None else self._read_item(event, item)
            case "response.queued" | "response.in_progress" | "keepalive":
                return [ir.Alive()]
            case "error":
                return self._fail(failure(event.error or {"code": event.code, "message": event.message}))
            case "response.created" | "response.completed" | "response.incomplete" | "response.failed":
                response = _response.decode(event.response)
                return [] if response is None else self._read_response(event, response)
            case _:
                return []

    def _read_item(self, event: _Event, item: Item) -> list[ir.Event]:
        if event.type == "response.output_item.done":
            return self._done(event.output_index, item)
        return self._start(event.output_index, item) if item.type in _CALLS else []

    def _read_response(self, event: _Event, response: Response) -> list[ir.Event]:
        match event.type:
            case "response.created":
                return [ir.Started(response.id, response.model)]
            case "response.failed":
                return self._fail(failure(response.error))
            case _:
                return self._end(response)

    def _start(self, index: Any, item: Item) -> list[ir.Event]:
        self._call, self._called, self._argued = index, True, False
        return [ir.CallStarted(item.call_id or "", item.name or "")]

    def _argue(self, event: _Event) -> list[ir.Event]:
        if not _text(event.delta):
            return []
        if event.output_index != self._call and self._ordered:
            return self._fail(ir.Failed("upstream_error", "the upstream mixes the calls of several tools"))
        self._argued = True
        return [ir.ArgumentsDelta(event.delta)]

    def _done(self, index: Any, item: Item) -> list[ir.Event]:
        """An item as it is at its end. A call may have come without pieces."""
        if item.type == "reasoning":
            thought = item.thought
            return [] if thought is None else [ir.ThinkingEnded(index if type(index) is int else 0, thought)]
        if item.type not in _CALLS or (index == self._call and self._argued):
            return []
        started = [] if index == self._call else self._start(index, item)
        self._argued = True
        return [*started, ir.ArgumentsDelta(item.called)] if item.called else started

    def _end(self, response: Response) -> list[ir.Event]:
        self._over = True
        self.usage = decode_usage(response.usage)
        return [ir.Finished(reason_of(response, called=self._called)), ir.Ended(self.usage)]

    def _fail(self, failed: ir.Failed) -> list[ir.Event]:
        self._over = True
        return [failed]


def _text(delta: Any) -> bool:
    return isinstance(delta, str) and delta != ""
