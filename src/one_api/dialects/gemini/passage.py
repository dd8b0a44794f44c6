"""Requests between a client and a channel that both speak the Gemini API: what is read of them, what has to change."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from one_api import ir
from one_api.dialects.gemini.fields import field, message, number, snake
from one_api.errors import BadRequest
from one_api.lib import json

KEY: Final = b"x-goog-api-key"
REQUIRED: Final = ("contents",)
PRICED: Final = frozenset(("contents", "systemInstruction", "tools", "generationConfig"))
_WRITTEN = ("systemInstruction", "contents", "tools")
_WHOLE: Final = "generateContentRequest"  # what tokens may be counted of, instead of contents alone
_MEDIA = frozenset(name for each in ("inlineData", "fileData") for name in (each, snake(each)))


def patch(document: Mapping[str, Any], *, model: str, system_prompt: str) -> dict[str, Any] | None:
    """The document with what the gateway has to change, every other field kept; None when nothing changes.

    A channel's system prompt takes the place of the caller's. The model stands in the path, and here only if it did.
    """
    name = f"models/{model}"
    changes: dict[str, Any] = {"model": name} if document.get("model", name) != name else {}
    whole = document.get(_WHOLE)
    if isinstance(whole, dict) and whole.get("model", name) != name:
        changes[_WHOLE] = {**whole, "model": name}
    dropped = ""
    if system_prompt:
        changes["systemInstruction"] = {"parts": [{"text": system_prompt}]}
        dropped = snake("systemInstruction")
    if not changes:
        return None
    return {**{name: value for name, value in document.items() if name != dropped}, **changes}


def encode_count(tokens: int) -> bytes:
    """https://ai.google.dev/api/tokens."""
    return json.encode({"totalTokens": tokens})


def written(document: Mapping[str, Any]) -> list[Any]:
    """What of a request is text for the model: all of it but inline images and files."""
    return [_without_media(field(each, name)) for each in _documents(document) for name in _WRITTEN]


def _documents(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    whole = document.get(_WHOLE)
    return [document, whole] if isinstance(whole, dict) else [document]


def measure(document: Mapping[str, Any]) -> ir.Measure:
    """Raises BadRequest, also for a field that is given by both of its names."""
    try:
        config = message(document, "generationConfig")
        limit, n = number(config, "maxOutputTokens", int), number(config, "candidateCount", int)
        media = [each for one in _documents(document) for name in _WRITTEN for each in _media(field(one, name))]
    except ir.Unrepresentable as error:
        raise BadRequest(error.message) from None
    for name, count in (("maxOutputTokens", limit), ("candidateCount", n)):
        if count is not None and count < 0:
            raise BadRequest(f"{name} is invalid")
    return ir.Measure(
        limit=limit or None,
        n=n or 1,
        inline=sum(len(each["data"]) for each in media if isinstance(each.get("data"), str)),
        media=len(media),
    )


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
