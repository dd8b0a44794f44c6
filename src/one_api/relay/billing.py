"""What a call may cost before it is made, and what it did cost after it ended. Knows modes, not sockets.

Text is priced by tokens: the upstream's own report if it can be believed, else counted from what was asked and
delivered. Images have a price each, speech one for each byte of its text, transcriptions one for each token of theirs.
"""

from collections.abc import Collection, Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.structs import replace

from one_api.dialects import reranking
from one_api.dialects.openai_images import ImageTap
from one_api.ir import Usage
from one_api.lib import json
from one_api.options import Options
from one_api.pricing import audio, images, policy, text
from one_api.pricing.ratios import Prices, Tariff
from one_api.pricing.usage import MOST_BELIEVED
from one_api.providers import DRAWN, EMBEDDED, Mode
from one_api.relay.calls import HEARD_MODES, RERANK, SPEECH, TEXT_MODES, Ask
from one_api.relay.inflow import EVENTS, Inflow
from one_api.routing import Channel

# Bytes of text a token holds at least, on average, in any language a tokenizer was made for; and as One API's own
# approximation has it, for the estimate a balance must reach.
MOST_TOKENS_PER_BYTE = 0.5
TOKENS_PER_BYTE = 0.38
TOKENS_PER_MEDIUM = 1500
TOKENS_PER_DRAWING = 6500  # of an image that is read with high fidelity
MOST_SEARCHES = 10  # times the expected ones that a ranking may claim
UNCOUNTED = frozenset((*EMBEDDED, Mode.EDITS, Mode.RERANK))  # One API asks nothing for their prompt beforehand
NO_OUTPUT = frozenset((*EMBEDDED, Mode.MODERATIONS, Mode.RERANK))


class Price(Struct, frozen=True):
    """One call at one channel's price. `fixed` is the cost where it is known before the call."""

    model: str
    tariff: Tariff
    bounds: text.Bounds
    order: images.ImageOrder | None = None
    fixed: int | None = None


def price(
    ask: Ask, channel: Channel, group: str, prices: Prices, options: Options, *, prompt: int | None = None
) -> Price:
    """The price of `ask` on `channel`; `prompt` are its tokens if they were counted.

    Raises BadRequest for what the priced model does not offer.
    """
    model = channel.mapping.get(ask.model) or ask.model
    tariff = prices.tariff(model, channel.type, group)
    if ask.mode in DRAWN:
        order = images.read_order(ask.document, model, prompted=ask.mode is not Mode.IMAGE_VARIATIONS)
        if images.by_tokens(model) and tariff.call is None:
            return Price(model, tariff, _drawn_bounds(ask, tariff, options, order), order)
        cost = images.charge(order, tariff, channel.type)
        return Price(images.upstream_model(model), tariff, text.Bounds(cost, cost, cost), order, cost)
    if ask.mode is SPEECH:
        # The model as asked for has the price of a speech; a mapping only renames it upstream and in the log.
        tariff = prices.tariff(ask.model, channel.type, group)
        cost = audio.speech_charge(audio.speech_input(ask.document), tariff)
        return Price(model, tariff, text.Bounds(cost, cost, cost), None, cost)
    if ask.mode in HEARD_MODES:
        tariff = prices.tariff(ask.model, channel.type, group)
        least = audio.transcription_estimate(tariff, pre_consumed=options.pre_consumed_quota)
        return Price(model, tariff, text.Bounds(least, least, text.MOST_QUOTA))
    return Price(model, tariff, _text_bounds(ask, tariff, options, prompt))


def expected_tokens(ask: Ask) -> int:
    """What a call will count as for a limit of tokens until it is known: its prompt, and the output it asks for."""
    if ask.mode not in TEXT_MODES:
        return 0
    return int(ask.text * TOKENS_PER_BYTE) + ask.media * TOKENS_PER_MEDIUM + (ask.limit or 0) * ask.n


def dearest(prices: Collection[Price]) -> text.Bounds:
    """The bounds that cover whichever channel answers."""
    if len(prices) == 1:
        return next(iter(prices)).bounds
    least = most = ceiling = 0
    for each in prices:
        least, most = max(least, each.bounds.least), max(most, each.bounds.most)
        ceiling = max(ceiling, each.bounds.ceiling)
    return text.Bounds(least, most, ceiling)


