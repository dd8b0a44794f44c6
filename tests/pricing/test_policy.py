"""Who pays: one test a row of the table."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.ir import Usage
from one_api.pricing.policy import FREE, Bill, Meter, Outcome, who_pays
from one_api.pricing.ratios import Tariff
from one_api.pricing.text import Bounds

TARIFF = Tariff(2, 1, 3, 2)
BOUNDS = Bounds(least=10, most=1000, ceiling=5000)
USED = Usage(input=10, output=20, cached=4, reasoning=6, audio_in=1, audio_out=2)
COST = (10 + 20 * 3) * 2


@pytest.mark.parametrize("outcome", ["refused", "failed"])
def test_nothing_delivered_costs_nothing(outcome: Outcome) -> None:
    assert who_pays(outcome, Meter(USED, "reported"), TARIFF, BOUNDS) == FREE == Bill(0, Usage(), "nothing")


def test_a_completed_call_pays_what_it_used() -> None:
    assert who_pays("completed", Meter(USED, "reported"), TARIFF, BOUNDS) == Bill(COST, USED, "reported")
    assert who_pays("completed", Meter(USED, "counted"), TARIFF, BOUNDS) == Bill(COST, USED, "counted")


def test_a_stream_the_upstream_cut_pays_what_it_produced_and_says_so() -> None:
    assert who_pays("cut", Meter(USED, "counted"), TARIFF, BOUNDS) == Bill(COST, USED, "estimated")


def test_a_client_that_left_before_content_pays_the_prompt_if_the_upstream_had_begun() -> None:
    bill = who_pays("left_early", Meter(USED, "counted"), TARIFF, BOUNDS)
    assert bill == Bill(20, Usage(input=10, cached=4, audio_in=1), "counted")
    assert who_pays("left_early", Meter(USED, "counted", accepted=False), TARIFF, BOUNDS) == FREE


def test_a_call_with_a_price_of_its_own_is_paid_once_something_is_delivered() -> None:
    tariff = Tariff(2, 1, 3, 2, call=70)
    paid = {outcome: who_pays(outcome, Meter(USED, "reported"), tariff, BOUNDS).cost for outcome in get_args(Outcome)}
    assert paid == {
        **dict.fromkeys(("completed", "cut", "left"), 70),
        **dict.fromkeys(("refused", "failed", "left_early", "crashed"), 0),
    }


def test_a_client_that_left_in_mid_stream_pays_what_was_produced() -> None:
    assert who_pays("left", Meter(USED, "counted"), TARIFF, BOUNDS) == Bill(COST, USED, "counted")


@pytest.mark.parametrize("checkpoint, cost", [(0, 0), (300, 300), (99999, 1000), (-5, 0)])
def test_our_crash_costs_the_checkpoint_and_never_more_than_the_hold(checkpoint: int, cost: int) -> None:
    bill = who_pays("crashed", Meter(USED, "counted", checkpoint=checkpoint), TARIFF, BOUNDS)
    assert (bill.cost, bill.source) == (cost, "recovered")


def test_a_claim_beyond_the_ceiling_is_not_paid() -> None:
    claim = Usage(output=10_000)
    assert who_pays("completed", Meter(claim, "reported"), TARIFF, BOUNDS) == Bill(
        5000, claim, "reported", excess=55_000
    )


def test_a_claim_between_hold_and_ceiling_is_left_to_the_ledger() -> None:
    claim = Usage(output=500)
    assert who_pays("completed", Meter(claim, "reported"), TARIFF, BOUNDS) == Bill(3000, claim, "reported")


@given(
    st.sampled_from(get_args(Outcome)),
    st.integers(-(10**30), 10**30),
    st.integers(-(10**30), 10**30),
    st.booleans(),
    st.integers(),
    st.floats(),
)
def test_no_call_earns_credit_or_costs_more_than_the_ceiling(
    outcome: Outcome,
    prompt: int,
    completion: int,
    accepted: bool,  # noqa: FBT001  # drawn, not passed
    checkpoint: int,
    ratio: float,
) -> None:
    meter = Meter(Usage(prompt, completion), "reported", accepted, checkpoint)
    bill = who_pays(outcome, meter, Tariff(ratio, 1, 1, ratio), BOUNDS)
    assert 0 <= bill.cost <= BOUNDS.ceiling
    assert bill.excess >= 0
