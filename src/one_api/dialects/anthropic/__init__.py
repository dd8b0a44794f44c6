"""Anthropic's Messages API, spoken as a client: https://platform.claude.com/docs/en/api/messages."""

from one_api.dialects.anthropic.answer import decode_answer
from one_api.dialects.anthropic.request import encode_request
from one_api.dialects.anthropic.stream import StreamDecoder

NAME = "anthropic"

__all__ = ["NAME", "StreamDecoder", "decode_answer", "encode_request"]
