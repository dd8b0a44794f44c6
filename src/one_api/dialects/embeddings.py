"""Embeddings in OpenAI's form, and what they are in any: texts that become vectors.

https://platform.openai.com/docs/api-reference/embeddings
"""

from array import array
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects.decoding import Count, whole
from one_api.lib import json

_KNOWN: Final = frozenset(("model", "input", "user", "encoding_format", "dimensions"))


class Texts(msgspec.Struct, frozen=True):
    """What is to be embedded. `extra` are the wishes of the caller's dialect that have no place here."""

    texts: tuple[str, ...]
    dimensions: int | None = None
    extra: ir.Extra = {}


class Vectors(msgspec.Struct, frozen=True):
    """One for each text, in order. `usage` is None where the upstream does not say what it has read."""

    values: tuple[list[float], ...]
    usage: ir.Usage | None = None


def decode_request(document: Mapping[str, Any]) -> Texts:
    """Raises Unrepresentable, also for tokens: they mean something to the model they were made for alone."""
    given, dimensions = document.get("input"), document.get("dimensions")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise ir.Unrepresentable("on this channel input has to be a string or an array of strings")
    if dimensions is not None and type(dimensions) is not int:
        raise ir.Unrepresentable("dimensions has to be a number")
    extra = {name: value for name, value in document.items() if name not in _KNOWN and value is not None}
    return Texts(tuple(texts), dimensions, extra)


def encode_request(asked: Texts, *, model: str) -> ir.Encoded:
    value: dict[str, Any] = {"model": model, "input": list(asked.texts), "encoding_format": "float"}
    if asked.dimensions is not None:
        value["dimensions"] = asked.dimensions
    return ir.Encoded(json.encode(value), tuple(asked.extra))


class _Embedding(msgspec.Struct):
    embedding: list[float]
    index: int = 0


class _Usage(msgspec.Struct):
    prompt_tokens: Count | None = None


class _Answer(msgspec.Struct):
    data: list[_Embedding]
    usage: _Usage | None = None


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> Vectors | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_answer, body)
    counted = None if found.usage is None else found.usage.prompt_tokens
    ordered = sorted(found.data, key=lambda each: each.index)
    usage = None if counted is None else ir.Usage(input=counted)
    return Vectors(tuple(each.embedding for each in ordered), usage)


def encode_answer(found: Vectors, *, model: str, asked: Mapping[str, Any]) -> bytes:
    """As numbers, or as the bytes of 32-bit floats in base64, which OpenAI's SDK asks for."""
    packed = asked.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(values) if packed else values}
        for index, values in enumerate(found.values)
    ]
    read = 0 if found.usage is None else found.usage.input  # a field of every answer, for clients with types
    usage = {"prompt_tokens": read, "total_tokens": read}
    return json.encode({"object": "list", "data": data, "model": model, "usage": usage})


def _packed(values: list[float]) -> str:
    return b64encode(array("f", values).tobytes()).decode()
