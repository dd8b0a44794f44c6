"""Errors as clients of the Responses API expect them: as everywhere at OpenAI, but for the end of a stream."""

from collections.abc import Mapping
from typing import Any

from one_api.dialects.openai_errors import encode_error
from one_api.dialects.responses.outcome import writing
from one_api.errors import OneAPIError
from one_api.lib import json

__all__ = ["encode_error", "encode_error_event"]


def encode_error_event(error: OneAPIError, request_id: str, *, number: int = 0) -> bytes:
    """The last events of a stream that cannot be completed.

    The error's fields stand at the top, as documented, and in `error`, where their own SDKs look for what is to be
    raised. Who looks at responses only, as Codex does, is told by one that failed. `number` is that of the next
    event. https://developers.openai.com/api/reference/resources/responses/streaming-events
    """
    message = f"{error.message} (request id: {request_id})"
    told = {"code": error.code or None, "message": message, "param": error.param or None}
    reason = {"code": error.code if isinstance(error.code, str) and error.code else "server_error", "message": message}
    failed = writing(request_id, model="", created=0, asked={}).response("failed", [], error=reason)
    return _event({"type": "error", "sequence_number": number, **told, "error": {"type": error.type, **told}}) + _event(
        {"type": "response.failed", "sequence_number": number + 1, "response": failed}
    )


def _event(value: Mapping[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), json.encode(value))
