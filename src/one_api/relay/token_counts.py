"""How many tokens a conversation would be, without having it: nothing is held, nothing is charged.

A channel of the caller's dialect is asked, as it knows best. For others, and where none can tell, we count ourselves.
"""

import asyncio

from one_api.accounts import rules
from one_api.errors import BadRequest, UpstreamError
from one_api.relay import calls
from one_api.relay.answers import own_headers, respond_whole
from one_api.relay.attempt import Answer, one_answer
from one_api.relay.calls import Ask, Call
from one_api.relay.client import Client
from one_api.relay.pipeline import Relay, admit, limited, plan
from one_api.relay.spoken import MEASURED_MODES, speaks
from one_api.routing import Channel

_JSON = (b"content-type", b"application/json")


async def run(relay: Relay, call: Call, client: Client) -> None:
    caller, pinned = await admit(relay, call)
    ask = calls.understand(call) if len(call.body) <= calls.LONG else await asyncio.to_thread(calls.understand, call)
    call.record.model = ask.model
    rules.permit_model(caller, ask.model)
    candidates = plan(relay, caller, ask, pinned)
    calls.validate(ask)
    async with limited(relay, call, caller, client, model=ask.model) as (told, _):
        await _serve(relay, call, ask, candidates, told)


async def _serve(relay: Relay, call: Call, ask: Ask, candidates: list[Channel], client: Client) -> None:
    answer = await _ask(relay, call, ask, candidates[0], client)
    if answer is not None:
        client.listen(None)
        respond_whole(call, answer, client)
        answer.inflow.close()
        return
    if ask.kept:
        raise BadRequest(f"what {ask.kept} refers to is not kept here, and so not counted")
    model = candidates[0].mapping.get(ask.model) or ask.model
    tokens = await relay.counting.prompt(ask, model, relay.options())
    body = MEASURED_MODES[call.mode].encode_count(tokens)
    client.respond(200, (*own_headers(call.id, call.heading), _JSON), body)


async def _ask(relay: Relay, call: Call, ask: Ask, channel: Channel, client: Client) -> Answer | None:
    """The channel's own count; None if it has none. Raises UpstreamError where it finds fault with the request."""
    if not speaks(channel, ask.mode, channel.mapping.get(ask.model) or ask.model):
        return None
    try:
        return await one_answer(relay.upstreams, call, ask, channel, client)
    except UpstreamError as error:
        if error.answered in (400, 413, 422):
            raise
        return None
