"""Which upstream errors say that a channel's account is finished. Pure.

Only what an upstream says of itself counts: a status, a typed error, or a whole sentence that its message begins with.
No word that a caller can put into a request, and see quoted in an error, disables a channel.
"""

from typing import Final

_STATUSES: Final = frozenset((401, 402))
_TYPES: Final = frozenset(("insufficient_quota", "authentication_error", "permission_error", "forbidden"))
_CODES: Final = frozenset(("invalid_api_key", "account_deactivated"))
_SENTENCES: Final = (
    "your access was terminated",
    "your credit balance is too low",
    "your account is not active",
    "your organization has been disabled",
    "your organization has been restricted",
    "this organization has been disabled",
    "this organization has been restricted",
    "organization has been disabled",
    "organization has been restricted",
    "api key not valid",
    "api key expired",
    "permission denied",
    "已欠费",
)


def is_account_dead(status: int, kind: str, code: object, message: str) -> bool:
    """Whether this error means that no further call on the channel can succeed."""
    if status in _STATUSES or kind in _TYPES or (isinstance(code, str) and code in _CODES):
        return True
    return message.lower().startswith(_SENTENCES)