def _text_bounds(ask: Ask, tariff: Tariff, options: Options, prompt: int | None) -> text.Bounds:
    """What is declared of tools that the vendor runs is in the hold once; how often they will run nobody knows."""
    if tariff.call is None:
        bounds = _token_bounds(ask, tariff, options, prompt)
    else:
        searches = reranking.searches(ask.document) if ask.mode is RERANK else 1
        cost = text.calls_charge(tariff.call, searches)
        bounds = text.Bounds(cost, cost, text.calls_charge(tariff.call, searches * MOST_SEARCHES))
    return text.with_fees(bounds, tariff, ask.tools) if ask.tools else bounds


def _token_bounds(ask: Ask, tariff: Tariff, options: Options, prompt: int | None) -> text.Bounds:
    media = ask.media * TOKENS_PER_MEDIUM
    estimated = int(ask.text * TOKENS_PER_BYTE) if prompt is None else prompt
    if ask.mode in UNCOUNTED:
        estimated = 0
    output = 0 if ask.mode in NO_OUTPUT else ask.limit if ask.limit is not None else options.hold_output_tokens
    bounds = text.bounds(
        tariff,
        pre_consumed=options.pre_consumed_quota,
        prompt=estimated,
        prompt_most=int(ask.text * MOST_TOKENS_PER_BYTE) + media + 16,
        max_tokens=ask.limit or 0,
        output=output,
        n=ask.n,
        tolerance=options.charge_tolerance_tokens,
    )
    if ask.unseen or (ask.limit is None and ask.mode not in NO_OUTPUT):
        # Nobody named a limit, or knows the prompt: so a large number is no absurd claim.
        return replace(bounds, ceiling=text.MOST_QUOTA)
    return bounds


def _drawn_bounds(ask: Ask, tariff: Tariff, options: Options, order: images.ImageOrder) -> text.Bounds:
    prompt = ask.media * TOKENS_PER_DRAWING + len(str(ask.document.get("prompt") or "").encode())
    return text.bounds(
        tariff,
        pre_consumed=options.pre_consumed_quota,
        prompt=prompt,
        prompt_most=prompt,
        max_tokens=0,
        output=images.tokens(order) + (images.PREVIEW_TOKENS * images.MOST_PREVIEWS if ask.stream else 0),
        n=order.n,
        tolerance=options.charge_tolerance_tokens,
    )


class Drawn(Struct, frozen=True):
    """What came of an order of images. count: whole ones, None if the answer does not say. reports: of their tokens."""

    count: int | None = None
    previews: int = 0
    reports: Sequence[object] = ()


def drawn(flow: Inflow, outcome: policy.Outcome) -> Drawn:
    """Who leaves when he has seen a preview has the image drawn all the same."""
    tap = flow.tap
    if flow.shape is EVENTS and isinstance(tap, ImageTap):
        unseen = outcome == "left" and tap.previews > 0 and not tap.images
        return Drawn(1 if unseen else tap.images, tap.previews, tap.reports)
    try:
        value = json.decode(flow.body)
    except json.InvalidJSON:
        return Drawn()
    if not isinstance(value, dict):
        return Drawn()
    found, report = value.get("data"), value.get("usage")
    return Drawn(len(found) if isinstance(found, list) else None, reports=() if report is None else (report,))


def drawn_usage(ask: Ask, order: images.ImageOrder, came: Drawn) -> tuple[Usage, Literal["reported", "counted"]]:
    """Tokens of images: as the answer says, else by their number, size and quality.

    https://platform.openai.com/docs/api-reference/images/object#images/object-usage
    """
    try:
        told = convert(came.reports, list[_ImageUsage])
    except ValidationError:
        told = []
    if told:
        read, written = sum(each.input_tokens for each in told), sum(each.output_tokens for each in told)
        return Usage(input=read, output=written), "reported"
    delivered = min(came.count or 0, order.n)
    prompt = ask.media * TOKENS_PER_DRAWING // 4 + int(ask.text * TOKENS_PER_BYTE)
    output = delivered * images.tokens(order) + min(came.previews, images.MOST_PREVIEWS) * images.PREVIEW_TOKENS
    return Usage(input=prompt if output else 0, output=output), "counted"


class _ImageUsage(Struct):
    input_tokens: Annotated[int, Meta(ge=0, le=MOST_BELIEVED)]
    output_tokens: Annotated[int, Meta(gt=0, le=MOST_BELIEVED)]


def fixed_bill(outcome: policy.Outcome, each: Price, delivered: int | None, channel_type: int) -> policy.Bill:
    """The bill of what has a price for the piece: all of it once it was delivered, nothing before."""
    if outcome in ("refused", "failed", "left_early") or each.fixed is None:
        return policy.FREE
    cost = each.fixed
    if each.order is not None:
        cost = images.charge(each.order, each.tariff, channel_type, delivered)
    return policy.Bill(cost, Usage(input=cost if each.order is None else 0), "reported")
