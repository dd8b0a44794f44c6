"""What may be set for a channel, and what becomes of headers and bodies."""

import json
from typing import Any

import pytest

from one_api.relay import calls
from one_api.routing import parameters
from one_api.routing.parameters import InvalidParameters, Parameters


def made(**said: Any) -> Parameters:
    found = parameters.read(json.dumps(said))
    assert found is not None
    return found


@pytest.mark.parametrize("text", ["", " ", "{}", '{"headers":{},"body":{"set":{},"delete":[]},"test_model":""}'])
def test_what_sets_nothing_is_nothing(text: str) -> None:
    assert parameters.read(text) is None


def test_headers_are_replaced_added_and_left_out() -> None:
    found = made(headers={"User-Agent": "mine", "X-Key": "a {api_key} b", "X-Title": None})
    sent = ((b"authorization", b"Bearer k"), (b"user-agent", b"one-api"), (b"x-title", b"theirs"))
    assert found.head(sent, "k") == ((b"authorization", b"Bearer k"), (b"user-agent", b"mine"), (b"x-key", b"a k b"))


def test_fields_are_deleted_then_defaulted_then_set() -> None:
    found = made(
        body={
            "set": {"reasoning.effort": "low", "provider": {"order": ["a"]}, "provider.sort": "price"},
            "default": {"temperature": 0.5, "top_p": 1, "logprobs.deep": True},
            "delete": ["seed", "metadata.user", "absent.member"],
        }
    )
    body = {"model": "m", "seed": 1, "metadata": {"user": 1, "kept": 2}, "temperature": 0, "logprobs": 3, "big": 2**53}
    wanted = {
        "model": "m",
        "metadata": {"kept": 2},
        "temperature": 0,
        "logprobs": 3,
        "big": 2**53,
        "top_p": 1,
        "reasoning": {"effort": "low"},
        "provider": {"order": ["a"], "sort": "price"},
    }
    for _ in range(2):  # what one call gets is not what another one changed
        assert json.loads(found.body(json.dumps(body).encode())) == wanted


@pytest.mark.parametrize("body", [b"", b"--x\r\n\r\nmodel", b"[1]", b"{"])
def test_what_is_no_object_stays(body: bytes) -> None:
    assert made(body={"set": {"a": 1}}).body(body) == body


def test_every_field_that_calls_are_priced_by_is_refused() -> None:
    for name in calls._PRICED - {"tools", "generationConfig"}:
        with pytest.raises(InvalidParameters, match="price"):
            made(body={"delete": [name]})


@pytest.mark.parametrize(
    "body",
    [
        {"set": {"model": "x"}},
        {"set": {"Model": "x"}},
        {"set": {"model.name": "x"}},
        {"default": {"max_tokens": 9}},
        {"delete": ["stream"]},
        {"set": {"generationConfig": {"temperature": 1}}},
        {"set": {"generationConfig.maxOutputTokens": 1}},
        {"set": {"parameters": {"n": 4}}},
        {"delete": ["inferenceConfig"]},
        {"set": {"\u017ftream": True}},
        {"delete": ["text"]},
        {"delete": ["image[]"]},
        {"set": {"Input[]": ["x"]}},
    ],
)
def test_a_price_cannot_be_changed(body: Any) -> None:
    with pytest.raises(InvalidParameters, match="the price of a call depends on it"):
        made(body=body)


@pytest.mark.parametrize(
    "said, complaint",
    [
        ("[", "no JSON"),
        ('{"a":1}', "has no 'a', only headers, body, timeouts, test_model"),
        ('{"headers":[]}', "headers must be an object"),
        ('{"headers":{"Host":"x"}}', "'Host' belongs to the connection"),
        ('{"headers":{"content-length":"1"}}', "belongs to the connection"),
        ('{"headers":{"Transfer-Encoding":null}}', "belongs to the connection"),
        ('{"headers":{"CONNECTION":"x"}}', "belongs to the connection"),
        ('{"headers":{"a b":"x"}}', "no name of a header"),
        ('{"headers":{"a":"x\\r\\nb: c"}}', "must be a line of text"),
        ('{"headers":{"a":1}}', "must be a line of text"),
        ('{"headers":{"a":"1","A":"2"}}', "given twice"),
        ('{"headers":{"a":"1","a":"2"}}', "given twice"),
        ('{"body":{"put":{}}}', "body has no 'put', only set, default, delete"),
        ('{"body":{"delete":"a"}}', "must be a list"),
        ('{"body":{"set":{"a..b":1}}}', "is no field"),
        ('{"timeouts":{"total":0}}', "timeouts: total must be a number of seconds"),
        ('{"timeouts":{"total":true}}', "timeouts: total"),
        ('{"timeouts":{"read":1}}', "timeouts has no 'read'"),
        ('{"timeouts":{"connect":301}}', "300 at most"),
        ('{"test_model":5}', "test_model must be the name of a model"),
    ],
)
def test_what_cannot_be_set_is_said(said: str, complaint: str) -> None:
    with pytest.raises(InvalidParameters, match=complaint):
        parameters.read(said)


def test_time_limits_and_a_model_to_test_with() -> None:
    found = made(timeouts={"first_byte": 5, "total": None}, test_model="gpt-4o")
    assert dict(found.timeouts) == {"first_byte": 5.0}
    assert found.test_model == "gpt-4o"
