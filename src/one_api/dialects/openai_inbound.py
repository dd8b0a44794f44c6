"""OpenAI's chat completions as callers speak them: https://platform.openai.com/docs/api-reference/chat."""

from collections.abc import Mapping
from typing import Any, Final

from one_api import ir
from one_api.dialects import openai_answer, openai_chat, openai_request
from one_api.dialects.openai_answer import ChunkEncoder
from one_api.dialects.openai_errors import encode_error, encode_error_event
from one_api.dialects.openai_outbound import StreamDecoder, decode_answer

__all__ = [
    "END",
    "decode_answer",
    "decode_request",
    "decoder",
    "encode_answer",
    "encode_error",
    "encode_error_event",
    "encoder",
    "patch",
]

END: Final = openai_chat.END


def decode_request(document: Mapping[str, Any], *, model: str) -> ir.Request:
    return openai_request.decode_request(document, model=model)


def patch(document: Mapping[str, Any], *, model: str, system_prompt: str) -> Mapping[str, Any] | None:
    return openai_chat.patch(document, model=model, system_prompt=system_prompt)


def encode_answer(answer: ir.Answer, *, model: str, created: int, asked: Mapping[str, Any]) -> bytes:  # noqa: ARG001
    return openai_answer.encode_answer(answer, model=model, created=created)


def encoder(*, model: str, created: int, asked: Mapping[str, Any]) -> ChunkEncoder:
    return ChunkEncoder(model=model, created=created, usage=openai_chat.asks_usage(asked))


def decoder() -> StreamDecoder:
    return StreamDecoder()
