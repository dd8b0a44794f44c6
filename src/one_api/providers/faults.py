"""What the errors of providers say that have codes of their own: each a pure reader of a refused request.

Only what decides over a channel is translated, into the types that routing.health knows; all else stays as it is told.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from one_api.dialects import coze, dashscope
from one_api.dialects.openai_errors import Reported, decode_error
from one_api.lib import json
from one_api.lib.sse import data_of

Reader = Callable[[int, bytes], Reported]

BAD_KEY: Final = "authentication_error"
NO_BALANCE: Final = "insufficient_quota"


def coded(causes: Mapping[str, str]) -> Reader:
    """A provider whose codes mean these types; a cause by status is written `status 456`."""

    def read(status: int, body: bytes) -> Reported:
        told = decode_error(status, body)
        code = _code(body)
        cause = causes.get(code) or causes.get(f"status {status}")
        return told if cause is None else replace(told, type=cause, code=code or None)

    return read


def _code(body: bytes) -> str:
    """Where they have it: at the top, in the error, or in the first of several errors."""
    value = _members(body)
    several: Any = value.get("errors")
    places = (value, value.get("error"), several[0] if isinstance(several, list) and several else None)
    codes = (place.get("code") for place in places if isinstance(place, dict))
    return next((str(code) for code in codes if isinstance(code, (str, int)) and not isinstance(code, bool)), "")


ZHIPU: Final = coded(
    {
        **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), BAD_KEY),
        **dict.fromkeys(("1110", "1111", "1112", "1121"), BAD_KEY),
        "1113": NO_BALANCE,
    }
)
"""The account is inactive, unknown or locked; arrears come as status 429. https://docs.z.ai/api-reference/api-code."""

CLOUDFLARE: Final = coded({"10000": BAD_KEY, "3023": "permission_error"})
"""https://developers.cloudflare.com/workers-ai/platform/errors/. The daily allocation (3036) comes back by itself."""

_DASHSCOPE: Final = coded(dashscope.CAUSES)


def ali(status: int, body: bytes) -> Reported:
    """Who asked for a stream is told of an error by an event of one."""
    return _DASHSCOPE(status, body if body.startswith(b"{") else data_of(body) or body)


COZE: Final = coded(coze.CAUSES)

DEEPL: Final = coded({"status 403": BAD_KEY, "status 456": NO_BALANCE})
"""https://developers.deepl.com/docs/best-practices/error-handling."""


def replicate(status: int, body: bytes) -> Reported:
    """A title, and in detail what is wrong: https://replicate.com/docs/reference/http#errors."""
    told = decode_error(status, body)
    detail = _members(body).get("detail")
    return replace(told, message=detail) if isinstance(detail, str) and detail else told


_MINIMAX: Final = {
    **dict.fromkeys((1002, 1039, 1041), "rate_limit_error"),
    **dict.fromkeys((1004, 2049), BAD_KEY),
    1008: NO_BALANCE,
    **dict.fromkeys((1026, 1027), "content_filter"),
}
"""https://platform.minimax.io/docs/api-reference/errorcode."""


def minimax(status: int, body: bytes) -> Reported:
    """Errors have status 200 there, no choices, and say what is wrong beside them."""
    told = _members(body).get("base_resp")
    code = told.get("status_code") if isinstance(told, dict) else None
    message = told.get("status_msg") if isinstance(told, dict) else None
    if type(code) is not int or not code or not isinstance(message, str):
        return decode_error(status, body)
    return Reported(message or f"error {code}", type=_MINIMAX.get(code, "upstream_error"), code=str(code))


def _members(body: bytes) -> dict[str, Any]:
    try:
        value = json.decode(body)
    except json.InvalidJSON:
        return {}
    return value if isinstance(value, dict) else {}
