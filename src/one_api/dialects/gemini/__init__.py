"""Google's Gemini API: https://ai.google.dev/api/generate-content.

An upstream's errors need no reader of their own: `{"error": {"code", "message", "status"}}` is read as OpenAI's form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from one_api import ir
from one_api.dialects.gemini import request
from one_api.dialects.gemini.answer import decode_answer
from one_api.dialects.gemini.errors import encode_error, encode_error_event
from one_api.dialects.gemini.inbound import decode_request
from one_api.dialects.gemini.models_list import encode_model, encode_models
from one_api.dialects.gemini.outcome import END, EventEncoder, encode_answer
from one_api.dialects.gemini.parts import must_be_enclosed
from one_api.dialects.gemini.passage import KEY, PRICED, REQUIRED, encode_count, measure, own, patch, written
from one_api.dialects.gemini.stream import StreamDecoder

__all__ = [
    "END",
    "KEY",
    "PRICED",
    "REQUIRED",
    "EventEncoder",
    "Outgoing",
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
    "encoder",
    "measure",
    "must_be_enclosed",
    "own",
    "patch",
    "written",
]


def decoder() -> StreamDecoder:
    return StreamDecoder()


def encoder(*, model: str, created: int, asked: Mapping[str, Any]) -> EventEncoder:  # noqa: ARG001
    return EventEncoder(model=model)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The dialect towards upstreams. `safety` is the threshold from which on Google shall block something."""

    safety: str = "BLOCK_NONE"

    def encode_request(self, asked: ir.Request, /) -> ir.Encoded:
        """Raises Unrepresentable."""
        return request.encode_request(asked, safety=self.safety)

    def decode_answer(self, body: bytes, /) -> ir.Answer | ir.Failed:
        """Raises json.InvalidJSON."""
        return decode_answer(body)

    def decoder(self) -> StreamDecoder:
        return StreamDecoder()
