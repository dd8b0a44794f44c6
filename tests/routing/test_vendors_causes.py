"""What vendors' errors mean for their channels, from the bytes of a refused answer to the cause that decides."""

import json
from typing import Any

import pytest

from one_api import ir
from one_api.dialects.outbound import OUTBOUND
from one_api.providers import provider
from one_api.routing.health import Cause, cause_of


def tencents(code: str) -> Any:
    return {"Response": {"Error": {"Code": code, "Message": "told"}, "RequestId": "r"}}


WITH_STATUS_200: list[tuple[str, Any, Cause]] = [
    ("tencent", tencents("AuthFailure.SignatureFailure"), Cause.KEY),
    ("tencent", tencents("UnauthorizedOperation"), Cause.KEY),
    ("tencent", tencents("FailedOperation.ServiceNotActivated"), Cause.KEY),
    ("tencent", tencents("ResourceUnavailable.LowBalance"), Cause.BALANCE),
    ("tencent", tencents("ResourceInsufficient.ChargeResourceExhaust"), Cause.BALANCE),
    ("tencent", tencents("RequestLimitExceeded"), Cause.OVERLOADED),
    ("tencent", tencents("LimitExceeded"), Cause.OVERLOADED),
    ("tencent", tencents("OperationDenied.TextIllegalDetected"), Cause.REFUSED),
    ("tencent", tencents("InternalError"), Cause.DOWN),
    ("baidu", {"error_code": 14, "error_msg": "IAM Certification failed"}, Cause.KEY),
    ("baidu", {"error_code": 6, "error_msg": "No permission to access data"}, Cause.KEY),
    ("baidu", {"error_code": 19, "error_msg": "Open api total request limit reached"}, Cause.BALANCE),
    ("baidu", {"error_code": 18, "error_msg": "Open api qps request limit reached"}, Cause.OVERLOADED),
    ("baidu", {"error_code": 336501, "error_msg": "Rate limit reached for RPM"}, Cause.OVERLOADED),
    ("baidu", {"error_code": 336103, "error_msg": "Prompt tokens too long"}, Cause.TOO_LONG),
    ("baidu", {"error_code": 110, "error_msg": "Access token invalid or no longer valid"}, Cause.DOWN),
    ("baidu", {"error_code": 336000, "error_msg": "Internal error"}, Cause.DOWN),
    ("xunfei", {"code": 11200, "message": "AppIdNoAuthError"}, Cause.KEY),
    ("xunfei", {"code": 11202, "message": "AppIdQpsOverFlow"}, Cause.OVERLOADED),
    ("xunfei", {"code": 10907, "message": "too many tokens"}, Cause.TOO_LONG),
    ("xunfei", {"code": 10013, "message": "not allowed"}, Cause.REFUSED),
    ("xunfei", {"code": 10012, "message": "EngineInternalError"}, Cause.DOWN),
    ("dashscope", {"code": "InvalidApiKey", "message": "Invalid API-key provided."}, Cause.KEY),
    ("dashscope", {"code": "Arrearage", "message": "pay"}, Cause.BALANCE),
]


@pytest.mark.parametrize("name, value, cause", WITH_STATUS_200)
def test_an_error_in_an_answer_with_status_200(name: str, value: Any, cause: Cause) -> None:
    """As the relay words it: 400 for what will not be answered at another time either, 502 for all else."""
    failed = OUTBOUND[name].decode_answer(json.dumps(value).encode())
    assert isinstance(failed, ir.Failed)
    assert cause_of(400 if failed.refused else 502, failed.type, None, failed.message) is cause


REFUSED: list[tuple[int, int, Any, Cause]] = [
    (16, 429, {"error": {"code": "1113", "message": "arrears"}}, Cause.BALANCE),
    (16, 401, {"error": {"code": "1002", "message": "bad token"}}, Cause.KEY),
    (16, 429, {"error": {"code": "1302", "message": "too many at once"}}, Cause.OVERLOADED),
    (27, 502, {"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, Cause.KEY),
    (27, 502, {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, Cause.BALANCE),
    (27, 502, {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, Cause.OVERLOADED),
    (46, 401, {"title": "Unauthenticated", "detail": "no token"}, Cause.KEY),
    (46, 402, {"title": "Insufficient credit", "detail": "pay"}, Cause.BALANCE),
    (46, 429, {"detail": "Request was throttled."}, Cause.OVERLOADED),
    (46, 422, {"title": "Input validation failed", "detail": "prompt is required"}, Cause.UNSUITED),
]


@pytest.mark.parametrize("number, status, value, cause", REFUSED)
def test_a_refused_request(number: int, status: int, value: Any, cause: Cause) -> None:
    told = provider(number).faults(status, json.dumps(value).encode())
    assert cause_of(status, told.type, told.code, told.message) is cause
