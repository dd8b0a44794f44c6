"""Embeddings: OpenAI's form to Google's and back. https://ai.google.dev/api/embeddings#method:-models.batchembedcontents."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects.gemini.answer import BROKEN, Fault
from one_api.lib import json

_PASSED: Final = {"dimensions": "outputDimensionality"}
_NOTHING: Final = frozenset(("model", "input", "user", "encoding_format", *_PASSED))


class _Embedding(msgspec.Struct):
    values: list[float] | None = None


class _Answer(msgspec.Struct):
    embeddings: list[_Embedding] | None = None
    embedding: _Embedding | None = None
    error: Fault | None = None


_answer = msgspec.json.Decoder(_Answer)


def encode_request(document: Mapping[str, Any], *, model: str) -> ir.Encoded:
    """Raises Unrepresentable for tokens: theirs are not OpenAI's."""
    given = document.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise ir.Unrepresentable("on this channel input has to be a string or an array of strings")
    wishes = {_PASSED[name]: document[name] for name in _PASSED if document.get(name) is not None}
    requests = [{"model": f"models/{model}", "content": {"parts": [{"text": each}]}, **wishes} for each in texts]
    lost = tuple(name for name, value in document.items() if name not in _NOTHING and value is not None)
    return ir.Encoded(json.encode({"requests": requests}), lost)


def decode_answer(body: bytes) -> list[list[float]] | ir.Failed:
    """The vectors, in order. Raises json.InvalidJSON."""
    try:
        found = _answer.decode(body)
    except BROKEN as error:
        raise json.InvalidJSON(str(error)) from None
    if found.error is not None:
        return ir.Failed(found.error.status, found.error.message or "the upstream reported an error")
    several = found.embeddings if found.embedding is None else [found.embedding]
    if several is None:
        return ir.Failed("server_error", "the upstream gave no embeddings")
    return [each.values or [] for each in several]
