"""A call to a channel that speaks the caller's dialect, where that is not OpenAI's: forwarded as received, read along.

OpenAI's own is `Inflow` itself, which looks at an event without building anything of it.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from one_api import ir
from one_api.dialects.inbound import MEASURED, Inbound
from one_api.dialects.tap import PassageTap
from one_api.errors import UpstreamError
from one_api.lib import json
from one_api.providers import SPOKEN
from one_api.relay.calls import Ask, Call
from one_api.relay.inflow import Inflow, Shape
from one_api.routing import Channel

ANTHROPIC: Final = 14  # others who speak its dialect do not sign what their models think


def write_request(call: Call, ask: Ask, channel: Channel, model: str, inbound: Inbound) -> bytes:
    """The bytes that were read, unless something has to change. Raises UpstreamError.

    What a vendor keeps belongs to the channel's account, and so to all its callers: whoever learns of another's answer
    could go on with it. So it takes an operator who says that they may.
    """
    if ask.kept and channel.config.get("kept_responses") != "true":
        raise UpstreamError(
            f"{ask.kept} cannot refer to what is kept elsewhere on this channel: send the items themselves",
            status=400,
            code="invalid_text_request",
            kind="one_api_error",
            param=ask.kept,
            blame="caller",
        )
    measured = MEASURED.get(SPOKEN.get(ask.mode, ""))
    document = ask.document
    if measured is not None:
        document = measured.own(document, model=model, vendor=channel.type == ANTHROPIC)
    patched = inbound.patch(document, model=model, system_prompt=channel.system_prompt)
    if patched is None and document is ask.document:
        return call.body
    return json.encode(document if patched is None else patched)


class ForwardedInflow(Inflow):
    """An answer in the caller's dialect."""

    __slots__ = ("_inbound", "_tap")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        inbound: Inbound,
        *,
        wants: Shape,
        checkpoint: Callable[[Inflow], None] | None,
    ) -> None:
        super().__init__(loop, wants=wants, checkpoint=checkpoint)
        self._inbound = inbound
        self.tap = self._tap = PassageTap(inbound)

    @property
    def number(self) -> int:
        return self._tap.number

    def on_end(self) -> None:
        if self.shape is Shape.WHOLE and self.accepted:
            self._read()
        super().on_end()

    def _read(self) -> None:
        """What the books need of a whole answer, as little as it may be."""
        try:
            answer = self._inbound.decode_answer(self.body)
        except json.InvalidJSON:
            return
        if isinstance(answer, ir.Answer):
            self._tap.note_answer(answer)
