"""What is read of a request that goes from Anthropic's clients to Anthropic's channels, and how errors go back."""

import json
from typing import Any

import pytest

from one_api import ir
from one_api.dialects import anthropic
from one_api.errors import OneAPIError, UpstreamError

PNG = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
LINK = {"type": "url", "url": "https://x.example/a.png"}
NOTE = {"type": "text", "media_type": "text/plain", "data": "a note"}


def request(*blocks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": "c", "messages": [{"role": "user", "content": list(blocks)}], **fields}


def test_inline_data_is_no_text() -> None:
    seen = request(
        {"type": "image", "source": PNG},
        {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "image", "source": PNG}]},
        {"type": "document", "source": LINK},
        {"type": "document", "source": NOTE},
        system="Look.",
    )
    assert anthropic.measure(seen) == ir.Measure(inline=8, media=3)
    text = json.dumps(anthropic.written(seen))
    assert "AAAA" not in text
    assert "a note" in text
    assert "Look." in text


@pytest.mark.parametrize(
    "tools, run",
    [
        (None, ()),
        ([1, {"type": 1}, {"type": "custom", "name": "web_search"}, {"name": "web_fetch"}], ()),
        ([{"type": "web_search_20250305"}, {"type": "web_search_20250305"}], ("web_search",)),
        ([{"type": "web_fetch_20250910"}, {"type": "web_search_20260209"}], ("web_search", "web_fetch")),
    ],
)
def test_tools_that_the_vendor_runs_are_named(tools: Any, run: tuple[str, ...]) -> None:
    assert anthropic.measure({"messages": [], "tools": tools}).tools == run


@pytest.mark.parametrize("messages", [None, 1, "x", [1], [{"content": {"type": "base64"}}], [{"source": {"type": []}}]])
def test_a_request_of_any_shape_can_be_read(messages: Any) -> None:
    assert anthropic.measure({"messages": messages}) == ir.Measure()
    assert anthropic.written({"messages": messages})[1] == messages


def test_a_request_changes_where_it_has_to_and_nowhere_else() -> None:
    seen = request({"type": "text", "text": "x"}, unknown=[1], system="mine")
    assert anthropic.patch(seen, model="c", system_prompt="") is None
    assert anthropic.patch(seen, model="d", system_prompt="ours") == {**seen, "model": "d", "system": "ours"}


@pytest.mark.parametrize(
    "error, kind",
    [
        (OneAPIError("m", status=400), "invalid_request_error"),
        (OneAPIError("m", status=401), "authentication_error"),
        (OneAPIError("m", status=403), "permission_error"),
        (OneAPIError("m", status=413), "request_too_large"),
        (OneAPIError("m", status=422), "invalid_request_error"),
        (OneAPIError("m", status=429), "rate_limit_error"),
        (OneAPIError("m", status=503), "api_error"),
        (UpstreamError("m", status=502, kind="overloaded_error"), "overloaded_error"),
        (UpstreamError("m", status=504, kind="a_type_of_openais"), "timeout_error"),
    ],
)
def test_every_error_has_one_of_their_types(error: OneAPIError, kind: str) -> None:
    expected = {"type": "error", "error": {"type": kind, "message": "m (request id: r)"}, "request_id": "r"}
    assert json.loads(anthropic.encode_error(error, "r")) == expected
    event = anthropic.encode_error_event(error, "r")
    assert event.startswith(b"event: error\ndata: {")
    assert json.loads(event.partition(b"data: ")[2]) == expected
