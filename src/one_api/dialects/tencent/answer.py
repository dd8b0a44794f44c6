"""Answers of Hunyuan, whole or as events: https://cloud.tencent.com/document/api/1729/105701.

A whole answer is in a wrapper, an event is not. Each event counts what was read and written up to then; the last is the
one that gives a reason.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from one_api import ir
from one_api.dialects.decoding import (
    BROKEN,
    NOTHING,
    REPORTED,
    UNREADABLE,
    Count,
    believed,
    whole,
)
from one_api.dialects.messages import MessageDecoder, blocks
from one_api.dialects.tencent.causes import failed
from one_api.lib import json

REASONS: Final[Mapping[str, ir.Reason]] = {"tool_calls": "tool_calls", "sensitive": "content_filter"}


class _Function(msgspec.Struct, rename="pascal"):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct, rename="pascal"):
    id: str | None = None
    index: int | None = None
    function: _Function | None = None


class _Message(msgspec.Struct, rename="pascal"):
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[_Call] | None = None

    @property
    def text(self) -> str:
        return self.content or ""


class _Choice(msgspec.Struct, rename="pascal"):
    message: _Message | None = None
    delta: _Message | None = None
    finish_reason: str | None = None

    @property
    def reason(self) -> ir.Reason | None:
        return REASONS.get(self.finish_reason, "stop") if self.finish_reason else None


class _Details(msgspec.Struct, rename="pascal"):
    cached_tokens: Count | None = None


class _Usage(msgspec.Struct, rename="pascal"):
    prompt_tokens: Count
    completion_tokens: Count
    prompt_tokens_details: _Details | None = None


class _Error(msgspec.Struct, rename="pascal"):
    code: str = ""
    message: str = ""


class _Fault(msgspec.Struct, rename="pascal"):
    """Of a stream under way."""

    code: int = 0
    msg: str = ""


class _Response(msgspec.Struct, rename="pascal"):
    id: str | None = None
    request_id: str | None = None
    choices: list[_Choice] | None = None
    usage: msgspec.Raw = NOTHING
    error: _Error | None = None
    error_msg: _Fault | None = None

    @property
    def failure(self) -> ir.Failed | None:
        if self.error is not None:
            return failed(self.error.code, self.error.message)
        if self.error_msg is not None and (self.error_msg.code or self.error_msg.msg):
            return ir.Failed("upstream_error", self.error_msg.msg or REPORTED)
        return None


class _Event(_Response, rename="pascal"):
    """What is refused before it begins comes in the wrapper."""

    response: _Response | None = None


_event = msgspec.json.Decoder(_Event)
_usage: msgspec.json.Decoder[_Usage | None] = msgspec.json.Decoder(_Usage | None)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON."""
    event = whole(_event, body)
    found = event.response or event
    failure = found.failure
    if failure is not None:
        return failure
    choice = found.choices[0] if found.choices else None
    if choice is None or choice.message is None:
        raise json.InvalidJSON("an answer without a choice")
    return ir.Answer(
        id=found.request_id or found.id or "",
        model="",
        blocks=tuple(blocks(choice.message)),
        reason=choice.reason or "stop",
        usage=_counted(found.usage),
    )


def _counted(raw: msgspec.Raw) -> ir.Usage | None:
    found = believed(_usage, raw)
    if found is None:
        return None
    details = found.prompt_tokens_details or _Details()
    cached = min(details.cached_tokens or 0, found.prompt_tokens)
    return ir.Usage(input=found.prompt_tokens, output=found.completion_tokens, cached=cached)


class StreamDecoder(MessageDecoder):
    """Reads a stream cut anywhere."""

    __slots__ = ()

    def read(self, data: bytes) -> list[ir.Event]:
        if data == b"[DONE]":
            return []
        try:
            event = _event.decode(data)
        except BROKEN:
            return self._fail(UNREADABLE)
        found = event.response or event
        failure = found.failure
        if failure is not None:
            return self._failed(failure)
        if found.usage is not NOTHING:
            self.usage = _counted(found.usage)
        started: list[ir.Event] = [] if self._started else [ir.Started(found.id or "", "")]
        self._started = True
        return [*started, *self._said(found.choices[0].delta, found.choices[0].reason)] if found.choices else started
