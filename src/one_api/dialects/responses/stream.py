"""A stream of the Responses API, read into the neutral model's events from bytes cut anywhere.

https://developers.openai.com/api/reference/resources/responses/streaming-events. Event types that are not known here,
those of the vendor's own tools among them, are passed over.
"""

from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects.decoding import BROKEN, MIXED, NOTHING, UNREADABLE, EventDecoder
from one_api.dialects.openai_notes import decode_annotations, decode_tokens
from one_api.dialects.responses.answer import Item, Response, decode_item, failure, reason_of, usage_of

_CALLS: Final = ("function_call", "custom_tool_call")


class _Event(msgspec.Struct):
    """An event of any type; what is read of few is read when they come."""

    type: str = ""
    sequence_number: Any = None
    response: msgspec.Raw = NOTHING
    output_index: Any = 0
    summary_index: Any = 0
    delta: Any = None
    item: msgspec.Raw = NOTHING
    logprobs: Any = None
    annotation: Any = None
    error: Any = None
    code: Any = None
    message: Any = None


_event = msgspec.json.Decoder(_Event)
_response: msgspec.json.Decoder[Response | None] = msgspec.json.Decoder(Response | None)


class StreamDecoder(EventDecoder):
    """`usage` is the report of the last event; nothing is said of the prompt before it. Pieces of a call that is no
    longer the last are an error to who feeds, and has to pass calls on one by one; not to who only reads along.
    """

    __slots__ = ("_argued", "_base", "_call", "_called", "_length", "_ordered")

    def __init__(self) -> None:
        super().__init__()
        self._ordered = False
        self._call: Any = -1
        self._called = False
        self._argued = False
        self._length = 0
        self._base = 0  # where the part under way begins

    def feed(self, data: bytes) -> list[ir.Event]:
        self._ordered = True
        return super().feed(data)

    def read(self, data: bytes) -> list[ir.Event]:
        if data == b"[DONE]":
            return []
        try:
            event = _event.decode(data)
            if type(event.sequence_number) is int:
                self.number = event.sequence_number + 1
            return self._read(event)
        except BROKEN:
            return self._fail(UNREADABLE)

    def _read(self, event: _Event) -> list[ir.Event]:
        match event.type:
            case "response.output_text.delta" | "response.refusal.delta" if _text(event.delta):
                return self._say(event)
            case "response.content_part.added" | "response.output_text.annotation.added":
                return self._note(event)
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
                return self._failed(failure(event.error or {"code": event.code, "message": event.message}))
            case "response.created" | "response.completed" | "response.incomplete" | "response.failed":
                response = _response.decode(event.response)
                return [] if response is None else self._read_response(event, response)
            case _:
                return []

    def _say(self, event: _Event) -> list[ir.Event]:
        self._length += len(event.delta)
        if event.logprobs:
            return [ir.TextDelta(event.delta, tokens=decode_tokens(event.logprobs))]
        return [ir.TextDelta(event.delta, refused=event.type == "response.refusal.delta")]

    def _note(self, event: _Event) -> list[ir.Event]:
        """Places are theirs in a part, and ours in the whole text."""
        if event.type == "response.content_part.added":
            self._base = self._length
            return []
        return [ir.Cited(each) for each in decode_annotations([event.annotation], base=self._base)]

    def _read_item(self, event: _Event, item: Item) -> list[ir.Event]:
        if event.type == "response.output_item.done":
            return self._done(event.output_index, item)
        return self._start(event.output_index, item) if item.type in _CALLS else []

    def _read_response(self, event: _Event, response: Response) -> list[ir.Event]:
        match event.type:
            case "response.created":
                self._started = True
                return [ir.Started(response.id, response.model)]
            case "response.failed":
                return self._failed(failure(response.error))
            case _:
                return self._end(response)

    def _start(self, index: Any, item: Item) -> list[ir.Event]:
        self._call, self._called, self._argued = index, True, False
        return [ir.CallStarted(item.call_id or "", item.name or "")]

    def _argue(self, event: _Event) -> list[ir.Event]:
        if not _text(event.delta):
            return []
        if event.output_index != self._call and self._ordered:
            return self._fail(MIXED)
        self._argued = True
        return [ir.ArgumentsDelta(event.delta)]

    def _done(self, index: Any, item: Item) -> list[ir.Event]:
        """An item as it is at its end. A call may have come without pieces."""
        if item.type == "reasoning":
            thought = item.thought
            return [] if thought is None else [ir.ThinkingEnded(index if type(index) is int else 0, thought)]
        if item.image is not None:
            return [ir.Shown(item.image)]
        if item.type not in _CALLS or (index == self._call and self._argued):
            return []
        started = [] if index == self._call else self._start(index, item)
        self._argued = True
        return [*started, ir.ArgumentsDelta(item.called)] if item.called else started

    def _end(self, response: Response) -> list[ir.Event]:
        self._over = True
        self.usage = usage_of(response)
        return [ir.Finished(reason_of(response, called=self._called)), ir.Ended(self.usage)]


def _text(delta: Any) -> bool:
    return isinstance(delta, str) and delta != ""
