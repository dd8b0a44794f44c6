"""Asks a provider which models a channel's account may use, the way its calls go."""

from typing import Any, Final

from one_api.lib import json
from one_api.pricing import gojson
from one_api.providers import listing
from one_api.providers.listing import NoList, Query
from one_api.relay.attempt import Upstreams, transport_for
from one_api.relay.inflow import Inflow, Shape
from one_api.relay.redaction import body_without_key, text_without_key
from one_api.relay.targets import USER_AGENT
from one_api.relay.transport import HttpRequest, Origin, Timeouts
from one_api.routing import Channel

LONGEST_S: Final = 30.0
MOST_SAID: Final = 500


async def models(upstreams: Upstreams, channel: Channel) -> list[str]:
    """Their names, in the provider's order. Raises NoList and UpstreamError, without the key."""
    found: dict[str, None] = {}
    after = ""
    for _ in range(listing.PAGES):
        answer = await _answer(upstreams, channel, listing.query(channel, after))
        page = listing.read(channel, answer)
        found.update(dict.fromkeys(page.names))
        after = page.next
        if not after or len(found) >= listing.MOST:
            break
    return list(found)[: listing.MOST]


async def _answer(upstreams: Upstreams, channel: Channel, query: Query) -> Any:
    """The JSON that comes back with status 200."""
    try:
        origin, path = Origin.parse(query.url)
    except ValueError:
        raise NoList("渠道地址无法使用") from None
    headers = (*query.headers, USER_AGENT)
    if channel.parameters is not None:
        headers = channel.parameters.head(headers, channel.key)
    request = HttpRequest(origin=origin, method="GET", target=path.encode("latin-1"), headers=headers)
    longest = min(upstreams.timeouts.total or LONGEST_S, LONGEST_S)
    inflow = Inflow(upstreams.loop, wants=Shape.WHOLE)
    try:
        inflow.bind(transport_for(upstreams, channel).send(request, inflow, Timeouts(total=longest)))
        await inflow.ready
        status, body = 0 if inflow.head is None else inflow.head.status, inflow.body
    finally:
        inflow.close()
    if status != 200:
        said = body_without_key(body, channel)[:MOST_SAID].decode("utf-8", "replace")
        raise NoList(text_without_key(f"status code: {status}, {said}", channel))
    try:
        return json.decode(body)
    except json.InvalidJSON:
        raise NoList(gojson.complaint(body) or "上游返回的模型列表无法识别") from None
