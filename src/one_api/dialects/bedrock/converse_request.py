"""A request of the neutral model for Bedrock's Converse API.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from one_api import ir
from one_api.dialects import turns
from one_api.dialects.bedrock.converse_wishes import cache_point, structured, wishes
from one_api.lib import json

NAME: Final = "converse"
_IMAGES: Final = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS: Final[Mapping[str, str]] = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
_NO_NAME: Final = re.compile(r"[^0-9A-Za-z()\[\]-]+")


def encode_request(request: ir.Request) -> ir.Encoded:
    """The model is part of the address. Raises Unrepresentable."""
    losses = list(request.extra)
    system = [each for text in request.system for each in _instruction(text, request.model, losses)]
    messages: list[dict[str, Any]] = []
    for turn in request.turns:
        if turn.role == "system":
            losses.append("place of a later system message")
            texts = [block for block in turn.blocks if isinstance(block, ir.Text)]
            system += [each for text in texts for each in _instruction(text, request.model, losses)]
            continue
        blocks = [each for block in turn.blocks for each in _blocks(block, request.model, losses)]
        if blocks and messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"] += blocks
        elif blocks:
            messages.append({"role": turn.role, "content": blocks})
    if request.parallel is False:
        losses.append("parallel_tool_calls")
    if request.user:
        losses.append("user")
    if request.temperature is not None and request.temperature > 1:
        losses.append("temperature above 1")
    inference = {
        "maxTokens": request.limit,
        "temperature": None if request.temperature is None else min(request.temperature, 1),
        "topP": request.top_p,
        "stopSequences": list(request.stop) or None,
    }
    given = {name: value for name, value in inference.items() if value is not None}
    value = {
        "messages": messages,
        **({"system": system} if system else {}),
        **({"inferenceConfig": given} if given else {}),
        **_tools(request, messages, losses),
        **wishes(request, losses),
    }
    return ir.Encoded(json.encode(value), tuple(dict.fromkeys(losses)))


def must_be_enclosed(block: ir.Image | ir.File) -> bool:
    """There is nothing but bytes, or a place of Amazon's own."""
    return bool(block.url)


def _tools(request: ir.Request, messages: list[dict[str, Any]], losses: list[str]) -> dict[str, Any]:
    """There is no choice of no tool; where tools were called before, theirs have to be named."""
    choice = request.choice or ir.ToolChoice("auto")
    if not request.tools:
        return {}
    if choice.mode == "none":
        if not any("toolUse" in block for message in messages for block in message["content"]):
            return {}
        losses.append("tool_choice")
    tools = []
    for tool in request.tools:
        schema = {"type": "object", **(tool.schema or {"properties": {}})}
        strict = tool.strict and structured(request.model)
        if tool.strict and not strict:
            losses.append("strict")
        spec = {"name": tool.name, "description": tool.description, "inputSchema": {"json": schema}, "strict": strict}
        tools.append({"toolSpec": {name: each for name, each in spec.items() if each}})
        tools.extend(cache_point(tool, request.model, losses))
    chosen: dict[str, Any] = {"tool": {"name": choice.name}} if choice.mode == "one" else {choice.mode: {}}
    named = {} if choice.mode in ("auto", "none") else {"toolChoice": chosen}
    return {"toolConfig": {"tools": tools, **named}}


def _instruction(text: ir.Text, model: str, losses: list[str]) -> list[dict[str, Any]]:
    return [{"text": text.text}, *cache_point(text, model, losses)] if text.text.strip() else []


def _blocks(block: ir.Said, model: str, losses: list[str]) -> list[dict[str, Any]]:
    """A block that is worth keeping has a mark behind it. Raises Unrepresentable."""
    found = _block(block, losses)
    if found is None:
        return []
    if isinstance(block, ir.Thinking | ir.Redacted | ir.Opaque):
        return [found]
    inner = block.content if isinstance(block, ir.ToolResult) else ()
    losses.extend(name for each in inner for name in each.extra)
    return [found, *cache_point(block, model, losses)]


def _block(block: ir.Said, losses: list[str]) -> dict[str, Any] | None:
    """None for one that is left out. Raises Unrepresentable."""
    match block:
        case ir.Text():
            return {"text": block.text} if block.text.strip() else None
        case ir.Image() | ir.File():
            return _media(block)
        case ir.ToolCall():
            return {"toolUse": {"toolUseId": block.id, "name": block.name, "input": turns.arguments(block)}}
        case ir.ToolResult():
            content = [{"text": each.text} if isinstance(each, ir.Text) else _media(each) for each in block.content]
            result: dict[str, Any] = {"toolUseId": block.call_id, "content": content or [{"text": ""}]}
            return {"toolResult": {**result, **({"status": "error"} if block.failed else {})}}
        case ir.Thinking() if block.origin == NAME and block.signature:
            return {"reasoningContent": {"reasoningText": {"text": block.text, "signature": block.signature}}}
        case ir.Redacted() if block.origin == NAME:
            return {"reasoningContent": {"redactedContent": block.data}}
        case ir.Thinking() | ir.Redacted():
            losses.append("thinking of an earlier turn")
            return None
        case ir.Opaque():
            raise ir.Unrepresentable(f"a block of {block.dialect} cannot be sent to this channel")


def _media(block: ir.Image | ir.File) -> dict[str, Any]:
    if not block.data:
        raise ir.Unrepresentable("this channel takes images and files inline only, not by address")
    formats, place = (_IMAGES, "image") if isinstance(block, ir.Image) else (_DOCUMENTS, "document")
    found = formats.get(block.media_type)
    if found is None:
        raise ir.Unrepresentable(f"a file of type {block.media_type!r} cannot be sent to this channel")
    # Theirs wants names without dots.
    named = {"name": _NO_NAME.sub(" ", block.name).strip() or "document"} if isinstance(block, ir.File) else {}
    return {place: {"format": found, **named, "source": {"bytes": block.data}}}
