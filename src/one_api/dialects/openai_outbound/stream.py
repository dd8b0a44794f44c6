"""A stream of chat completion chunks: https://platform.openai.com/docs/api-reference/chat/streaming."""

from one_api import ir
from one_api.dialects.decoding import BROKEN, MIXED, NOTHING, UNREADABLE, CallPieces, EventDecoder
from one_api.dialects.openai_notes import decode_annotations, searched
from one_api.dialects.openai_outbound.answer import (
    REASONS,
    Body,
    Choice,
    Function,
    Message,
    body_decoder,
    counted,
    failed,
    images,
)
from one_api.lib.sse import SSEReader


class StreamDecoder(EventDecoder):
    """Reads a stream of chunks, cut anywhere. `prompt` is never told before the end.

    Of several answers the one that speaks first is the answer, whatever its number is.
    """

    __slots__ = ("_calls", "_first", "_others", "_plain")

    def __init__(self) -> None:
        reader = SSEReader()
        super().__init__(reader)
        self._plain = reader.plain
        self._calls = CallPieces()
        self._first: int | None = None
        self._others: dict[int | None, tuple[int, StreamDecoder]] = {}

    def feed(self, data: bytes) -> list[ir.Event]:
        plain = self._plain(data)
        if plain is None:
            return super().feed(data)
        return self.read(plain[0]) if len(plain) == 1 else [event for piece in plain for event in self.read(piece)]

    def read(self, data: bytes) -> list[ir.Event]:
        if self._over:
            return []
        if data == b"[DONE]":
            self._over = True
            return [ir.Ended(self.usage)]
        try:
            chunk = body_decoder.decode(data)
        except BROKEN:
            return self._fail(UNREADABLE)
        if chunk.error:
            return self._failed(failed(chunk.error))
        if chunk.usage is not NOTHING:
            self.usage = counted(chunk.usage) or self.usage
        events: list[ir.Event] = []
        if not self._started:
            self._started = True
            events.append(ir.Started(chunk.id or "", chunk.model or ""))
        for choice in chunk.choices or ():
            if choice.index != self._first and self._is_other(choice.index):
                events += self._beside(choice)
                continue
            self.choice(choice, chunk, events)
        return events

    def _is_other(self, index: int | None) -> bool:
        if self._first is None:
            self._first = index
        return index is not None and index != self._first

    def _beside(self, choice: Choice) -> list[ir.Event]:
        """Of another answer than the first. What went wrong went wrong with all of them."""
        place, decoder = self._others.setdefault(choice.index, (len(self._others) + 1, StreamDecoder()))
        events: list[ir.Event] = []
        decoder.choice(choice, Body(), events)
        if any(isinstance(event, ir.Failed) for event in events):
            return self._fail(MIXED)
        return [ir.Beside(place, event) for event in events]

    def choice(self, choice: Choice, chunk: Body, events: list[ir.Event]) -> None:
        """Adds what a piece of the answer says."""
        delta = choice.delta or Message()
        plain = delta.plain
        if plain and choice.finish_reason is None and choice.logprobs is None:
            events.append(ir.TextDelta(plain))
            return
        if delta.thought:
            events.append(ir.ThinkingDelta(delta.thought))
        text, refusal = delta.said, delta.refused
        if text:
            events.append(ir.TextDelta(text, tokens=choice.tokens) if choice.logprobs else ir.TextDelta(text))
        if refusal:
            events.append(ir.TextDelta(refusal, refused=True))
        if delta.annotations:
            events += [ir.Cited(each) for each in decode_annotations(delta.annotations)]
        if delta.images:
            events += [ir.Shown(each) for each in images(delta.images)]
        for call in delta.tool_calls or ():
            function = call.function or Function()
            piece = self._calls.take(call.index, call.id, function.name, function.argued)
            if piece is None:
                events += self._fail(MIXED)
                return
            events += piece
        if choice.finish_reason and not self._finished:
            self._finished = True
            events += [ir.Cited(each) for each in searched(chunk.sources)]
            events.append(ir.Finished(REASONS.get(choice.finish_reason, "stop")))
