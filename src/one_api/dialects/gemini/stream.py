"""A stream of the Gemini API, read into the neutral model's events from bytes cut anywhere.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent, with `alt=sse`. Each event is an answer
of its own with some more parts. None says that it is the last: one that gives a reason for the end is.
"""

from collections.abc import Iterator

import msgspec

from one_api import ir
from one_api.dialects.decoding import BROKEN, UNREADABLE, EventDecoder
from one_api.dialects.gemini import answer, notes, parts
from one_api.dialects.gemini.answer import Candidate, Response
from one_api.dialects.gemini.parts import NAME
from one_api.dialects.gemini.usage import FAILURES


class _Reading:
    """One candidate as it comes. `number` names its calls, where they bear no names. failed: it ended, and nothing was
    said.
    """

    __slots__ = ("_calls", "_grounding", "_index", "_number", "_said", "_saying", "_thought", "failed", "finished")

    def __init__(self, number: str) -> None:
        self._number = number
        self._index = 0  # of the block under way, or the next one
        self._saying = False
        self._thought: list[str] | None = None
        self._calls = 0
        self._said: list[str] = []
        self._grounding: notes.Grounding | None = None
        self.finished = False
        self.failed = False

    def read(self, candidate: Candidate) -> Iterator[ir.Event]:
        tokens = notes.tokens(candidate.logprobs_result)
        for raw in candidate.parts:
            for event in self._part(parts.decode(raw)):
                if tokens and isinstance(event, ir.TextDelta):
                    yield ir.TextDelta(event.text, tokens=tokens)
                    tokens = ()
                else:
                    yield event
        if tokens:
            yield ir.TextDelta("", tokens=tokens)
        if candidate.grounding_metadata is not None:
            self._grounding = candidate.grounding_metadata
        if candidate.finish_reason:
            yield from self._finish(candidate)

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
            self._said.append(part.text)
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
            self.failed = True
        elif not self.finished:
            self.finished = True
            yield from (ir.Cited(each) for each in notes.citations(self._grounding, "".join(self._said)))
            yield ir.Finished(answer.reason_of(candidate.finish_reason, called=self._calls > 0))


class StreamDecoder(EventDecoder):
    """`prompt` is what the upstream said it has read, `usage` the whole report once it is final."""

    __slots__ = ("_candidates", "_number", "_ran")

    def __init__(self) -> None:
        super().__init__()
        self._number = ""
        self._ran = 0
        self._candidates: dict[int, _Reading] = {}

    def read(self, data: bytes) -> list[ir.Event]:
        if data == b"[DONE]":  # theirs says nothing like it, others that speak like them may
            return []
        try:
            response = answer.decode_response(data)
            return list(self._read(response))
        except BROKEN:
            return self._fail(UNREADABLE)

    def _read(self, response: Response) -> Iterator[ir.Event]:
        failed = answer.failure(response)
        if response.first is not None:
            self._ran = max(self._ran, answer.searches(response.first, response.model_version))
        usage = answer.counted(response, self._ran)
        if failed is not None and (response.error is not None or failed.refused):
            self.usage = usage
            yield from self._failed(failed)
            return
        if not self._started:
            self._started = True
            self._number = response.response_id or answer.new_id()
            self.prompt = (
                None if usage is None else msgspec.structs.replace(usage, output=0, reasoning=0, audio_out=0, tools=())
            )
            yield ir.Started(self._number, response.model_version, self.prompt)
        for candidate in response.candidates or ():
            if candidate.index >= 0 and not self._over:
                yield from self._candidate(candidate)
        if self._finished and usage is not None:
            self.usage = usage

    def _candidate(self, candidate: Candidate) -> Iterator[ir.Event]:
        """The first one is the answer; others come beside it, if more were asked for."""
        index = candidate.index
        reading = self._candidates.get(index)
        if reading is None:
            reading = self._candidates[index] = _Reading(f"{self._number}_{index}" if index else self._number)
        if index:
            yield from (ir.Beside(index, event) for event in reading.read(candidate))
            return
        yield from reading.read(candidate)
        self._finished = reading.finished
        if reading.failed:
            yield from self._failed(answer.nothing_said(candidate))
