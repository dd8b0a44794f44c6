"""What providers' own codes say of an account; what they say of anything else stays as it is told."""

import json
from typing import Any

import pytest

from one_api.dialects.openai_errors import decode_error
from one_api.providers import provider
from one_api.routing.health import is_typed

FINISHED: list[tuple[int, int, Any]] = [
    (16, 401, {"error": {"code": "1002", "message": "Authorization Token非法"}}),
    (16, 429, {"error": {"code": "1113", "message": "您的账户已欠费，请充值后重试"}}),
    (16, 429, {"error": {"code": "1112", "message": "locked"}}),
    (37, 401, {"result": None, "success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}),
    (37, 403, {"errors": [{"code": 3023, "message": "Service unavailable for account"}]}),
    (17, 401, {"code": "InvalidApiKey", "message": "Invalid API-key provided.", "request_id": "r"}),
    (17, 400, {"code": "Arrearage", "message": "Access denied, please make sure your account is in good standing."}),
    (34, 401, {"code": 4100, "msg": "authentication is invalid", "detail": {"logid": "x"}}),
    (27, 200, {"choices": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}),
    (27, 200, {"base_resp": {"status_code": 2049, "status_msg": "invalid api key"}}),
    (38, 403, {"message": "Forbidden"}),
    (38, 456, {"message": "Quota for this billing period has been exceeded"}),
]
PASSING: list[tuple[int, int, Any]] = [
    (16, 429, {"error": {"code": "1302", "message": "您当前使用该API的并发数过高"}}),
    (16, 400, {"error": {"code": "1301", "message": "sensitive"}}),
    (37, 429, {"errors": [{"code": 3036, "message": "You have used up your daily free allocation"}]}),
    (37, 400, {"errors": [{"code": 5007, "message": "No such model"}]}),
    (17, 429, {"code": "Throttling.RateQuota", "message": "Requests rate limit exceeded"}),
    (17, 400, {"code": "DataInspectionFailed", "message": "Input data may contain inappropriate content."}),
    (27, 400, {"error": {"message": "bad"}, "base_resp": {"status_code": 0, "status_msg": "success"}}),
    (34, 400, {"code": 4000, "msg": "The parameter bot_id is invalid"}),
    (38, 429, {"message": "Too many requests"}),
    (16, 500, {"error": "code"}),
]


@pytest.mark.parametrize("number, status, value", FINISHED)
def test_a_finished_account_is_known(number: int, status: int, value: Any) -> None:
    told = provider(number).faults(status, json.dumps(value).encode())
    assert is_typed(0, told.type, told.code)
    assert told.message


@pytest.mark.parametrize("number, status, value", PASSING)
def test_what_passes_is_told_as_it_is(number: int, status: int, value: Any) -> None:
    body = json.dumps(value).encode()
    told = provider(number).faults(status, body)
    assert told == decode_error(status, body)
    assert not is_typed(0, told.type, told.code)


def test_ali_tells_who_asked_for_a_stream_by_an_event() -> None:
    event = b'id:1\nevent:error\n:HTTP_STATUS/400\ndata:{"code":"Arrearage","message":"Access denied"}\n\n'
    told = provider(17).faults(400, event)
    assert (told.message, told.type, told.code) == ("Access denied", "insufficient_quota", "Arrearage")


def test_minimaxs_other_errors_keep_their_code() -> None:
    busy = {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}
    odd = {"base_resp": {"status_code": 2013, "status_msg": "invalid params"}}
    told = [provider(27).faults(502, json.dumps(value).encode()) for value in (busy, odd)]
    assert [(each.message, each.type, each.code) for each in told] == [
        ("rate limit", "rate_limit_error", "1002"),
        ("invalid params", "upstream_error", "2013"),
    ]


def test_replicate_says_in_detail_what_is_wrong() -> None:
    body = b'{"title":"Insufficient credit","detail":"You have insufficient credit to run this model.","status":402}'
    assert provider(46).faults(402, body).message == "You have insufficient credit to run this model."


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1]", b'{"code":true}', b'{"errors":[1]}', b'{"errors":{}}', b'{"base_resp":1}', b"\xff"]
)
@pytest.mark.parametrize("number", sorted({number for number, _, _ in FINISHED}))
def test_no_body_is_too_odd(number: int, body: bytes) -> None:
    assert provider(number).faults(500, body) == decode_error(500, body)
