"""Sessions of OpenAI's Realtime API: a WebSocket on both sides, and a hold for each response.

A response is paid when its report arrives, before the caller sees it; then the next one is held for. So is what a
model with a price of its own writes down of the caller's words. Who cannot afford that is told by an event of an error,
and the session is closed. As long as a response is under way its hold stays: what is over meanwhile is paid beside it.
Messages go on one by one: whoever reads slowly makes the other side wait.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import structs
from websockets.exceptions import ConnectionClosed

from one_api.accounts import rules
from one_api.accounts.cache import Caller
from one_api.dialects import realtime
from one_api.errors import BadRequest, NoChannel, OneAPIError, UpstreamError
from one_api.ir import Usage
from one_api.ledger import Facts, Hold
from one_api.pricing import audio, policy
from one_api.pricing.ratios import Tariff
from one_api.providers import Mode
from one_api.relay import billing
from one_api.relay.attempt import SATURATED
from one_api.relay.calls import Ask, Call
from one_api.relay.health import cause, in_a_word
from one_api.relay.pipeline import Relay, admit, hold_for, plan, request
from one_api.relay.record import ABSENT
from one_api.relay.redaction import text_without_key, without_key
from one_api.relay.targets import USER_AGENT
from one_api.routing import Channel
from one_api.routing.health import OF_THE_ACCOUNT

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

POLICY: Final = 1008
BROKEN: Final = 1011
GONE: Final = 1001
UNSUPPORTED: Final = 1003
_BETA: Final = b"realtime=v1"  # the older version asks for itself
_SHOWN: Final = frozenset((1000, GONE, POLICY, BROKEN))  # and an application's own, from 3000 to 4999


class Socket(Protocol):
    """The caller's side."""

    async def accept(self) -> None: ...

    async def receive(self) -> str | bytes | None:
        """The next message; None once he has left."""

    async def send(self, message: str) -> None:
        """Returns when it is on its way. What is sent to somebody who left goes nowhere."""

    async def close(self, code: int, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A channel that took the session on."""

    channel: Channel
    model: str
    socket: "ClientConnection"


async def run(relay: Relay, call: Call, client: Socket, *, proxy: str) -> None:
    """Admit, plan, hold, then talk until one of the two leaves. `proxy`: of channels that name none."""
    caller, pinned = await admit(relay, call)
    ask = Ask(mode=Mode.REALTIME, model=call.heading.engine, stream=True)
    call.record.model, call.record.stream = ask.model, True
    if not ask.model:
        raise BadRequest("the query has to name a model", code="missing_required_parameter")
    rules.permit_model(caller, ask.model)
    candidates = plan(relay, caller, ask, pinned)
    limits = relay.options().call_limits
    entry = None
    if limits:
        entry = await relay.limiter.enter(
            limits,
            call.id,
            user=caller.user_id,
            token=caller.token_id,
            group=caller.group,
            model=ask.model,
            tokens=0,
        )
    used = 0
    try:
        used = await _serve(relay, call, ask, caller, candidates, client, proxy)
    finally:
        if entry is not None:
            entry.used = used
            relay.limiter.leave(entry)


async def _serve(
    relay: Relay, call: Call, ask: Ask, caller: Caller, candidates: list[Channel], client: Socket, proxy: str
) -> int:
    """How many tokens were used."""
    hold, prices = await hold_for(relay, call, ask, caller, candidates)
    try:
        opened = await _open(relay, call, ask, candidates, proxy)
    except BaseException:
        await relay.ledger.settle(hold, 0, Facts(logged=False))
        raise
    tab = _Tab(relay, call, caller, opened, prices, hold)
    try:
        await client.accept()
        await _talk(tab, client)
    finally:
        await opened.socket.close()
        await tab.close()
    return tab.used


async def _open(relay: Relay, call: Call, ask: Ask, candidates: list[Channel], proxy: str) -> Opened:
    """The first channel that takes the session on. Raises the last one's UpstreamError."""
    from one_api.relay.sockets import open_socket  # noqa: PLC0415  # a MiB that is loaded by who has sessions

    upstreams = relay.upstreams
    last: UpstreamError | None = None
    for channel in candidates:
        model = channel.mapping.get(ask.model) or ask.model
        call.record.channel = channel.id
        call.record.tries += 1
        try:
            target = upstreams.targets.find(channel, ask.mode, model, "", stream=True)
            beta = call.heading.headers.get(b"openai-beta") == _BETA
            headers = (*target.headers, *(((b"openai-beta", _BETA),) if beta else ()), USER_AGENT)
            socket = await open_socket(target, channel, headers, proxy=proxy, timeouts=upstreams.timeouts)
        except UpstreamError as error:
            last = without_key(error, channel)
            upstreams.health.failed(channel, last, model)
            if not last.retry and cause(last) not in OF_THE_ACCOUNT:
                break
        else:
            upstreams.health.succeeded(channel)
            return Opened(channel, model, socket)
    if last is None:
        raise NoChannel(f"no channel for {ask.model}")
    if last.status == 429:
        last.message = SATURATED
    raise last


async def _talk(tab: "_Tab", client: Socket) -> None:
    """Both directions, until either ends."""
    both = [asyncio.ensure_future(_up(tab, client)), asyncio.ensure_future(_down(tab, client))]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        await client.close(GONE, "the server is shutting down")
        raise
    finally:
        for task in both:
            task.cancel()
        ended = await asyncio.gather(*both, return_exceptions=True)
    for each in ended:
        if isinstance(each, Exception):
            raise each


async def _up(tab: "_Tab", client: Socket) -> None:
    """What the caller says."""
    while (message := await client.receive()) is not None:
        if isinstance(message, bytes):
            await client.close(UNSUPPORTED, "events are text")
            return
        tab.session.sent(message)
        try:
            await tab.opened.socket.send(message)
        except ConnectionClosed:
            return


async def _down(tab: "_Tab", client: Socket) -> None:
    """What the upstream says."""
    channel = tab.opened.channel
    try:
        async for message in tab.opened.socket:
            if isinstance(message, bytes):
                continue
            kind = tab.session.received(message)
            if kind in ("response.done", realtime.TRANSCRIBED):
                await tab.charge(kind, message)
            await client.send(text_without_key(message, channel) if kind == "error" else message)
            tab.delivered()
            if tab.refusal is not None:
                tab.call.record.cause = in_a_word(tab.refusal)
                await client.send(realtime.encode_error(tab.refusal, tab.call.id))
                await client.close(POLICY, tab.refusal.type)
                return
        code, reason = tab.opened.socket.close_code or BROKEN, tab.opened.socket.close_reason or ""
    except ConnectionClosed as closed:
        code, reason = (BROKEN, "") if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)
    if code not in (1000, GONE):
        tab.call.record.cause = "cut"
        broken = UpstreamError("the upstream closed the session", code="upstream_stream_error")
        await client.send(realtime.encode_error(broken, tab.call.id))
    shown = text_without_key(reason, channel).encode()[:120].decode("utf-8", "ignore")
    await client.close(code if code in _SHOWN or 3000 <= code < 5000 else BROKEN, shown)


