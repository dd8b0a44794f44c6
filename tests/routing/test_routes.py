"""Which channels serve a call, and in which order they are tried."""

from collections import Counter
from itertools import islice
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from one_api.routing import Ability, Channel, Routes

GROUP, MODEL = "default", "gpt-4o"


def channel(number: int, *, priority: int = 0, weight: int = 0, status: int = 1) -> Channel:
    return Channel(
        id=number,
        type=1,
        name=f"c{number}",
        key=f"sk-{number}",
        base_url="",
        models=(MODEL,),
        groups=(GROUP,),
        priority=priority,
        weight=weight,
        mapping={},
        system_prompt="",
        config={},
        status=status,
    )


def serving(*channels: Channel) -> Routes:
    return Routes.build(channels, [(GROUP, MODEL, each.id, True, each.priority) for each in channels])


def planned(routes: Routes, seed: int = 0) -> list[int]:
    return [each.id for each in routes.plan(GROUP, MODEL, Random(seed))]


def firsts(routes: Routes, draws: int = 20_000) -> Counter[int]:
    rng = Random(7)
    return Counter(next(routes.plan(GROUP, MODEL, rng)).id for _ in range(draws))


def test_nobody_serves_an_unknown_model_or_group() -> None:
    routes = serving(channel(1))
    assert list(routes.plan(GROUP, "other", Random(0))) == []
    assert list(routes.plan("vip", MODEL, Random(0))) == []
    assert routes.models("vip") == ()
    assert routes.candidates("vip", MODEL) == ()


@pytest.mark.parametrize("priorities", [(5, 1, -3), (0, -1, -2), (-10, -20, -30)])
def test_higher_priority_first_for_every_number(priorities: tuple[int, int, int]) -> None:
    high, middle, low = priorities
    routes = serving(channel(3, priority=low), channel(1, priority=high), channel(2, priority=middle))
    assert planned(routes) == [1, 2, 3]
    assert [each.id for each in routes.candidates(GROUP, MODEL)] == [1, 2, 3]


def test_the_ability_has_the_priority() -> None:
    routes = Routes.build(
        [channel(1, priority=9), channel(2)], [(GROUP, MODEL, 1, True, 0), (GROUP, MODEL, 2, True, 1)]
    )
    assert planned(routes) == [2, 1]


def test_without_weights_a_tier_is_uniform() -> None:
    counted = firsts(serving(channel(1), channel(2), channel(3), channel(4)))
    assert all(counted[number] == pytest.approx(5000, rel=0.06) for number in (1, 2, 3, 4))


def test_weights_say_who_comes_first() -> None:
    counted = firsts(serving(channel(1, weight=1), channel(2, weight=3), channel(3, weight=6)))
    assert [counted[number] / 20_000 for number in (1, 2, 3)] == pytest.approx([0.1, 0.3, 0.6], abs=0.015)


def test_weights_say_who_comes_second_among_the_rest() -> None:
    routes, rng = serving(channel(1, weight=1), channel(2, weight=3), channel(3, weight=6)), Random(7)
    orders = Counter(tuple(each.id for each in routes.plan(GROUP, MODEL, rng)) for _ in range(20_000))
    after_3 = {order[1]: count for order, count in orders.items() if order[0] == 3}
    assert after_3[2] / (after_3[1] + after_3[2]) == pytest.approx(0.75, abs=0.02)


def test_weight_zero_beside_weights_is_tried_last() -> None:
    routes = serving(channel(1), channel(2, weight=1), channel(3, weight=-4), channel(4, weight=5))
    for seed in range(50):
        order = planned(routes, seed)
        assert set(order[:2]) == {2, 4}
        assert set(order[2:]) == {1, 3}


def test_a_weight_beyond_float_precision_is_survived() -> None:
    assert sorted(planned(serving(channel(1, weight=2**63), channel(2, weight=1)))) == [1, 2]


def test_channels_that_are_gone_or_not_enabled_are_left_out() -> None:
    routes = Routes.build(
        [channel(1), channel(2, status=2), channel(3, status=3), channel(4)],
        [
            (GROUP, MODEL, 1, True, 0),
            (GROUP, MODEL, 2, True, 9),
            (GROUP, MODEL, 3, True, 9),
            (GROUP, MODEL, 4, False, 9),
            (GROUP, MODEL, 99, True, 9),
            (GROUP, "orphan", 99, True, 9),
        ],
    )
    assert planned(routes) == [1]
    assert routes.models(GROUP) == (MODEL,)


def test_a_channel_is_found_by_number_whatever_its_status() -> None:
    routes = serving(channel(1), channel(2, status=2))
    assert routes.channel(2) == channel(2, status=2)
    assert routes.channel(3) is None


def test_models_of_a_group_are_sorted_and_named_once() -> None:
    rows: list[Ability] = [
        ("g", "b", 1, True, 0),
        ("g", "a", 1, True, 0),
        ("g", "b", 2, True, 5),
        ("h", "z", 1, True, 0),
    ]
    routes = Routes.build([channel(1), channel(2)], rows)
    assert routes.models("g") == ("a", "b")
    assert routes.models("h") == ("z",)


def test_a_row_given_twice_is_one_candidate() -> None:
    routes = Routes.build([channel(1)], [(GROUP, MODEL, 1, True, 0), (GROUP, MODEL, 1, True, 0)])
    assert planned(routes) == [1]


def test_the_first_candidate_needs_one_draw() -> None:
    class Counting(Random):
        draws = 0

        def random(self) -> float:
            self.draws += 1
            return super().random()

    rng = Counting(0)
    assert len(list(islice(serving(*map(channel, range(100))).plan(GROUP, MODEL, rng), 1))) == 1
    assert rng.draws == 1


def test_a_printed_channel_shows_no_key() -> None:
    assert repr(channel(7)) == "<Channel 7 'c7'>"
    assert "sk-7" not in f"{channel(7)} {[channel(7)]}"


ROWS = st.lists(
    st.tuples(
        st.sampled_from([GROUP, "vip"]),
        st.sampled_from([MODEL, "m"]),
        st.integers(0, 12),
        st.booleans(),
        st.integers(-2, 2),
    ),
    max_size=40,
    unique_by=lambda row: row[:3],
)
CHANNELS = st.lists(
    st.builds(channel, st.integers(0, 9), weight=st.integers(-1, 5), status=st.integers(0, 3)),
    unique_by=lambda each: each.id,
)


@settings(deadline=None)
@given(CHANNELS, ROWS, st.integers())
def test_every_enabled_channel_once_and_no_other(channels: list[Channel], rows: list[Any], seed: int) -> None:
    routes = Routes.build(channels, rows)
    enabled = {each.id for each in channels if each.status == 1}
    expected = {row[2]: row[4] for row in rows if row[:2] == (GROUP, MODEL) and row[3] and row[2] in enabled}

    order = planned(routes, seed)

    assert sorted(order) == sorted(expected)
    priorities = [expected[number] for number in order]
    assert priorities == sorted(priorities, reverse=True)
    assert sorted(each.id for each in routes.candidates(GROUP, MODEL)) == sorted(order)
