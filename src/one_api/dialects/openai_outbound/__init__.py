"""OpenAI's chat completions as a client: https://platform.openai.com/docs/api-reference/chat."""

from one_api.dialects.openai_outbound.answer import decode_answer
from one_api.dialects.openai_outbound.request import encode_request, must_be_enclosed
from one_api.dialects.openai_outbound.stream import StreamDecoder

__all__ = ["StreamDecoder", "decode_answer", "decoder", "encode_request", "must_be_enclosed"]


def decoder() -> StreamDecoder:
    return StreamDecoder()
