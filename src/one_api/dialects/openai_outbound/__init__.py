"""OpenAI's chat completions as a client: https://platform.openai.com/docs/api-reference/chat."""

from one_api.dialects.openai_outbound.answer import decode_answer
from one_api.dialects.openai_outbound.request import encode_request
from one_api.dialects.openai_outbound.stream import StreamDecoder

__all__ = ["StreamDecoder", "decode_answer", "decoder", "encode_request"]


def decoder() -> StreamDecoder:
    return StreamDecoder()
