"""What an upstream's error says, in whatever shape, and the shape of ours."""

import json
from typing import Any

import pytest

from one_api.dialects.openai_errors import Reported, decode_error, encode_error, encode_error_event, from_object
from one_api.errors import BadRequest, NoChannel, QuotaExceeded


@pytest.mark.parametrize(
    "body, message",
    [
        ({"message": "top message"}, "top message"),
        ({"msg": "m s g"}, "m s g"),
        ({"err": "e r r"}, "e r r"),
        ({"error_msg": "em", "error_code": 17}, "em"),
        ({"header": {"message": "hm", "code": 1}}, "hm"),
        ({"response": {"error": {"message": "rm"}}}, "rm"),
        ({"success": False, "errors": [{"code": 7, "message": "one"}, {"message": "two"}]}, "one"),
        ({"errors": [1, {"message": 5}]}, "bad response status code 400"),
        ({"error": "just a string"}, "just a string"),
        ({"detail": [{"msg": "x"}]}, "bad response status code 400"),
        ({"error": {"type": "x", "code": "y"}}, "bad response status code 400"),
    ],
)
def test_the_message_is_found_where_providers_put_it(body: Any, message: str) -> None:
    assert decode_error(400, json.dumps(body).encode()) == Reported(message, param="400")


def test_an_error_object_is_taken_over_whole() -> None:
    body = b'{"error":{"message":"num","code":401,"type":"z","param":"p","more":1}}'
    assert decode_error(400, body) == Reported("num", type="z", param="p", code=401)
    assert decode_error(400, b'{"error":{"message":"m","type":null,"param":null,"code":null}}') == Reported(
        "m", "", "", None
    )


@pytest.mark.parametrize(
    "body, message",
    [
        (b"", "bad response status code 502"),
        (b"<html>\x00\r\noops</html>", "bad response status code 502: <html>oops</html>"),
        (b"[1]", "bad response status code 502: [1]"),
        (b"x" * 5000, "bad response status code 502: " + "x" * 200),
        (b"\xff\xfe", "bad response status code 502: \ufffd\ufffd"),
    ],
)
def test_a_body_that_is_no_json_object_gives_the_status_and_an_excerpt(body: bytes, message: str) -> None:
    assert decode_error(502, body).message == message


@pytest.mark.parametrize("error", [None, 5, {"message": 5}, {}, []])
def test_any_error_value_can_be_read(error: Any) -> None:
    assert from_object(error).message == "the upstream reported an error"


def test_errors_of_a_call_name_the_request() -> None:
    encoded = json.loads(encode_error(QuotaExceeded(), "r1"))
    assert encoded == {
        "error": {
            "message": "user quota is not enough (request id: r1)",
            "type": "one_api_error",
            "param": "",
            "code": "insufficient_user_quota",
        }
    }


def test_errors_of_authentication_have_no_param_and_no_code() -> None:
    assert set(json.loads(encode_error(NoChannel("x"), "r1"))["error"]) == {"message", "type"}


def test_an_error_event_is_one_event() -> None:
    event = encode_error_event(BadRequest("a\nb"), "r1")
    assert event.startswith(b"data: {")
    assert event.endswith(b"}\n\n")
    assert event.count(b"\n") == 2
