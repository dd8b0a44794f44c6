"""Amazon Bedrock's InvokeModel for models of Anthropic's: their Messages API in another envelope.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html. The model is part
of the address, the version of the API part of the body, and a stream comes in frames of Amazon's.
"""

from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects import anthropic
from one_api.dialects.anthropic import StreamDecoder
from one_api.dialects.anthropic import decode_answer as decode_answer
from one_api.dialects.bedrock.frames import Broken, Frame, FrameReader
from one_api.dialects.decoding import UNREADABLE
from one_api.lib import json

VERSION: Final = "bedrock-2023-05-31"

__all__ = ["Decoder", "decode_answer", "decoder", "encode_request"]


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    return enveloped(request, VERSION, keep=())


def enveloped(request: ir.Request, version: str, *, keep: tuple[str, ...]) -> ir.Encoded:
    """A request of Anthropic's as their resellers want it: `keep` of model and stream stay in the body."""
    encoded = anthropic.encode_request(request)
    body: dict[str, msgspec.Raw] = msgspec.json.decode(encoded.body, type=dict[str, msgspec.Raw])
    kept = {name: value for name, value in body.items() if name not in ("model", "stream") or name in keep}
    return ir.Encoded(json.encode({"anthropic_version": version, **kept}), encoded.losses)


class _Chunk(msgspec.Struct):
    event: bytes = msgspec.field(default=b"", name="bytes")  # in base64, which msgspec undoes


class Decoder:
    """Reads frames, cut anywhere; in each is an event of Anthropic's."""

    __slots__ = ("_frames", "_inner", "_over")

    def __init__(self) -> None:
        self._frames = FrameReader()
        self._inner = StreamDecoder()
        self._over = False

    @property
    def prompt(self) -> ir.Usage | None:
        return self._inner.prompt

    @property
    def usage(self) -> ir.Usage | None:
        return self._inner.usage

    def feed(self, data: bytes) -> list[ir.Event]:
        if self._over:
            return []
        events: list[ir.Event] = []
        try:
            for frame in self._frames.feed(data):
                events.extend(self._read(frame))
                if events and isinstance(events[-1], (ir.Ended, ir.Failed)):
                    self._over = True
                    break
        except Broken as error:
            self._over = True
            events.append(ir.Failed("", str(error)))
        return events

    def close(self) -> list[ir.Event]:
        if self._over:
            return []
        self._over = True
        return self._inner.close()

    def _read(self, frame: Frame) -> list[ir.Event]:
        if frame.kind != "event":
            return [failure(frame)]
        if frame.name != "chunk":
            return []
        try:
            chunk = msgspec.json.decode(frame.payload, type=_Chunk)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise Broken(UNREADABLE) from None
        return self._inner.read(chunk.event)


_TYPES: Final = {"throttlingException": "rate_limit_error", "serviceUnavailableException": "overloaded_error"}


def failure(frame: Frame) -> ir.Failed:
    """An exception or error that came instead of an event."""
    try:
        found: Any = json.decode(frame.payload)
    except json.InvalidJSON:
        found = None
    message = found.get("message") if isinstance(found, dict) else None
    told = message if isinstance(message, str) and message else f"the upstream reported {frame.name or 'an error'}"
    return ir.Failed(_TYPES.get(frame.name, frame.name), told)


def decoder() -> Decoder:
    return Decoder()
