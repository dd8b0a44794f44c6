"""Embeddings of Google's Vertex AI, which has an API of its own for them.

https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api.
"""

from typing import Any

import msgspec

from one_api import ir
from one_api.dialects.decoding import whole
from one_api.dialects.embeddings import Texts, Vectors
from one_api.lib import json


def encode_request(asked: Texts, *, model: str) -> ir.Encoded:  # noqa: ARG001
    """The model is part of the address."""
    kind = asked.extra.get("task_type")
    named = {"task_type": kind} if isinstance(kind, str) else {}
    value: dict[str, Any] = {"instances": [{"content": text, **named} for text in asked.texts]}
    if asked.dimensions is not None:
        value["parameters"] = {"outputDimensionality": asked.dimensions}
    return ir.Encoded(json.encode(value), tuple(name for name in asked.extra if name not in named))


class _Statistics(msgspec.Struct):
    token_count: float | None = None


class _Embedding(msgspec.Struct):
    values: list[float]
    statistics: _Statistics | None = None


class _Prediction(msgspec.Struct):
    embeddings: _Embedding


class _Answer(msgspec.Struct):
    predictions: list[_Prediction]


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> Vectors | ir.Failed:
    """Each counts what was read for it, as a number with a point. Raises json.InvalidJSON."""
    found = [each.embeddings for each in whole(_answer, body).predictions]
    counts = [each.statistics.token_count for each in found if each.statistics is not None]
    read = [int(count) for count in counts if count is not None and 0 <= count <= 2**53]
    usage = ir.Usage(input=sum(read)) if len(read) == len(found) else None
    return Vectors(tuple(each.values for each in found), usage)
