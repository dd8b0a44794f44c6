"""Ollama's own API: https://docs.ollama.com/api/chat.

Its errors are `{"error": "a sentence"}`, which need no reader of their own.
"""

from one_api.dialects.ollama.answer import StreamDecoder, decode_answer
from one_api.dialects.ollama.request import encode_request, must_be_enclosed

__all__ = ["StreamDecoder", "decode_answer", "decoder", "encode_request", "must_be_enclosed"]


def decoder() -> StreamDecoder:
    return StreamDecoder()
