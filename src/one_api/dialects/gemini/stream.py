"""A stream of the Gemini API, read into the neutral model's events from bytes cut anywhere.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent, with `alt=sse`. Each event is an answer
of its own with some more parts. None says that it is the last: one that gives a reason for the end is.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from one_api import ir
from one_api.dialects.gemini import answer, parts
from one_api.dialects.gemini.answer import BROKEN, Candidate, Response
from one_api.dialects.gemini.parts import NAME
from one_api.dialects.gemini.usage import FAILURES, decode_usage
from one_api.lib.sse import EventTooLong, SSEReader

UNREADABLE: Final = "the upstream sent an event that cannot be read"


class StreamDecoder:
    """`feed` takes bytes and gives the events that are complete; after one that ends the stream there are no more.

    `prompt` is what the upstream said it has read, `usage` the whole report once it is final.
    """

    __slots__ = (
        *("_calls", "_finished", "_index", "_number", "_over", "_reader", "_saying", "_thought"),
        *("prompt", "usage"),
    )

    def __init__(self) -> None:
        self._reader = SSEReader()
        self._number = ""
        self._index = 0  # of the block under way, or the next one
        self._saying = False
        self._thought: list[str] | None = None
        self._calls = 0
        self._finished = False
        self._over = False
        self.prompt: ir.Usage | None = None
        self.usage: ir.Usage | None = None

    def feed(self, data: bytes) -> list[ir.Event]:
        if self._over:
            return []
        try:
            pieces = self._reader.feed(data)
        except EventTooLong:
            return self._fail("the upstream sent an event larger than 16 MiB")
        return self._events(pieces)

    def close(self) -> list[ir.Event]:
        """What the end of the stream left open, if it is whole, and the end if a reason for it was given."""
        if self._over:
            return []
        found = [event for event in self._events(self._reader.close()) if not _unreadable(event)]
        if self._finished and not self._over:
            found.append(ir.Ended(self.usage))
        self._over = True
        return found

    def _events(self, pieces: list[tuple[bytes, bytes | None]]) -> list[ir.Event]:
        found: list[ir.Event] = []
        for _, data in pieces:
            if self._over:
                break
            found.extend([ir.Alive()] if data is None else self.read(data))
        return found

    def read(self, data: bytes) -> list[ir.Event]:
        """The events of one `data` field."""
        if data == b"[DONE]":  # theirs says nothing like it, others that speak like them may
            return []
        try:
            response = answer.decode_response(data)
            return list(self._read(response))
        except BROKEN:
            return self._fail(UNREADABLE)

    def _read(self, response: Response) -> Iterator[ir.Event]:
        failed = answer.failure(response)
        usage = decode_usage(response.usage_metadata)
        if failed is not None and (response.error is not None or failed.refused):
            self._over = True
            self.usage = usage
            yield failed
            return
        if not self._number:
            self._number = response.response_id or answer.new_id()
            self.prompt = None if usage is None else msgspec.structs.replace(usage, output=0, reasoning=0, audio_out=0)
            yield ir.Started(self._number, response.model_version, self.prompt)
        candidate = response.first
        if candidate is not None:
            for raw in candidate.parts:
                yield from self._part(parts.decode(raw))
            if candidate.finish_reason:
                yield from self._finish(candidate)
        if self._finished and usage is not None:
            self.usage = usage

    def _part(self, part: parts.Part) -> Iterator[ir.Event]:
        if part.function_call is not None:
            yield from self._call(part.function_call, part.thought_signature)
        elif part.thought:
            yield from self._think(part)
        elif part.text is not None:
            yield from self._say(part)
        elif part.inline_data is not None:
            yield from self._end_block()
            yield ir.Shown(answer.inline(part.inline_data))
            self._index += 1
            yield from self._sign(part.thought_signature)

    def _think(self, part: parts.Part) -> Iterator[ir.Event]:
        if self._thought is None:
            if not part.text and not part.thought_signature:
                return
            yield from self._end_block()
            self._thought = []
        if part.text:
            self._thought.append(part.text)
            yield ir.ThinkingDelta(part.text)
        if part.thought_signature:
            yield from self._end_block(part.thought_signature)

    def _say(self, part: parts.Part) -> Iterator[ir.Event]:
        if part.text:
            if not self._saying:
                yield from self._end_block()
                self._saying = True
            yield ir.TextDelta(part.text)
        if part.thought_signature:
            yield from self._end_block()
            yield from self._sign(part.thought_signature)

    def _call(self, called: parts.Called, signature: str) -> Iterator[ir.Event]:
        """A call comes whole."""
        yield from self._end_block()
        yield from self._sign(signature)
        yield ir.CallStarted(answer.call_id(called, self._number, self._calls), called.name)
        yield ir.ArgumentsDelta(parts.arguments(called))
        self._calls += 1
        self._index += 1

    def _sign(self, signature: str) -> Iterator[ir.Event]:
        if signature:
            yield ir.ThinkingEnded(self._index, ir.Redacted(signature, NAME))
            self._index += 1

    def _end_block(self, signature: str = "") -> Iterator[ir.Event]:
        """Of text or thought, whichever is under way."""
        thought, self._thought = self._thought, None
        if thought is not None:
            yield ir.ThinkingEnded(self._index, ir.Thinking("".join(thought), signature, NAME))
        if thought is not None or self._saying:
            self._index += 1
        self._saying = False

    def _finish(self, candidate: Candidate) -> Iterator[ir.Event]:
        yield from self._end_block()
        if not self._index and candidate.finish_reason in FAILURES:
            self._over = True
            yield answer.nothing_said(candidate)
        elif not self._finished:
            self._finished = True
            yield ir.Finished(answer.reason_of(candidate.finish_reason, called=self._calls > 0))

    def _fail(self, message: str) -> list[ir.Event]:
        self._over = True
        return [ir.Failed("upstream_error", message)]


def _unreadable(event: ir.Event) -> bool:
    return isinstance(event, ir.Failed) and event.message == UNREADABLE
