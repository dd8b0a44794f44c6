"""Baidu's ERNIE by version 1 of its API: https://cloud.baidu.com/doc/WENXINWORKSHOP/s/jlil56u11."""

from one_api.dialects.baidu.answer import StreamDecoder, decode_answer
from one_api.dialects.baidu.request import encode_request

__all__ = ["StreamDecoder", "decode_answer", "decoder", "encode_request"]


def decoder() -> StreamDecoder:
    return StreamDecoder()
