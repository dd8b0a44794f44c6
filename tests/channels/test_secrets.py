import json

import pytest

from one_api.channels.secrets import hidden, restored

AWS = '{"region":"us-east-1","ak":"AK","sk":"SK"}'


def test_secrets_are_empty_and_all_else_stays() -> None:
    assert json.loads(hidden(AWS)) == {"region": "us-east-1", "ak": "", "sk": ""}
    plain = '{ "api_version": "v1",\n "plugin": "p"}'
    assert hidden(plain) == plain


@pytest.mark.parametrize("text", ["", "{}"])
def test_what_holds_no_secret_is_shown_as_it_is(text: str) -> None:
    assert hidden(text) == text


@pytest.mark.parametrize("text", ["{", "[1]", '"ak"', "sk=SK", "[" * 100_000])
def test_what_cannot_be_read_is_not_shown(text: str) -> None:
    assert hidden(text) == ""


def test_what_a_form_sends_back_changes_no_secret() -> None:
    assert json.loads(restored(hidden(AWS), AWS)) == json.loads(AWS)
    assert json.loads(restored('{"region":"eu"}', AWS)) == {"region": "eu", "ak": "AK", "sk": "SK"}


def test_a_new_secret_replaces_the_old_one_alone() -> None:
    said = '{"region":"us-east-1","ak":"","sk":"NEW"}'
    assert json.loads(restored(said, AWS)) == {"region": "us-east-1", "ak": "AK", "sk": "NEW"}


def test_a_form_is_stored_as_it_is_where_there_was_no_secret() -> None:
    said = '{ "region": "x" }'
    for stored in ("", "{}", "{", '{"region":"y"}'):
        assert restored(said, stored) == said


def test_the_password_of_a_proxy_is_hidden_and_kept() -> None:
    stored = '{"proxy":"socks5://me:PW@127.0.0.1:1080"}'
    assert hidden(stored) == '{"proxy":"socks5://me:***@127.0.0.1:1080"}'
    assert restored(hidden(stored), stored) == stored
    assert restored('{"proxy":""}', stored) == '{"proxy":""}'
    assert restored('{"proxy":"http://127.0.0.1:1"}', stored) == '{"proxy":"http://127.0.0.1:1"}'
    assert hidden('{"proxy":"http://127.0.0.1:1"}') == '{"proxy":"http://127.0.0.1:1"}'
