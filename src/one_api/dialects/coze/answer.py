"""Answers of Coze's chat API: https://www.coze.com/docs/developer_guides/chat_v3#response-of-streaming.

What a bot says comes in pieces of messages of type `answer`, whose whole is told once more; a message of which no piece
came is told only then. Its other messages are about how it came to say so.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from one_api import ir
from one_api.dialects.decoding import (
    BROKEN,
    NOTHING,
    REPORTED,
    UNREADABLE,
    Count,
    EventDecoder,
    Piece,
    believed,
    event_name,
    whole,
)
from one_api.dialects.wholes import gather
from one_api.lib import json

CAUSES: Final[Mapping[str, str]] = {
    "4100": "authentication_error",
    "700012006": "authentication_error",
    "4011": "insufficient_quota",
    "4019": "insufficient_quota",
    "4022": "insufficient_quota",
}
"""What ends an account, in the words of routing.health: https://www.coze.cn/open/docs/developer_guides/coze_error_codes."""


class _Fault(msgspec.Struct):
    code: int = 0
    msg: str = ""


class _Usage(msgspec.Struct):
    input_count: Count
    output_count: Count


class _Event(msgspec.Struct):
    """A chat, a message or an error: what one of them does not have is empty."""

    id: str | None = None
    type: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    usage: msgspec.Raw = NOTHING
    last_error: _Fault | None = None
    code: int = 0
    msg: str = ""


_event = msgspec.json.Decoder(_Event)
_usage: msgspec.json.Decoder[_Usage | None] = msgspec.json.Decoder(_Usage | None)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Of an error in one piece, or of a whole stream. Raises json.InvalidJSON."""
    if body.lstrip().startswith(b"{"):
        found = whole(_event, body)
        if not found.code:
            raise json.InvalidJSON("an answer that is neither an error nor a stream")
        return _failed(found.code, found.msg)
    decoder = StreamDecoder()
    events = [*decoder.feed(body), *decoder.close()]
    if not events:
        raise json.InvalidJSON("an answer without events")
    return gather(events)


def _failed(code: int, message: str) -> ir.Failed:
    return ir.Failed(CAUSES.get(str(code), ""), message or REPORTED)


class StreamDecoder(EventDecoder):
    """Reads a stream cut anywhere. `prompt` is never told before the end."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        super().__init__()
        self._pieces: set[str | None] = set()  # messages of which there were pieces

    def _events(self, pieces: list[Piece]) -> list[ir.Event]:
        """What an event means says its name."""
        found: list[ir.Event] = []
        for raw, data in pieces:
            if self._over:
                break
            found += self._named(event_name(raw), data)
        return found

    def _named(self, name: bytes, data: bytes | None) -> list[ir.Event]:
        if data is None or name == b"done":
            return [ir.Alive()] if self._started else []
        try:
            event = _event.decode(data)
        except BROKEN:
            return self._fail(UNREADABLE)
        return list(self._told(name, event))

    def _told(self, name: bytes, event: _Event) -> Iterable[ir.Event]:
        match name:
            case b"conversation.chat.created":
                self._started = True
                yield ir.Started(event.id or "", "")
            case b"conversation.message.delta" if event.type == "answer":
                self._pieces.add(event.id)
                yield from _said(event)
            case b"conversation.message.completed" if event.type == "answer" and event.id not in self._pieces:
                yield from _said(event)
            case b"conversation.chat.completed":
                self._over = True
                self.usage = _counted(event.usage)
                yield ir.Finished("stop")
                yield ir.Ended(self.usage)
            case b"conversation.chat.failed":
                fault = event.last_error or _Fault()
                yield from self._failed(_failed(fault.code, fault.msg))
            case b"conversation.chat.requires_action":
                yield from self._fail("the bot waits for a tool that only its own client can run")
            case b"error":
                yield from self._failed(_failed(event.code, event.msg))
            case _:
                pass


def _said(event: _Event) -> Iterable[ir.Event]:
    if event.reasoning_content:
        yield ir.ThinkingDelta(event.reasoning_content)
    if event.content:
        yield ir.TextDelta(event.content)


def _counted(raw: msgspec.Raw) -> ir.Usage | None:
    found = believed(_usage, raw)
    return None if found is None else ir.Usage(input=found.input_count, output=found.output_count)
