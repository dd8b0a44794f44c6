"""The one failure of a notice."""

from one_api.errors import OneAPIError


class NotSent(OneAPIError):
    """A mail or push message did not go out; the text says why, without passwords."""

    status = 502
    code = "not_sent"
