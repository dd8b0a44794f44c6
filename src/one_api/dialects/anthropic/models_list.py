"""The models a key may use, as Anthropic's clients list them: https://platform.claude.com/docs/en/api/models-list."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from one_api.errors import BadRequest
from one_api.lib import json

MOST: Final = 1000
DEFAULT: Final = 20
_UNKNOWN: Final = "1970-01-01T00:00:00Z"  # "an epoch value if the release date is unknown"


def encode_models(names: Sequence[str], query: Mapping[str, str]) -> bytes:
    """One page: `limit` models after `after_id`, or before `before_id`. Raises BadRequest."""
    limit = _limit(query.get("limit"))
    after, before = query.get("after_id", ""), query.get("before_id", "")
    start, end = _place(names, after, "after_id") + 1 if after else 0, len(names)
    if before:
        end = _place(names, before, "before_id")
        start = max(start, end - limit)
        page, more = names[start:end], start > 0
    else:
        page, more = names[start : start + limit], start + limit < end
    value = {
        "data": [_model(name) for name in page],
        "first_id": page[0] if page else None,
        "has_more": more,
        "last_id": page[-1] if page else None,
    }
    return json.encode(value)


def encode_model(name: str) -> bytes:
    return json.encode(_model(name))


def _model(name: str) -> dict[str, Any]:
    unknown = ("capabilities", "deprecated_at", "line", "max_input_tokens", "max_tokens", "retires_at")
    known = {"id": name, "type": "model", "display_name": name, "created_at": _UNKNOWN, "lifecycle": "active"}
    return {**known, **dict.fromkeys(unknown)}


def _limit(value: str | None) -> int:
    if value is None:
        return DEFAULT
    limit = int(value) if value.isascii() and value.isdecimal() and len(value) < 5 else 0
    if not 1 <= limit <= MOST:
        raise BadRequest(f"limit has to be a number from 1 to {MOST}")
    return limit


def _place(names: Sequence[str], name: str, parameter: str) -> int:
    if name not in names:
        raise BadRequest(f"{parameter}: there is no model {name!r}")
    return names.index(name)
