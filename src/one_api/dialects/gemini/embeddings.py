"""Embeddings of the Gemini API, one or several at once: https://ai.google.dev/api/embeddings."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects.decoding import REPORTED, whole
from one_api.dialects.embeddings import Texts, Vectors
from one_api.dialects.gemini.answer import Fault
from one_api.dialects.gemini.fields import field, message, number, several
from one_api.dialects.gemini.usage import decode_usage
from one_api.lib import json

_WISHES: Final = ("taskType", "title", "outputDimensionality")


def written(document: Mapping[str, Any]) -> list[str]:
    """What of a request of any shape is text for the model."""
    requests = document.get("requests") if "requests" in document else [document]
    contents = [each.get("content") for each in _objects(requests)]
    parts = [part for content in _objects(contents) for part in _objects(content.get("parts"))]
    found = [part.get("text") for part in parts]
    return [text for text in found if isinstance(text, str)]


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def decode_request(document: Mapping[str, Any]) -> Texts:
    """Raises Unrepresentable."""
    requests = _requests(document)
    dimensions = {number(each, "outputDimensionality", int) for each in requests}
    if len(dimensions) > 1:
        raise ir.Unrepresentable("on this channel all embeddings of a call have the same outputDimensionality")
    extra = {name: True for each in requests for name in _WISHES[:2] if field(each, name) is not None}
    return Texts(tuple(_text(message(each, "content")) for each in requests), next(iter(dimensions), None), extra)


def _requests(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return several(document, "requests") if "requests" in document else [document]


def _text(content: Mapping[str, Any]) -> str:
    parts = several(content, "parts")
    if not all(isinstance(part.get("text"), str) for part in parts):
        raise ir.Unrepresentable("on this channel content can only hold text")
    return "".join(part["text"] for part in parts)


def encode_request(asked: Texts, *, model: str) -> ir.Encoded:
    """All in one request."""
    wishes = {} if asked.dimensions is None else {"outputDimensionality": asked.dimensions}
    requests = [{"model": f"models/{model}", "content": {"parts": [{"text": each}]}, **wishes} for each in asked.texts]
    return ir.Encoded(json.encode({"requests": requests}), tuple(asked.extra))


def patch(document: Mapping[str, Any], *, model: str) -> Mapping[str, Any] | None:
    """The request with the model's name wherever there is one; None when nothing changes."""
    name = f"models/{model}"
    changes: dict[str, Any] = {"model": name} if "model" in document else {}
    if isinstance(document.get("requests"), list):
        changes["requests"] = [{**each, "model": name} for each in several(document, "requests")]
    changed = {**document, **changes}
    return None if changed == document else changed


def names(document: Mapping[str, Any]) -> set[str]:
    """The models that a request names, besides its path."""
    others = [*several(document, "requests"), message(document, "generateContentRequest")]
    found = [each.get("model") for each in (document, *others)]
    return {each.removeprefix("models/") for each in found if isinstance(each, str)}


class _Embedding(msgspec.Struct):
    values: list[float]


class _Answer(msgspec.Struct, rename="camel"):
    embeddings: list[_Embedding] | None = None
    usage_metadata: msgspec.Raw = msgspec.Raw(b"null")
    error: Fault | None = None


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> Vectors | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_answer, body)
    if found.error is not None:
        return ir.Failed(found.error.status, found.error.message or REPORTED)
    if found.embeddings is None:
        return ir.Failed("server_error", "the upstream gave no embeddings")
    return Vectors(tuple(each.values for each in found.embeddings), decode_usage(found.usage_metadata))


def encode_answer(found: Vectors, *, model: str, asked: Mapping[str, Any]) -> bytes:  # noqa: ARG001
    """One where one was asked for."""
    vectors = [{"values": values} for values in found.values]
    value: dict[str, Any] = {"embeddings": vectors} if "requests" in asked else {"embedding": (vectors or [{}])[0]}
    if found.usage is not None:
        value["usageMetadata"] = {"promptTokenCount": found.usage.input}
    return json.encode(value)
