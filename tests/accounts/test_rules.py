import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.accounts import rules
from one_api.accounts.rules import Credentials, Holder, Refused
from one_api.accounts.tokens import new_key
from one_api.errors import AccessDenied, TokenRefused
from one_api.options import DEFAULTS

VECTORS = Path(__file__).parents[1] / "data/vectors"
NOW = 1_700_000_000

GOOD = Holder(
    id=7,
    user_id=3,
    key="k" * 48,
    status=1,
    name="mine",
    expired_time=-1,
    remain_quota=100,
    unlimited=False,
    models="",
    subnet="",
    username="alice",
    user_status=1,
    role=1,
    group="vip",
)


def parse_key(header: str) -> Credentials:
    return rules.require_key(rules.read_key(header))


def cases(name: str) -> list[Any]:
    found: list[Any] = json.loads((VECTORS / name).read_text())["cases"]
    return found


@pytest.mark.parametrize("case", cases("key_grammar.json"), ids=lambda case: case["header"])
def test_the_header_holds_a_key_and_perhaps_a_channel(case: dict[str, Any]) -> None:
    assert parse_key(case["header"]) == Credentials(case["key"], case["channel"])


@pytest.mark.parametrize("header", ["", "Bearer ", "sk-", "Bearer sk-", "Bearer sk--12"])
def test_without_a_key_no_token_was_given(header: str) -> None:
    with pytest.raises(TokenRefused, match="未提供令牌"):
        parse_key(header)


@pytest.mark.parametrize("header", ["bearer KEY", "Bearer", "Bearer Bearer KEY"])
def test_other_words_belong_to_the_key(header: str) -> None:
    assert parse_key(header).key == header.removeprefix("Bearer ")


def test_keys_have_one_apis_form_and_survive_the_header() -> None:
    key = new_key()
    assert len(key) == 48
    assert key.isalnum()
    assert all(not c.islower() for c in key[16::2])
    assert parse_key(f"Bearer sk-{key}-5") == Credentials(key, "5")


@pytest.mark.parametrize(
    "change, message, becomes",
    [
        ({"status": 4}, "令牌 mine（#7）额度已用尽", None),
        ({"status": 3}, "该令牌已过期", None),
        ({"status": 2}, "该令牌状态不可用", None),
        ({"status": 0}, "该令牌状态不可用", None),
        ({"expired_time": NOW - 1}, "该令牌已过期", 3),
        ({"expired_time": 0}, "该令牌已过期", 3),
        ({"remain_quota": 0}, "该令牌额度已用尽", 4),
        ({"remain_quota": -5}, "该令牌额度已用尽", 4),
        ({"status": 4, "expired_time": 5}, "令牌 mine（#7）额度已用尽", None),
        ({"status": 2, "expired_time": 5, "remain_quota": 0}, "该令牌状态不可用", None),
        ({"expired_time": 5, "remain_quota": 0}, "该令牌已过期", 3),
    ],
)
def test_the_first_thing_that_speaks_against_a_token_is_told(
    change: dict[str, Any], message: str, becomes: int | None
) -> None:
    refusal = rules.refusal(replace(GOOD, **change), NOW)
    assert refusal is not None
    assert (refusal.error.message, refusal.error.status, refusal.becomes) == (message, 401, becomes)


@pytest.mark.parametrize(
    "change", [{}, {"expired_time": NOW}, {"remain_quota": 1}, {"remain_quota": -1, "unlimited": True}]
)
def test_nothing_speaks_against_a_good_token(change: dict[str, Any]) -> None:
    assert rules.refusal(replace(GOOD, **change), NOW) is None


@pytest.mark.parametrize("status", [0, 2, 3])
def test_a_token_of_a_banned_user_is_denied(status: int) -> None:
    with pytest.raises(AccessDenied, match="用户已被封禁"):
        rules.caller(replace(GOOD, user_status=status))


