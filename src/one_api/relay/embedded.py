"""Embeddings of a caller who speaks another dialect than the channel: both ends' words are read and written here."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from one_api import ir, providers
from one_api.dialects import embeddings, predict
from one_api.dialects.baidu import embeddings as baidu
from one_api.dialects.bedrock import embeddings as bedrock
from one_api.dialects.cohere import embeddings as cohere
from one_api.dialects.dashscope import embeddings as dashscope
from one_api.dialects.embeddings import Texts, Vectors
from one_api.dialects.gemini import embeddings as google
from one_api.dialects.ollama import embeddings as ollama
from one_api.dialects.tap import EventTap
from one_api.dialects.tencent import embeddings as tencent
from one_api.lib import json
from one_api.providers import Mode
from one_api.relay import rewritten
from one_api.relay.calls import Ask, Call
from one_api.relay.inflow import Shape
from one_api.relay.rewritten import RewrittenInflow
from one_api.routing import Channel


class Outgoing(Protocol):
    """How embeddings are asked for at an upstream."""

    def encode_request(self, asked: Texts, /, *, model: str) -> ir.Encoded: ...

    def decode_answer(self, body: bytes, /) -> Vectors | ir.Failed:
        """Raises json.InvalidJSON."""


class Dialect(Outgoing, Protocol):
    """The same, and how callers ask for them."""

    def decode_request(self, document: Mapping[str, Any], /) -> Texts:
        """Raises Unrepresentable."""

    def encode_answer(self, found: Vectors, /, *, model: str, asked: Mapping[str, Any]) -> bytes: ...


SPOKEN: Final[Mapping[str, Dialect]] = MappingProxyType({"openai": embeddings, "gemini": google})
"""By the name of the wire."""
DIALECTS: Final[Mapping[str, Outgoing]] = MappingProxyType(
    {
        **SPOKEN,
        "baidu": baidu,
        "bedrock-cohere": bedrock.Cohere(),
        "cohere": cohere,
        "dashscope": dashscope,
        "ollama": ollama,
        "predict": predict,
        "tencent": tencent,
        "titan": bedrock.Titan(),
    }
)


def spoken(mode: Mode) -> Dialect:
    return SPOKEN[providers.EMBEDDED[mode]]


def write_request(call: Call, ask: Ask, channel: Channel, model: str, dialect: Outgoing) -> bytes:
    """The body for the upstream. Raises UpstreamError for what this channel cannot embed; another may."""
    asked = spoken(ask.mode)
    return rewritten.write_request(
        call, channel, lambda: dialect.encode_request(asked.decode_request(ask.document), model=model)
    )


def write_own(call: Call, ask: Ask, model: str) -> bytes:
    """The same for a channel that speaks as the caller does: the bytes that were read, if nothing has to change."""
    patched = google.patch(ask.document, model=model)
    return call.body if patched is None else json.encode(patched)


class EmbeddedInflow(RewrittenInflow):
    """An answer that is translated instead of forwarded. `model` is the name that was asked for at the upstream."""

    __slots__ = ("_document", "_model", "_spoken", "_tap", "_theirs")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        spoken: Dialect,
        theirs: Outgoing,
        document: Mapping[str, Any],
        model: str,
    ) -> None:
        super().__init__(loop, wants=Shape.WHOLE)
        self._spoken = spoken
        self._theirs = theirs
        self._document = document
        self._model = model
        self.tap = self._tap = EventTap()

    def rewrite(self) -> ir.Failed | None:
        found = self._theirs.decode_answer(self.body)
        if isinstance(found, ir.Failed):
            return found
        self._tap.usage = found.usage
        self._parts = [self._spoken.encode_answer(found, model=self._model, asked=self._document)]
        return None
