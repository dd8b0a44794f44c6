"""The dialects we speak to upstreams. Each row is a module of pure functions, found by the name of its wire."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from one_api import ir
from one_api.dialects import (
    aiproxy,
    anthropic,
    baidu,
    bedrock,
    cohere,
    coze,
    dashscope,
    deepl,
    gemini,
    ollama,
    openai_outbound,
    replicate,
    responses,
    tencent,
    turns,
    vertex,
    xunfei,
)
from one_api.dialects.bedrock import converse


class Decoder(Protocol):
    """Reads one stream. `prompt` is what the upstream says it has read, `usage` its whole report; None until told."""

    @property
    def prompt(self) -> ir.Usage | None: ...
    @property
    def usage(self) -> ir.Usage | None: ...
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
    return MappingProxyType(
        {
            "aiproxy": aiproxy.Outgoing(),
            "anthropic": anthropic,
            "baidu": baidu,
            "bedrock": bedrock,
            "cohere": cohere,
            "converse": converse,
            "coze": coze.Outgoing(),
            "dashscope": dashscope,
            "deepl": deepl,
            "gemini": gemini.Outgoing(safety),
            "ollama": ollama,
            "openai": openai_outbound,
            "replicate": replicate,
            "responses": responses,
            "tencent": tencent,
            "vertex": vertex,
            "xunfei": xunfei,
        }
    )


ENCLOSED: Final[Mapping[str, Callable[[ir.Image | ir.File], bool]]] = MappingProxyType(
    {
        "converse": converse.must_be_enclosed,
        "gemini": gemini.must_be_enclosed,
        "ollama": ollama.must_be_enclosed,
        "openai": openai_outbound.must_be_enclosed,
    }
)
"""Which images and files a dialect has no word for as long as they are addresses, by the name of its wire."""

SEVERAL: Final = frozenset(("gemini", "openai"))
"""The wires of dialects in which several answers can be asked for at once."""


MARKED: Final = frozenset(("anthropic", "bedrock", "converse", "vertex"))
"""The wires of dialects in which something can be said of a block beyond its content, as that it is worth keeping."""


def encode_request(wire: str, dialect: Outbound, request: ir.Request) -> ir.Encoded:
    """A request for a channel. Raises Unrepresentable, also for more answers than the channel can give: who wants to
    choose has no use for one.
    """
    if request.n > 1 and wire not in SEVERAL:
        raise ir.Unrepresentable(f"this channel gives one answer a call and not {request.n}: ask for one, or elsewhere")
    encoded = dialect.encode_request(request)
    hints = () if wire in MARKED else turns.hints(request)
    return ir.Encoded(encoded.body, tuple(dict.fromkeys((*encoded.losses, *hints)))) if hints else encoded


OUTBOUND: Final = outbound(safety=gemini.Outgoing().safety)

CONFIGURED: Final[Mapping[str, Callable[[Mapping[str, str]], Outbound]]] = MappingProxyType(
    {"aiproxy": aiproxy.configured, "coze": coze.configured}
)
"""Dialects whose requests hold what an operator has set for a channel: made from its settings."""
