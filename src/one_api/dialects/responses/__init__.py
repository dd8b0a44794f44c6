"""OpenAI's Responses API: https://developers.openai.com/api/reference/resources/responses/methods/create.

Answers written here are complete in themselves: nothing is stored, and the reasoning that the next turn needs is in the
items, encrypted or signed by whoever made it.
"""

from collections.abc import Mapping
from typing import Any, Final

from one_api.dialects.responses.answer import decode_answer
from one_api.dialects.responses.errors import encode_error, encode_error_event
from one_api.dialects.responses.events import EventEncoder
from one_api.dialects.responses.inbound import decode_request
from one_api.dialects.responses.outcome import encode_answer
from one_api.dialects.responses.passage import KEY, PRICED, REQUIRED, encode_count, measure, own, patch, written
from one_api.dialects.responses.request import encode_request
from one_api.dialects.responses.stream import StreamDecoder

__all__ = [
    "END",
    "KEY",
    "PRICED",
    "REQUIRED",
    "EventEncoder",
    "StreamDecoder",
    "decode_answer",
    "decode_request",
    "decoder",
    "encode_answer",
    "encode_count",
    "encode_error",
    "encode_error_event",
    "encode_request",
    "encoder",
    "measure",
    "own",
    "patch",
    "written",
]

END: Final = b""
"""The last event holds the answer."""


def decoder() -> StreamDecoder:
    return StreamDecoder()


def encoder(*, model: str, created: int, asked: Mapping[str, Any]) -> EventEncoder:
    return EventEncoder(model=model, created=created, asked=asked)
