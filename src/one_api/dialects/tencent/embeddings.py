"""Embeddings of Hunyuan: https://cloud.tencent.com/document/api/1729/102832."""

import msgspec

from one_api import ir
from one_api.dialects.decoding import Count, whole
from one_api.dialects.embeddings import Texts, Vectors
from one_api.dialects.tencent.causes import failed
from one_api.lib import json


def encode_request(asked: Texts, *, model: str) -> ir.Encoded:  # noqa: ARG001
    """There is but one model."""
    named = () if asked.dimensions is None else ("dimensions",)
    return ir.Encoded(json.encode({"InputList": list(asked.texts)}), (*asked.extra, *named))


class _Embedding(msgspec.Struct, rename="pascal"):
    embedding: list[float]
    index: int = 0


class _Usage(msgspec.Struct, rename="pascal"):
    total_tokens: Count | None = None


class _Error(msgspec.Struct, rename="pascal"):
    code: str = ""
    message: str = ""


class _Response(msgspec.Struct, rename="pascal"):
    data: list[_Embedding] | None = None
    usage: _Usage | None = None
    error: _Error | None = None


class _Answer(msgspec.Struct, rename="pascal"):
    response: _Response


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> Vectors | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_answer, body).response
    if found.error is not None:
        return failed(found.error.code, found.error.message)
    if found.data is None:
        return ir.Failed("upstream_error", "the upstream gave no embeddings")
    ordered = sorted(found.data, key=lambda each: each.index)
    read = None if found.usage is None else found.usage.total_tokens
    return Vectors(tuple(each.embedding for each in ordered), None if read is None else ir.Usage(input=read))
