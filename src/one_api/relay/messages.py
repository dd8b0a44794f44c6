"""A call of Anthropic's Messages API: forwarded as received to a channel that speaks it, translated for any other.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from one_api import ir
from one_api.dialects.anthropic import EventEncoder, StreamDecoder, decode_answer, encode_failure, patch
from one_api.dialects.anthropic import encode_answer as encode_message
from one_api.dialects.openai_answer import encode_answer, encode_usage
from one_api.dialects.openai_chat import StreamTap, Verdict, Whole, read_whole
from one_api.dialects.outbound import Outbound
from one_api.lib import json
from one_api.relay.calls import Ask, Call
from one_api.relay.inflow import Inflow, Shape
from one_api.relay.translated import TranslatedInflow
from one_api.routing import Channel


def write_request(call: Call, ask: Ask, channel: Channel, model: str) -> bytes:
    """The bytes that were read, unless something has to change."""
    patched = patch(ask.document, model=model, system_prompt=channel.system_prompt)
    return call.body if patched is None else json.encode(patched)


def read_answer(body: bytes) -> Whole:
    """What the books need of a whole answer, as little as it may be."""
    try:
        answer = decode_answer(body)
    except json.InvalidJSON:
        return Whole()
    return Whole() if isinstance(answer, ir.Failed) else read_whole(encode_answer(answer, model="", created=0))


class MessagesTap(StreamTap):
    """Reads along while a stream of theirs passes. `begun` is what it said of its prompt, as a usage object."""

    __slots__ = ("_decoder",)
    END: ClassVar[bytes] = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

    def __init__(self) -> None:
        super().__init__()
        self._decoder = StreamDecoder()

    @property
    def begun(self) -> dict[str, Any] | None:
        prompt = self._decoder.prompt
        return None if prompt is None else encode_usage(prompt)

    def event(self, data: bytes | None) -> Verdict:
        """Judge one event by its data. What comes before the first content may still come from another channel."""
        if data is None:
            return Verdict.FORWARD
        verdict = Verdict.FORWARD
        for event in self._decoder.read(data):
            verdict = self._note(event, verdict)
        if self._decoder.usage is not None:
            self.usage = encode_usage(self._decoder.usage)
        self.events += verdict is Verdict.CONTENT
        return verdict

    def _note(self, event: ir.Event, verdict: Verdict) -> Verdict:
        match event:
            case ir.TextDelta() | ir.ThinkingDelta() | ir.ArgumentsDelta():
                self.pieces.append(event.text)
            case ir.CallStarted():
                self.pieces.append(event.name)
            case ir.ThinkingEnded():
                pass
            case ir.Finished():
                self.finished = True
                return verdict
            case ir.Ended():
                return Verdict.DONE
            case ir.Failed():
                self.error = {"type": event.type, "message": event.message}
                return Verdict.ERROR
            case _:
                return verdict
        return Verdict.CONTENT


class TranslatedMessages(TranslatedInflow):
    """An answer of another dialect, written in theirs."""

    __slots__ = ("_events",)

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        dialect: Outbound,
        *,
        model: str,
        created: int,
        wants: Shape,
        checkpoint: Callable[[Inflow], None] | None,
    ) -> None:
        super().__init__(
            loop, dialect, model=model, created=created, wants=wants, strip_usage=False, checkpoint=checkpoint
        )
        self.tap = MessagesTap()
        self._events = EventEncoder(model=model)

    def _written_whole(self, answer: ir.Answer | ir.Failed) -> bytes:
        return encode_failure(answer) if isinstance(answer, ir.Failed) else encode_message(answer, model=self._model)

    def _written(self, event: ir.Event) -> Iterable[tuple[bytes, bytes | None]]:
        return self._events.encode(event)


class MessagesInflow(Inflow):
    """An answer in their dialect."""

    __slots__ = ()

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        wants: Shape,
        checkpoint: Callable[[Inflow], None] | None,
    ) -> None:
        super().__init__(loop, wants=wants, checkpoint=checkpoint)
        self.tap = MessagesTap()
