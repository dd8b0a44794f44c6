"""Embeddings of Baidu: https://cloud.baidu.com/doc/WENXINWORKSHOP/s/alj562vvu.

Answers are as OpenAI's, errors are not.
"""

import msgspec

from one_api import ir
from one_api.dialects import embeddings
from one_api.dialects.baidu.causes import failed
from one_api.dialects.decoding import BROKEN
from one_api.dialects.embeddings import Texts, Vectors
from one_api.lib import json


def encode_request(asked: Texts, *, model: str) -> ir.Encoded:  # noqa: ARG001
    """The model is part of the address."""
    named = () if asked.dimensions is None else ("dimensions",)
    return ir.Encoded(json.encode({"input": list(asked.texts)}), (*asked.extra, *named))


class _Error(msgspec.Struct):
    error_code: int = 0
    error_msg: str = ""


_error = msgspec.json.Decoder(_Error)


def decode_answer(body: bytes) -> Vectors | ir.Failed:
    """Raises json.InvalidJSON."""
    try:
        error = _error.decode(body)
    except BROKEN as broken:
        raise json.InvalidJSON(str(broken)) from None
    return failed(error.error_code, error.error_msg) if error.error_code else embeddings.decode_answer(body)
