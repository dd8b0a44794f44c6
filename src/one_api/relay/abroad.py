"""A call to a channel that does not speak OpenAI's dialect, or of a caller who does not: translated, or forwarded."""

import asyncio
from collections.abc import Callable

from one_api.dialects.outbound import ENCLOSED, Outbound
from one_api.providers import EMBEDDED, SPOKEN, Mode
from one_api.relay import drawn, embedded, forwarded, ranked, translated
from one_api.relay.calls import Ask, Call
from one_api.relay.enclosed import Enclosed, Source, addresses, enclose, fetch
from one_api.relay.inflow import Inflow, Shape
from one_api.relay.spoken import spoken
from one_api.relay.targets import EVENT_STREAM, USER_AGENT, Target, shape
from one_api.routing import Channel

_JSON = (b"content-type", b"application/json")


async def enclosures(
    content: Source, ask: Ask, channel: Channel, model: str, target: Target, known: Enclosed
) -> Enclosed:
    """What has to be fetched for this channel; nothing is fetched twice in a call. Raises UpstreamError."""
    wanted = ENCLOSED.get(target.wire) if target.translated and ask.mode in SPOKEN else None
    if wanted is None or not ask.media:
        return known
    asked = translated.read_request(ask, channel, model, spoken(ask.mode))
    missing = [block for block in addresses(asked, wanted) if block.url not in known]
    return {**known, **await fetch(missing, content)} if missing else known


def write_request(
    call: Call, ask: Ask, channel: Channel, model: str, target: Target, dialect: Outbound, enclosed: Enclosed
) -> bytes:
    """The body for the upstream. Raises UpstreamError for content that this channel cannot be told."""
    if ask.mode is Mode.RERANK:
        return ranked.write_request(call, ask, channel, model, target.wire)
    if ask.mode is Mode.IMAGES:
        return drawn.write_request(call, ask, channel, model, drawn.FORMS[target.wire])
    if ask.mode in EMBEDDED:
        if not target.translated:
            return embedded.write_own(call, ask, model)
        return embedded.write_request(call, ask, channel, model, embedded.DIALECTS[target.wire])
    inbound = spoken(ask.mode)
    if not target.translated:
        return forwarded.write_request(call, ask, channel, model, inbound)
    asked = enclose(translated.read_request(ask, channel, model, inbound), enclosed)
    return translated.write_request(call, channel, asked, target.wire, dialect)


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
    if ask.mode is Mode.RERANK:
        return ranked.RankedInflow(loop, wire=target.wire, document=ask.document, model=model)
    if ask.mode is Mode.IMAGES:
        return drawn.DrawnInflow(loop, form=drawn.FORMS[target.wire], document=ask.document, created=created)
    if ask.mode in EMBEDDED:
        if not target.translated:
            return Inflow(loop, wants=Shape.WHOLE)
        asking, theirs = embedded.spoken(ask.mode), embedded.DIALECTS[target.wire]
        return embedded.EmbeddedInflow(loop, spoken=asking, theirs=theirs, document=ask.document, model=model)
    inbound = spoken(ask.mode)
    if not target.translated:
        return forwarded.ForwardedInflow(loop, inbound, wants=shape(ask), checkpoint=checkpoint)
    flow = translated.TranslatedInflow(
        loop,
        inbound=inbound,
        outbound=dialect,
        document=ask.document,
        model=model,
        created=created,
        wants=shape(ask),
        checkpoint=checkpoint,
    )
    flow.faults = target.faults
    return flow


def headers(call: Call, ask: Ask, target: Target) -> tuple[tuple[bytes, bytes], ...]:
    """Of the caller's headers only those that the provider's row leaves to him, and to a client of OpenAI's fewer."""
    sent = dict(target.headers)
    for name, permit in target.callers:
        value = permit(call.heading.headers.get(name, b""))
        if value and (name in sent or not target.translated):
            sent[name] = value
    accept = (EVENT_STREAM,) if ask.stream else ()
    return (*sent.items(), _JSON, *accept, USER_AGENT)
