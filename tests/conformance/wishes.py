"""What a caller may ask for, and what all dialects ask it with."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Document = dict[str, Any]
Mark = str | int | float


@dataclass(frozen=True, slots=True)
class Wish:
    """marks: in this order. Without any, what is sent has to differ from what is sent for `plain`."""

    asked: Document
    plain: Document
    marks: tuple[Mark, ...] = ()


Wishes = Mapping[str, Wish | None]

IMAGE: Final = b64encode(b"\x89PNG zebra").decode()
PDF: Final = b64encode(b"%PDF-1.4 zebra").decode()
SCHEMA: Final = {
    "type": "object",
    "properties": {"zebra_field": {"type": "string"}},
    "required": ["zebra_field"],
    "additionalProperties": False,
}
URL, FILE_URL = "https://example.com/zebra.png", "https://example.com/zebra.pdf"
