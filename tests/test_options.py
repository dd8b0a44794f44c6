"""The options table: defaults, reading, refusing and listing."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from one_api.options import DEFAULTS, Options, check, is_secret, listing, parse
from one_api.pricing import ratios

VECTORS = Path(__file__).parent / "data/vectors"
FRESH: Mapping[str, str] = json.loads((VECTORS / "options_fresh.json").read_text("utf-8"))
KEYS = [item.metadata["option"].key for item in fields(Options)]
RATIOS = ("ModelRatio", "CompletionRatio", "GroupRatio")


def listed(rows: Mapping[str, str], at_start: Mapping[str, str] | None = None) -> dict[str, str]:
    options, _ = parse(rows)
    return {entry["key"]: entry["value"] for entry in listing(options, rows, at_start)}


def test_a_fresh_installation_lists_what_one_api_lists_without_its_secret() -> None:
    expected = {key: value for key, value in FRESH.items() if key != "TurnstileSecretKey"}
    assert listed({}) == expected
    assert len(expected) == 46


def test_defaults_parse_to_themselves() -> None:
    options, rejected = parse({key: value for key, value in listed({}).items() if key != "ServerAddress"})
    assert (options, rejected) == (DEFAULTS, {})


@pytest.mark.parametrize(
    "key, text, name, value",
    [
        ("RegisterEnabled", "false", "register_enabled", False),
        ("LogConsumeEnabled", "TRUE", "log_consume_enabled", False),
        ("LogConsumeEnabled", "true", "log_consume_enabled", True),
        ("QuotaForNewUser", "-5", "quota_for_new_user", -5),
        ("RetryTimes", "+3", "retry_times", 3),
        ("ChannelDisableThreshold", "7.5", "channel_disable_threshold", 7.5),
        ("QuotaPerUnit", "1e6", "quota_per_unit", 1e6),
        ("SystemName", " x ", "system_name", " x "),
        ("EmailDomainWhitelist", "a.com,b.com", "email_domain_whitelist", ("a.com", "b.com")),
        ("EmailDomainWhitelist", "", "email_domain_whitelist", ()),
        ("GroupRatio", '{"default":1,"vip":0.5}', "group_ratio", {"default": 1.0, "vip": 0.5}),
        ("CompletionRatio", "{}", "completion_ratio", {}),
        ("ServerAddress", "https://gw.example", "server_address", "https://gw.example"),
        ("HoldOutputTokens", "0", "hold_output_tokens", 0),
        ("ProxyRelayEnabled", "true", "proxy_relay_enabled", True),
    ],
)
def test_values(key: str, text: str, name: str, value: object) -> None:
    options, rejected = parse({key: text})
    assert getattr(options, name) == value
    assert replace(options, **{name: getattr(DEFAULTS, name)}) == DEFAULTS
    assert rejected == {}
    assert check(key, text, DEFAULTS) is None


BAD = [
    ("QuotaForInviter", "abc", "QuotaForInviter 必须是整数"),
    ("QuotaForInviter", "", "QuotaForInviter 必须是整数"),
    ("QuotaForInviter", "1_0", "QuotaForInviter 必须是整数"),
    ("QuotaForInviter", " 1", "QuotaForInviter 必须是整数"),
    ("QuotaForInviter", "1.5", "QuotaForInviter 必须是整数"),
    ("QuotaForInviter", "٣", "QuotaForInviter 必须是整数"),
    ("QuotaForInviter", "9223372036854775808", "QuotaForInviter 必须是整数"),
    ("QuotaForInviter", "9" * 5000, "QuotaForInviter 必须是整数"),
    ("ChannelDisableThreshold", "nan", "ChannelDisableThreshold 必须是数字"),
    ("ChannelDisableThreshold", "1e999", "ChannelDisableThreshold 必须是数字"),
    ("ChannelDisableThreshold", "", "ChannelDisableThreshold 必须是数字"),
    ("QuotaPerUnit", "0", "QuotaPerUnit 必须大于 0"),
    ("QuotaPerUnit", "-1", "QuotaPerUnit 必须大于 0"),
    ("HoldOutputTokens", "-1", "HoldOutputTokens 不能为负数"),
    ("GroupRatio", '{"default":', "unexpected end of JSON input"),
    ("ModelRatio", '{"gpt-4":"15"}', "json: cannot unmarshal string into Go value of type float64"),
    ("ModelRatio", "[1]", "json: cannot unmarshal array into Go value of type map[string]float64"),
    ("CompletionRatio", "nope", "invalid character 'o' in literal null (expecting 'u')"),
]


@pytest.mark.parametrize("key, text, reason", BAD)
def test_bad_values_are_refused_and_change_nothing(key: str, text: str, reason: str) -> None:
    assert check(key, text, DEFAULTS) == reason
    assert parse({key: text}) == (DEFAULTS, {key: reason})


def test_a_row_broken_by_hand_keeps_the_value_it_had() -> None:
    before, _ = parse({"GroupRatio": '{"default":2}', "RetryTimes": "3"})
    after, rejected = parse({"GroupRatio": "{", "RetryTimes": "x"}, previous=before)
    assert (after.group_ratio, after.retry_times) == ({"default": 2}, 3)
    assert set(rejected) == {"GroupRatio", "RetryTimes"}


def test_a_row_that_is_gone_has_its_default_again() -> None:
    before, _ = parse({"RetryTimes": "3"})
    assert parse({}, previous=before)[0] == DEFAULTS


def test_defaults_may_come_from_the_environment() -> None:
    options, _ = parse({}, defaults=replace(DEFAULTS, theme="berry"))
    assert options.theme == "berry"
    assert {"key": "Theme", "value": "berry"} in listing(options, {})


def test_a_stored_model_table_gains_the_builtin_models() -> None:
    options, _ = parse({"ModelRatio": '{"gpt-4":1,"mine":2}'})
    assert (options.model_ratio["gpt-4"], options.model_ratio["mine"]) == (1, 2)
    assert options.model_ratio["gpt-4o"] == ratios.MODEL["gpt-4o"]


def test_a_table_found_at_start_is_listed_merged_and_one_saved_since_as_saved() -> None:
    rows = {"ModelRatio": '{"gpt-4":15,"my-model":2.5}'}
    merged = listed(rows, at_start=rows)["ModelRatio"]
    assert merged == ratios.encode({**ratios.MODEL, "gpt-4": 15, "my-model": 2.5})
    assert listed(rows, at_start={})["ModelRatio"] == rows["ModelRatio"]
    assert listed(rows)["ModelRatio"] == rows["ModelRatio"]


def test_saved_rows_are_listed_as_they_are() -> None:
    rows = {
        "GroupRatio": '{"default":1,"vip":0.5,"svip":2}',
        "QuotaForInviter": "abc",
        "SomethingElse": "abc",
        "ServerAddress": "https://gw.example",
        "OidcClientId": "cid",
        "HoldOutputTokens": "100",
    }
    assert listed(rows) == {**listed({}), **rows}


def test_secrets_are_never_listed_whatever_their_name() -> None:
    secrets = ("SMTPToken", "GitHubClientSecret", "TurnstileSecretKey", "WeChatServerToken", "UnheardOfSecret")
    rows = dict.fromkeys(secrets, "sssh")
    assert listed(rows) == listed({})
    assert parse(rows)[0].turnstile_secret_key == "sssh"


def test_every_secret_option_is_one_by_name() -> None:
    secrets = {item.name for item in fields(Options) if is_secret(item.metadata["option"].key)}
    assert secrets == {
        "smtp_token",
        "github_client_secret",
        "lark_client_secret",
        "oidc_client_secret",
        "wechat_server_token",
        "message_pusher_token",
        "turnstile_secret_key",
    }


@pytest.mark.parametrize(
    "key, value, ready, refusal",
    [
        ("Theme", "pink", {}, "无效的主题"),
        (
            "GitHubOAuthEnabled",
            "true",
            {"github_client_id": "id"},
            "无法启用 GitHub OAuth，请先填入 GitHub Client Id 以及 GitHub Client Secret！",
        ),
        (
            "EmailDomainRestrictionEnabled",
            "true",
            {"email_domain_whitelist": ("a.com",)},
            "无法启用邮箱域名限制，请先填入限制的邮箱域名！",
        ),
        (
            "WeChatAuthEnabled",
            "true",
            {"wechat_server_address": "https://x"},
            "无法启用微信登录，请先填入微信登录相关配置信息！",
        ),
        (
            "TurnstileCheckEnabled",
            "true",
            {"turnstile_site_key": "key"},
            "无法启用 Turnstile 校验，请先填入 Turnstile 校验相关配置信息！",
        ),
    ],
)
def test_what_has_to_be_filled_in_first(key: str, value: str, ready: dict[str, Any], refusal: str) -> None:
    bare = replace(DEFAULTS, email_domain_whitelist=())
    assert check(key, value, bare) == refusal
    if ready:
        assert check(key, value, replace(bare, **ready)) is None
        assert check(key, "false", bare) is None


@pytest.mark.parametrize("theme", ["default", "berry", "air"])
def test_themes(theme: str) -> None:
    assert check("Theme", theme, DEFAULTS) is None


def test_unknown_keys_are_saved_and_an_empty_key_is_not() -> None:
    assert check("SomethingElse", "abc", DEFAULTS) is None
    assert check("", "x", DEFAULTS) == "无效的参数"


def test_keys_are_unique() -> None:
    assert len(set(KEYS)) == len(KEYS)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), st.text(max_size=20)))
def test_no_rows_break_the_gateway(rows: dict[str, str]) -> None:
    options, rejected = parse(rows)
    for key, value in rows.items():
        if key in KEYS and key not in ("Theme", "") and not key.endswith("Enabled"):
            assert (check(key, value, DEFAULTS) is not None) == (key in rejected)
    assert all(isinstance(entry["value"], str) for entry in listing(options, rows, rows))
