"""The models a key may use, as Google's clients list them: https://ai.google.dev/api/models."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from one_api.errors import BadRequest
from one_api.lib import json

MOST: Final = 1000
DEFAULT: Final = 50


def encode_models(names: Sequence[str], query: Mapping[str, str]) -> bytes:
    """One page: `pageSize` models from the one that `pageToken` names. Raises BadRequest."""
    size, token = _size(query.get("pageSize")), query.get("pageToken", "")
    if token and token not in names:
        raise BadRequest("pageToken is invalid")
    start = names.index(token) if token else 0
    page, rest = names[start : start + size], names[start + size :]
    value: dict[str, Any] = {"models": [_model(name) for name in page]}
    return json.encode({**value, "nextPageToken": rest[0]} if rest else value)


def encode_model(name: str) -> bytes:
    return json.encode(_model(name))


def _model(name: str) -> dict[str, Any]:
    """What is not known of a model is left out, but for what can be done with it: nothing is asked of one without."""
    embeds = "embedding" in name
    methods = ["embedContent"] if embeds else ["generateContent", "countTokens"]
    return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": methods}


def _size(value: str | None) -> int:
    """A larger one than theirs gives their largest, as they do; none gives their usual one."""
    if not value:
        return DEFAULT
    size = int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else -1
    if size < 0:
        raise BadRequest("pageSize has to be a number of 0 or more")
    return min(size, MOST) or DEFAULT
