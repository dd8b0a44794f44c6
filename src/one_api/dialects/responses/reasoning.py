"""Reasoning items, and how thinking of another vendor travels in them.

https://developers.openai.com/api/docs/guides/reasoning#encrypted-reasoning-items. A client keeps `encrypted_content`
without reading it and sends it back: there another vendor's signature is kept too, behind a mark of ours that says
whose it is. What has no mark is OpenAI's own.
"""

from collections.abc import Mapping
from typing import Any, Final

from one_api import ir

NAME: Final = "openai"
"""Whose encryption an `encrypted_content` is, if nobody else is named."""

_MARK: Final = "one-api:"
_SIGNATURE: Final = "signature"
_DATA: Final = "data"


def foreign(encrypted: object) -> bool:
    """Whether this `encrypted_content` was written here, on behalf of a vendor that OpenAI does not know."""
    return isinstance(encrypted, str) and encrypted.startswith(_MARK)


def encode(block: ir.Thinking | ir.Redacted) -> dict[str, Any]:
    """The summary and the encrypted content of an item; a block that nobody signed has none."""
    if isinstance(block, ir.Redacted):
        return {"summary": [], "encrypted_content": _sealed(block.origin, _DATA, block.data)}
    summary = [{"type": "summary_text", "text": block.text}] if block.text else []
    if not block.signature:
        return {"summary": summary}
    return {"summary": summary, "encrypted_content": _sealed(block.origin, _SIGNATURE, block.signature)}


def decode(item: Mapping[str, Any]) -> ir.Thinking | ir.Redacted | None:
    """None for an item that says nothing."""
    text = "\n\n".join(_texts(item.get("summary"))) or "".join(_texts(item.get("content")))
    encrypted = item.get("encrypted_content")
    if not isinstance(encrypted, str) or not encrypted:
        return ir.Thinking(text) if text else None
    origin, kind, value = _opened(encrypted)
    if kind == _SIGNATURE or (not kind and text):
        return ir.Thinking(text, value, origin)
    return ir.Redacted(value, origin)


def _sealed(origin: str, kind: str, value: str) -> str:
    return value if origin == NAME else f"{_MARK}{origin}:{kind}:{value}"


def _opened(encrypted: str) -> tuple[str, str, str]:
    if not encrypted.startswith(_MARK):
        return NAME, "", encrypted
    origin, _, rest = encrypted.removeprefix(_MARK).partition(":")
    kind, _, value = rest.partition(":")
    return origin, kind, value


def _texts(parts: object) -> list[str]:
    found = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return [text for text in found if isinstance(text, str) and text]
