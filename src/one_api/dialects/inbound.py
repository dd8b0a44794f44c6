"""The dialects that callers speak. Each row is a module of pure functions, found by the name of its wire.

https://platform.openai.com/docs/api-reference/chat, https://platform.claude.com/docs/en/api/messages,
https://ai.google.dev/api/generate-content,
https://developers.openai.com/api/reference/resources/responses/methods/create.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from one_api import ir
from one_api.dialects import anthropic, gemini, openai_inbound, responses
from one_api.dialects.outbound import Decoder
from one_api.errors import OneAPIError


class Encoder(Protocol):
    """Writes one stream. `number`: how many events it wrote, where the dialect counts them."""

    @property
    def number(self) -> int: ...

    def encode(self, event: ir.Event, /) -> bytes:
        """What tells the caller of an event, b"" where his dialect has no word for it.

        The mark by which he knows his answer to be complete is written for `Ended` and not before: it waits until the
        call is paid. Nothing is written for `Failed`; what went wrong is told by `encode_error_event`.
        """


class Reader(Decoder, Protocol):
    """A decoder that can also be given one event. `number`: how many came, where the dialect counts them."""

    @property
    def number(self) -> int: ...

    def read(self, data: bytes, /) -> list[ir.Event]:
        """What the `data` field of one event says."""


class Inbound(Protocol):
    """A dialect whose server we are. `asked` is the caller's request, of which an answer may have to repeat things."""

    def decode_request(self, document: Mapping[str, Any], /, *, model: str) -> ir.Request:
        """Raises Unrepresentable."""

    def patch(self, document: Mapping[str, Any], /, *, model: str, system_prompt: str) -> Mapping[str, Any] | None:
        """The request with what the gateway has to change, every other field kept; None when nothing changes."""

    def encode_answer(self, answer: ir.Answer, /, *, model: str, created: int, asked: Mapping[str, Any]) -> bytes:
        """The body of a whole answer."""

    def encoder(self, *, model: str, created: int, asked: Mapping[str, Any]) -> Encoder:
        """For one stream."""

    def encode_error(self, error: OneAPIError, request_id: str, /) -> bytes:
        """The body of an answer that is none."""

    def encode_error_event(self, error: OneAPIError, request_id: str, /, *, number: int = 0) -> bytes:
        """The last event of a stream that cannot be completed. `number`: how many came before, if they are counted."""

    # For a channel of the same dialect, whose bytes are forwarded as received.

    def decode_answer(self, body: bytes, /) -> ir.Answer | ir.Failed:
        """Raises json.InvalidJSON."""

    def decoder(self) -> Reader:
        """For one stream."""

    @property
    def END(self) -> bytes:  # noqa: N802  # a constant of the module
        """The mark at the end of a stream; b"" in a dialect that has none, whose last event is then held back."""


class Measured(Inbound, Protocol):
    """A dialect that One API did not know: how its requests are read is its own, and not in One API's words."""

    @property
    def KEY(self) -> bytes:  # noqa: N802
        """The header, in small letters, in which its clients may send their key."""

    @property
    def REQUIRED(self) -> tuple[str, ...]:  # noqa: N802
        """Fields without which there is nothing to ask."""

    @property
    def PRICED(self) -> Collection[str]:  # noqa: N802
        """Fields that have a price, or whose content has; no other may differ from them in case alone."""

    def measure(self, document: Mapping[str, Any], /) -> ir.Measure:
        """Raises BadRequest."""

    def written(self, document: Mapping[str, Any], /) -> list[Any]:
        """What of a request is text for the model."""

    def own(self, document: Mapping[str, Any], /, *, model: str, vendor: bool) -> Mapping[str, Any]:
        """A request for a channel of this dialect, without what the model of another vendor thought for an earlier
        answer and no other can read. vendor: whether it goes to the one whose dialect it is.
        """

    def encode_count(self, tokens: int, /) -> bytes:
        """The answer to the question how many tokens a request would be."""


OPENAI: Final[Inbound] = openai_inbound
MEASURED: Final[Mapping[str, Measured]] = MappingProxyType(
    {"anthropic": anthropic, "gemini": gemini, "responses": responses}
)
INBOUND: Final[Mapping[str, Inbound]] = MappingProxyType({"openai": OPENAI, **MEASURED})
