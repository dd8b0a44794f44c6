"""Requests between a client and a channel that both speak the Gemini API: what is read of them, what has to change."""

from collections.abc import Iterator, Mapping
from typing import Any

from one_api.dialects.gemini.fields import field, message, number, snake

_WRITTEN = ("systemInstruction", "contents", "tools")
_MEDIA = frozenset(name for each in ("inlineData", "fileData") for name in (each, snake(each)))


def patch(document: Mapping[str, Any], *, system_prompt: str) -> dict[str, Any] | None:
    """The document with what the gateway has to change, every other field kept; None when nothing changes.

    A channel's system prompt takes the place of the caller's. The model stands in the path.
    """
    if not system_prompt:
        return None
    name = "systemInstruction"
    kept = {key: value for key, value in document.items() if key != snake(name)}
    return {**kept, name: {"parts": [{"text": system_prompt}]}}


def limits(document: Mapping[str, Any]) -> tuple[int | None, int]:
    """The most tokens an answer may have, and how many answers are asked for. Raises Unrepresentable."""
    config = message(document, "generationConfig")
    return number(config, "maxOutputTokens", int), number(config, "candidateCount", int) or 1


def written(document: Mapping[str, Any]) -> list[Any]:
    """What of a request is text for the model: all of it but inline images and files."""
    return [_without_media(field(document, name)) for name in _WRITTEN]


def inline(document: Mapping[str, Any]) -> tuple[int, int]:
    """Bytes of inline images and files, and how many of them and of those by address there are."""
    found = list(_media(field(document, "contents")))
    return sum(len(each["data"]) for each in found if isinstance(each.get("data"), str)), len(found)


def _media(value: Any) -> Iterator[Mapping[str, Any]]:
    pending = [value]
    while pending:
        found = pending.pop()
        if isinstance(found, list):
            pending += found
        elif isinstance(found, dict):
            for name, each in found.items():
                if name in _MEDIA and isinstance(each, dict):
                    yield each
                else:
                    pending.append(each)


def _without_media(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_media(each) for each in value]
    if isinstance(value, dict):
        return {name: _without_media(each) for name, each in value.items() if name not in _MEDIA}
    return value
