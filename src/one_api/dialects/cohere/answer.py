"""Answers of Cohere's Chat API, whole or as events: https://docs.cohere.com/v2/docs/streaming.

Counts are numbers with a point. `tokens` are what the model read and wrote, "billed_units" what Cohere charges for it.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final

import msgspec

from one_api import ir
from one_api.dialects.decoding import BROKEN, NOTHING, REPORTED, UNREADABLE, EventDecoder, believed, whole
from one_api.lib import json

Count = Annotated[float, msgspec.Meta(ge=0, le=2**53)]
REASONS: Final[Mapping[str, ir.Reason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
}
FAILURES: Final[Mapping[str, str]] = {
    "ERROR": "the model failed to generate an answer",
    "TIMEOUT": "the model did not answer in time",
}


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    id: str = ""
    function: _Function | None = None


class _Part(msgspec.Struct):
    text: str | None = None
    thinking: str | None = None


class _Message(msgspec.Struct):
    """Of a whole answer `content` and `tool_calls` are lists, of an event they are the one that it is about."""

    content: list[_Part] | _Part | None = None
    tool_plan: str | None = None
    tool_calls: list[_Call] | _Call | None = None


class _Tokens(msgspec.Struct):
    input_tokens: Count
    output_tokens: Count


class _Usage(msgspec.Struct):
    tokens: _Tokens | None = None
    cached_tokens: Count | None = None


class _Answer(msgspec.Struct):
    id: str | None = None
    message: _Message | str | None = None
    finish_reason: str | None = None
    usage: msgspec.Raw = NOTHING


class _Delta(msgspec.Struct):
    message: _Message | None = None
    finish_reason: str | None = None
    usage: msgspec.Raw = NOTHING
    error: str | None = None


class _Event(msgspec.Struct):
    type: str = ""
    id: str | None = None
    delta: _Delta | None = None
    message: str | None = None


_answer = msgspec.json.Decoder(_Answer)
_event = msgspec.json.Decoder(_Event)
_usage: msgspec.json.Decoder[_Usage | None] = msgspec.json.Decoder(_Usage | None)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_answer, body)
    if isinstance(found.message, str):
        return ir.Failed("", found.message or REPORTED)
    reason = found.finish_reason or ""
    if reason in FAILURES:
        return ir.Failed("", FAILURES[reason])
    if found.message is None:
        raise json.InvalidJSON("an answer without a message")
    return ir.Answer(
        id=found.id or "",
        model="",
        blocks=tuple(_blocks(found.message)),
        reason=REASONS.get(reason, "stop"),
        usage=_counted(found.usage),
    )


def _blocks(message: _Message) -> Iterable[ir.Said]:
    parts = message.content if isinstance(message.content, list) else []
    thought = (message.tool_plan or "") + "".join(part.thinking or "" for part in parts)
    if thought:
        yield ir.Thinking(thought)
    text = "".join(part.text or "" for part in parts)
    if text:
        yield ir.Text(text)
    for call in message.tool_calls if isinstance(message.tool_calls, list) else ():
        function = call.function or _Function()
        yield ir.ToolCall(call.id, function.name or "", function.arguments or "{}")


def _counted(raw: msgspec.Raw) -> ir.Usage | None:
    """What was read includes what the cache held."""
    found = believed(_usage, raw)
    if found is None or found.tokens is None:
        return None
    read, written = int(found.tokens.input_tokens), int(found.tokens.output_tokens)
    return ir.Usage(input=read, output=written, cached=min(int(found.cached_tokens or 0), read))


class StreamDecoder(EventDecoder):
    """Reads a stream cut anywhere. `prompt` is never told before the end."""

    __slots__ = ("_argued",)

    def __init__(self) -> None:
        super().__init__()
        self._argued = True

    def read(self, data: bytes) -> list[ir.Event]:
        if data == b"[DONE]":
            return []
        try:
            event = _event.decode(data)
        except BROKEN:
            return self._fail(UNREADABLE)
        if event.type == "message-start":
            self._started = True
            return [ir.Started(event.id or "", "")]
        if event.type == "tool-call-end":
            return self._called()
        if not event.type and event.message is not None:
            return self._fail(event.message or REPORTED)
        return [] if event.delta is None else self._said(event.type, event.delta)

    def _said(self, kind: str, delta: _Delta) -> list[ir.Event]:
        """Kinds of events not known here are passed over."""
        message = delta.message or _Message()
        match kind:
            case "content-start" | "content-delta" if isinstance(message.content, _Part):
                return _shown(message.content)
            case "tool-plan-delta" if message.tool_plan:
                return [ir.ThinkingDelta(message.tool_plan)]
            case "tool-call-start" | "tool-call-delta" if isinstance(message.tool_calls, _Call):
                return self._call(kind, message.tool_calls)
            case "message-end":
                return self._end(delta)
            case _:
                return []

    def _call(self, kind: str, call: _Call) -> list[ir.Event]:
        function = call.function or _Function()
        found: list[ir.Event] = []
        if kind == "tool-call-start":
            self._argued = False
            found.append(ir.CallStarted(call.id, function.name or ""))
        if function.arguments:
            self._argued = True
            found.append(ir.ArgumentsDelta(function.arguments))
        return found

    def _called(self) -> list[ir.Event]:
        """A call without arguments is one with none."""
        silent, self._argued = not self._argued, True
        return [ir.ArgumentsDelta("{}")] if silent else []

    def _end(self, delta: _Delta) -> list[ir.Event]:
        reason = delta.finish_reason or ""
        if delta.error or reason in FAILURES:
            return self._fail(delta.error or FAILURES[reason])
        self._over = True
        self.usage = _counted(delta.usage)
        return [ir.Finished(REASONS.get(reason, "stop")), ir.Ended(self.usage)]


def _shown(part: _Part) -> list[ir.Event]:
    thought: list[ir.Event] = [ir.ThinkingDelta(part.thinking)] if part.thinking else []
    return [*thought, ir.TextDelta(part.text)] if part.text else thought
