"""Embeddings on Amazon Bedrock, by InvokeModel: each vendor's in its own words, the model being part of the address.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html and
.../model-parameters-embed.html.
"""

from typing import Any

import msgspec

from one_api import ir
from one_api.dialects.cohere import embeddings as cohere
from one_api.dialects.decoding import Count, whole
from one_api.dialects.embeddings import Texts, Vectors
from one_api.lib import json


class _Embedded(msgspec.Struct, rename="camel"):
    embedding: list[float]
    input_text_token_count: Count | None = None


_embedded = msgspec.json.Decoder(_Embedded)


class Titan:
    """Amazon's own, which take one text at a time."""

    def encode_request(self, asked: Texts, /, *, model: str) -> ir.Encoded:  # noqa: ARG002
        """Raises Unrepresentable."""
        if len(asked.texts) != 1:
            raise ir.Unrepresentable("on this channel the model can be given one text at a time")
        value: dict[str, Any] = {"inputText": asked.texts[0]}
        if asked.dimensions is not None:
            value["dimensions"] = asked.dimensions
        return ir.Encoded(json.encode(value), tuple(asked.extra))

    def decode_answer(self, body: bytes, /) -> Vectors | ir.Failed:
        """Raises json.InvalidJSON."""
        found = whole(_embedded, body)
        read = found.input_text_token_count
        return Vectors((found.embedding,), None if read is None else ir.Usage(input=read))


class Cohere:
    """Cohere's, which speak there as at home."""

    def encode_request(self, asked: Texts, /, *, model: str) -> ir.Encoded:
        encoded = cohere.encode_request(asked, model=model)
        value = msgspec.json.decode(encoded.body, type=dict[str, msgspec.Raw])
        return ir.Encoded(json.encode({name: each for name, each in value.items() if name != "model"}), encoded.losses)

    def decode_answer(self, body: bytes, /) -> Vectors | ir.Failed:
        """Raises json.InvalidJSON."""
        return cohere.decode_answer(body)
