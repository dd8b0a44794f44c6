"""The errors we mean to raise: each knows its HTTP status, code and shape.

Messages are One API's, word for word, where its clients see them. An error's text never holds a key or an upstream
address.
"""

from typing import Literal

Blame = Literal["channel", "caller", "nobody"]


class OneAPIError(Exception):
    """An error with a place in OpenAI's error object.

    `bare` errors (authentication, channel choice) have One API's shape without `param` and `code`.
    """

    status: int = 500
    code: object = ""
    type: str = "one_api_error"
    param: str = ""
    bare: bool = False

    def __init__(self, message: str, *, status: int | None = None, code: object = None) -> None:
        super().__init__(message)
        self.message = message
        if status is not None:
            self.status = status
        if code is not None:
            self.code = code


class BadRequest(OneAPIError):
    """The request cannot be understood or priced."""

    status = 400
    code = "invalid_request"


class TooLarge(BadRequest):
    status = 413
    code = "request_too_large"


class TokenRefused(OneAPIError):
    """The key is missing, unknown, expired, exhausted or disabled."""

    status = 401
    bare = True


class AccessDenied(OneAPIError):
    """The key is good, but not for this."""

    status = 403
    bare = True


class BadChannel(OneAPIError):
    """The channel asked for by number does not exist."""

    status = 400
    bare = True


class NoChannel(OneAPIError):
    """No enabled channel serves this model to this group."""

    status = 503
    bare = True


class QuotaExceeded(OneAPIError):
    """The user cannot afford the least this call may cost."""

    status = 403
    code = "insufficient_user_quota"

    def __init__(self, message: str = "user quota is not enough") -> None:
        super().__init__(message)


class TokenQuotaExceeded(OneAPIError):
    """The token cannot afford the least this call may cost."""

    status = 403
    code = "pre_consume_token_quota_failed"

    def __init__(self, message: str = "令牌额度不足") -> None:
        super().__init__(message)


class NotImplementedRoute(OneAPIError):
    """A route of OpenAI's that this gateway knows and does not serve."""

    status = 501
    code = "api_not_implemented"


class Unavailable(OneAPIError):
    """A part the gateway needs (the database, as a rule) does not answer."""

    status = 503
    code = "service_unavailable"


class UpstreamError(OneAPIError):
    """Whatever went wrong at the upstream, before the first content.

    retry: another channel may do better. blame: whose fault it counts as; only `channel` may disable one. answered: the
    HTTP status the upstream refused with, 0 if it did not. quoted: the message begins with words of the caller's.
    retry_after: seconds for which the upstream wants to be left alone, 0 if it did not say.
    """

    status = 502
    type = "upstream_error"
    code: object = "bad_response_status_code"
    answered: int = 0
    quoted: bool = False
    retry_after: float = 0.0

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: object = None,
        kind: str | None = None,
        param: str = "",
        retry: bool = True,
        blame: Blame = "channel",
    ) -> None:
        super().__init__(message, status=status, code=code)
        if kind is not None:
            self.type = kind
        self.param = param
        self.retry = retry
        self.blame: Blame = blame
