"""An answer in the neutral model, written for Gemini's clients: https://ai.google.dev/api/generate-content.

A stream is a row of such answers; the last one gives the reason for the end and the usage.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from one_api import ir
from one_api.dialects import turns
from one_api.dialects.gemini import parts
from one_api.dialects.gemini.notes import encode_citations, encode_tokens
from one_api.dialects.gemini.seals import seal
from one_api.dialects.gemini.usage import encode_usage
from one_api.lib import json

REASONS: Final[Mapping[ir.Reason, str]] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
}


def encode_answer(answer: ir.Answer, *, model: str, created: int, asked: Mapping[str, Any]) -> bytes:  # noqa: ARG001
    """The body of a whole answer."""
    candidates = [_whole(index, each) for index, each in enumerate(answer.choices)]
    return json.encode(_response(answer.id, answer.model or model, candidates, answer.usage))


def _whole(index: int, choice: ir.Choice) -> dict[str, Any]:
    texts = [block for block in choice.blocks if isinstance(block, ir.Text)]
    cited = [each for block in texts for each in block.citations]
    return {
        **_candidate([part for block in choice.blocks for part in _parts(block)], REASONS[choice.reason], index),
        **encode_citations(cited, "".join(block.text for block in texts)),
        **encode_tokens(tuple(each for block in texts for each in block.tokens)),
    }


def _candidate(said: list[dict[str, Any]], reason: str, index: int) -> dict[str, Any]:
    ended = {"finishReason": reason} if reason else {}
    return {"content": {"parts": said, "role": "model"}, **ended, "index": index}


def _response(
    number: str, model: str, candidates: list[dict[str, Any]], usage: ir.Usage | None = None
) -> dict[str, Any]:
    return {
        "candidates": candidates,
        **({} if usage is None else {"usageMetadata": encode_usage(usage)}),
        "modelVersion": model,
        "responseId": number,
    }


def _parts(block: ir.Said) -> list[dict[str, Any]]:
    match block:
        case ir.Text():
            return [{"text": block.text}]
        case ir.Thinking():
            return [{"text": block.text, "thought": True, **_signed(block.origin, block.signature)}]
        case ir.Redacted():
            signed = _signed(block.origin, block.data)
            return [{"text": "", **signed}] if signed else []
        case ir.ToolCall():
            return [_call(block.id, block.name, block.arguments)]
        case ir.Image() | ir.File():
            return [parts.media(block)]
        case _:
            return []


def _signed(origin: str, signature: str) -> dict[str, str]:
    sealed = seal(origin, signature)
    return {"thoughtSignature": sealed} if sealed else {}


def _call(number: str, name: str, arguments: str) -> dict[str, Any]:
    return {"functionCall": {"id": number, "name": name, "args": turns.argued(arguments)}}


END: Final = b""
"""A stream says that it is complete by giving the reason for its end."""


class EventEncoder:
    """Writes the events of an answer as theirs. A call of a function goes out when it is whole. place: of this answer
    among those that were asked for; each of the others has an encoder of its own.

    Nothing stands for a sign of life: their clients read every line as a part of the answer.
    """

    number: ClassVar = 0
    __slots__ = ("_called", "_cited", "_model", "_number", "_others", "_place", "_reason", "_texts", "_thought")

    def __init__(self, *, model: str, place: int = 0) -> None:
        self._model = model
        self._place = place
        self._others: dict[int, EventEncoder] = {}
        self._number = ""
        self._called: tuple[str, str, list[str]] | None = None
        self._thought = False  # whether some of the thought that is under way was shown
        self._reason: ir.Reason = "stop"
        self._texts: list[str] = []
        self._cited: list[ir.Citation] = []

    def encode(self, event: ir.Event) -> bytes:
        match event:
            case ir.ArgumentsDelta():
                if self._called is not None:
                    self._called[2].append(event.text)
                return b""
            case ir.Alive() | ir.Failed():
                return b""
            case ir.Started():
                self._number, self._model = event.id, event.model or self._model
                return b""
            case ir.Beside():
                return self._beside(event)
            case _:
                return self._whole_call() + self._said(event)

    def _beside(self, event: ir.Beside) -> bytes:
        """Another answer says itself why it ends: what was counted is told with the first."""
        other = self._others.get(event.index)
        if other is None:
            other = self._others[event.index] = EventEncoder(model=self._model, place=event.index)
            other.encode(ir.Started(self._number, self._model))
        written = other.encode(event.event)
        return written + other.encode(ir.Ended(None)) if isinstance(event.event, ir.Finished) else written

    def _said(self, event: ir.Event) -> bytes:
        match event:
            case ir.TextDelta():
                self._texts.append(event.text)
                if event.tokens:
                    return self._piece({"text": event.text}, encode_tokens(event.tokens))
                return self._piece({"text": event.text})
            case ir.Cited():
                self._cited.append(event.citation)
                return b""
            case ir.ThinkingDelta():
                self._thought = True
                return self._piece({"text": event.text, "thought": True})
            case ir.ThinkingEnded():
                return self._end_of_thought(event.block)
            case ir.Shown():
                return self._piece(parts.media(event.block))
            case ir.CallStarted():
                self._called = event.id, event.name, []
                return b""
            case ir.Finished():
                self._reason = event.reason
                return b""
            case ir.Ended():
                last = _candidate([{"text": ""}], REASONS[self._reason], self._place)
                last |= encode_citations(self._cited, "".join(self._texts))
                return _written(_response(self._number, self._model, [last], event.usage))
            case _:
                return b""

    def _end_of_thought(self, block: ir.Thinking | ir.Redacted) -> bytes:
        """What was shown of it is not shown again."""
        shown, self._thought = self._thought, False
        if isinstance(block, ir.Thinking) and shown:
            block = ir.Thinking("", block.signature, block.origin)
            if not seal(block.origin, block.signature):
                return b""
        return b"".join(self._piece(part) for part in _parts(block))

    def _whole_call(self) -> bytes:
        if self._called is None:
            return b""
        number, name, written = self._called
        self._called = None
        return self._piece(_call(number, name, "".join(written)))

    def _piece(self, part: dict[str, Any], noted: Mapping[str, Any] = {}) -> bytes:
        return _written(_response(self._number, self._model, [{**_candidate([part], "", self._place), **noted}]))


def _written(value: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % json.encode(value)
