"""What the codes of Tencent's errors mean: https://cloud.tencent.com/document/api/1729/105701, section 6.

A code may have a second part, after a dot, that says it more exactly. Errors come with status 200.
"""

from collections.abc import Mapping
from typing import Final

from one_api import ir
from one_api.dialects.decoding import REPORTED

_KEY, _FORBIDDEN = "authentication_error", "permission_error"
_EMPTY, _BUSY = "insufficient_quota", "rate_limit_error"
CAUSES: Final[Mapping[str, str]] = {
    "AuthFailure": _KEY,
    "UnauthorizedOperation": _FORBIDDEN,
    "FailedOperation.ServiceNotActivated": _FORBIDDEN,
    "FailedOperation.ServiceStop": _FORBIDDEN,
    "FailedOperation.UserUnAuthError": _FORBIDDEN,
    "FailedOperation.ServiceStopArrears": _EMPTY,
    "FailedOperation.FreeResourcePackExhausted": _EMPTY,
    "FailedOperation.ResourcePackExhausted": _EMPTY,
    "ResourceInsufficient": _EMPTY,
    "ResourceUnavailable.InArrears": _EMPTY,
    "ResourceUnavailable.LowBalance": _EMPTY,
    "ResourceUnavailable.NotExist": _FORBIDDEN,
    "ResourceUnavailable.StopUsing": _FORBIDDEN,
    "FailedOperation.EngineServerLimitExceeded": _BUSY,
    "RequestLimitExceeded": _BUSY,
    "LimitExceeded": _BUSY,
}
"""In the words of routing.health."""
_REFUSED: Final = frozenset(("OperationDenied.TextIllegalDetected", "OperationDenied.ImageIllegalDetected"))


def failed(code: str, message: str) -> ir.Failed:
    kind = CAUSES.get(code) or CAUSES.get(code.partition(".")[0]) or code
    refused = code in _REFUSED
    return ir.Failed("content_filter" if refused else kind, message or code or REPORTED, refused=refused)
