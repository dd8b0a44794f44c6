"""A call to a channel that does not speak OpenAI's dialect, or of a caller who does not: translated, or forwarded."""

import asyncio
from collections.abc import Callable

from one_api.dialects.outbound import Outbound
from one_api.relay import forwarded, translated
from one_api.relay.calls import Ask, Call
from one_api.relay.inflow import Inflow
from one_api.relay.spoken import spoken
from one_api.relay.targets import EVENT_STREAM, USER_AGENT, Target, shape
from one_api.routing import Channel

_JSON = (b"content-type", b"application/json")


def write_request(call: Call, ask: Ask, channel: Channel, model: str, target: Target, dialect: Outbound) -> bytes:
    """The body for the upstream. Raises UpstreamError for content that this channel cannot be told."""
    inbound = spoken(ask.mode)
    if target.translated:
        return translated.write_request(call, ask, channel, model, inbound=inbound, outbound=dialect)
    return forwarded.write_request(call, ask, channel, model, inbound)


def inflow(
    loop: asyncio.AbstractEventLoop,
    ask: Ask,
    model: str,
    target: Target,
    dialect: Outbound,
    created: int,
    checkpoint: Callable[[Inflow], None] | None,
) -> Inflow:
    """For the answer."""
    inbound = spoken(ask.mode)
    if not target.translated:
        return forwarded.ForwardedInflow(loop, inbound, wants=shape(ask), checkpoint=checkpoint)
    return translated.TranslatedInflow(
        loop,
        inbound=inbound,
        outbound=dialect,
        document=ask.document,
        model=model,
        created=created,
        wants=shape(ask),
        checkpoint=checkpoint,
    )


def headers(call: Call, ask: Ask, target: Target) -> tuple[tuple[bytes, bytes], ...]:
    """Of the caller's headers only those that the provider's row leaves to him, and to a client of OpenAI's fewer."""
    sent = dict(target.headers)
    for name, permit in target.callers:
        value = permit(call.heading.headers.get(name, b""))
        if value and (name in sent or not target.translated):
            sent[name] = value
    accept = (EVENT_STREAM,) if ask.stream else ()
    return (*sent.items(), _JSON, *accept, USER_AGENT)
