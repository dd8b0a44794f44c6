"""Which reports of usage are believed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.ir import Usage
from one_api.pricing.usage import MOST_BELIEVED, Report, read_stream_usage, read_usage

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(
    ["prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"]
)


def usage(prompt: Any, completion: Any, total: Any, **more: Any) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total, **more}


@pytest.mark.parametrize(
    "value, read",
    [
        (usage(10, 5, 15), Usage(10, 5)),
        (usage(0, 1, 1), Usage(0, 1)),
        (usage(10.0, 5.0, 15.0), Usage(10, 5)),
        ({"prompt_tokens": 3, "total_tokens": 3}, Usage(3, 0)),
        ({"input_tokens": 4, "output_tokens": 2, "total_tokens": 6}, Usage(4, 2)),
        (usage(None, 5, 5), Usage(0, 5)),
        (
            usage(
                100,
                50,
                150,
                prompt_tokens_details={"cached_tokens": 80, "audio_tokens": 7},
                completion_tokens_details={"reasoning_tokens": 20, "audio_tokens": 3},
            ),
            Usage(100, 50, cached=80, reasoning=20, audio_in=7, audio_out=3),
        ),
        (usage(100, 50, 150, prompt_cache_hit_tokens=64), Usage(100, 50, cached=64)),
        (
            usage(100, 50, 150, prompt_tokens_details={"cached_tokens": 60, "cache_write_tokens": 30}),
            Usage(100, 50, cached=60, cache_write=30),
        ),
        (usage(100.0, 50, 150, prompt_tokens_details={"cache_write_tokens": 30.0}), Usage(100, 50, cache_write=30)),
        (usage(10, 5, 15, prompt_tokens_details={"cached_tokens": 80}), Usage(10, 5, cached=10)),
        (usage(10, 5, 15, completion_tokens_details={"reasoning_tokens": 80}), Usage(10, 5, reasoning=5)),
        (usage(100.0, 50, 150, prompt_cache_hit_tokens=64), Usage(100, 50, cached=64)),
        (usage(0.0, 1, 1, input_tokens=7), Usage(0, 1)),
        (usage(10, 5, 15, prompt_tokens_details="none"), Usage(10, 5)),
        ({"input_tokens": 4, "total_tokens": 4, "input_tokens_details": {"cached_tokens": 1}}, Usage(4, 0, cached=1)),
    ],
)
def test_believed(value: Any, read: Usage) -> None:
    assert read_usage(value) == read


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "usage",
        {},
        usage(0, 0, 0),
        usage(5, 5, 0),
        usage(0, 0, 50),
        usage(-10, 5, -5),
        usage(10, -5, 5),
        usage(-10.0, 5, 5),
        usage(1e300, 5, 5),
        usage(10, 5, -1),
        usage(10.5, 5, 15),
        usage("10", "5", "15"),
        usage(True, 5, 6),
        usage(float("nan"), 5, 5),
        usage(float("inf"), 5, 5),
        usage(MOST_BELIEVED + 1, 5, 5),
        usage(10, 10**400, 5),
        usage(10, 5, 15, prompt_tokens_details={"cached_tokens": -80}),
        usage([10], {"a": 5}, 15),
        usage(10, 5, 15, prompt_tokens_details={"cache_write_tokens": -1}),
    ],
)
def test_not_believed(value: Any) -> None:
    assert read_usage(value) is None


def test_a_stream_may_report_a_bare_total() -> None:
    report = read_stream_usage(usage(0, 0, 30))
    assert report == Report(Usage(output=30), "parts")
    assert report.resolve(prompt=8) == Usage(8, 22)
    assert report.resolve(prompt=40) == Usage(40, 0)
    assert read_stream_usage(usage(0, 30, 30)) == report


def test_a_dialects_usage_is_taken_as_it_is_if_it_can_be_true() -> None:
    assert read_stream_usage(Usage(10, 5, cached=3)) == Report(Usage(10, 5, cached=3))
    assert read_stream_usage(Usage(10, MOST_BELIEVED)) == Report(Usage(10, MOST_BELIEVED))
    assert read_stream_usage(Usage(10, MOST_BELIEVED + 1)) is None
    assert read_stream_usage(Usage(searches=1)) == Report(Usage(searches=1), "prompt")
    assert read_stream_usage(Usage()) is None
    report = read_stream_usage(Usage(0, 5))
    assert report == Report(Usage(0, 5), "prompt")
    assert report.resolve(prompt=8) == Usage(8, 5)


def test_a_stream_with_a_prompt_count_is_taken_as_it_is() -> None:
    report = read_stream_usage(usage(10, 5, 15))
    assert report is not None
    assert report.resolve(prompt=8) == Usage(10, 5)
    assert read_stream_usage(usage(10, 0, 10)) == Report(Usage(10, 0))


@pytest.mark.parametrize("value", [None, usage(0, 0, 0), usage(5, 5, 0), usage(-1, 5, 4)])
def test_a_stream_without_a_usable_report(value: Any) -> None:
    assert read_stream_usage(value) is None


@given(JSON | st.dictionaries(NAMES, JSON))
def test_no_report_breaks_the_reader_or_makes_credit(value: Any) -> None:
    read = read_usage(value)
    report = read_stream_usage(value)
    for each in (read, report.resolve(5) if report else None):
        assert each is None or 0 <= each.cached <= each.input <= MOST_BELIEVED
        assert each is None or 0 <= each.reasoning <= each.output <= MOST_BELIEVED
