"""Errors as Anthropic's clients expect them: https://platform.claude.com/docs/en/api/errors."""

from typing import Final

from one_api.errors import OneAPIError
from one_api.lib import json

_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_KNOWN: Final = frozenset((*_TYPES.values(), "api_error"))


def encode_error(error: OneAPIError, request_id: str) -> bytes:
    """The type an upstream of theirs gave is kept; ours follow from the status."""
    kind = error.type if error.type in _KNOWN else _TYPES.get(error.status)
    if kind is None:
        kind = "api_error" if error.status >= 500 else "invalid_request_error"
    message = f"{error.message} (request id: {request_id})"
    return json.encode({"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id})


def encode_error_event(error: OneAPIError, request_id: str, *, number: int = 0) -> bytes:  # noqa: ARG001
    """The same as the last event of a stream that cannot be completed."""
    return b"event: error\ndata: " + encode_error(error, request_id) + b"\n\n"
