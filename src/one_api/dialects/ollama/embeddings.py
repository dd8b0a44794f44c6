"""Embeddings of Ollama: https://docs.ollama.com/api/embed."""

import msgspec

from one_api import ir
from one_api.dialects import turns
from one_api.dialects.decoding import Count, whole
from one_api.dialects.embeddings import Texts, Vectors
from one_api.dialects.ollama.answer import ERROR
from one_api.lib import json


def encode_request(asked: Texts, *, model: str) -> ir.Encoded:
    value = {"model": model, "input": list(asked.texts), **turns.only([("dimensions", asked.dimensions)])}
    return ir.Encoded(json.encode(value), tuple(asked.extra))


class _Answer(msgspec.Struct):
    embeddings: list[list[float]] | None = None
    prompt_eval_count: Count | None = None
    error: str | None = None


_answer = msgspec.json.Decoder(_Answer)


def decode_answer(body: bytes) -> Vectors | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_answer, body)
    if found.error is not None or found.embeddings is None:
        return ir.Failed(ERROR, found.error or "the upstream gave no embeddings")
    read = found.prompt_eval_count
    return Vectors(tuple(found.embeddings), None if read is None else ir.Usage(input=read))
