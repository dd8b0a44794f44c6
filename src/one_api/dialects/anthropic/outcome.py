"""An answer in the neutral model, written for Anthropic's clients.

Formats: https://platform.claude.com/docs/en/api/messages/create and
https://platform.claude.com/docs/en/build-with-claude/streaming. A block of thinking that no vendor signed has an empty
signature, one of another vendor's says whose it is (see dialects.seals). There are no images in answers: a word stands
for one, since the image as text would be paid for with every turn.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, assert_never

from one_api import ir
from one_api.dialects import turns
from one_api.dialects.anthropic.blocks import NAME
from one_api.dialects.seals import seal
from one_api.lib import json

REASONS: Final[Mapping[ir.Reason, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
_Saying = ir.ThinkingDelta | ir.ThinkingEnded | ir.Shown | ir.Cited | ir.CallStarted | ir.ArgumentsDelta


def encode_answer(answer: ir.Answer, *, model: str, created: int, asked: Mapping[str, Any]) -> bytes:  # noqa: ARG001
    """The body of a message."""
    blocks = [each for block in answer.blocks if (each := _block(block)) is not None]
    value = _message(answer.id, answer.model or model, blocks, answer.usage)
    return json.encode({**value, "stop_reason": REASONS[answer.reason]})


def encode_usage(usage: ir.Usage | None) -> dict[str, Any]:
    """Their `input_tokens` are what no cache was concerned with. Clients take it for granted that there are counts."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    fresh = max(usage.input - usage.cached - usage.cache_write, 0)
    cached = {"cache_creation_input_tokens": usage.cache_write, "cache_read_input_tokens": usage.cached}
    value: dict[str, Any] = {"input_tokens": fresh, **cached, "output_tokens": usage.output}
    if usage.reasoning:
        value["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.cache_write_1h:
        kept = {"ephemeral_5m_input_tokens": usage.cache_write - usage.cache_write_1h}
        value["cache_creation"] = {**kept, "ephemeral_1h_input_tokens": usage.cache_write_1h}
    return value


def _message(number: str, model: str, blocks: list[dict[str, Any]], usage: ir.Usage | None) -> dict[str, Any]:
    return {
        "id": number,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": blocks,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": encode_usage(usage),
    }


def _block(block: ir.Said) -> dict[str, Any] | None:
    match block:
        case ir.Text():
            noted = {"citations": [_citation(each) for each in block.citations]} if block.citations else {}
            return {"type": "text", "text": block.text, **noted}
        case ir.ToolCall():
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": turns.argued(block.arguments)}
        case ir.Thinking():
            signature = seal(block.origin, block.signature, own=NAME)
            return {"type": "thinking", "thinking": block.text, "signature": signature}
        case ir.Redacted():
            return {"type": "redacted_thinking", "data": seal(block.origin, block.data, own=NAME)}
        case ir.Image() | ir.File():
            return {"type": "text", "text": _unseen(block)}
        case _:
            return None


def _citation(found: ir.Citation) -> dict[str, Any]:
    """As of a page that their own search found; the index only they could fill in."""
    quoted = {"cited_text": found.quote, "encrypted_index": ""}
    return {"type": "web_search_result_location", "url": found.url, "title": found.title or None, **quoted}


def _unseen(block: ir.Image | ir.File) -> str:
    return f"[{block.media_type or 'image'}]"


class EventEncoder:
    """Writes the events of one answer as theirs."""

    number: ClassVar = 0
    __slots__ = ("_index", "_model", "_open", "_reason")

    def __init__(self, *, model: str) -> None:
        self._model = model
        self._index = -1
        self._open = ""
        self._reason: ir.Reason = "stop"

    def encode(self, event: ir.Event) -> bytes:
        match event:
            case ir.TextDelta():
                if self._open != "text":
                    return self._start("text", {"text": ""}) + self._text(event.text)
                return self._text(event.text)
            case ir.Started():
                message = _message(event.id, event.model or self._model, [], event.prompt)
                return _written({"type": "message_start", "message": message})
            case ir.Finished():
                self._reason = event.reason
                return b""
            case ir.Alive():
                return _PING
            case ir.Ended():
                return self._end(event.usage)
            case ir.Beside() | ir.Failed():
                return b""
            case _:
                return self._said(event)

    def _said(self, event: _Saying) -> bytes:
        match event:
            case ir.ThinkingDelta():
                return self._think() + self._piece({"type": "thinking_delta", "thinking": event.text})
            case ir.ThinkingEnded():
                return self._thought(event.block)
            case ir.Cited():
                if self._open != "text":
                    return b""
                return self._piece({"type": "citations_delta", "citation": _citation(event.citation)})
            case ir.Shown():
                return self._start("text", {"text": ""}) + self._text(_unseen(event.block))
            case ir.CallStarted():
                return self._start("tool_use", {"id": event.id, "name": event.name, "input": {}})
            case ir.ArgumentsDelta():
                return self._piece({"type": "input_json_delta", "partial_json": event.text})
            case _:
                assert_never(event)

    def _think(self) -> bytes:
        return b"" if self._open == "thinking" else self._start("thinking", {"thinking": "", "signature": ""})

    def _thought(self, block: ir.Thinking | ir.Redacted) -> bytes:
        """The signature of what was shown already, or all of what nobody but its vendor can read."""
        if isinstance(block, ir.Redacted):
            return self._start("redacted_thinking", {"data": seal(block.origin, block.data, own=NAME)})
        signature = seal(block.origin, block.signature, own=NAME)
        if not signature:
            return b""
        return self._think() + self._piece({"type": "signature_delta", "signature": signature})

    def _text(self, text: str) -> bytes:
        """Nearly every event of nearly every stream."""
        return _TEXT % (self._index, json.encode(text))

    def _start(self, kind: str, block: dict[str, Any]) -> bytes:
        before = self._stop()
        self._index += 1
        self._open = kind
        begun = {"type": "content_block_start", "index": self._index, "content_block": {"type": kind, **block}}
        return before + _written(begun)

    def _piece(self, delta: dict[str, Any]) -> bytes:
        return _written({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _stop(self) -> bytes:
        if not self._open:
            return b""
        self._open = ""
        return _written({"type": "content_block_stop", "index": self._index})

    def _end(self, usage: ir.Usage | None) -> bytes:
        delta = {"stop_reason": REASONS[self._reason], "stop_sequence": None}
        finish = {"type": "message_delta", "delta": delta, "usage": encode_usage(usage)}
        return self._stop() + _written(finish) + END


def _written(value: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), json.encode(value))


END: Final = _written({"type": "message_stop"})
_PING: Final = _written({"type": "ping"})
_TEXT: Final = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,'
    b'"delta":{"type":"text_delta","text":%b}}\n\n'
)
