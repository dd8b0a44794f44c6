"""Errors as clients of the Responses API expect them: as everywhere at OpenAI, but for the end of a stream."""

from one_api.dialects.openai_errors import encode_error
from one_api.errors import OneAPIError
from one_api.lib import json

__all__ = ["encode_error", "encode_error_event"]


def encode_error_event(error: OneAPIError, request_id: str) -> bytes:
    """The last event of a stream that cannot be completed.

    Its fields stand at the top, as https://developers.openai.com/api/reference/resources/responses/streaming-events has
    it, and in `error`, where their own SDKs look for what is to be raised.
    """
    message = f"{error.message} (request id: {request_id})"
    told = {"code": error.code or None, "message": message, "param": error.param or None}
    data = json.encode({"type": "error", "sequence_number": 0, **told, "error": {"type": error.type, **told}})
    return b"event: error\ndata: %b\n\n" % data
