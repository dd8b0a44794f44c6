"""One call's account with the ledger: opened by a hold, settled exactly once, however the call ended."""

from collections.abc import Mapping
from typing import Literal

import structlog
from msgspec import structs

from one_api.accounts.cache import Caller
from one_api.dialects import openai_chat
from one_api.dialects.tap import EventTap
from one_api.ir import Usage
from one_api.ledger import Facts, Hold, Ledger
from one_api.options import Options
from one_api.pricing import audio, policy, text
from one_api.pricing.usage import read_stream_usage, read_usage
from one_api.providers import SPOKEN
from one_api.relay import billing
from one_api.relay.attempt import Answer
from one_api.relay.calls import HEARD_MODES, Ask, Call
from one_api.relay.counting import Counting
from one_api.relay.inflow import EVENTS, Inflow
from one_api.relay.record import ABSENT
from one_api.relay.spoken import spoken
from one_api.routing import Channel

ABSURD = 10
UNBELIEVABLE = "an upstream's report of usage cannot be believed, so it was counted"
_NO_REPORT = openai_chat.Whole().usage

log = structlog.get_logger(__name__)


class Tab:
    """Knows what a call has used so far, and turns that into its charge and its log row."""

    __slots__ = (
        "_ask",
        "_call",
        "_caller",
        "_counting",
        "_hold",
        "_ledger",
        "_options",
        "_prices",
        "answer",
        "flow",
        "used",
    )

    def __init__(
        self,
        ledger: Ledger,
        counting: Counting,
        options: Options,
        call: Call,
        ask: Ask,
        caller: Caller,
        hold: Hold,
        prices: Mapping[int, billing.Price],
    ) -> None:
        self._ledger = ledger
        self._counting = counting
        self._options = options
        self._call = call
        self._ask = ask
        self._caller = caller
        self._hold = hold
        self._prices = prices
        self.answer: Answer | None = None
        self.used = 0  # tokens, once the bill is paid

    def answered(self, answer: Answer) -> None:
        self.answer = answer
        self._call.record.first_ms = int((answer.first - self._call.started) * 1000) if answer.first else ABSENT

    def checkpoint(self, channel: Channel, _model: str, flow: Inflow) -> None:
        """Write down what a running stream has cost so far, so that a crash costs the caller that and no more."""
        tariff = self._prices[channel.id].tariff
        produced = Usage(input=int(self._ask.text * billing.TOKENS_PER_BYTE), output=flow.tap.events)
        self._ledger.checkpoint(self._hold, min(text.charge(produced, tariff), self._hold.quota))

    async def bill(self, outcome: policy.Outcome) -> policy.Bill:
        """What the call costs, counted where the upstream did not say."""
        answer = self.answer
        if answer is None:
            # No channel's answer is known: nothing was delivered, and the prompt's price belongs to none.
            return policy.FREE
        price = self._prices[answer.channel.id]
        if price.fixed is not None:
            delivered = billing.drawn(answer.inflow, outcome).count if price.order is not None else None
            return billing.fixed_bill(outcome, price, delivered, answer.channel.type)
        if price.order is not None:
            usage, source = billing.drawn_usage(self._ask, price.order, billing.drawn(answer.inflow, outcome))
            return policy.who_pays(outcome, policy.Meter(usage, source), price.tariff, price.bounds)
        if self._ask.mode in HEARD_MODES:
            return policy.FREE if outcome == "left_early" else await self._transcription(answer, price)
        usage, source = await self._usage(answer)
        bill = policy.who_pays(outcome, policy.Meter(usage, source), price.tariff, price.bounds)
        if not bill.excess and bill.cost > ABSURD * max(price.bounds.most, 1):
            self._warn("an upstream claims many times what was estimated", answer, cost=bill.cost)
        return bill

    def _warn(self, told: str, answer: Answer, **facts: object) -> None:
        log.warning(told, request_id=self._call.id, channel=answer.channel.id, **facts)

    async def settle(self, outcome: policy.Outcome) -> None:
        self._call.record.cause = outcome
        await self.pay(await self.bill(outcome))

    async def pay(self, bill: policy.Bill) -> None:
        """Book the bill; returns when it is durable."""
        if bill.excess:
            log.warning(
                "an upstream claims more than the call could cost",
                request_id=self._call.id,
                channel=0 if self.answer is None else self.answer.channel.id,
                excess=bill.excess,
            )
        self.used = bill.usage.input + bill.usage.output
        record = self._call.record
        record.prompt_tokens, record.completion_tokens = bill.usage.input, bill.usage.output
        record.quota = bill.cost
        if self.answer is None and bill.cost == 0:
            await self.release()
        else:
            await self._ledger.settle(self._hold, bill.cost, self._facts(bill))

    async def release(self) -> None:
        """Give the whole hold back."""
        await self._ledger.settle(self._hold, 0, Facts(logged=False))

    def close(self) -> None:
        """Let go of the upstream."""
        if self.answer is not None:
            self.answer.inflow.close()

    async def _usage(self, answer: Answer) -> tuple[Usage, Literal["reported", "counted"]]:
        ask, flow = self._ask, answer.inflow
        if flow.shape is EVENTS or isinstance(flow.tap, EventTap):
            report = read_stream_usage(flow.tap.usage)
            if report is not None and report.complete:
                return report.usage, "reported"
            if report is None and flow.tap.usage is not None:
                self._warn(UNBELIEVABLE, answer)
            begun = read_stream_usage(flow.begun)
            read = Usage(input=await self._prompt(answer)) if begun is None else begun.usage
            if report is not None:
                priced = report.usage.output or self._prices[answer.channel.id].tariff.call is not None
                return report.resolve(read.input), "reported" if priced else "counted"
            output = await self._counting.text(answer.model, flow.tap.pieces, self._options)
            return structs.replace(read, output=output), "counted"
        whole = answer.whole or openai_chat.Whole()
        usage = read_usage(whole.usage)
        if usage is not None:
            return usage, "reported"
        if whole.usage != _NO_REPORT:
            self._warn(UNBELIEVABLE, answer)
        prompt = await self._prompt(answer)
        if ask.mode in billing.NO_OUTPUT:
            return Usage(input=prompt), "counted"
        output = await self._counting.answer(answer.model, whole.choices, self._options)
        return Usage(input=prompt, output=output), "counted"

    async def _prompt(self, answer: Answer) -> int:
        """Tokens of what was sent, the channel's system prompt included."""
        ask, system_prompt = self._ask, answer.channel.system_prompt
        document = None
        if system_prompt:
            document = spoken(ask.mode).patch(ask.document, model=answer.model, system_prompt=system_prompt)
        sent = ask if document is None else structs.replace(ask, document=document)
        return await self._counting.prompt(sent, answer.model, self._options)

    async def _transcription(self, answer: Answer, price: billing.Price) -> policy.Bill:
        form = self._ask.form
        spoken = audio.transcript(answer.inflow.body, form.value("response_format") if form is not None else "")
        tokens = await self._counting.text(answer.model, [spoken], self._options)
        cost = audio.transcription_charge(tokens, price.tariff)
        return policy.Bill(cost, Usage(input=cost), "counted")

    def _facts(self, bill: policy.Bill) -> Facts:
        answer, ask, caller = self.answer, self._ask, self._caller
        if answer is None:
            return Facts(logged=False, source=bill.source)
        price = self._prices[answer.channel.id]
        by_piece = price.fixed is not None or ask.mode in HEARD_MODES
        return Facts(
            channel_id=answer.channel.id,
            model_name=price.model,
            prompt_tokens=bill.usage.input,
            completion_tokens=bill.usage.output,
            content=price.tariff.short_description if by_piece else price.tariff.description,
            username=caller.username,
            token_name=caller.token_name,
            elapsed_ms=int((self._counting.clock() - answer.started) * 1000),
            first_s=answer.first - answer.started,
            is_stream=ask.stream,
            system_prompt_reset=bool(answer.channel.system_prompt)
            and (ask.mode in SPOKEN or "messages" in ask.document),
            source=bill.source,
            excess=bill.excess,
            logged=self._options.log_consume_enabled and (bill.cost != 0 or not by_piece),
        )
