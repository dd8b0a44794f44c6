"""Alibaba's DashScope, native: https://help.aliyun.com/en/model-studio/qwen-api-via-dashscope."""

from one_api.dialects.dashscope.answer import CAUSES, StreamDecoder, decode_answer
from one_api.dialects.dashscope.request import encode_request, sees

__all__ = ["CAUSES", "StreamDecoder", "decode_answer", "decoder", "encode_request", "sees"]


def decoder() -> StreamDecoder:
    return StreamDecoder()
