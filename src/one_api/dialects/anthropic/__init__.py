"""Anthropic's Messages API, spoken as a client: https://platform.claude.com/docs/en/api/messages.

Its errors need no reader of their own: `{"type": "error", "error": {"type", "message"}}` holds what OpenAI's do, and
https://platform.claude.com/docs/en/api/errors lists the types, of which routing.health knows those that end an account.
"""

from one_api.dialects.anthropic.answer import decode_answer
from one_api.dialects.anthropic.request import encode_request
from one_api.dialects.anthropic.stream import StreamDecoder

__all__ = ["StreamDecoder", "decode_answer", "decoder", "encode_request"]


def decoder() -> StreamDecoder:
    return StreamDecoder()
