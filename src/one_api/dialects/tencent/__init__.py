"""Tencent's Hunyuan by the API of its cloud: https://cloud.tencent.com/document/api/1729/105701."""

from one_api.dialects.tencent.answer import StreamDecoder, decode_answer
from one_api.dialects.tencent.request import encode_request

__all__ = ["StreamDecoder", "decode_answer", "decoder", "encode_request"]


def decoder() -> StreamDecoder:
    return StreamDecoder()
