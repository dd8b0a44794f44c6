"""Asks a provider for the balance of a channel's account, the way its calls go."""

from datetime import UTC, date, datetime
from typing import Any, Final

from one_api.lib import json
from one_api.pricing import gojson
from one_api.providers import balances
from one_api.providers.balances import NoBalance, Query
from one_api.relay.attempt import Upstreams, transport_for
from one_api.relay.inflow import Inflow, Shape
from one_api.relay.redaction import text_without_key
from one_api.relay.targets import USER_AGENT
from one_api.relay.transport import HttpRequest, Origin, Timeouts
from one_api.routing import Channel

LONGEST_S: Final = 30.0


async def balance(upstreams: Upstreams, channel: Channel, *, now: float) -> float:
    """What is left, in the provider's unit. Raises NoBalance and UpstreamError, without the key."""
    flow = balances.flow(channel, today(now))
    try:
        query = next(flow)
        while True:
            query = flow.send(await _answer(upstreams, channel, query))
    except StopIteration as done:
        found: float = done.value
        return found
    except NoBalance as error:
        error.message = text_without_key(error.message, channel)
        raise


def today(now: float) -> date:
    """The date where the operator is."""
    return datetime.fromtimestamp(now, UTC).astimezone().date()


async def _answer(upstreams: Upstreams, channel: Channel, query: Query) -> Any:
    """The JSON that comes back with status 200."""
    try:
        origin, path = Origin.parse(query.url)
    except ValueError:
        raise NoBalance("渠道地址无法使用") from None
    request = HttpRequest(
        origin=origin, method="GET", target=path.encode("latin-1"), headers=(*query.headers, USER_AGENT)
    )
    longest = min(upstreams.timeouts.total or LONGEST_S, LONGEST_S)
    inflow = Inflow(upstreams.loop, wants=Shape.WHOLE)
    try:
        inflow.bind(transport_for(upstreams, channel).send(request, inflow, Timeouts(total=longest)))
        await inflow.ready
        status, body = 0 if inflow.head is None else inflow.head.status, inflow.body
    finally:
        inflow.close()
    if status != 200:
        raise NoBalance(f"status code: {status}")
    try:
        return json.decode(body)
    except json.InvalidJSON:
        raise NoBalance(gojson.complaint(body) or balances.UNREADABLE) from None
