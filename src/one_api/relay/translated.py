"""A chat call on a channel that speaks another dialect: its request written anew, its answer translated as it arrives.

What comes out is what a channel of the caller's dialect would have sent; from there on the same code decides.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog

from one_api import ir
from one_api.dialects import anthropic, openai_chat, openai_request
from one_api.dialects.openai_answer import ChunkEncoder, encode_answer, encode_failure, encode_usage
from one_api.dialects.outbound import Outbound
from one_api.errors import UpstreamError
from one_api.lib import json
from one_api.providers import Mode
from one_api.relay.calls import Ask, Call
from one_api.relay.inflow import Cut, Inflow, Shape
from one_api.routing import Channel

UNREADABLE: Final = "the upstream's answer cannot be read"

log = structlog.get_logger(__name__)


def write_request(call: Call, ask: Ask, channel: Channel, model: str, dialect: Outbound) -> bytes:
    """The body for the upstream. Raises UpstreamError for content that this channel cannot be told; another may."""
    try:
        encoded = dialect.encode_request(_read_request(ask, channel, model))
    except ir.Unrepresentable as error:
        raise UpstreamError(
            error.message, status=400, code="invalid_text_request", kind="one_api_error", blame="caller"
        ) from None
    if encoded.losses:
        # Names of unknown fields are the caller's words: as many and as long as he likes.
        lost = [name[:64] for name in encoded.losses[:16]]
        log.info("lost in translation", request_id=call.id, channel=channel.id, losses=lost)
    return encoded.body


def _read_request(ask: Ask, channel: Channel, model: str) -> ir.Request:
    if ask.mode is Mode.MESSAGES:
        document = anthropic.patch(ask.document, model=model, system_prompt=channel.system_prompt)
        return anthropic.decode_request(document or ask.document, model=model)
    document = openai_chat.patch(ask.document, system_prompt=channel.system_prompt)
    return openai_request.decode_request(document or ask.document, model=model)


class TranslatedInflow(Inflow):
    """An answer that is translated instead of forwarded. `model` is the name that was asked for at the upstream."""

    __slots__ = ("_created", "_decoder", "_dialect", "_encoder", "_model")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        dialect: Outbound,
        *,
        model: str,
        created: int,
        wants: Shape,
        strip_usage: bool,
        checkpoint: Callable[[Inflow], None] | None,
    ) -> None:
        super().__init__(loop, wants=wants, strip_usage=strip_usage, checkpoint=checkpoint)
        self._dialect = dialect
        self._model = model
        self._created = created
        self._decoder = dialect.decoder()
        self._encoder = ChunkEncoder(model=model, created=created)

    @property
    def begun(self) -> Any:
        prompt = self._decoder.prompt
        return None if prompt is None else encode_usage(prompt)

    def on_end(self) -> None:
        if self.shape is Shape.WHOLE and self.accepted:
            self._rewrite()
        super().on_end()

    def _rewrite(self) -> None:
        """A good answer in one piece, in the caller's dialect; an error that came as one too."""
        try:
            answer = self._dialect.decode_answer(self.body)
        except json.InvalidJSON:
            self._fail(
                UpstreamError(UNREADABLE, status=500, code="unmarshal_response_body_failed", kind="one_api_error"),
                Cut(UNREADABLE),
            )
            return
        self._parts = [self._written_whole(answer)]

    def _on_events(self, data: bytes) -> None:
        if not self.ended.done():
            self._translate(self._decoder.feed(data))

    def _on_events_end(self) -> None:
        if self.ended.done():
            return
        self._translate(self._decoder.close())
        if not self.ended.done():
            self._stop(Cut("the upstream's stream ended before its answer did"))

    def _translate(self, events: list[ir.Event]) -> None:
        if self._decoder.usage is not None and self.tap.usage is None:
            self.tap.usage = encode_usage(self._decoder.usage)  # also if the end that would tell it never comes
        self._sort_out((raw, self.tap.event(data)) for event in events for raw, data in self._written(event))

    # The caller's dialect

    def _written_whole(self, answer: ir.Answer | ir.Failed) -> bytes:
        if isinstance(answer, ir.Failed):
            return encode_failure(answer)
        return encode_answer(answer, model=self._model, created=self._created)

    def _written(self, event: ir.Event) -> Iterable[tuple[bytes, bytes | None]]:
        """The bytes of what an event is to the caller, each with its `data` field."""
        for data in self._encoder.encode(event):
            yield (b": \n\n", None) if data is None else (b"data: %b\n\n" % data, data)
