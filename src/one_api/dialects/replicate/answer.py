"""Predictions, whole or as events: https://replicate.com/docs/topics/predictions/streaming."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from one_api import ir
from one_api.dialects.decoding import (
    BROKEN,
    NOTHING,
    REPORTED,
    UNREADABLE,
    Count,
    EventDecoder,
    Piece,
    believed,
    event_name,
    whole,
)
from one_api.lib import json

FAILED: Final = frozenset(("failed", "canceled", "aborted"))
"""States of a prediction that comes to nothing."""


class _Metrics(msgspec.Struct):
    input_token_count: Count | None = None
    output_token_count: Count | None = None


class Prediction(msgspec.Struct):
    id: str | None = None
    status: str = ""
    output: Any = None
    error: Any = None
    metrics: msgspec.Raw = NOTHING


_prediction = msgspec.json.Decoder(Prediction)
_metrics: msgspec.json.Decoder[_Metrics | None] = msgspec.json.Decoder(_Metrics | None)


def decode_prediction(body: bytes) -> Prediction | ir.Failed:
    """Raises json.InvalidJSON."""
    found = whole(_prediction, body)
    if found.error or found.status in FAILED:
        told = found.error if isinstance(found.error, str) else ""
        return ir.Failed("upstream_error", told or f"the prediction {found.status or 'failed'}")
    return found


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON."""
    found = decode_prediction(body)
    if isinstance(found, ir.Failed):
        return found
    text = _text(found.output)
    if text is None:
        raise json.InvalidJSON("a prediction without text")
    blocks = (ir.Text(text),) if text else ()
    return ir.Answer(id=found.id or "", model="", blocks=blocks, usage=_counted(found.metrics))


def _text(output: Any) -> str | None:
    if isinstance(output, str):
        return output
    if isinstance(output, list) and all(isinstance(each, str) for each in output):
        return "".join(output)
    return None


def _counted(raw: msgspec.Raw) -> ir.Usage | None:
    found = believed(_metrics, raw)
    if found is None or found.input_token_count is None or found.output_token_count is None:
        return None
    return ir.Usage(input=found.input_token_count, output=found.output_token_count)


class _Done(msgspec.Struct):
    reason: str = ""
    detail: str = ""


_done = msgspec.json.Decoder(_Done)


class StreamDecoder(EventDecoder):
    """Reads a stream cut anywhere. It does not say what was read and written."""

    __slots__ = ()

    def _events(self, pieces: list[Piece]) -> list[ir.Event]:
        """What an event means says its name; data are text."""
        found: list[ir.Event] = []
        for raw, data in pieces:
            if self._over:
                break
            if data is not None:
                found += self._named(event_name(raw), data)
            elif self._started:
                found.append(ir.Alive())
        return found

    def _named(self, name: bytes, data: bytes) -> Iterable[ir.Event]:
        match name:
            case b"output":
                started: list[ir.Event] = [] if self._started else [ir.Started("", "")]
                self._started = True
                text = data.decode("utf-8", "replace")
                return [*started, ir.TextDelta(text)] if text else started
            case b"done":
                return self._end(data)
            case b"error":
                return self._fail(_detail(data))
            case _:
                return []

    def _end(self, data: bytes) -> list[ir.Event]:
        """An object, which is empty if all went well."""
        try:
            reason = _done.decode(data).reason
        except BROKEN:
            return self._fail(UNREADABLE)
        if reason:
            return self._fail(f"the prediction ended: {reason}")
        self._over = True
        return [ir.Finished("stop"), ir.Ended(None)]


def _detail(data: bytes) -> str:
    try:
        return _done.decode(data).detail or REPORTED
    except BROKEN:
        return data.decode("utf-8", "replace") or REPORTED
