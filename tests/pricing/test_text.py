"""Charges and holds of text: the vectors, and what holds for any numbers."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.ir import Usage
from one_api.ledger.model import MOST
from one_api.options import Options
from one_api.pricing import text
from one_api.pricing.ratios import PLAIN, Kinds, Prices, Tariff
from tests.pricing import recorded

ANY_INT = st.integers() | st.integers(min_value=-(10**400), max_value=10**400)
ANY_RATIO = st.floats()
RATIO = st.floats(min_value=0, max_value=1e6)


def tariff(model_ratio: float, *, group: float = 1, completion: float = 1) -> Tariff:
    return Tariff(model_ratio, group, completion, model_ratio * group)


@pytest.mark.parametrize("case", recorded.vectors("text_quota.json"), ids=lambda case: str(case["model"]))
def test_quota_vectors(case: dict[str, Any]) -> None:
    prices = Prices(Options(group_ratio={"g": case["group_ratio"]}))
    found = prices.tariff(case["model"], case["channel_type"], "g")
    assert found.model_ratio == pytest.approx(case["model_ratio"], rel=1e-15)
    assert found.completion_ratio == pytest.approx(case["completion_ratio"], rel=1e-15)
    assert text.charge(Usage(case["prompt_tokens"], case["completion_tokens"]), found) == case["quota"]


@pytest.mark.parametrize(
    "case",
    [case for case in recorded.vectors("estimates.json") if case["kind"] == "text"],
    ids=lambda case: case["model"],
)
def test_estimate_vectors(case: dict[str, Any]) -> None:
    found = Prices(Options()).tariff(case["model"], case["channel_type"], "default")
    limit, pre_consumed = case["max_tokens"], case["pre_consumed_quota"]
    estimate = text.estimate(found, pre_consumed=pre_consumed, prompt=case["prompt_tokens"], max_tokens=limit)
    assert estimate == case["estimate"]


def test_the_log_line_rounds_as_go_does() -> None:
    assert Tariff(0.075, 1, 4 / 3, 0.075).description == "倍率：0.07 × 1.00 × 1.33"
    assert tariff(20, group=0.5).short_description == "倍率：20.00 × 0.50"


def test_no_price_is_more_than_the_ledger_can_move() -> None:
    dearest = Tariff(1e300, 1, 1, 1e300, call=1e300)
    assert text.charge(Usage(9, 9), dearest) == text.MOST_QUOTA <= MOST
    held = {"pre_consumed": 0, "prompt": 9, "prompt_most": 9, "max_tokens": 9, "output": 9, "n": 9, "tolerance": 9}
    assert text.bounds(tariff(1e300), **held) == text.Bounds(text.MOST_QUOTA, text.MOST_QUOTA, text.MOST_QUOTA)


def test_a_free_model_costs_nothing_and_a_priced_one_at_least_one() -> None:
    assert text.charge(Usage(1000, 1000), tariff(0)) == 0
    assert text.charge(Usage(1, 0), tariff(1e-9)) == 1
    assert text.charge(Usage(5, 5), tariff(-500000)) == 1
    assert text.charge(Usage(), tariff(30)) == 0


def test_an_estimate_is_rounded_down() -> None:
    assert text.estimate(tariff(0.5), pre_consumed=0, prompt=3, max_tokens=0) == 1


def test_the_hold_covers_the_prompt_where_an_answer_costs_less_than_nothing() -> None:
    held = {"pre_consumed": 0, "prompt": 5, "prompt_most": 10, "max_tokens": 0, "output": 99, "n": 1, "tolerance": 0}
    assert text.bounds(tariff(1, completion=-5), **held) == text.Bounds(5, 10, 10)


def test_the_hold_covers_every_answer_within_the_limits() -> None:
    found = tariff(15, completion=2)
    hold = text.bounds(
        found, pre_consumed=500, prompt=8, prompt_most=20, max_tokens=100, output=100, n=3, tolerance=1000
    )
    assert hold == text.Bounds(least=608 * 15, most=(20 + 3 * 100 * 2) * 15, ceiling=(20 + 3 * 100 * 2 + 1000) * 15)


def test_the_hold_of_a_short_call_is_the_estimate() -> None:
    hold = text.bounds(
        tariff(15, completion=2), pre_consumed=500, prompt=8, prompt_most=8, max_tokens=0, output=1, n=1, tolerance=0
    )
    assert hold == text.Bounds(508 * 15, 508 * 15, 508 * 15)


@given(ANY_INT, ANY_INT, ANY_RATIO, ANY_RATIO)
def test_a_charge_is_never_negative_and_never_infinite(prompt: int, completion: int, ratio: float, c: float) -> None:
    cost = text.charge(Usage(prompt, completion), tariff(ratio, completion=c))
    assert 0 <= cost <= text.MOST_QUOTA


@pytest.mark.parametrize("kinds", [PLAIN, Kinds(cached=0.1, cache_write=1.25, audio_out=40)])
@given(ANY_INT, ANY_INT, ANY_INT, ANY_INT, ANY_INT, ANY_INT, ANY_RATIO, ANY_RATIO)
def test_bounds_are_finite_and_ordered(
    kinds: Kinds, pre: int, prompt: int, most: int, limit: int, output: int, n: int, ratio: float, c: float
) -> None:
    hold = text.bounds(
        replace(tariff(ratio, completion=c), kinds=kinds),
        pre_consumed=pre,
        prompt=prompt,
        prompt_most=most,
        max_tokens=limit,
        output=output,
        n=n,
        tolerance=pre,
    )
    assert 0 <= hold.least <= hold.most <= hold.ceiling <= text.MOST_QUOTA


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(1, 10),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    RATIO,
    RATIO,
)
def test_an_answer_within_the_limits_never_costs_more_than_the_hold(
    prompt_most: int, output: int, n: int, prompt: int, completion: int, ratio: float, c: float
) -> None:
    found = tariff(ratio, completion=c)
    hold = text.bounds(
        found, pre_consumed=0, prompt=0, prompt_most=prompt_most, max_tokens=0, output=output, n=n, tolerance=0
    )
    usage = Usage(min(prompt, prompt_most), min(completion, output * n))
    assert text.charge(usage, found) <= max(hold.most, 1)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), RATIO, RATIO)
def test_more_tokens_never_cost_less(prompt: int, completion: int, more: int, ratio: float, c: float) -> None:
    found = tariff(ratio, completion=c)
    assert text.charge(Usage(prompt, completion), found) <= text.charge(Usage(prompt + more, completion + more), found)


# --- kinds of tokens that have prices of their own --------------------------------------------------------------------

KINDS = Kinds(cached=0.1, cache_write=1.25, audio_in=20, audio_out=40, reasoning=2)


@pytest.mark.parametrize(
    "usage, weight",
    [
        (Usage(100, 10), 100 + 10 * 5),
        (Usage(100, 10, cached=40), 60 + 40 * 0.1 + 10 * 5),
        (Usage(100, 10, cached=40, cache_write=20), 40 + 40 * 0.1 + 20 * 1.25 + 10 * 5),
        (Usage(100, 10, audio_in=30, audio_out=4), 70 + 30 * 20 + 6 * 5 + 4 * 40),
        (Usage(100, 10, reasoning=7), 100 + 3 * 5 + 7 * 2),
        (
            Usage(10, 10, cached=8, cache_write=8, audio_in=8, reasoning=8, audio_out=8),
            8 * 0.1 + 2 * 1.25 + 8 * 2 + 2 * 40,
        ),
        (Usage(100, 0, cache_write=20, cache_write_1h=90), 80 + 20 * 1.25),
        (Usage(), 0),
    ],
)
def test_each_token_is_priced_once_by_its_kind(usage: Usage, weight: float) -> None:
    assert text.charge(usage, Tariff(2, 1, 5, 2, KINDS)) == math.ceil(weight * 2)


@pytest.mark.parametrize("field", ["cached", "cache_write", "audio_in", "audio_out", "reasoning"])
def test_a_kind_without_a_price_costs_what_all_does(field: str) -> None:
    counts: Any = {field: 600}
    usage = Usage(1000, 1000, **counts)
    assert text.charge(usage, Tariff(2, 1, 5, 2, replace(KINDS, **{field: None}))) == text.charge(
        Usage(1000, 1000), tariff(2, completion=5)
    )


def test_with_kinds_too_only_a_free_model_costs_nothing() -> None:
    assert text.charge(Usage(5, 5), Tariff(-2, 1, 5, -2, KINDS)) == 1
    assert text.charge(Usage(5, 5), Tariff(0, 1, 5, 0, KINDS)) == 0


@pytest.mark.parametrize("field", ["cached", "cache_write", "audio_in", "audio_out", "reasoning"])
def test_a_kind_may_be_free(field: str) -> None:
    counts: Any = {field: 600}
    free: Any = {field: 0.0}
    cost = text.charge(Usage(1000, 1000, **counts), Tariff(2, 1, 5, 2, Kinds(**free)))
    ratio = 1 if field in ("cached", "cache_write", "audio_in") else 5
    assert cost == text.charge(Usage(1000, 1000), tariff(2, completion=5)) - 600 * 2 * ratio


@pytest.mark.parametrize("price, cost", [(None, 100 + 125 + 125), (2.0, 100 + 125 + 200)])
def test_what_is_kept_for_an_hour_has_a_price_of_its_own(price: float | None, cost: int) -> None:
    """Without one it costs what all cache writes do."""
    kinds = Kinds(cache_write=1.25, cache_write_1h=price)
    assert text.charge(Usage(300, 0, cache_write=200, cache_write_1h=100), Tariff(1, 1, 1, 1, kinds)) == cost


def test_an_hour_is_in_the_hold() -> None:
    held = {"pre_consumed": 0, "prompt": 10, "prompt_most": 100, "max_tokens": 0, "output": 0, "n": 1, "tolerance": 0}
    assert text.bounds(Tariff(1, 1, 1, 1, Kinds(cache_write_1h=2.0)), **held).most == 200


def test_tools_that_a_vendor_runs_cost_what_the_operator_says() -> None:
    """Nothing, as with One API, unless he says so: dollars for a thousand calls, which a group has its ratio of."""
    usage = Usage(100, 0, tools=(("web_search", 3), ("web_fetch", 2)))
    assert text.charge(usage, Prices(Options(model_ratio={"m": 1})).tariff("m", 1, "default")) == 100
    priced = Options(
        model_ratio={"m": 1}, tool_price={"web_search": 10, "web_search(24)": 14}, group_ratio={"vip": 0.5}
    )
    prices = Prices(priced)
    assert text.charge(usage, prices.tariff("m", 14, "default")) == 100 + 3 * 5000
    assert text.charge(usage, prices.tariff("m", 24, "default")) == 100 + 3 * 7000
    assert text.charge(usage, prices.tariff("m", 14, "vip")) == 50 + 3 * 2500


def test_what_is_offered_of_such_tools_is_held_once_and_may_be_claimed_often() -> None:
    found = Prices(Options(model_ratio={"m": 1}, tool_price={"web_search": 10})).tariff("m", 1, "default")
    bounds = text.Bounds(10, 20, 30)
    assert text.with_fees(bounds, found, ()) == text.with_fees(bounds, found, ("file_search",)) == bounds
    assert text.with_fees(bounds, found, ("web_search", "file_search")) == text.Bounds(5010, 5020, 30 + 1000 * 5000)
    full = text.Bounds(0, text.MOST_QUOTA, text.MOST_QUOTA)
    assert text.with_fees(full, found, ("web_search",)) == text.Bounds(5000, text.MOST_QUOTA, text.MOST_QUOTA)


def test_a_call_may_have_a_price_instead_of_its_tokens() -> None:
    options = Options(model_price={"m": 0.001, "m(24)": 0.0000001}, group_ratio={"vip": 0.5})
    prices = Prices(options)
    found = prices.tariff("m", 1, "default")
    for usage, cost in ((Usage(), 500), (Usage(9, 9), 500), (Usage(searches=3), 1500), (Usage(searches=-3), 500)):
        assert text.charge(usage, found) == cost
    assert text.charge(Usage(9, 9), prices.tariff("m", 1, "vip")) == 250
    assert text.charge(Usage(9, 9), prices.tariff("m", 24, "default")) == 1
    assert (prices.known("m", 1), prices.known("n", 1)) == (True, False)
    assert found.description == found.short_description == "按次：500 点额度，分组倍率 1.00"


def test_prices_of_kinds_come_from_the_options() -> None:
    options = Options(
        model_ratio={"m": 1},
        completion_ratio={"m": 4},
        cache_ratio={"m": 0.1, "m(14)": 0.5},
        create_cache_ratio={"m": 1.25},
        audio_ratio={"m": 16},
        audio_completion_ratio={"m": 2},
        reasoning_ratio={"m": 0.5},
    )
    prices = Prices(options)
    found = prices.tariff("m", 1, "default")
    assert found.kinds == Kinds(cached=0.1, cache_write=1.25, audio_in=16, audio_out=32, reasoning=2)
    assert found.description == (
        "倍率：1.00 × 1.00 × 4.00，缓存 0.10，缓存写入 1.25，音频输入 16.00，音频输出 32.00，推理 2.00"
    )
    assert prices.tariff("m", 14, "default").kinds.cached == 0.5
    assert prices.tariff("other", 1, "default").kinds is PLAIN
    assert Prices(Options()).tariff("claude-3-opus-20240229", 14, "default").kinds is PLAIN


COUNT = st.integers(0, 10**6)
PART = st.none() | st.floats(min_value=0, max_value=100)


@given(
    st.builds(Usage, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT, COUNT),
    st.builds(Kinds, cached=PART, cache_write=PART, audio_in=PART, audio_out=PART, reasoning=PART),
    RATIO,
    st.floats(min_value=0, max_value=100),
)
def test_the_hold_covers_tokens_of_any_kind(usage: Usage, kinds: Kinds, ratio: float, c: float) -> None:
    found = Tariff(ratio, 1, c, ratio, kinds)
    hold = text.bounds(
        found,
        pre_consumed=0,
        prompt=0,
        prompt_most=usage.input,
        max_tokens=0,
        output=usage.output,
        n=1,
        tolerance=0,
    )
    assert 0 <= text.charge(usage, found) <= max(hold.most, 1) <= max(hold.ceiling, 1)


@given(ANY_INT, ANY_RATIO, ANY_RATIO, ANY_RATIO)
def test_no_price_of_a_kind_makes_a_charge_negative(count: int, ratio: float, c: float, part: float) -> None:
    found = Tariff(ratio, 1, c, ratio, Kinds(cached=part, reasoning=part))
    assert 0 <= text.charge(Usage(count, count, cached=count, reasoning=count), found) <= text.MOST_QUOTA
    hold = text.bounds(
        found, pre_consumed=0, prompt=count, prompt_most=count, max_tokens=0, output=count, n=1, tolerance=count
    )
    assert 0 <= hold.least <= hold.most <= hold.ceiling <= text.MOST_QUOTA


def test_whole_takes_no_number_for_nothing() -> None:
    assert text.whole(math.nan, math.ceil) == 0
    assert text.whole(-0.5, math.ceil) == 0
    assert text.whole(math.inf, math.trunc) == text.MOST_QUOTA


def test_size_counts_utf8_bytes_also_of_half_a_pair() -> None:
    assert [text.size(each) for each in ("abc", "é", "中", "😀", "\ud83d")] == [3, 2, 3, 4, 3]