class _Tab:
    """A session's account with the ledger: of each hold there is one settlement, however the session ends."""

    def __init__(
        self,
        relay: Relay,
        call: Call,
        caller: Caller,
        opened: Opened,
        prices: Mapping[int, billing.Price],
        hold: Hold,
    ) -> None:
        self.call = call
        self.opened = opened
        self.session = realtime.Session()
        self.refusal: OneAPIError | None = None
        self.used = 0
        self._relay = relay
        self._caller = caller
        self._price = prices[opened.channel.id]
        self._hold: Hold | None = hold
        self._owed: list[policy.Bill] = []
        self._paying: asyncio.Task[None] | None = None
        self._number = 1
        self._began = relay.upstreams.loop.time()

    async def charge(self, kind: str, message: str) -> None:
        """Pay for what is over; `refusal` says why the session is over too.

        A caller who leaves stops us from waiting, and nothing else.
        """
        pay = self._response if kind == "response.done" else self._transcript
        self._paying = asyncio.ensure_future(pay(message))
        await asyncio.shield(self._paying)
        self._paying = None

    def delivered(self) -> None:
        """A message reached the caller."""
        record = self.call.record
        if record.first_ms == ABSENT and self.session.left() != realtime.Said():
            record.first_ms = int((self._relay.upstreams.loop.time() - self.call.started) * 1000)

    async def close(self) -> None:
        """Pay for what was delivered of responses that were not done; the rest of the hold goes back."""
        if self._paying is not None:
            await self._paying
        record = self.call.record
        if not record.cause and self.session.answering:
            record.cause = "left"
        hold = self._hold
        if hold is not None:
            bill = self._bill(await self._counted(self.session.left()), "estimated")
            await self._settle(hold, self._with_debts(bill), self._price.model, self._price.tariff)

    async def _response(self, message: str) -> None:
        done = self.session.done(message)
        source: policy.Source = "reported"
        usage = done.usage
        if usage is None:
            usage, source = await self._counted(done.said), "counted"
        await self._pay(self._bill(usage, source), self._price.model, self._price.tariff)

    async def _transcript(self, message: str) -> None:
        """What a second model wrote down of the caller's words costs what it would without a session.

        A model that nobody has named, or given a price, costs what the session's does; nothing, where that has one for
        each response.
        """
        usage, words = self.session.transcribed(message)
        model, tariff = self._scribe()
        if tariff is self._price.tariff and tariff.call is not None:
            return
        if usage is not None:
            bill = policy.who_pays("completed", policy.Meter(usage, "reported"), tariff, self._price.bounds)
        else:
            tokens = await self._relay.counting.text(model, [words], self._relay.options())
            cost = audio.transcription_charge(tokens, tariff)
            bill = policy.Bill(cost, Usage(input=tokens), "counted")
        if bill.cost:
            await self._pay(bill, model, tariff)

    def _scribe(self) -> tuple[str, Tariff]:
        name, channel, prices = self.session.scribe, self.opened.channel.type, self._relay.prices()
        if not name or not prices.known(name, channel):
            return self._price.model, self._price.tariff
        return name, prices.tariff(name, channel, self._caller.group)

    async def _counted(self, said: realtime.Said) -> Usage:
        if not said.pieces and not said.sound:
            return Usage()
        text = await self._relay.counting.text(self.opened.model, said.pieces, self._relay.options())
        return self.session.estimate(said, text)

    def _bill(self, usage: Usage, source: policy.Source) -> policy.Bill:
        if not usage.input and not usage.output:
            return policy.FREE
        price = self._price
        bill = policy.who_pays("completed", policy.Meter(usage, "reported"), price.tariff, price.bounds)
        self.session.settled(usage)
        return structs.replace(bill, source=source)

    async def _pay(self, bill: policy.Bill, model: str, tariff: Tariff) -> None:
        """By the hold, and then there is a new one; by one beside it while a response is under way."""
        hold = self._hold
        if hold is None:
            return
        if self.session.answering:
            await self._pay_beside(hold, bill, model, tariff)
            return
        self._hold = None
        await self._settle(hold, self._with_debts(bill), model, tariff)
        try:  # the ledger looks again whether he may spend
            self._hold = await self._take(self._price.bounds.least, self._price.bounds.most)
        except OneAPIError as refusal:
            self.refusal = refusal

    async def _pay_beside(self, hold: Hold, bill: policy.Bill, model: str, tariff: Tariff) -> None:
        """What cannot be had for that is paid with the response, as far as its hold reaches."""
        try:
            beside = await self._take(bill.cost, bill.cost)
        except OneAPIError as refusal:
            self._owed.append(bill)
            if sum(each.cost for each in self._owed) > hold.quota:
                self.refusal = refusal
        else:
            await self._settle(beside, bill, model, tariff)

    def _with_debts(self, bill: policy.Bill) -> policy.Bill:
        owed, self._owed = self._owed, []
        for each in owed:
            both = Usage(input=bill.usage.input + each.usage.input, output=bill.usage.output + each.usage.output)
            source = each.source if bill.source == "nothing" else bill.source
            bill = policy.Bill(bill.cost + each.cost, both, source, bill.excess + each.excess)
        return bill

    async def _take(self, least: int, most: int) -> Hold:
        self._number += 1
        call = structs.replace(self.call, id=f"{self.call.id}-{self._number}")
        return await self._relay.ledger.hold(request(call, self._caller, least, most))

    async def _settle(self, hold: Hold, bill: policy.Bill, model: str, tariff: Tariff) -> None:
        record, usage = self.call.record, bill.usage
        record.prompt_tokens += usage.input
        record.completion_tokens += usage.output
        record.quota += bill.cost
        self.used += usage.input + usage.output
        await asyncio.shield(self._relay.ledger.settle(hold, bill.cost, self._facts(bill, model, tariff)))
        self._began = self._relay.upstreams.loop.time()
        self._relay.spent(self._caller.user_id)

    def _facts(self, bill: policy.Bill, model: str, tariff: Tariff) -> Facts:
        relay = self._relay
        return Facts(
            channel_id=self.opened.channel.id,
            model_name=model,
            prompt_tokens=bill.usage.input,
            completion_tokens=bill.usage.output,
            content=tariff.description,
            username=self._caller.username,
            token_name=self._caller.token_name,
            elapsed_ms=int((relay.upstreams.loop.time() - self._began) * 1000),
            is_stream=True,
            source=bill.source,
            excess=bill.excess,
            logged=relay.options().log_consume_enabled and bill.usage.input + bill.usage.output > 0,
        )
