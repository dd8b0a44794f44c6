"""A call on a channel that speaks another dialect: its request written anew, its answer translated as it arrives.

Two registries make every pair: `dialects.inbound` has what callers speak, `dialects.outbound` what channels do.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import structs

from one_api import ir
from one_api.dialects.inbound import Inbound
from one_api.dialects.openai_errors import decode_error
from one_api.dialects.outbound import Outbound, encode_request
from one_api.dialects.tap import EventTap
from one_api.dialects.wholes import spread
from one_api.errors import UpstreamError
from one_api.lib import json
from one_api.providers import Reader
from one_api.relay import rewritten
from one_api.relay.calls import Ask, Call
from one_api.relay.inflow import Cut, Inflow, Shape
from one_api.relay.rewritten import UNREADABLE, failure, refusal, refused, unreadable
from one_api.routing import Channel


def read_request(ask: Ask, channel: Channel, model: str, inbound: Inbound) -> ir.Request:
    """What the caller asks for, in the neutral model. Raises UpstreamError for what cannot be read."""
    document = inbound.patch(ask.document, model=model, system_prompt=channel.system_prompt)
    try:
        asked = inbound.decode_request(document or ask.document, model=model)
    except ir.Unrepresentable as error:
        raise refused(error) from None
    return structs.replace(asked, stream=ask.stream)  # a path may have said so


def write_request(call: Call, channel: Channel, asked: ir.Request, wire: str, outbound: Outbound) -> bytes:
    """The body for the upstream. Raises UpstreamError for content that this channel cannot be told; another may."""
    return rewritten.write_request(call, channel, lambda: encode_request(wire, outbound, asked))


class TranslatedInflow(Inflow):
    """An answer that is translated instead of forwarded. `model` is the name that was asked for at the upstream.

    faults: how what is no answer is read.
    """

    __slots__ = ("_created", "_decoder", "_document", "_encoder", "_inbound", "_model", "_outbound", "_tap", "faults")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        inbound: Inbound,
        outbound: Outbound,
        document: Mapping[str, Any],
        model: str,
        created: int,
        wants: Shape,
        checkpoint: Callable[[Inflow], None] | None,
    ) -> None:
        super().__init__(loop, wants=wants, checkpoint=checkpoint)
        self._inbound = inbound
        self._outbound = outbound
        self.faults: Reader = decode_error
        self._document = document
        self._model = model
        self._created = created
        self._decoder = outbound.decoder()
        self._encoder = inbound.encoder(model=model, created=created, asked=document)
        self.tap = self._tap = EventTap()

    @property
    def number(self) -> int:
        return self._encoder.number

    def on_end(self) -> None:
        if self.shape is Shape.WHOLE and self.accepted:
            self._rewrite()
        super().on_end()

    def _rewrite(self) -> None:
        """A good answer in one piece, in the caller's dialect."""
        try:
            answer = self._outbound.decode_answer(self.body)
        except json.InvalidJSON:
            self._fail(self._unreadable(), Cut(UNREADABLE))
            return
        if isinstance(answer, ir.Failed):
            self._fail(failure(answer), Cut(answer.message))
            return
        if self._wants is Shape.EVENTS:
            self._spread(answer)
            return
        self._tap.note_answer(answer)
        self._parts = [
            self._inbound.encode_answer(answer, model=self._model, created=self._created, asked=self._document)
        ]

    def _unreadable(self) -> UpstreamError:
        """No answer, and perhaps an error in a form of the provider's own."""
        found = None if self.faults is decode_error else self.faults(502, self.body)
        if found is None or found == decode_error(502, self.body):
            return unreadable()
        error = UpstreamError(found.message, kind=found.type)
        error.code = found.code
        return error

    def _spread(self, answer: ir.Answer) -> None:
        """Some upstreams know no streams: who asked for one gets it nevertheless."""
        self.shape, self._parts = Shape.EVENTS, []
        self._translate(list(spread(answer)))

    def _stop(self, cut: Cut) -> None:
        if self._tap.refused:
            self._fail(refusal(cut.message, "" if cut.reported is None else cut.reported.type), cut)
        else:
            super()._stop(cut)

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
        if self._decoder.usage is not None:
            self._tap.usage = self._decoder.usage  # also if the end that would tell it never comes
        encode, note = self._encoder.encode, self._tap.note
        self._sort_out((encode(event), note(event)) for event in events)
