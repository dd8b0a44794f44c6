"""Look-ups of ratios, and how tables are written."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.options import Options
from one_api.pricing import ratios
from one_api.pricing.ratios import Prices, find_completion_ratio, find_model_ratio

FRESH = json.loads((Path(__file__).parent.parent / "data/vectors/options_fresh.json").read_text("utf-8"))


@pytest.mark.parametrize(
    "model, channel_type, active, ratio",
    [
        ("gpt-4", 1, {}, 15),
        ("gpt-4", 1, {"gpt-4": 1}, 1),
        ("gpt-4", 1, {"gpt-4": 1, "gpt-4(1)": 2}, 2),
        ("gpt-4", 3, {"gpt-4": 1, "gpt-4(1)": 2}, 1),
        ("qwen-max-internet", 17, {}, ratios.MODEL["qwen-max"]),
        ("command-r-internet", 35, {}, ratios.MODEL["command-r"]),
        ("gpt-4-internet", 1, {}, 30),
        ("nobody-knows", 1, {}, 30),
        ("nobody-knows", 1, {"nobody-knows": 0}, 0),
    ],
)
def test_model_ratio(model: str, channel_type: int, active: dict[str, float], ratio: float) -> None:
    assert find_model_ratio(model, channel_type, active) == ratio


@pytest.mark.parametrize(
    "model, channel_type, active, ratio",
    [
        ("gpt-3.5-turbo", 1, {}, 3),
        ("gpt-3.5-turbo-0125", 1, {}, 3),
        ("gpt-3.5-turbo-1106", 1, {}, 2),
        ("gpt-3.5-turbo-16k", 1, {}, 4 / 3),
        ("gpt-4o-2024-05-13", 1, {}, 3),
        ("gpt-4o-mini", 1, {}, 4),
        ("gpt-4-turbo-2024-04-09", 1, {}, 3),
        ("gpt-4-0125-preview", 1, {}, 3),
        ("gpt-4-32k", 1, {}, 2),
        ("o1-mini", 1, {}, 4),
        ("o3-mini", 1, {}, 1),
        ("chatgpt-4o-latest", 1, {}, 3),
        ("chatgpt-4o-latest-2", 1, {}, 1),
        ("claude-3-opus-20240229", 14, {}, 5),
        ("claude-2.1", 14, {}, 3),
        ("mistral-large-latest", 28, {}, 3),
        ("gemini-1.5-pro", 24, {}, 3),
        ("deepseek-coder", 36, {}, 2),
        ("deepseek-reasoner", 36, {}, 2.19 / 0.55),
        ("llama3-8b-8192", 29, {}, 2),
        ("llama3-70b-8192", 29, {}, 0.79 / 0.59),
        ("llama3-70b-8192", 33, {}, 3.5 / 2.65),
        ("command-r-plus", 35, {}, 5),
        ("command-r-plus-internet", 35, {}, 1),
        ("whisper-1", 1, {}, 0),
        ("qwen-mine-internet", 17, {"qwen-mine": 7}, 7),
        ("gpt-4o", 1, {"gpt-4o(1)": 1.5}, 1.5),
        ("no-rule", 1, {}, 1),
    ],
)
def test_completion_ratio(model: str, channel_type: int, active: dict[str, float], ratio: float) -> None:
    assert find_completion_ratio(model, channel_type, active) == pytest.approx(ratio, rel=1e-15)


def test_a_tariff_multiplies_model_and_group() -> None:
    prices = Prices(Options(group_ratio={"vip": 0.5}))
    found = prices.tariff("gpt-4o", 1, "vip")
    assert (found.model_ratio, found.group_ratio, found.completion_ratio, found.ratio) == (2.5, 0.5, 4, 1.25)
    assert prices.tariff("gpt-4o", 1, "nobody").group_ratio == 1


def test_a_tariff_is_looked_up_once() -> None:
    prices = Prices(Options())
    assert prices.tariff("gpt-4o", 1, "default") is prices.tariff("gpt-4o", 1, "default")


def test_names_that_callers_invent_do_not_fill_the_memory() -> None:
    prices = Prices(Options())
    for number in range(Prices.MEMORY * 2 + 5):
        prices.tariff(f"invented-{number}", 1, "default")
    assert len(prices) <= Prices.MEMORY


def test_the_builtin_tables_are_one_apis() -> None:
    assert ratios.encode(ratios.MODEL) == FRESH["ModelRatio"]
    assert ratios.encode(ratios.COMPLETION) == FRESH["CompletionRatio"]
    assert ratios.encode(ratios.GROUP) == FRESH["GroupRatio"]


def test_a_stored_table_keeps_its_values_and_gains_the_builtin_ones() -> None:
    merged = ratios.with_builtin({"gpt-4": 1, "mine": 2})
    assert (merged["gpt-4"], merged["mine"], len(merged)) == (1, 2, len(ratios.MODEL) + 1)


@pytest.mark.parametrize(
    "number, compact, plain",
    [
        (5.0, "5", "5"),
        (0.0, "0", "0"),
        (-500000.0, "-500000", "-500000"),
        (2.5e-05, "0.000025", "0.000025"),
        (1e-06, "0.000001", "0.000001"),
        (1e-07, "1e-7", "0.0000001"),
        (1.5e-10, "1.5e-10", "0.00000000015"),
        (1e20, "100000000000000000000", "100000000000000000000"),
        (1e21, "1e+21", "1000000000000000000000"),
        (0.1, "0.1", "0.1"),
    ],
)
def test_numbers_are_written_as_go_writes_them(number: float, compact: str, plain: str) -> None:
    assert ratios.encode_number(number) == compact
    assert ratios.plain_number(number) == plain


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_written_numbers_read_back_equal(number: float) -> None:
    assert float(ratios.encode_number(number)) == number
    assert float(ratios.plain_number(number)) == number


def test_a_table_is_written_sorted_and_without_spaces() -> None:
    assert ratios.encode({"b": 1.0, "a": 0.5, "中": 2}) == '{"a":0.5,"b":1,"中":2}'
