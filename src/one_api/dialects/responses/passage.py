"""Requests between a client and a channel that both speak the Responses API: what is read, what has to change."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from one_api.dialects.responses.reasoning import foreign

_DATA: Final = ("image_url", "file_data", "data")


def patch(document: Mapping[str, Any], *, model: str, system_prompt: str) -> dict[str, Any] | None:
    """The document with what the gateway has to change, every other field kept; None when nothing changes.

    A channel's system prompt takes the place of the caller's. Thinking of another vendor, which an earlier answer may
    have come with, would be refused.
    """
    changes: dict[str, Any] = {} if document.get("model") == model else {"model": model}
    if system_prompt:
        changes["instructions"] = system_prompt
    said = document.get("input")
    if isinstance(said, list):
        kept = [item for item in said if not (isinstance(item, dict) and foreign(item.get("encrypted_content")))]
        if len(kept) < len(said):
            changes["input"] = kept
    return {**document, **changes} if changes else None


def written(document: Mapping[str, Any]) -> list[Any]:
    """What of a request is text for the model: all of it but inline images and files."""
    return [_without_data(document.get(name)) for name in ("instructions", "input", "tools")]


def _without_data(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_data(each) for each in value]
    if isinstance(value, dict):
        return {name: _without_data(each) for name, each in value.items() if name not in _DATA}
    return value


def unseen(document: Mapping[str, Any]) -> bool:
    """Whether the model reads more than the request holds: what was stored, or what tools of theirs find."""
    if any(document.get(name) is not None for name in ("previous_response_id", "conversation", "prompt")):
        return True
    tools = document.get("tools")
    kinds = [tool.get("type") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    if any(kind not in ("function", "custom", "namespace") for kind in kinds):
        return True
    return any(each.keys() & {"file_id", "file_url"} for each in _objects(document.get("input")))


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    pending = [value]
    while pending:
        found = pending.pop()
        if isinstance(found, list):
            pending += found
        elif isinstance(found, dict):
            yield found
            pending += found.values()
