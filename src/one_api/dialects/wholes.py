"""An answer in one piece as the events of a stream, and the other way round.

Some upstreams do not stream, others do nothing else; callers get what they asked for.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from one_api import ir
from one_api.lib import json

MAX_WHOLE: Final = 64 * 1024 * 1024
UNREADABLE: Final = "the upstream's answer cannot be read"
UNFINISHED: Final = "the upstream's answer ends before it is complete"


def spread(answer: ir.Answer) -> Iterator[ir.Event]:
    """The events of a stream that would have been this answer."""
    yield ir.Started(answer.id, answer.model)
    yield from _said(answer.blocks, answer.reason)
    for place, other in enumerate(answer.others, 1):
        yield from (ir.Beside(place, event) for event in _said(other.blocks, other.reason))
    yield ir.Ended(answer.usage)


def _said(blocks: tuple[ir.Said, ...], reason: ir.Reason) -> Iterator[ir.Event]:
    for index, block in enumerate(blocks):
        match block:
            case ir.Text():
                yield ir.TextDelta(block.text, refused=block.refused, tokens=block.tokens)
                yield from (ir.Cited(each) for each in block.citations)
            case ir.Thinking():
                yield ir.ThinkingDelta(block.text)
                yield ir.ThinkingEnded(index, block)
            case ir.Redacted():
                yield ir.ThinkingEnded(index, block)
            case ir.Image() | ir.File():
                yield ir.Shown(block)
            case ir.ToolCall():
                yield ir.CallStarted(block.id, block.name)
                yield ir.ArgumentsDelta(block.arguments)
            case _:
                pass
    yield ir.Finished(reason)


def gather(events: Iterable[ir.Event]) -> ir.Answer | ir.Failed:
    """The answer that a stream of text and thoughts adds up to."""
    started = ir.Started("", "")
    text: list[str] = []
    thought: list[str] = []
    reason: ir.Reason = "stop"
    for event in events:
        match event:
            case ir.Started():
                started = event
            case ir.TextDelta():
                text.append(event.text)
            case ir.ThinkingDelta():
                thought.append(event.text)
            case ir.Finished():
                reason = event.reason
            case ir.Ended():
                said = (ir.Thinking("".join(thought)), ir.Text("".join(text)))
                blocks = tuple(block for block in said if block.text)
                return ir.Answer(id=started.id, model=started.model, blocks=blocks, reason=reason, usage=event.usage)
            case ir.Failed():
                return event
            case _:
                pass
    return ir.Failed("upstream_error", UNFINISHED)


class WholeDecoder:
    """Reads what should be a stream and is an answer in one piece, of which nothing is known before its end."""

    __slots__ = ("_decode", "_parts", "_size", "prompt", "usage")

    def __init__(self, decode: Callable[[bytes], ir.Answer | ir.Failed]) -> None:
        self._decode = decode
        self._parts: list[bytes] = []
        self._size = 0
        self.prompt: ir.Usage | None = None
        self.usage: ir.Usage | None = None

    def feed(self, data: bytes) -> list[ir.Event]:
        self._size += len(data)
        if self._size > MAX_WHOLE:
            return [ir.Failed("", "the upstream's answer is too large")]
        self._parts.append(data)
        return []

    def close(self) -> list[ir.Event]:
        try:
            answer = self._decode(b"".join(self._parts))
        except json.InvalidJSON:
            return [ir.Failed("", UNREADABLE)]
        if isinstance(answer, ir.Failed):
            return [answer]
        self.usage = answer.usage
        return list(spread(answer))
