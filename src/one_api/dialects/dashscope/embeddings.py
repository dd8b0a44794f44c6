"""Embeddings of DashScope: https://help.aliyun.com/en/model-studio/text-embedding-synchronous-api."""

from typing import Any

import msgspec

from one_api import ir
from one_api.dialects.dashscope.answer import CAUSES
from one_api.dialects.decoding import Count, whole
from one_api.dialects.embeddings import Texts, Vectors
from one_api.lib import json


def encode_request(asked: Texts, *, model: str) -> ir.Encoded:
    value: dict[str, Any] = {"model": model, "input": {"texts": list(asked.texts)}}
    if asked.dimensions is not None:
        value["parameters"] = {"dimension": asked.dimensions}
    return ir.Encoded(json.encode(value), tuple(asked.extra))


class _Embedding(msgspec.Struct):
    embedding: list[float]
    text_index: int = 0


class _Output(msgspec.Struct):
    embeddings: list[_Embedding]


class _Usage(msgspec.Struct):
    total_tokens: Count | None = None


class _Answer(msgspec.Struct):
    output: _Output | None = None
    usage: _Usage | None = None
    code: str | None = None
    message: str | None = None


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> Vectors | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_answer, body)
    if found.output is None:
        code = found.code or ""
        return ir.Failed(CAUSES.get(code, code), found.message or "the upstream gave no embeddings")
    ordered = sorted(found.output.embeddings, key=lambda each: each.text_index)
    read = None if found.usage is None else found.usage.total_tokens
    return Vectors(tuple(each.embedding for each in ordered), None if read is None else ir.Usage(input=read))
