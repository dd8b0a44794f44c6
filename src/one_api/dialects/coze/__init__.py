"""Coze's chat API, version 3: https://www.coze.com/docs/developer_guides/chat_v3.

An answer in one piece would have to be asked for again and again until it is there, so there are only streams: whoever
wants a whole answer gets what the stream adds up to.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from one_api import ir
from one_api.dialects.coze import request
from one_api.dialects.coze.answer import CAUSES, StreamDecoder, decode_answer

__all__ = ["CAUSES", "Outgoing", "StreamDecoder", "configured"]

NOBODY = "one-api"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`user` is who asks, as Coze shall know him."""

    user: str = NOBODY

    def encode_request(self, asked: ir.Request, /) -> ir.Encoded:
        """Raises Unrepresentable."""
        return request.encode_request(asked, user=self.user)

    def decode_answer(self, body: bytes, /) -> ir.Answer | ir.Failed:
        """Raises json.InvalidJSON."""
        return decode_answer(body)

    def decoder(self) -> StreamDecoder:
        return StreamDecoder()


def configured(settings: Mapping[str, str]) -> Outgoing:
    """`user_id` of the channel's settings, as One API has it."""
    return Outgoing(settings.get("user_id") or NOBODY)
