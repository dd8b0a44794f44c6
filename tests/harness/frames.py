"""Amazon's event streams, written."""

import json
import struct
from collections.abc import Mapping
from zlib import crc32


def frame(payload: bytes, headers: Mapping[str, str]) -> bytes:
    told = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value.encode())) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(told) + len(payload), len(told))
    head = prelude + struct.pack(">I", crc32(prelude)) + told + payload
    return head + struct.pack(">I", crc32(head))


def event(name: str, value: object) -> bytes:
    """An event of this type, whose payload is JSON."""
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return frame(json.dumps(value, ensure_ascii=False).encode(), headers)


def exception(name: str, message: str) -> bytes:
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return frame(json.dumps({"message": message}).encode(), headers)
