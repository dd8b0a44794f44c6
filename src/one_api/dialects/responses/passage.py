"""Requests between a client and a channel that both speak the Responses API: what is read, what has to change."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from one_api import ir
from one_api.dialects.responses.answer import TOOLS
from one_api.dialects.responses.reasoning import foreign
from one_api.errors import BadRequest
from one_api.lib import json

KEY: Final = b"authorization"
REQUIRED: Final = ()
"""What is in a stored prompt or conversation needs no input: see measure."""
PRICED: Final = frozenset(
    (
        *("model", "stream", "max_output_tokens", "input", "instructions", "tools", "background"),
        *("previous_response_id", "conversation", "prompt"),
    )
)

_LOCAL: Final = frozenset(("function", "custom", "namespace"))  # any other the vendor runs, and reads what it finds
_STORED: Final = ("previous_response_id", "conversation", "prompt")
_MEDIA: Final = ("input_image", "input_file")
_DATA: Final = ("image_url", "file_data", "encrypted_content")


def patch(document: Mapping[str, Any], *, model: str, system_prompt: str) -> dict[str, Any] | None:
    """The document with what the gateway has to change, every other field kept; None when nothing changes.

    A channel's system prompt takes the place of the caller's.
    """
    changes: dict[str, Any] = {} if document.get("model") == model else {"model": model}
    if system_prompt:
        changes["instructions"] = system_prompt
    return {**document, **changes} if changes else None


def own(document: Mapping[str, Any], *, model: str, vendor: bool) -> Mapping[str, Any]:  # noqa: ARG001
    """The request without what another vendor's model thought for an earlier answer: theirs would refuse it."""
    said = document.get("input")
    if not isinstance(said, list):
        return document
    kept = [item for item in said if not (isinstance(item, dict) and foreign(item.get("encrypted_content")))]
    return document if len(kept) == len(said) else {**document, "input": kept}


def written(document: Mapping[str, Any]) -> list[Any]:
    """What of a request is text for the model: all of it but images, files and what is encrypted."""
    return [_without_data(document.get(name)) for name in ("instructions", "input", "tools")]


def _without_data(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_data(each) for each in value]
    if isinstance(value, dict):
        return {name: _without_data(each) for name, each in value.items() if name not in _DATA}
    return value


def measure(document: Mapping[str, Any]) -> ir.Measure:
    """Raises BadRequest."""
    if document.get("background") is True:
        # Whoever does not wait for an answer would not pay for it either.
        raise _refused("background", "background is not supported: answers are given at once")
    stored = next((name for name in _STORED if document.get(name) is not None), "")
    if document.get("input") in (None, "", []) and not stored:
        raise _refused("input", "field input is required")
    limit = document.get("max_output_tokens")
    if limit is not None and (type(limit) is not int or limit < 0):
        raise _refused("max_output_tokens", "max_output_tokens is invalid")
    parts = [each for each in _objects(document.get("input")) if each.get("type") in _MEDIA]
    kinds = _kinds(document.get("tools"))
    kept = stored or ("input" if any(_is_kept(each) for each in _objects(document.get("input"))) else "")
    return ir.Measure(
        limit=limit or None,
        inline=sum(len(each["file_data"]) for each in parts if _is_bare(each.get("file_data"))),
        media=len(parts),
        kept=kept,
        unseen=bool(kept) or any("file_url" in each for each in parts) or not _LOCAL.issuperset(kinds),
        tools=tuple(name for name in TOOLS.values() if any(kind.startswith(name) for kind in kinds)),
    )


def encode_count(tokens: int) -> bytes:
    """https://developers.openai.com/api/reference/resources/responses/subresources/input_tokens."""
    return json.encode({"object": "response.input_tokens", "input_tokens": tokens})


def _refused(field: str, message: str) -> BadRequest:
    error = BadRequest(message)
    error.param = field
    return error


def _is_bare(data: object) -> bool:
    """A data URL is not counted as text anyway."""
    return isinstance(data, str) and not data.startswith("data:")


def _is_kept(value: Mapping[str, Any]) -> bool:
    """Whether this stands for something that the vendor keeps."""
    return value.get("type") == "item_reference" or (value.get("type") in _MEDIA and bool(value.get("file_id")))


def _kinds(tools: Any) -> set[str]:
    return {str(tool.get("type")) for tool in tools if isinstance(tool, dict)} if isinstance(tools, list) else set()


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    pending = [value]
    while pending:
        found = pending.pop()
        if isinstance(found, list):
            pending += found
        elif isinstance(found, dict):
            yield found
            pending += found.values()
