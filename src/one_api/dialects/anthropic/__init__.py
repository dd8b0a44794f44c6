"""Anthropic's Messages API: https://platform.claude.com/docs/en/api/messages.

An upstream's errors need no reader of their own: `{"type": "error", "error": {"type", "message"}}` is OpenAI's form and
a field more. https://platform.claude.com/docs/en/api/errors lists their types; routing.health knows those of accounts.
"""

from collections.abc import Mapping
from typing import Any

from one_api.dialects.anthropic.answer import decode_answer
from one_api.dialects.anthropic.errors import encode_error, encode_error_event
from one_api.dialects.anthropic.inbound import decode_request
from one_api.dialects.anthropic.models_list import encode_model, encode_models
from one_api.dialects.anthropic.outcome import END, EventEncoder, encode_answer
from one_api.dialects.anthropic.passage import KEY, PRICED, REQUIRED, encode_count, measure, own, patch, written
from one_api.dialects.anthropic.request import encode_request
from one_api.dialects.anthropic.stream import StreamDecoder

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
    "encode_model",
    "encode_models",
    "encode_request",
    "encoder",
    "measure",
    "own",
    "patch",
    "written",
]


def decoder() -> StreamDecoder:
    return StreamDecoder()


def encoder(*, model: str, created: int, asked: Mapping[str, Any]) -> EventEncoder:  # noqa: ARG001
    return EventEncoder(model=model)
