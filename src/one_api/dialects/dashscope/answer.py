"""Answers of DashScope, whole or as events: https://help.aliyun.com/en/model-studio/qwen-api-via-dashscope.

Each event of a stream counts what was read and written up to then. The last is the one that gives a reason; until then
the reason is the word "null".
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
from one_api.lib import json

REASONS: Final[Mapping[str, ir.Reason]] = {"stop": "stop", "length": "length", "tool_calls": "tool_calls"}
CAUSES: Final[Mapping[str, str]] = {
    "InvalidApiKey": "authentication_error",
    "Arrearage": "insufficient_quota",
    "AccessDenied.Unpurchased": "permission_error",
}
"""What ends an account, in the words of routing.health: https://help.aliyun.com/en/model-studio/error-code."""
REFUSALS: Final = frozenset(("DataInspectionFailed", "data_inspection_failed"))


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    id: str | None = None
    index: int | None = None
    function: _Function | None = None


class _Part(msgspec.Struct):
    text: str | None = None


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None
    reasoning_content: str | None = None
    tool_calls: list[_Call] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text or "" for part in self.content)
        return self.content or ""


class _Choice(msgspec.Struct):
    message: _Message | None = None
    finish_reason: str | None = None

    @property
    def reason(self) -> ir.Reason | None:
        given = self.finish_reason not in (None, "", "null")
        return REASONS.get(self.finish_reason or "", "stop") if given else None


class _Output(msgspec.Struct):
    """`text` is what models say that know no other form."""

    choices: list[_Choice] | None = None
    text: str | None = None
    finish_reason: str | None = None

    @property
    def choice(self) -> _Choice | None:
        if self.choices:
            return self.choices[0]
        return None if self.text is None else _Choice(_Message(self.text), self.finish_reason)


class _Read(msgspec.Struct):
    cached_tokens: Count | None = None


class _Written(msgspec.Struct):
    reasoning_tokens: Count | None = None


class _Usage(msgspec.Struct):
    input_tokens: Count
    output_tokens: Count
    prompt_tokens_details: _Read | None = None
    output_tokens_details: _Written | None = None


class _Body(msgspec.Struct):
    request_id: str | None = None
    output: _Output | None = None
    usage: msgspec.Raw = NOTHING
    code: str | None = None
    message: str | None = None


_body = msgspec.json.Decoder(_Body)
_usage: msgspec.json.Decoder[_Usage | None] = msgspec.json.Decoder(_Usage | None)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_body, body)
    if found.code:
        return _failed(found.code, found.message)
    choice = None if found.output is None else found.output.choice
    if choice is None or choice.message is None:
        raise json.InvalidJSON("an answer without a choice")
    return ir.Answer(
        id=found.request_id or "",
        model="",
        blocks=tuple(blocks(choice.message)),
        reason=choice.reason or "stop",
        usage=_counted(found.usage),
    )


def _failed(code: str, message: str | None) -> ir.Failed:
    told = message or REPORTED
    return ir.Failed(CAUSES.get(code, code), told, refused=code in REFUSALS)


def _counted(raw: msgspec.Raw) -> ir.Usage | None:
    """What was read includes what the cache held: https://help.aliyun.com/en/model-studio/context-cache."""
    found = believed(_usage, raw)
    if found is None:
        return None
    read, written = found.prompt_tokens_details or _Read(), found.output_tokens_details or _Written()
    return ir.Usage(
        input=found.input_tokens,
        output=found.output_tokens,
        cached=min(read.cached_tokens or 0, found.input_tokens),
        reasoning=min(written.reasoning_tokens or 0, found.output_tokens),
    )


class StreamDecoder(MessageDecoder):
    """Reads a stream cut anywhere."""

    __slots__ = ()

    def read(self, data: bytes) -> list[ir.Event]:
        try:
            body = _body.decode(data)
        except BROKEN:
            return self._fail(UNREADABLE)
        if body.code:
            return self._failed(_failed(body.code, body.message))
        if body.usage is not NOTHING:
            self.usage = _counted(body.usage)
        started: list[ir.Event] = [] if self._started else [ir.Started(body.request_id or "", "")]
        self._started = True
        choice = None if body.output is None else body.output.choice
        return started if choice is None else [*started, *self._said(choice.message, choice.reason)]
