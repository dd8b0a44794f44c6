"""The dialects we speak to upstreams. Each row is a module of pure functions, found by the name of its wire."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from one_api import ir
from one_api.dialects import anthropic, gemini, openai_outbound


class Decoder(Protocol):
    """Reads one stream. `prompt` is what the upstream says it has read, `usage` its whole report; None until told."""

    prompt: ir.Usage | None
    usage: ir.Usage | None

    def feed(self, data: bytes, /) -> list[ir.Event]: ...
    def close(self) -> list[ir.Event]: ...


class Outbound(Protocol):
    """A dialect whose client we are."""

    def encode_request(self, request: ir.Request, /) -> ir.Encoded:
        """Raises Unrepresentable."""

    def decode_answer(self, body: bytes, /) -> ir.Answer | ir.Failed:
        """Raises json.InvalidJSON."""

    def decoder(self) -> Decoder:
        """For one stream."""


def outbound(*, safety: str) -> Mapping[str, Outbound]:
    """By the name of their wire. `safety` is what Google is told to block."""
    return MappingProxyType({"anthropic": anthropic, "gemini": gemini.Outgoing(safety), "openai": openai_outbound})


OUTBOUND: Final = outbound(safety=gemini.Outgoing().safety)
