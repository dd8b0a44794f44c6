"""What an upstream answers, and how its bytes are written."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from one_api import ir

Document = dict[str, Any]
IMAGE: Final = b64encode(b"\x89PNG zebra").decode()
URL: Final = "https://example.com/zebra"


@dataclass(frozen=True, slots=True)
class Answered:
    """marks: what a client has to be told. reason: why it has to be told that the answer ended.

    One without a whole or a stream has no such form, or none that was recorded.
    """

    whole: bytes
    stream: bytes
    marks: tuple[str | int | float, ...] = ()
    reason: ir.Reason | None = None


Answers = Mapping[str, Answered | None]


def body(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def sse(*values: Document, named: bool = False) -> bytes:
    return b"".join(
        (b"event: %b\n" % str(each["type"]).encode() if named else b"") + b"data: %b\n\n" % body(each)
        for each in values
    )
