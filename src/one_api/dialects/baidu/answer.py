"""Answers of ERNIE, whole or as events: https://cloud.baidu.com/doc/WENXINWORKSHOP/s/jlil56u11.

An event counts what was read and written up to then, and says whether it is the last.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from one_api import ir
from one_api.dialects.baidu.causes import failed
from one_api.dialects.decoding import BROKEN, NOTHING, UNREADABLE, Count, EventDecoder, believed, whole
from one_api.lib import json

REASONS: Final[Mapping[str, ir.Reason]] = {
    "length": "length",
    "content_filter": "content_filter",
    "function_call": "tool_calls",
}


class _Call(msgspec.Struct):
    name: str = ""
    arguments: str | None = None
    thoughts: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: Count
    completion_tokens: Count | None = None
    total_tokens: Count = 0


class _Answer(msgspec.Struct):
    """`result` is the text, of an event a piece of it."""

    id: str | None = None
    result: str | None = None
    function_call: _Call | None = None
    finish_reason: str | None = None
    is_end: bool = False
    is_truncated: bool = False
    usage: msgspec.Raw = NOTHING
    error_code: int | None = None
    error_msg: str | None = None

    @property
    def reason(self) -> ir.Reason:
        if self.function_call is not None:
            return "tool_calls"
        return REASONS.get(self.finish_reason or "", "length" if self.is_truncated else "stop")


_answer = msgspec.json.Decoder(_Answer)
_usage: msgspec.json.Decoder[_Usage | None] = msgspec.json.Decoder(_Usage | None)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_answer, body)
    if found.error_code:
        return failed(found.error_code, found.error_msg or "")
    if found.result is None and found.function_call is None:
        raise json.InvalidJSON("an answer without a result")
    blocks = tuple(_blocks(found))
    return ir.Answer(id=found.id or "", model="", blocks=blocks, reason=found.reason, usage=_counted(found.usage))


def _blocks(found: _Answer) -> Iterable[ir.Said]:
    """A call has no number of its own: there is one at most."""
    call = found.function_call
    if call is not None and call.thoughts:
        yield ir.Thinking(call.thoughts)
    if found.result:
        yield ir.Text(found.result)
    if call is not None:
        yield ir.ToolCall(f"call_{found.id or 0}", call.name, call.arguments or "{}")


def _counted(raw: msgspec.Raw) -> ir.Usage | None:
    found = believed(_usage, raw)
    if found is None:
        return None
    written = found.completion_tokens
    if written is None:
        written = max(found.total_tokens - found.prompt_tokens, 0)
    return ir.Usage(input=found.prompt_tokens, output=written)


class StreamDecoder(EventDecoder):
    """Reads a stream cut anywhere."""

    __slots__ = ()

    def read(self, data: bytes) -> list[ir.Event]:
        try:
            found = _answer.decode(data)
        except BROKEN:
            return self._fail(UNREADABLE)
        if found.error_code:
            return self._failed(failed(found.error_code, found.error_msg or ""))
        if found.usage is not NOTHING:
            self.usage = _counted(found.usage)
        return list(self._said(found))

    def _said(self, found: _Answer) -> Iterable[ir.Event]:
        if not self._started:
            self._started = True
            yield ir.Started(found.id or "", "")
        call = found.function_call
        if call is not None and call.thoughts:
            yield ir.ThinkingDelta(call.thoughts)
        if found.result:
            yield ir.TextDelta(found.result)
        if call is not None:
            yield ir.CallStarted(f"call_{found.id or 0}", call.name)
            yield ir.ArgumentsDelta(call.arguments or "{}")
        if found.is_end:
            self._over = True
            yield ir.Finished(found.reason)
            yield ir.Ended(self.usage)
