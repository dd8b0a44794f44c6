"""Each provider is asked what its page says, and its answer is understood."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.providers import balances
from one_api.providers.balances import NoBalance, Query
from one_api.routing import Channel

TODAY = date(2026, 11, 24)
KEY = "sk-secret/1"
BEARER = (b"authorization", b"Bearer sk-secret/1")


def account(kind: int, base_url: str = "") -> Channel:
    return Channel(
        id=1, type=kind, name="c", key=KEY, base_url=base_url, models=(), groups=(), priority=0, weight=0, mapping={},
        system_prompt="", config={}, status=1,
    )  # fmt: skip


def talk(channel: Channel, *answers: Any) -> tuple[list[Query], float]:
    """The queries, and what their answers came to."""
    flow = balances.flow(channel, TODAY)
    queries = [next(flow)]
    for answer in answers:
        try:
            queries.append(flow.send(answer))
        except StopIteration as done:
            return queries, done.value
    raise AssertionError(f"it asks on: {queries[-1].url}")


BILLING = "https://api.openai.com/v1/dashboard/billing"
SUBSCRIPTION = {"hard_limit_usd": 120.0, "has_payment_method": True}
USED = {"object": "list", "total_usage": 2034.5}
CREDITS = "dashboard/billing/credit_grants"


def test_openai_by_invoice() -> None:
    queries, balance = talk(account(1), SUBSCRIPTION, USED)
    assert [query.url for query in queries] == [
        f"{BILLING}/subscription",
        f"{BILLING}/usage?start_date=2026-11-01&end_date=2026-11-24",
    ]
    assert [query.headers for query in queries] == [(BEARER,)] * 2
    assert balance == pytest.approx(99.655)


def test_openai_without_a_payment_method_looks_back_a_hundred_days() -> None:
    queries, _ = talk(account(8, "http://up/base/"), {"hard_limit_usd": 5}, {"total_usage": 100})
    assert queries[1].url == "http://up/base/v1/dashboard/billing/usage?start_date=2026-08-16&end_date=2026-11-24"


@pytest.mark.parametrize(
    "kind, url, answer, balance",
    [
        (4, f"https://api.closeai-proxy.xyz/{CREDITS}", {"total_available": 3.25}, 3.25),
        (
            5,
            "https://api.openai-sb.com/sb-api/user/status?api_key=sk-secret%2F1",
            {"msg": "ok", "data": {"credit": "1024"}},
            1024,
        ),
        (
            10,
            "https://aiproxy.io/api/report/getUserOverview",
            {"success": True, "message": "", "error_code": 0, "data": {"totalPoints": 77.5}},
            77.5,
        ),
        (12, f"https://api.api2gpt.com/{CREDITS}", {"total_remaining": 2}, 2),
        (13, f"https://api.aigc2d.com/{CREDITS}", {"total_available": 0}, 0),
        (20, "https://openrouter.ai/api/v1/credits", {"data": {"total_credits": 100.5, "total_usage": 25.75}}, 74.75),
        (
            36,
            "https://api.deepseek.com/user/balance",
            {
                "is_available": True,
                "balance_infos": [
                    {"currency": "USD", "total_balance": "9.00"},
                    {"currency": "CNY", "total_balance": "110.00"},
                ],
            },
            110,
        ),
        (44, "https://api.siliconflow.cn/v1/user/info", {"code": 20000, "data": {"totalBalance": "88.88"}}, 88.88),
    ],
)
def test_one_query_says_it(kind: int, url: str, answer: Any, balance: float) -> None:
    (query,), found = talk(account(kind), answer)
    assert (query.url, found) == (url, balance)
    assert query.headers == (((b"api-key", KEY.encode()),) if kind == 10 else (BEARER,))
    assert KEY not in repr(query)


@pytest.mark.parametrize("kind", [1, 4, 5, 8, 10, 12, 13, 20, 36, 44])
def test_a_channel_with_an_address_is_asked_there_and_nowhere_else(kind: int) -> None:
    assert next(balances.flow(account(kind, "https://own.example/x/"), TODAY)).url.startswith("https://own.example/x/")


@pytest.mark.parametrize("kind", [0, 2, 3, 14, 43, 50, 51, 999])
def test_others_have_none(kind: int) -> None:
    assert not balances.supported(kind)
    with pytest.raises(NoBalance, match="尚未实现"):
        balances.flow(account(kind, "https://own.example"), TODAY)


def test_a_custom_channel_needs_an_address() -> None:
    with pytest.raises(NoBalance, match="地址"):
        balances.flow(account(8), TODAY)


@pytest.mark.parametrize(
    "kind, answer, message",
    [
        (5, {"msg": "没有此用户", "data": None}, "没有此用户"),
        (5, {}, balances.UNREADABLE),
        (10, {"success": False, "message": "no", "error_code": 7}, "code: 7, message: no"),
        (36, {"balance_infos": [{"currency": "USD", "total_balance": "1"}]}, "currency CNY not found"),
        (36, {}, "currency CNY not found"),
        (44, {"code": 40001, "message": "bad key"}, "code: 40001, message: bad key"),
        (44, [], "code: 0, message: "),
        (4, {"total_available": "NaN"}, balances.UNREADABLE),
        (4, {"total_available": 10**400}, balances.UNREADABLE),
        (4, {"total_available": True}, balances.UNREADABLE),
        (4, {"error": {"message": "x"}}, balances.UNREADABLE),
        (20, {"data": {"total_credits": 1}}, balances.UNREADABLE),
    ],
)
def test_an_answer_without_a_balance_says_why(kind: int, answer: Any, message: str) -> None:
    with pytest.raises(NoBalance) as refused:
        talk(account(kind), answer)
    assert refused.value.message == message


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("data", "credit", "success", "code", "balance_infos", "currency", "total_available", "hard_limit_usd")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from((1, 4, 5, 8, 10, 12, 13, 20, 36, 44)), st.lists(ANYTHING, min_size=2, max_size=2))
def test_no_answer_breaks_the_reading(kind: int, answers: list[Any]) -> None:
    try:
        _, found = talk(account(kind, "http://up"), *answers)
    except NoBalance:
        return
    assert found == found + 0
