"""Requests between a client and a channel that both speak Anthropic's API: what is read of them, what has to change."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from one_api import ir
from one_api.dialects.anthropic.blocks import NAME
from one_api.dialects.anthropic.models import abilities
from one_api.dialects.seals import unseal
from one_api.errors import BadRequest
from one_api.lib import json

KEY: Final = b"x-api-key"
REQUIRED: Final = ("messages",)
PRICED: Final = frozenset(("model", "stream", "max_tokens", "messages", "system", "tools"))

_RUN: Final = ("web_search", "web_fetch")
"""Tools that Anthropic runs and counts; their types end in the date of a version.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
"""


def patch(document: Mapping[str, Any], *, model: str, system_prompt: str) -> dict[str, Any] | None:
    """The document with what the gateway has to change, every other field kept; None when nothing changes.

    A channel's system prompt takes the place of the caller's.
    """
    changes: dict[str, Any] = {} if document.get("model") == model else {"model": model}
    if system_prompt:
        changes["system"] = system_prompt
    return {**document, **changes} if changes else None


def own(document: Mapping[str, Any], *, model: str, vendor: bool) -> Mapping[str, Any]:
    """The request without what another vendor's model thought for an earlier answer: theirs would refuse it.

    vendor: whether Anthropic itself is asked, who takes nothing unsigned. Where calls are then left without the thought
    that led to them there can be no more thinking by a budget:
    https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks.
    """
    messages = document.get("messages")
    if not isinstance(messages, list):
        return document
    kept = [_own_message(each, vendor=vendor) for each in messages]
    if all(after is before for after, before in zip(kept, messages, strict=True)):
        return document
    changed = {**document, "messages": kept}
    if abilities(model).thinking == "budget" and _calls_without_thought(kept):
        changed.pop("thinking", None)
    return changed


def _own_message(message: Any, *, vendor: bool) -> Any:
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list):
        return message
    kept = [block for block in content if not _is_foreign(block, vendor=vendor)]
    return message if len(kept) == len(content) else {**message, "content": kept or [_NOTHING_SAID]}


_NOTHING_SAID: Final = {"type": "text", "text": "."}
"""A message has to hold something, and a text more than blanks."""


def _is_foreign(block: Any, *, vendor: bool) -> bool:
    match block.get("type") if isinstance(block, dict) else None:
        case "thinking":
            signature = block.get("signature")
        case "redacted_thinking":
            signature = block.get("data")
        case _:
            return False
    if not isinstance(signature, str) or not signature:
        return vendor
    return unseal(signature, own=NAME)[0] != NAME


def _calls_without_thought(messages: list[Any]) -> bool:
    """Whether the last turn of the assistant calls tools and does not begin with a thought."""
    said = [each.get("content") for each in messages if isinstance(each, dict) and each.get("role") == "assistant"]
    last = said[-1] if said and isinstance(said[-1], list) else []
    kinds = [str(block.get("type")) for block in last if isinstance(block, dict)]
    return "tool_use" in kinds and not kinds[0].endswith("thinking")


def encode_count(tokens: int) -> bytes:
    """https://platform.claude.com/docs/en/api/messages/count_tokens."""
    return json.encode({"input_tokens": tokens})


def written(document: Mapping[str, Any]) -> list[Any]:
    """What of a request is text for the model: all of it but inline images and files."""
    return [_without_data(document.get(name)) for name in ("system", "messages", "tools")]


def measure(document: Mapping[str, Any]) -> ir.Measure:
    """Raises BadRequest."""
    sources = list(_sources(document.get("messages")))
    limit = document.get("max_tokens")
    if limit is not None and (type(limit) is not int or limit < 0):
        raise BadRequest("max_tokens is invalid")
    return ir.Measure(
        limit=limit or None,
        inline=sum(len(each["data"]) for each in sources if isinstance(each.get("data"), str)),
        media=len(sources),
        tools=tuple(name for name in _RUN if any(each.startswith(name) for each in _kinds(document.get("tools")))),
    )


def _kinds(tools: Any) -> list[str]:
    kinds = [tool.get("type") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    return [kind for kind in kinds if isinstance(kind, str)]


def _sources(value: Any) -> Iterator[Mapping[str, Any]]:
    pending = [value]
    while pending:
        found = pending.pop()
        if isinstance(found, list):
            pending += found
        elif isinstance(found, dict):
            if _is_source(found):
                yield found
            else:
                pending += found.values()


def _is_source(value: Mapping[str, Any]) -> bool:
    """The source of an image or a document, as https://platform.claude.com/docs/en/build-with-claude/vision has it."""
    return value.get("type") in ("base64", "url", "file") and bool(value.keys() & {"data", "url", "file_id"})


def _without_data(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_data(each) for each in value]
    if isinstance(value, dict):
        return None if _is_source(value) else {name: _without_data(each) for name, each in value.items()}
    return value
