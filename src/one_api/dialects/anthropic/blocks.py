"""Content blocks as Anthropic writes them: https://platform.claude.com/docs/en/build-with-claude/working-with-messages."""

import base64
import re
from typing import Any, Final, assert_never

from one_api import ir
from one_api.dialects import turns

NAME: Final = "anthropic"
PDF: Final = "application/pdf"

_UNUSUAL: Final = re.compile(r"[^a-zA-Z0-9_-]")


def encode(block: ir.Said, role: str, losses: list[str]) -> dict[str, Any] | None:
    """One block, None for one that is left out. Raises Unrepresentable for content that has no form here."""
    match block:
        case ir.Text():
            return {"type": "text", "text": block.text, **block.extra} if block.text.strip() else None
        case ir.Image() | ir.File():
            if role == "assistant":
                raise ir.Unrepresentable("on this channel a message of the assistant cannot hold images or files")
            return _media(block)
        case ir.ToolCall():
            called = {"id": tool_id(block.id), "name": block.name, "input": turns.arguments(block)}
            return {"type": "tool_use", **called, **block.extra}
        case ir.ToolResult():
            return _result(block)
        case ir.Thinking() | ir.Redacted():
            return _thinking(block, losses)
        case ir.Opaque():
            if block.dialect == NAME:
                return dict(block.raw)
            raise ir.Unrepresentable(f"a block of {block.dialect} cannot be sent to this channel")
        case _:
            assert_never(block)


def tool_id(name: str) -> str:
    """Their ids match `^[a-zA-Z0-9_-]+$`; other vendors' hold dots and colons. Calls and results change alike."""
    return _UNUSUAL.sub("_", name) or "_"


def _thinking(block: ir.Thinking | ir.Redacted, losses: list[str]) -> dict[str, Any] | None:
    """Only what Anthropic signed is taken back, and only unmodified.

    https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks.
    """
    if block.origin not in ("", NAME) or (isinstance(block, ir.Thinking) and not block.signature):
        if "unsigned thinking" not in losses:
            losses.append("unsigned thinking")
        return None
    if isinstance(block, ir.Redacted):
        return {"type": "redacted_thinking", "data": block.data}
    return {"type": "thinking", "thinking": block.text, "signature": block.signature}


def _result(block: ir.ToolResult) -> dict[str, Any]:
    """A single text goes as text, as One API sends it."""
    value: dict[str, Any] = {"type": "tool_result", "tool_use_id": tool_id(block.call_id)}
    first = block.content[0] if len(block.content) == 1 else None
    if isinstance(first, ir.Text) and not first.extra:
        value["content"] = first.text
    elif block.content:
        value["content"] = [
            {"type": "text", "text": each.text, **each.extra} if isinstance(each, ir.Text) else _media(each)
            for each in block.content
        ]
    if block.failed:
        value["is_error"] = True
    return {**value, **block.extra}


def _media(block: ir.Image | ir.File) -> dict[str, Any]:
    """https://platform.claude.com/docs/en/build-with-claude/vision and .../pdf-support."""
    if isinstance(block, ir.Image):
        return {"type": "image", "source": _source(block), **block.extra}
    named = {"title": block.name} if block.name else {}
    if block.url or block.media_type == PDF:
        return {"type": "document", "source": _source(block), **named, **block.extra}
    if not block.media_type.startswith("text/"):
        raise ir.Unrepresentable(f"a file of type {block.media_type!r} cannot be sent to this channel")
    try:
        text = base64.b64decode(block.data, validate=True).decode()
    except ValueError:
        raise ir.Unrepresentable("a file's data is no text in base64") from None
    source = {"type": "text", "media_type": "text/plain", "data": text}
    return {"type": "document", "source": source, **named, **block.extra}


def _source(block: ir.Image | ir.File) -> dict[str, Any]:
    if block.url:
        return {"type": "url", "url": block.url}
    return {"type": "base64", "media_type": block.media_type, "data": block.data}
