"""Documents ranked by a channel: in the caller's form as they are, in another one translated."""

import asyncio
from collections.abc import Mapping
from typing import Any

from one_api import ir
from one_api.dialects import reranking
from one_api.dialects.reranking import FORMS
from one_api.dialects.tap import EventTap
from one_api.lib import json
from one_api.relay import rewritten
from one_api.relay.calls import Ask, Call
from one_api.relay.inflow import Shape
from one_api.relay.rewritten import RewrittenInflow
from one_api.routing import Channel


def write_request(call: Call, ask: Ask, channel: Channel, model: str, wire: str) -> bytes:
    """The body for the upstream. Raises UpstreamError for what this channel cannot rank; another may."""
    form = FORMS.get(wire)
    if form is None:
        return call.body if model == ask.model else json.encode({**ask.document, "model": model})
    return rewritten.write_request(
        call, channel, lambda: reranking.encode_request(form, reranking.decode_request(ask.document), model=model)
    )


class RankedInflow(RewrittenInflow):
    """An answer whose usage is read; it is translated where the channel has another form."""

    __slots__ = ("_document", "_model", "_tap", "_wire")

    def __init__(self, loop: asyncio.AbstractEventLoop, *, wire: str, document: Mapping[str, Any], model: str) -> None:
        super().__init__(loop, wants=Shape.WHOLE)
        self._wire = wire
        self._document = document
        self._model = model
        self.tap = self._tap = EventTap()

    def rewrite(self) -> ir.Failed | None:
        form = FORMS.get(self._wire)
        if form is None:
            self._tap.usage = reranking.read_usage(json.decode(self.body))
            return None
        found = reranking.decode_answer(form, self.body)
        if isinstance(found, ir.Failed):
            return found
        asked = reranking.decode_request(self._document)
        if not all(0 <= place < len(asked.documents) for place, _ in found.results):
            return ir.Failed("", reranking.UNREADABLE)
        self._tap.usage = found.usage
        self._parts = [reranking.encode_answer(found, asked, model=self._model)]
        return None