@pytest.mark.parametrize(
    "subnet, ip, allowed",
    [
        ("", "anything", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.1/8", "10.200.0.1", True),
        ("192.168.0.0/16, 10.0.0.0/8", "10.0.0.1", True),
        ("::1/128", "::1", True),
        ("::1/128", "127.0.0.1", False),
        ("127.0.0.0/8", "::ffff:127.0.0.1", True),
        ("nonsense,10.0.0.0/8", "10.0.0.1", True),
        ("nonsense", "10.0.0.1", False),
        ("10.0.0.0/8", "", False),
        ("0.0.0.0/0", "unknown", False),
    ],
)
def test_a_token_is_bound_to_its_networks(subnet: str, ip: str, *, allowed: bool) -> None:
    caller = rules.caller(replace(GOOD, subnet=subnet))
    if allowed:
        rules.permit_address(caller, ip)
    else:
        with pytest.raises(AccessDenied) as denied:
            rules.permit_address(caller, ip)
        assert denied.value.message == f"该令牌只能在指定网段使用：{subnet}，当前 ip：{ip}"


@pytest.mark.parametrize(
    "models, model, allowed",
    [
        ("", "gpt-4", True),
        ("gpt-4,gpt-4o", "gpt-4o", True),
        ("gpt-4,gpt-4o", "gpt-3.5-turbo", False),
        ("gpt-4, gpt-4o", "gpt-4o", False),
        ("gpt-4", "", True),
    ],
)
def test_a_token_is_bound_to_its_models(models: str, model: str, *, allowed: bool) -> None:
    caller = rules.caller(replace(GOOD, models=models))
    if allowed:
        rules.permit_model(caller, model)
    else:
        with pytest.raises(AccessDenied, match=f"该令牌无权使用模型：{model}"):
            rules.permit_model(caller, model)


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.0/33", "10.0.0.0/255.0.0.0", "x", "", "10.0.0.0/", "/8", "1/8"])
def test_networks_are_written_in_cidr_notation(text: str) -> None:
    with pytest.raises(Refused, match="参数错误：无效的网段：failed to parse subnet: invalid CIDR address: "):
        rules.check_token("name", f"10.0.0.0/8,{text}")


@pytest.mark.parametrize("name, good", [("n" * 30, True), ("n" * 31, False), ("令" * 10, True), ("令" * 11, False)])
def test_a_tokens_name_has_at_most_30_bytes(name: str, *, good: bool) -> None:
    if good:
        rules.check_token(name, None)
    else:
        with pytest.raises(Refused, match="参数错误：令牌名称过长"):
            rules.check_token(name, None)


def test_a_password_fits_into_bcrypt_and_the_form() -> None:
    assert rules.unacceptable(password="p" * 8) == []
    assert rules.unacceptable(password="p" * 7) == [("Password", "min")]
    assert rules.unacceptable(password="p" * 21) == [("Password", "max")]
    assert rules.unacceptable(password="😀" * 18) == []
    assert rules.unacceptable(password="😀" * 19) == [("Password", "max")]


def test_names_are_measured_in_characters() -> None:
    assert rules.unacceptable(username="一二三四五六七八九十一二", display_name="名" * 20, email="e" * 50) == []
    found = rules.unacceptable(username="x" * 13, display_name="x" * 21, email="e" * 51)
    assert found == [("Username", "max"), ("DisplayName", "max"), ("Email", "max")]


@pytest.mark.parametrize(
    "case", [case for case in cases("display.json") if case["where"] == "log"], ids=lambda case: case["text"]
)
def test_quota_is_written_as_in_one_apis_logs(case: dict[str, Any]) -> None:
    options = replace(
        DEFAULTS,
        display_in_currency_enabled=case["display_in_currency"],
        quota_per_unit=float(case.get("quota_per_unit", 500000)),
    )
    assert rules.quota_text(case["quota"], options) == case["text"]


@given(st.text(max_size=60))
def test_any_header_is_read_or_refused(header: str) -> None:
    try:
        credentials = parse_key(header)
    except TokenRefused:
        return
    assert credentials.key
    assert "-" not in credentials.key


@given(st.text(max_size=40), st.text(max_size=20))
def test_no_subnet_text_lets_a_strange_address_in(subnet: str, ip: str) -> None:
    assert rules.within(ip, subnet) in (True, False)
    if "/" not in subnet:
        assert not rules.within(ip, subnet)
