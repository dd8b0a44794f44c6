"""Google's Gemini API: https://ai.google.dev/api/generate-content.

An upstream's errors need no reader of their own: `{"error": {"code", "message", "status"}}` is read as OpenAI's form.
"""

from one_api.dialects.gemini.answer import decode_answer
from one_api.dialects.gemini.errors import encode_error, encode_error_event
from one_api.dialects.gemini.inbound import decode_request
from one_api.dialects.gemini.outcome import EventEncoder, encode_answer, encode_failure
from one_api.dialects.gemini.passage import inline, limits, patch, written
from one_api.dialects.gemini.request import encode_request
from one_api.dialects.gemini.stream import StreamDecoder

__all__ = [
    "EventEncoder",
    "StreamDecoder",
    "decode_answer",
    "decode_request",
    "decoder",
    "encode_answer",
    "encode_error",
    "encode_error_event",
    "encode_failure",
    "encode_request",
    "inline",
    "limits",
    "patch",
    "written",
]


def decoder() -> StreamDecoder:
    return StreamDecoder()
