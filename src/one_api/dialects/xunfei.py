"""Xunfei's Spark over HTTP: OpenAI's chat completions with models and errors of its own.

https://www.xfyun.cn/doc/spark/HTTP调用文档.html. One API spoke to it by a WebSocket; every model that it offered there
is served here too.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import structs

from one_api import ir
from one_api.dialects import openai_outbound
from one_api.dialects.decoding import BROKEN, REPORTED

MODELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Spark-Lite": "lite",
        "Spark-Pro": "generalv3",
        "Spark-Pro-128K": "pro-128k",
        "Spark-Max": "generalv3.5",
        "Spark-Max-32K": "max-32k",
        "Spark-4.0-Ultra": "4.0Ultra",
    }
)
"""One API's names. Those that ended in a version of the older API are below; any other is the vendor's own."""
_VERSIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "v1.1": "lite",
        "v3.1": "generalv3",
        "v3.1-128K": "pro-128k",
        "v3.5": "generalv3.5",
        "v3.5-32K": "max-32k",
        "v4.0": "4.0Ultra",
    }
)
_BUSY: Final = "rate_limit_error"
CAUSES: Final[Mapping[int, str]] = MappingProxyType(
    {
        **dict.fromkeys((10007, 10008, 10110, 11201, 11202, 11203), _BUSY),
        **dict.fromkeys((10015, 10016, 11200), "permission_error"),
        10907: "context_length_exceeded",
    }
)
"""Its codes, in the words of routing.health: https://www.xfyun.cn/doc/spark/接口说明.html."""
_REFUSED: Final = frozenset((10013, 10014, 10019, 10021))
_HOPELESS: Final = _REFUSED | {10907}


def named(model: str) -> str:
    """What the vendor calls a model."""
    found = MODELS.get(model) or _VERSIONS.get(model.partition("-")[2])
    return found or model


def encode_request(request: ir.Request) -> ir.Encoded:
    """Raises Unrepresentable."""
    return openai_outbound.encode_request(structs.replace(request, model=named(request.model)))


class _Status(msgspec.Struct):
    """Every answer has one, and every event; 0 is good."""

    code: int | None = None
    message: str | None = None


_status = msgspec.json.Decoder(_Status)


def _failure(data: bytes) -> ir.Failed | None:
    try:
        found = _status.decode(data)
    except BROKEN:
        return None
    if not found.code:
        return None
    kind = CAUSES.get(found.code, "content_filter" if found.code in _REFUSED else "upstream_error")
    return ir.Failed(kind, found.message or REPORTED, refused=found.code in _HOPELESS)


def decode_answer(body: bytes) -> ir.Answer | ir.Failed:
    """Raises json.InvalidJSON."""
    return _failure(body) or openai_outbound.decode_answer(body)


class StreamDecoder(openai_outbound.StreamDecoder):
    """The last event counts what was read and written; none says why it ends."""

    __slots__ = ()

    def read(self, data: bytes) -> list[ir.Event]:
        failure = None if self._over else _failure(data)
        if failure is not None:
            return self._failed(failure)
        unsaid = data == b"[DONE]" and not (self._finished or self._over)
        found: list[ir.Event] = [ir.Finished("tool_calls" if self._calls.any else "stop")] if unsaid else []
        return [*found, *super().read(data)]


def decoder() -> StreamDecoder:
    return StreamDecoder()
