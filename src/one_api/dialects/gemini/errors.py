"""Errors as Google's clients expect them: https://google.aip.dev/193 and https://ai.google.dev/gemini-api/docs/troubleshooting."""

from typing import Final

from one_api.errors import OneAPIError
from one_api.lib import json

_STATUSES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    402: "RESOURCE_EXHAUSTED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_KNOWN: Final = frozenset((*_STATUSES.values(), "FAILED_PRECONDITION", "OUT_OF_RANGE", "ALREADY_EXISTS", "DATA_LOSS"))


def encode_error(error: OneAPIError, request_id: str) -> bytes:
    """The status an upstream of theirs gave is kept; ours follow from the number."""
    message = f"{error.message} (request id: {request_id})"
    return json.encode({"error": {"code": error.status, "message": message, "status": status_of(error)}})


def encode_error_event(error: OneAPIError, request_id: str, *, number: int = 0) -> bytes:  # noqa: ARG001
    """The same as the last event of a stream that cannot be completed."""
    return b"data: " + encode_error(error, request_id) + b"\n\n"


def status_of(error: OneAPIError) -> str:
    if error.type in _KNOWN:
        return error.type
    return _STATUSES.get(error.status, "INTERNAL" if error.status >= 500 else "INVALID_ARGUMENT")
