from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from one_api.channels import rules
from one_api.channels.rules import Refused, Wish


@pytest.mark.parametrize(
    "text, keys",
    [("k1\nk2\n\nk3", ["k1", "k2", "k3"]), ("ck1\r\nck2", ["ck1", "ck2"]), (" a \n\t", ["a"])],
)
def test_each_line_of_the_key_is_a_channel(text: str, keys: list[str]) -> None:
    assert rules.keys(text) == keys


@pytest.mark.parametrize("text", ["", "\n", " \r\n "])
def test_a_channel_needs_a_key(text: str) -> None:
    with pytest.raises(Refused):
        rules.keys(text)


@pytest.mark.parametrize(
    "address", ["", "http://x", "https://api.openai.com", "http://127.0.0.1:8080/base/", "https://[::1]:1", "HTTP://x"]
)
def test_addresses_of_web_servers_are_good(address: str) -> None:
    rules.check_base_url(address)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://x",
        "x.example",
        "//x.example",
        "http://",
        "http:///path",
        "http://user:secret@x.example",
        "http://user@x.example",
        "http://x.example/\r\nX-Evil: 1",
        "http://x .example",
        "http://x.example:0",
        "http://x.example:99999",
        "http://x.example\\@evil.example",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://[::1",
        "http://x.exämple",
    ],
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(Refused, match="渠道地址"):
        rules.check_base_url(address)


@given(st.text(max_size=40))
def test_no_text_breaks_the_check_of_an_address(text: str) -> None:
    try:
        rules.check_base_url(text)
    except Refused:
        return
    assert not text or text.lower().startswith(("http://", "https://"))
    assert "@" not in text.partition("://")[2].partition("/")[0].partition("?")[0].partition("#")[0]


def test_abilities_are_models_times_groups_without_doubles() -> None:
    found = rules.abilities(
        channel_id=9, models="gpt-4,gpt-3.5-turbo,gpt-4", group="default,vip,vip", status=1, priority=3
    )
    assert found == [
        ("default", "gpt-4", 9, True, 3),
        ("vip", "gpt-4", 9, True, 3),
        ("default", "gpt-3.5-turbo", 9, True, 3),
        ("vip", "gpt-3.5-turbo", 9, True, 3),
    ]


def test_a_channel_without_models_has_an_ability_for_the_empty_name() -> None:
    assert rules.abilities(channel_id=9, models="", group="default", status=2, priority=0) == [
        ("default", "", 9, False, 0)
    ]


def test_a_new_channels_defaults_are_the_columns() -> None:
    row = rules.first_row(Wish(key="ignored"), "k", 100)
    assert {name: row[name] for name in ("status", "group", "weight", "base_url", "model_mapping", "priority")} == {
        "status": 1,
        "group": "default",
        "weight": 0,
        "base_url": "",
        "model_mapping": "",
        "priority": 0,
    }
    assert row["other"] is None
    assert row["system_prompt"] is None
    assert (row["key"], row["created_time"], "id" in row) == ("k", 100, False)


def test_an_update_writes_what_it_names() -> None:
    assert rules.changes(Wish(id=1)) == {}
    assert rules.changes(Wish(id=1, status=1, priority=5, weight=3, base_url="http://x", used_quota=9)) == {
        "status": 1,
        "priority": 5,
        "weight": 3,
        "base_url": "http://x",
    }
    assert rules.changes(Wish(id=1, priority=0, system_prompt="", base_url="")) == {
        "priority": 0,
        "system_prompt": "",
        "base_url": "",
    }


def test_a_key_cannot_bring_a_line_of_a_header_along() -> None:
    with pytest.raises(Refused, match="换行"):
        rules.check(rules.changes(Wish(id=1, key="a\r\nX-Evil: 1")))


@pytest.mark.parametrize(
    "columns",
    [
        {"name": "n" * 192},
        {"group": "g" * 33},
        {"model_mapping": "m" * 1025},
        {"system_prompt": "字" * 21846},
        {"models": "m" * 192},
    ],
)
def test_what_a_database_could_not_store_is_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="过长"):
        rules.check(columns)


def row(**values: Any) -> dict[str, Any]:
    names = ("name", "key", "base_url", "models", "group", "priority", "weight", "model_mapping", "system_prompt")
    empty: dict[str, Any] = dict.fromkeys((*names, "config", "other", "status", "type"))
    return empty | {"id": 1} | values


def test_a_row_of_nulls_is_a_channel() -> None:
    channel = rules.routed(row())
    assert (channel.type, channel.name, channel.models, channel.priority, channel.status) == (0, "", (), 0, 0)


@pytest.mark.parametrize(
    "kind, config, other, wanted",
    [
        (3, "{}", "2024-03-01-preview", {"api_version": "2024-03-01-preview"}),
        (3, '{"api_version":"v2"}', "v1", {"api_version": "v2"}),
        (3, '{"api_version":""}', "v1", {"api_version": "v1"}),
        (17, "", "web", {"plugin": "web"}),
        (18, None, "v3.5", {"api_version": "v3.5"}),
        (21, "nonsense", "lib", {"library_id": "lib"}),
        (24, "[]", "v1beta", {"api_version": "v1beta"}),
        (1, "{}", "unused", {}),
        (33, '{"region":"us-east-1","ak":"a","n":5}', None, {"region": "us-east-1", "ak": "a"}),
        (1, '{"responses":true,"kept_responses":false}', None, {"responses": "true", "kept_responses": "false"}),
    ],
)
def test_old_settings_count_where_new_ones_are_missing(
    kind: int, config: str | None, other: str | None, wanted: dict[str, str]
) -> None:
    assert rules.routed(row(type=kind, config=config, other=other)).config == wanted


def test_a_proxy_comes_from_the_config() -> None:
    channel = rules.routed(row(config='{"proxy":"socks5://127.0.0.1:1080"}'))
    assert channel.proxy == "socks5://127.0.0.1:1080"


@pytest.mark.parametrize("text", ["", "{}", "null", "[1]", "{", '"x"', '{"a":1}', "[" * 100_000])
def test_a_mapping_that_is_none_maps_nothing(text: str) -> None:
    assert rules.routed(row(model_mapping=text)).mapping == {}


def test_no_key_shows_in_what_is_printed() -> None:
    secret = "sk-very-secret"
    assert secret not in repr(Wish(id=1, key=secret))
    assert secret not in repr(rules.routed(row(key=secret)))
    assert asdict(Wish(id=1, key=secret))["key"] == secret
