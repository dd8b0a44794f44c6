"""A relayed call from its first check to its last byte: admit, plan, hold, answer, settle.

Whoever saw the end of his answer has paid: the end is held back until the charge is durable.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

from one_api.accounts import rules
from one_api.accounts.cache import Accounts, Caller
from one_api.errors import AccessDenied, BadChannel, NoChannel, QuotaExceeded, TokenQuotaExceeded, UpstreamError
from one_api.ledger import Hold, HoldRequest, Ledger
from one_api.limits import Entry, Limiter
from one_api.options import Options
from one_api.pricing.ratios import Prices
from one_api.providers import Mode
from one_api.relay import billing, calls
from one_api.relay.answers import respond_whole, start_stream
from one_api.relay.attempt import Answer, Upstreams, first_answer
from one_api.relay.calls import TEXT_MODES, Ask, Call
from one_api.relay.client import Client
from one_api.relay.counting import Counting
from one_api.relay.inflow import WHOLE, ClientGone, Cut
from one_api.relay.limited import LimitedClient
from one_api.relay.planner import Planner
from one_api.relay.redaction import without_key
from one_api.relay.spoken import spoken
from one_api.relay.tab import Tab
from one_api.routing import ENABLED, Channel, Routes

ADMIN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """The parts of the process that a call meets on its way. The callables give the state of this moment.

    `spent` is told the number of each user whose balance may have changed.
    """

    accounts: Accounts
    ledger: Ledger
    upstreams: Upstreams
    planner: Planner
    counting: Counting
    options: Callable[[], Options]
    prices: Callable[[], Prices]
    routes: Callable[[], Routes]
    now: Callable[[], int]
    rng: Random
    spent: Callable[[int], None]
    limiter: Limiter


async def run(relay: Relay, call: Call, client: Client) -> None:
    """Relay one call. Everything the gateway promises happens in this order."""
    caller, pinned = await admit(relay, call)
    ask = calls.understand(call) if len(call.body) <= calls.LONG else await asyncio.to_thread(calls.understand, call)
    call.record.model, call.record.stream = ask.model, ask.stream
    rules.permit_model(caller, ask.model)
    candidates = plan(relay, caller, ask, pinned)
    calls.validate(ask)
    if relay.options().call_limits:
        async with limited(relay, call, caller, client, model=ask.model, tokens=billing.expected_tokens(ask)) as found:
            await serve(relay, call, ask, caller, candidates, *found)
    else:
        await serve(relay, call, ask, caller, candidates, client)


@asynccontextmanager
async def limited(
    relay: Relay, call: Call, caller: Caller, client: Client, *, model: str, tokens: int = 0
) -> AsyncIterator[tuple[Client, Entry | None]]:
    """Between two counts, with a client who is told of them. Raises RateLimited."""
    entry = await relay.limiter.enter(
        relay.options().call_limits,
        call.id,
        user=caller.user_id,
        token=caller.token_id,
        group=caller.group,
        model=model,
        tokens=tokens,
    )
    if entry is None:
        yield client, None
        return
    try:
        yield LimitedClient(client, entry.headers), entry
    finally:
        relay.limiter.leave(entry)


async def serve(
    relay: Relay,
    call: Call,
    ask: Ask,
    caller: Caller,
    candidates: list[Channel],
    client: Client,
    entry: Entry | None = None,
) -> None:
    """Hold, answer, settle. `entry` is told what was used."""
    hold, prices = await hold_for(relay, call, ask, caller, candidates)
    tab = Tab(relay.ledger, relay.counting, relay.options(), call, ask, caller, hold, prices)
    try:
        answer = await first_answer(relay.upstreams, call, ask, candidates, client, tab)
        if answer.inflow.shape is not WHOLE:
            await deliver(call, answer, client)
        bill = await tab.bill("completed")
    except ClientGone:
        await tab.settle("left" if client.started else "left_early")
        raise
    except Cut as cut:
        await tab.settle("cut")
        finish_with_error(call, tab.answer, cut, client)
    except BaseException:
        if client.started:  # by our fault or our end, but what was delivered was delivered
            await tab.settle("cut")
            finish_with_error(call, tab.answer, Cut("the gateway broke off the answer"), client)
        else:
            await tab.release()
        raise
    else:
        await tab.pay(bill)
        finish(call, answer, client)
    finally:
        tab.close()
        relay.spent(caller.user_id)
        if entry is not None:
            entry.used = tab.used


async def admit(relay: Relay, call: Call) -> tuple[Caller, str | None]:
    """Who calls, and the channel he asks for. Raises TokenRefused and AccessDenied as One API words them."""
    credentials = rules.require_key(call.heading.credentials)
    caller = relay.accounts.known(credentials.key)
    if caller is None:
        caller = await relay.accounts.find(credentials.key, relay.now())
    call.record.user, call.record.token = caller.user_id, caller.token_id
    rules.permit_address(caller, call.ip)
    return caller, credentials.channel


def plan(relay: Relay, caller: Caller, ask: Ask, pinned: str | None) -> list[Channel]:
    """The channels to try, in order; no more of them than the option RetryTimes allows."""
    routes = relay.routes()
    tries = relay.options().retry_times + 1
    if pinned is not None:
        planned: Iterable[Channel] = (pinned_channel(routes, caller, ask, pinned),)
    else:
        planned = routes.plan(caller.group, ask.model, relay.rng)
    found = relay.planner.choose(planned, ask, tries)
    if not found:
        raise NoChannel(f"当前分组 {caller.group} 下对于模型 {ask.model} 无可用渠道")
    return found


def pinned_channel(routes: Routes, caller: Caller, ask: Ask, pinned: str) -> Channel:
    """The channel an administrator named in his key; it still has to serve the model."""
    if caller.role < ADMIN:
        raise AccessDenied("普通用户不支持指定渠道")
    channel = routes.channel(int(pinned)) if pinned.isascii() and pinned.isdecimal() and len(pinned) < 19 else None
    if channel is None:
        raise BadChannel("无效的渠道 Id")
    if channel.status != ENABLED:
        raise AccessDenied("该渠道已被禁用")
    if channel.models and ask.model and ask.model not in channel.models:
        raise NoChannel(f"当前分组 {caller.group} 下对于模型 {ask.model} 无可用渠道")
    return channel


async def hold_for(
    relay: Relay, call: Call, ask: Ask, caller: Caller, candidates: list[Channel]
) -> tuple[Hold, dict[int, billing.Price]]:
    """Take the most the call may cost on any of its channels; refuse who cannot afford the least.

    Nearly everybody can afford the most, by a prompt estimated from its length. For who cannot, the prompt is counted:
    then the least is exact, and what he has is held if it reaches that.
    """
    prices = quote(relay, ask, caller, candidates, None)
    bounds = billing.dearest(prices.values())
    try:
        return await relay.ledger.hold(request(call, caller, bounds.most, bounds.most)), prices
    except (QuotaExceeded, TokenQuotaExceeded):
        if bounds.least == bounds.most:
            raise
    if ask.mode in TEXT_MODES and ask.mode not in billing.UNCOUNTED:
        prompt = await relay.counting.prompt(ask, ask.model, relay.options())
        prices = quote(relay, ask, caller, candidates, prompt)
        bounds = billing.dearest(prices.values())
    return await relay.ledger.hold(request(call, caller, bounds.least, bounds.most)), prices


def quote(
    relay: Relay, ask: Ask, caller: Caller, candidates: list[Channel], prompt: int | None
) -> dict[int, billing.Price]:
    """What each channel would charge; `prompt` are the tokens if they were counted."""
    tables, options = relay.prices(), relay.options()
    found = {}
    for channel in candidates:
        found[channel.id] = billing.price(ask, channel, caller.group, tables, options, prompt=prompt)
    return found


def request(call: Call, caller: Caller, least: int, most: int) -> HoldRequest:
    return HoldRequest(
        request_id=call.id,
        user_id=caller.user_id,
        token_id=caller.token_id,
        unlimited=caller.unlimited,
        least=least,
        most=most,
    )


async def deliver(call: Call, answer: Answer, client: Client) -> None:
    """Everything but the end of a stream. Raises Cut and ClientGone."""
    start_stream(call, answer, client)
    answer.inflow.attach(client)
    await answer.inflow.ended


def finish(call: Call, answer: Answer, client: Client) -> None:
    """The end of an answer that is paid for."""
    client.listen(None)
    if answer.inflow.shape is WHOLE:
        respond_whole(call, answer, client)
    else:
        client.finish(answer.inflow.tail)


def finish_with_error(call: Call, answer: Answer | None, cut: Cut, client: Client) -> None:
    """A stream that broke off ends with an error of its own dialect, never as if it were complete."""
    reported = cut.reported
    number = 0 if answer is None else answer.inflow.number
    error = UpstreamError(cut.message, code="upstream_stream_error")
    if reported is not None:
        error = UpstreamError(cut.message, kind=reported.type, param=reported.param)
        error.code = reported.code
    if answer is not None:
        error = without_key(error, answer.channel, answer.inflow.hidden)
    if call.mode is Mode.SPEECH:
        client.cut()
    else:
        client.finish(spoken(call.mode).encode_error_event(error, call.id, number=number))
