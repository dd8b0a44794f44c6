"""When a channel is taken out: never for words of a caller, and never so many that a model is served by nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.routing.health import (
    Cause,
    Rate,
    Rests,
    SuccessRates,
    account_phrase,
    cause_of,
    is_the_channels,
    is_typed,
    may_eject,
    retry_after,
    retry_info,
)


@pytest.mark.parametrize(
    "status, kind, code, typed",
    [
        (401, "", None, True),
        (402, "", None, True),
        (403, "insufficient_quota", None, True),
        (502, "authentication_error", None, True),
        (403, "permission_error", None, True),
        (502, "billing_error", None, True),
        (529, "overloaded_error", None, False),
        (429, "rate_limit_error", None, False),
        (400, "invalid_request_error", None, False),
        (400, "x", "invalid_api_key", True),
        (200, "x", "account_deactivated", True),
        (403, "x", "model_not_found", False),
        (429, "rate_limit", 401, False),
        (500, "server_error", None, False),
    ],
)
def test_a_typed_error_is_about_the_account(status: int, kind: str, code: object, *, typed: bool) -> None:
    assert is_typed(status, kind, code) is typed


@pytest.mark.parametrize(
    "message, phrase",
    [
        ("Your credit balance is too low to access the API", "your credit balance is too low"),
        ("  API key  expired. Renew", "api key expired"),
        ("账户已欠费", ""),
        ("已欠费，请充值", "已欠费"),
        ("the word credit, and balance", ""),
        ("You said: your credit balance is too low", ""),
        ("", ""),
    ],
)
def test_a_sentence_counts_at_the_start_only(message: str, phrase: str) -> None:
    assert account_phrase(message) == phrase


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 415, 422, 431, 451])
def test_what_a_caller_can_provoke_at_will_is_not_the_channels(status: int) -> None:
    assert not is_the_channels(status)


@pytest.mark.parametrize("status", [401, 402, 408, 429, 500, 502, 503, 504, 529])
def test_what_the_upstream_fails_with_is(status: int) -> None:
    assert is_the_channels(status)


def test_a_rate_is_looked_at_when_enough_calls_were_made_and_one_fails() -> None:
    rates = SuccessRates(size=4, threshold=0.5)
    assert [rates.failed(1) for _ in range(3)] == [None] * 3
    assert rates.failed(1) == Rate(4, 0)
    assert rates.failed(1) is None  # it begins anew


def test_successes_keep_a_channel_in() -> None:
    rates = SuccessRates(size=4, threshold=0.4)
    for _ in range(50):
        rates.succeeded(1)
        assert rates.failed(1) is None
    assert rates.failed(1) is None
    assert rates.failed(1) == Rate(5, 1)


def test_a_channel_that_comes_back_starts_afresh() -> None:
    rates = SuccessRates(size=2, threshold=0.5)
    rates.failed(1)
    rates.failed(2)
    rates.keep({2})
    assert (rates.failed(1), rates.failed(2)) == (None, Rate(2, 0))


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 12), st.floats(0, 1))
def test_a_rate_that_is_told_is_too_low(results: list[bool], size: int, threshold: float) -> None:
    rates = SuccessRates(size=size, threshold=threshold)
    for good in results:
        if good:
            rates.succeeded(1)
        else:
            rate = rates.failed(1)
            assert rate is None or (size <= rate.calls <= size + 1 and rate.share < threshold)


places = st.lists(st.sets(st.integers(1, 8), min_size=1), min_size=1, max_size=5)


@given(places, st.dictionaries(st.integers(1, 8), st.booleans()), st.permutations(range(1, 9)))
def test_of_no_model_more_than_half_are_taken_out_and_never_the_last(
    models: list[set[int]], in_use: dict[int, bool], order: list[int]
) -> None:
    before = dict(in_use)
    for channel in order:
        if may_eject(channel, [place for place in models if channel in place], in_use):
            in_use[channel] = False
    for place in models:
        known = [each for each in place if each in in_use]
        taken = [each for each in known if before[each] and not in_use[each]]
        if taken:
            assert sum(not in_use[each] for each in known) * 2 <= len(known)
            assert any(in_use[each] for each in known)


def test_examples() -> None:
    assert not may_eject(1, [{1}], {1: True})
    assert may_eject(1, [{1, 2}], {1: True, 2: True})
    assert not may_eject(2, [{1, 2}], {1: False, 2: True})
    assert not may_eject(1, [{1, 2, 3, 4}, {1}], {1: True, 2: True, 3: True, 4: True})
    assert not may_eject(1, [{1, 2}], {1: False, 2: True})
    assert not may_eject(1, [{1, 2}], {1: True})  # the other was disabled by hand


# --- causes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status, kind, code, message, cause",
    [
        (401, "", None, "", Cause.KEY),
        (403, "permission_error", None, "", Cause.KEY),
        (400, "x", None, "API key not valid. Please pass one", Cause.KEY),
        (402, "", None, "", Cause.BALANCE),
        (429, "insufficient_quota", None, "", Cause.BALANCE),
        (400, "invalid_request_error", None, "Your credit balance is too low to go on", Cause.BALANCE),
        (429, "requests", "rate_limit_exceeded", "", Cause.OVERLOADED),
        (529, "overloaded_error", None, "", Cause.OVERLOADED),
        (502, "overloaded_error", None, "", Cause.OVERLOADED),
        (400, "invalid_request_error", "context_length_exceeded", "", Cause.TOO_LONG),
        (400, "x", "content_filter", "", Cause.REFUSED),
        (400, "invalid_request_error", None, "messages: required", Cause.REQUEST),
        (400, "x", ["content_filter"], "", Cause.REQUEST),
        (404, "not_found_error", "model_not_found", "", Cause.UNSUITED),
        (403, "x", None, "", Cause.UNSUITED),
        (408, "", None, "", Cause.DOWN),
        (503, "server_error", None, "", Cause.DOWN),
    ],
)
def test_an_error_has_one_cause(status: int, kind: str, code: object, message: str, cause: Cause) -> None:
    assert cause_of(status, kind, code, message) is cause


def test_words_of_the_callers_own_are_no_cause() -> None:
    assert cause_of(400, "x", None, "Your credit balance is too low", quoted=True) is Cause.REQUEST


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ([], 0),
        ([(b"Retry-After", b" 7 ")], 7),
        ([(b"retry-after", b"1.5")], 1.5),
        ([(b"retry-after", b"7"), (b"retry-after-ms", b"250")], 0.25),
        ([(b"retry-after", b"7"), (b"retry-after", b"9")], 7),
        ([(b"retry-after", b"Tue, 14 Nov 2023 22:14:20 GMT")], 60),
        ([(b"retry-after", b"Tue, 14 Nov 2023 22:12:20 GMT")], 0),
        ([(b"retry-after", b"Tue, 14 Nov 99999 22:12:20 GMT")], 0),
        ([(b"retry-after", b"soon")], 0),
        ([(b"retry-after", b"-5")], 0),
        ([(b"retry-after", b"inf")], 0),
        ([(b"retry-after", b"\xff")], 0),
    ],
)
def test_how_long_an_upstream_wants_to_be_left_alone(headers: list[tuple[bytes, bytes]], seconds: float) -> None:
    assert retry_after(headers, NOW) == seconds


def test_a_channel_rests_as_long_as_it_asked_for_and_no_longer_than_the_bound() -> None:
    rests = Rests()
    assert not rests.resting(1, "m", 0)
    rests.begin(1, "m", 10, now=100)
    rests.begin(2, "m", 86_400, now=100)
    assert [rests.resting(1, "m", now) for now in (100, 109.9, 110, 111)] == [True, True, False, False]
    assert not rests.resting(1, "other", 100)
    assert rests.resting(2, "m", 100 + Rests.LONGEST - 1)
    assert not rests.resting(2, "m", 100 + Rests.LONGEST)


def test_rests_are_bounded_in_number() -> None:
    rests = Rests()
    for number in range(Rests.MOST + 1):
        rests.begin(number, "m", 10, now=0)
    assert not rests.resting(Rests.MOST, "m", 1)
    rests.begin(Rests.MOST, "m", 10, now=11)
    assert rests.resting(Rests.MOST, "m", 12)


@pytest.mark.parametrize(
    "body, seconds",
    [
        (
            b'{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}]}}',
            34,
        ),
        (b'{"error":{"details":[{"retryDelay" : "0.25s"}]}}', 0.25),
        (b'{"error":{"message":"you said \\"retryDelay\\": \\"34s\\""}}', 0),
        (b'{"retryDelay":"soon"}', 0),
        (b"", 0),
    ],
)
def test_google_says_in_the_error_when_it_wants_to_be_asked_again(body: bytes, seconds: float) -> None:
    assert retry_info(body) == seconds
