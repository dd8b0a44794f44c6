"""Charges and holds of text calls, in float64 exactly as One API computes them."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from one_api.ir import Usage
from one_api.pricing.ratios import PLAIN, Tariff

MOST_QUOTA: Final = 10**15
"""No amount is larger: the most that the ledger moves at once, two billion dollars."""
_MOST_TOKENS: Final = 1 << 53
MOST_RUNS: Final = 1000
"""Of one tool in one call: more is no report that anybody pays."""
MOST_RATIOS: Final = 1024  # remembered


class Bounds(msgspec.Struct, frozen=True, gc=False):
    """What to hold for a call.

    A balance below `least` refuses it; `most` is the dearest answer within the client's limits; `ceiling` is what an
    upstream may claim at all.
    """

    least: int
    most: int
    ceiling: int


def charge(usage: Usage, tariff: Tariff) -> int:
    """The quota that `usage` costs: never negative, and at least 1 unless the model or the usage is free."""
    if tariff.call is not None:
        cost = calls_charge(tariff.call, usage.searches)
    elif tariff.kinds is PLAIN:
        cost = _cost(usage.input, usage.output, tariff.completion_ratio, tariff.ratio)
    else:
        cost = _priced(_weighed(usage, tariff), tariff.ratio, anything=usage.input > 0 or usage.output > 0)
    return min(cost + _fees(usage, tariff), MOST_QUOTA) if usage.tools else cost


def calls_charge(call: float, units: int) -> int:
    """The quota of what has a price for each call: one, or as many as it was worth."""
    return whole(call * max(_tokens(units), 1), math.ceil)


def _fees(usage: Usage, tariff: Tariff) -> int:
    """Of tools that the vendor ran. They are free where nobody gave them a price, as with One API."""
    return whole(sum(_tokens(count) * tariff.fees.get(name, 0.0) for name, count in usage.tools), math.ceil)


def _weighed(usage: Usage, tariff: Tariff) -> float:
    """`usage` in tokens of input. Its kinds may overlap where an upstream says so: each token then counts once."""
    kinds, completion_ratio = tariff.kinds, tariff.completion_ratio
    fresh, output = _tokens(usage.input), _tokens(usage.output)
    amount = 0.0
    long = min(usage.cache_write_1h, usage.cache_write)
    for count, ratio in (
        (usage.cached, kinds.cached),
        (long, kinds.cache_write if kinds.cache_write_1h is None else kinds.cache_write_1h),
        (usage.cache_write - long, kinds.cache_write),
        (usage.audio_in, kinds.audio_in),
    ):
        taken = min(_tokens(count), fresh)
        fresh -= taken
        amount += taken * (1.0 if ratio is None else ratio)
    for count, ratio in ((usage.reasoning, kinds.reasoning), (usage.audio_out, kinds.audio_out)):
        taken = min(_tokens(count), output)
        output -= taken
        amount += taken * (completion_ratio if ratio is None else ratio)
    return amount + fresh + output * completion_ratio


def with_fees(bounds: Bounds, tariff: Tariff, tools: Sequence[str]) -> Bounds:
    """`bounds` of a call that offers these tools: what each costs once is held, and more may be claimed."""
    fee = sum(tariff.fees.get(name, 0.0) for name in tools)
    held, claimed = whole(fee, math.ceil), whole(fee * MOST_RUNS, math.ceil)
    if not held:
        return bounds
    least, most = min(bounds.least + held, MOST_QUOTA), min(bounds.most + held, MOST_QUOTA)
    return Bounds(least, most, min(bounds.ceiling + claimed, MOST_QUOTA))


def estimate(tariff: Tariff, *, pre_consumed: int, prompt: int, max_tokens: int) -> int:
    """One API's estimate before a call, which a balance must reach. It knows neither completion ratio nor `n`."""
    if prompt < 0 or max_tokens < 0 or prompt + max_tokens > _MOST_TOKENS or abs(pre_consumed) > _MOST_TOKENS:
        prompt, max_tokens = _tokens(prompt), _tokens(max_tokens)
        pre_consumed = min(max(pre_consumed, -_MOST_TOKENS), _MOST_TOKENS)
    amount = (pre_consumed + prompt + max_tokens) * tariff.ratio  # pre-consumed below 0 is a discount, as there
    return math.trunc(amount) if 0 < amount < MOST_QUOTA else whole(amount, math.trunc)


