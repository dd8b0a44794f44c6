"""A request of Anthropic's clients, read into the neutral model: https://platform.claude.com/docs/en/api/messages/create."""

import base64
from collections.abc import Mapping
from typing import Any, Final

from one_api import ir
from one_api.dialects.anthropic.blocks import NAME
from one_api.dialects.reading import text_of, typed
from one_api.dialects.seals import unseal
from one_api.ir import Unrepresentable
from one_api.lib import json

MARK: Final = "cache_control"

_KNOWN: Final = frozenset(
    (
        *("model", "messages", "system", "max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "stream"),
        *("tools", "tool_choice", "thinking", "output_config", "metadata"),
    )
)
_MEDIA: Final = frozenset(("type", "source", "title"))
_TOOL: Final = frozenset(("type", "name", "description", "input_schema", "strict"))
_DEFAULTS: Final = (("service_tier", "auto"), ("speed", "standard"))
"""What asks for nothing, and so is not lost where it cannot be said."""


def decode_request(document: Mapping[str, Any], *, model: str) -> ir.Request:
    """Raises Unrepresentable for what cannot be read."""
    choice = document.get("tool_choice")
    asked: Mapping[str, Any] = choice if isinstance(choice, dict) else {}
    metadata = document.get("metadata")
    return ir.Request(
        model=model,
        system=_system(document.get("system")),
        turns=tuple(_turn(each, f"messages.{number}") for number, each in enumerate(_list(document, "messages"))),
        tools=tuple(_tool(each, f"tools.{number}") for number, each in enumerate(_list(document, "tools"))),
        choice=_choice(asked),
        parallel=False if asked.get("disable_parallel_tool_use") is True else None,
        limit=typed(document, "max_tokens", int) or None,
        temperature=typed(document, "temperature", int, float),
        top_p=typed(document, "top_p", int, float),
        top_k=typed(document, "top_k", int),
        stop=tuple(each for each in _list(document, "stop_sequences") if isinstance(each, str)),
        stream=document.get("stream") is True,
        reasoning=_reasoning(document),
        format=_format(document.get("output_config")),
        user=text_of(metadata.get("user_id")) if isinstance(metadata, dict) else "",
        extra={
            key: value
            for key, value in document.items()
            if key not in _KNOWN and value is not None and (key, value) not in _DEFAULTS
        },
    )


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    if found is not None and not isinstance(found, list):
        raise Unrepresentable(f"{key} has to be an array")
    return found or []


def _mark(block: Mapping[str, Any]) -> ir.Extra:
    return {MARK: block[MARK]} if isinstance(block.get(MARK), dict) else {}


def _hints(block: Mapping[str, Any], known: frozenset[str]) -> ir.Extra:
    """What is said of a block beyond its content."""
    return {name: value for name, value in block.items() if name not in known and value is not None}


def _system(value: Any) -> tuple[ir.Text, ...]:
    if isinstance(value, str):
        return (ir.Text(value),) if value else ()
    blocks = [_block(each, "system") for each in value or ()] if isinstance(value, (list, type(None))) else []
    return tuple(block for block in blocks if isinstance(block, ir.Text))


def _turn(message: Any, place: str) -> ir.Turn:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in ("user", "assistant", "system"):
        raise Unrepresentable(f"{place}.role has to be user or assistant")
    return ir.Turn(role, _blocks(message.get("content"), f"{place}.content"))


def _blocks(content: Any, place: str) -> tuple[ir.Said, ...]:
    if isinstance(content, str):
        return (ir.Text(content),)
    if not isinstance(content, list):
        raise Unrepresentable(f"{place} has to be a string or an array")
    return tuple(_block(each, f"{place}.{number}") for number, each in enumerate(content))


def _block(block: Any, place: str) -> ir.Said:
    if not isinstance(block, dict):
        raise Unrepresentable(f"{place} has to be an object")
    match block.get("type"):
        case "text":
            return ir.Text(text_of(block.get("text")), _mark(block))
        case "image" | "document" if isinstance(block.get("source"), dict):
            return _media(block, block["source"], place)
        case "tool_use":
            arguments = json.encode(block.get("input") or {}).decode()
            return ir.ToolCall(text_of(block.get("id")), text_of(block.get("name")), arguments, _mark(block))
        case "tool_result":
            return _result(block, place)
        case "thinking":
            origin, signature = unseal(text_of(block.get("signature")), own=NAME)
            return ir.Thinking(text_of(block.get("thinking")), signature, origin)
        case "redacted_thinking":
            origin, data = unseal(text_of(block.get("data")), own=NAME)
            return ir.Redacted(data, origin)
        case _:
            return ir.Opaque(NAME, block)


def _result(block: Mapping[str, Any], place: str) -> ir.ToolResult:
    content = block.get("content")
    said = () if content is None else _blocks(content, f"{place}.content")
    kept = tuple(each for each in said if isinstance(each, (ir.Text, ir.Image, ir.File)))
    if len(kept) < len(said):
        kinds = [each.raw.get("type") for each in said if isinstance(each, ir.Opaque)]
        raise Unrepresentable(f"{place} holds a block that cannot be sent to this channel: {kinds[:3]}")
    return ir.ToolResult(text_of(block.get("tool_use_id")), kept, block.get("is_error") is True, _mark(block))


def _media(block: Mapping[str, Any], source: Mapping[str, Any], place: str) -> ir.Image | ir.File:
    image, extra = block["type"] == "image", _hints(block, _MEDIA)
    name = text_of(block.get("title"))
    match source.get("type"):
        case "base64":
            media_type, data = text_of(source.get("media_type")), text_of(source.get("data"))
            if image:
                return ir.Image(media_type=media_type, data=data, extra=extra)
            return ir.File(media_type=media_type, data=data, name=name, extra=extra)
        case "url":
            url = text_of(source.get("url"))
            return ir.Image(url=url, extra=extra) if image else ir.File(url=url, name=name, extra=extra)
        case "text":
            data = base64.b64encode(text_of(source.get("data")).encode()).decode()
            return ir.File(media_type="text/plain", data=data, name=name, extra=extra)
        case kind:
            raise Unrepresentable(f"{place}.source of type {kind!r} cannot be sent to this channel")


def _tool(tool: Any, place: str) -> ir.Tool:
    kind = tool.get("type") or "custom" if isinstance(tool, dict) else None
    if kind != "custom":  # what it does, and often what it is asked, only Anthropic knows
        raise Unrepresentable(
            f"{place} of type {kind!r} cannot be used on this channel, only a tool of the client's own"
        )
    if not isinstance(tool.get("name"), str):
        raise Unrepresentable(f"{place}.name is required")
    schema = tool.get("input_schema")
    return ir.Tool(
        tool["name"],
        text_of(tool.get("description")),
        schema if isinstance(schema, dict) else None,
        strict=tool.get("strict") is True,
        extra=_hints(tool, _TOOL),
    )


def _choice(choice: Mapping[str, Any]) -> ir.ToolChoice | None:
    match choice.get("type"):
        case "auto":
            return ir.ToolChoice("auto")
        case "any":
            return ir.ToolChoice("any")
        case "none":
            return ir.ToolChoice("none")
        case "tool":
            return ir.ToolChoice("one", text_of(choice.get("name")))
        case _:
            return None


def _reasoning(document: Mapping[str, Any]) -> ir.Reasoning | None:
    thinking, config = document.get("thinking"), document.get("output_config")
    effort = text_of(config.get("effort")) if isinstance(config, dict) else ""
    if not isinstance(thinking, dict):
        return ir.Reasoning(effort) if effort else None
    budget = thinking.get("budget_tokens")
    return ir.Reasoning(effort, budget if type(budget) is int else 0, thinking)


def _format(config: Any) -> ir.Format | None:
    wanted = config.get("format") if isinstance(config, dict) else None
    schema = wanted.get("schema") if isinstance(wanted, dict) else None
    return ir.Format(schema) if isinstance(schema, dict) else None
