"""Embeddings of Cohere: https://docs.cohere.com/v2/reference/embed."""

from typing import Annotated, Any

import msgspec

from one_api import ir
from one_api.dialects.decoding import whole
from one_api.dialects.embeddings import Texts, Vectors
from one_api.lib import json

Count = Annotated[float, msgspec.Meta(ge=0, le=2**53)]


def encode_request(asked: Texts, *, model: str) -> ir.Encoded:
    """Theirs wants to know what the vectors are for; who does not say so keeps documents, as Cohere's guides begin."""
    kind = asked.extra.get("input_type")
    value: dict[str, Any] = {
        "model": model,
        "texts": list(asked.texts),
        "input_type": kind if isinstance(kind, str) else "search_document",
        "embedding_types": ["float"],
    }
    if asked.dimensions is not None:
        value["output_dimension"] = asked.dimensions
    return ir.Encoded(json.encode(value), tuple(name for name in asked.extra if name != "input_type"))


class _Vectors(msgspec.Struct):
    vectors: list[list[float]] = msgspec.field(name="float")


class _Units(msgspec.Struct):
    input_tokens: Count | None = None


class _Meta(msgspec.Struct):
    billed_units: _Units | None = None


class _Answer(msgspec.Struct):
    embeddings: _Vectors | None = None
    meta: _Meta | None = None
    message: str | None = None


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> Vectors | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_answer, body)
    if found.embeddings is None:
        return ir.Failed("", found.message or "the upstream gave no embeddings")
    units = None if found.meta is None else found.meta.billed_units
    read = None if units is None else units.input_tokens
    return Vectors(tuple(found.embeddings.vectors), None if read is None else ir.Usage(input=int(read)))
