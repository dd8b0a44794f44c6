"""Requests between a client and a channel that both speak the Gemini API: what is read of them, what has to change."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from one_api import ir
from one_api.dialects.gemini import seals
from one_api.dialects.gemini.fields import field, message, number, snake
from one_api.dialects.gemini.models import abilities
from one_api.dialects.gemini.parts import NAME, UNSIGNED
from one_api.errors import BadRequest
from one_api.lib import json

KEY: Final = b"x-goog-api-key"
REQUIRED: Final = ("contents",)
PRICED: Final = frozenset(("contents", "systemInstruction", "tools", "generationConfig"))
_WRITTEN = ("systemInstruction", "contents", "tools")
_WHOLE: Final = "generateContentRequest"  # what tokens may be counted of, instead of contents alone
_MEDIA = frozenset(name for each in ("inlineData", "fileData") for name in (each, snake(each)))
_SEARCHES: Final = ("googleSearch", "googleSearchRetrieval", "enterpriseWebSearch")
_SEARCH: Final = frozenset(name for each in _SEARCHES for name in (each, snake(each)))


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


def own(document: Mapping[str, Any], *, model: str, vendor: bool) -> Mapping[str, Any]:  # noqa: ARG001
    """The request without what another vendor's model thought and signed for an earlier answer.

    A call then has the mark that Google lets stand for a signature: see parts.
    """
    contents = document.get("contents")
    if not isinstance(contents, list):
        return document
    unsigned = UNSIGNED if abilities(model).ids else ""
    kept = [_own_content(each, unsigned) for each in contents]
    if all(after is before for after, before in zip(kept, contents, strict=True)):
        return document
    return {**document, "contents": kept}


def _own_content(content: Any, unsigned: str) -> Any:
    said = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(said, list) or not any(_is_foreign(part) for part in said):
        return content
    return {**content, "parts": [each for part in said if (each := _own_part(part, unsigned)) is not None]}


_SIGNATURES: Final = ("thoughtSignature", snake("thoughtSignature"))


def _is_foreign(part: Any) -> bool:
    found = [part.get(name) for name in _SIGNATURES] if isinstance(part, dict) else []
    return any(isinstance(each, str) and each and seals.unseal(each)[0] != NAME for each in found)


def _own_part(part: Any, unsigned: str) -> Any:
    if not _is_foreign(part):
        return part
    bare = {name: value for name, value in part.items() if name not in _SIGNATURES}
    if "functionCall" in bare or snake("functionCall") in bare:
        return {**bare, **({"thoughtSignature": unsigned} if unsigned else {})}
    return None if bare.get("thought") is True or not bare.get("text", "-") else bare


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
        tools=("web_search",) if _searches(document) else (),
    )


def _searches(document: Mapping[str, Any]) -> bool:
    """Whether the model may search the web: https://ai.google.dev/gemini-api/docs/google-search."""
    tools = document.get("tools")
    found = tools if isinstance(tools, list) else []
    return any(isinstance(tool, dict) and not tool.keys().isdisjoint(_SEARCH) for tool in found)


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
