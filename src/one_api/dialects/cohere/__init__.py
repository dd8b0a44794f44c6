"""Cohere's Chat API, version 2: https://docs.cohere.com/v2/reference/chat.

Its errors are `{"message": "a sentence"}`, which need no reader of their own.
"""

from one_api.dialects.cohere.answer import StreamDecoder, decode_answer
from one_api.dialects.cohere.request import encode_request

__all__ = ["StreamDecoder", "decode_answer", "decoder", "encode_request"]


def decoder() -> StreamDecoder:
    return StreamDecoder()