def bounds(
    tariff: Tariff,
    *,
    pre_consumed: int,
    prompt: int,
    prompt_most: int,
    max_tokens: int,
    output: int,
    n: int,
    tolerance: int,
) -> Bounds:
    """The hold of a call. Finite and ordered for any integers, whoever chose them.

    prompt: tokens as One API counts them. prompt_most: an upper estimate of all the upstream may count. max_tokens:
    that field of the request. output: tokens of one answer at most, the client's limit or the operator's assumption.
    n: answers asked for. tolerance: input tokens by which an upstream's claim may exceed the dearest answer.
    """
    least = estimate(tariff, pre_consumed=pre_consumed, prompt=prompt, max_tokens=max_tokens)
    # A completion may cost less than nothing by mistake of a table; the hold then covers the prompt alone.
    completion_ratio = max(tariff.completion_ratio, 0.0)
    answers = output if n <= 1 else _tokens(output) * n
    if tariff.kinds is PLAIN:
        most = max(_cost(prompt_most, answers, completion_ratio, tariff.ratio), least)
        return Bounds(least, most, min(MOST_QUOTA, most + _tolerated(tolerance, tariff.ratio)))
    before, after = _dearest(tariff)
    dearest = _tokens(prompt_most) * before + _tokens(answers) * after
    most = max(_priced(dearest, tariff.ratio, anything=dearest > 0), least)
    beyond = _priced(_tokens(tolerance) * before, tariff.ratio, anything=tolerance > 0)
    return Bounds(least, most, min(MOST_QUOTA, most + beyond))


def _dearest(tariff: Tariff) -> tuple[float, float]:
    """What a token of input and one of output costs at most, in tokens of input, whatever kinds they are of."""
    kinds = tariff.kinds
    before = max(1.0, kinds.cached or 0.0, kinds.cache_write or 0.0, kinds.audio_in or 0.0)
    before = max(before, kinds.cache_write_1h or 0.0)
    return before, max(tariff.completion_ratio, kinds.reasoning or 0.0, kinds.audio_out or 0.0, 0.0)


def _priced(amount: float, ratio: float, *, anything: bool) -> int:
    if not anything:
        return 0
    cost = whole(amount * ratio, math.ceil)
    return 1 if cost == 0 and ratio != 0 else cost


def whole(amount: float, rounding: Callable[[float], int]) -> int:
    """`amount` as quota, within [0, MOST_QUOTA] also when a ratio made it infinite or no number at all."""
    if not amount > 0:  # catches NaN: zero times an infinite ratio
        return 0
    return MOST_QUOTA if amount >= MOST_QUOTA else rounding(amount)


def size(written: str) -> int:
    """UTF-8 bytes, also of half a surrogate pair, which JSON can carry."""
    return len(written) if written.isascii() else len(written.encode("utf-8", "surrogatepass"))


def _cost(prompt: int, completion: int, completion_ratio: float, ratio: float) -> int:
    if prompt < 0 or completion < 0 or prompt + completion > _MOST_TOKENS:
        prompt, completion = _tokens(prompt), _tokens(completion)
    amount = (prompt + completion * completion_ratio) * ratio
    if 0 < amount < MOST_QUOTA:
        return math.ceil(amount)
    if prompt + completion == 0:
        return 0
    cost = whole(amount, math.ceil)
    return 1 if cost == 0 and ratio != 0 else cost


@lru_cache(MOST_RATIOS)
def _tolerated(tokens: int, ratio: float) -> int:
    return _cost(tokens, 0, 0.0, ratio)


def _tokens(count: int) -> int:
    return min(count, _MOST_TOKENS) if count > 0 else 0
