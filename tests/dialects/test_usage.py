"""What each dialect's counts include, as docs/usage.md says it: reports as vendors write them, and what is priced."""

import json
from typing import Any

import pytest

from one_api import ir
from one_api.dialects.outbound import OUTBOUND
from tests.harness import frames


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (str(each["type"]).encode(), json.dumps(each).encode()) for each in events
    )


def whole(wire: str, usage: dict[str, Any], *, more: dict[str, Any] | None = None) -> bytes:
    """The smallest answer with this report. more: items, or fields of the candidate."""
    value: dict[str, Any]
    match wire:
        case "openai":
            value = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "usage": usage}
        case "responses":
            value = {"id": "r", "status": "completed", "output": (more or {}).get("items", []), "usage": usage}
        case "gemini":
            candidate = {"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP", **(more or {})}
            value = {"candidates": [candidate], "usageMetadata": usage, "modelVersion": (more or {}).get("model", "m")}
        case "converse":
            value = {"output": {"message": {"content": [{"text": "hi"}]}}, "stopReason": "end_turn", "usage": usage}
        case _:
            value = {"type": "message", "content": [], "stop_reason": "end_turn", "usage": usage}
    return json.dumps(value).encode()


SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
GROUNDED = {"groundingMetadata": {"webSearchQueries": ["a", "b", "c"]}}


@pytest.mark.parametrize(
    "wire, usage, more, expected",
    [
        (
            "openai",
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 10},
                "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 5},
            },
            None,
            ir.Usage(100, 50, cached=60, reasoning=20, audio_in=10, audio_out=5),
        ),
        (
            "responses",
            {"input_tokens": 100, "output_tokens": 50, "input_tokens_details": {"cached_tokens": 60}},
            {"items": [SEARCH, SEARCH, {"type": "message", "content": []}]},
            ir.Usage(100, 50, cached=60, tools=(("web_search", 2),)),
        ),
        (
            "anthropic",
            {
                "input_tokens": 10,
                "output_tokens": 50,
                "cache_read_input_tokens": 60,
                "cache_creation_input_tokens": 30,
                "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
                "output_tokens_details": {"thinking_tokens": 20},
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
            },
            None,
            ir.Usage(100, 50, 60, 30, 20, cache_write_1h=20, tools=(("web_search", 2),)),
        ),
        (
            "converse",
            {
                "inputTokens": 10,
                "outputTokens": 50,
                "cacheReadInputTokens": 60,
                "cacheWriteInputTokens": 30,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 20}, {"ttl": "5m", "inputTokens": 10}],
            },
            None,
            ir.Usage(100, 50, 60, 30, cache_write_1h=20),
        ),
        (
            "gemini",
            {
                "promptTokenCount": 90,
                "toolUsePromptTokenCount": 10,
                "candidatesTokenCount": 30,
                "thoughtsTokenCount": 20,
                "cachedContentTokenCount": 60,
            },
            {**GROUNDED, "model": "gemini-3-flash"},
            ir.Usage(100, 50, cached=60, reasoning=20, tools=(("web_search", 3),)),
        ),
        (
            "gemini",
            {"promptTokenCount": 100, "candidatesTokenCount": 50},
            {**GROUNDED, "model": "gemini-2.5-flash"},
            ir.Usage(100, 50, tools=(("web_search", 1),)),
        ),
    ],
)
def test_a_report_in_our_words(wire: str, usage: dict[str, Any], more: Any, expected: ir.Usage) -> None:
    answer = OUTBOUND[wire].decode_answer(whole(wire, usage, more=more))
    assert isinstance(answer, ir.Answer)
    assert answer.usage == expected


@pytest.mark.parametrize("wire", ["openai", "responses", "anthropic", "converse", "gemini"])
@pytest.mark.parametrize("count", [-1, 1.5, "many", None])
def test_a_report_that_no_meter_shows_is_none(wire: str, count: Any) -> None:
    names = {
        "openai": ("prompt_tokens", "completion_tokens"),
        "responses": ("input_tokens", "output_tokens"),
        "anthropic": ("input_tokens", "output_tokens"),
        "converse": ("inputTokens", "outputTokens"),
        "gemini": ("promptTokenCount", "candidatesTokenCount"),
    }[wire]
    answer = OUTBOUND[wire].decode_answer(whole(wire, {names[0]: count, names[1]: 5}))
    assert isinstance(answer, ir.Answer)
    assert answer.usage is None or answer.usage.input == 0


def test_a_stream_of_anthropics_tells_what_was_kept_and_searched_in_its_last_report() -> None:
    begun = {"input_tokens": 10, "cache_creation_input_tokens": 30, "output_tokens": 1}
    kept = {"cache_creation": {"ephemeral_1h_input_tokens": 30, "ephemeral_5m_input_tokens": 0}}
    stream = sse(
        {"type": "message_start", "message": {"id": "m", "model": "c", "usage": {**begun, **kept}}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 5, "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0}},
        },
        {"type": "message_stop"},
    )
    decoder = OUTBOUND["anthropic"].decoder()
    decoder.feed(stream)
    assert decoder.usage == ir.Usage(40, 5, cache_write=30, cache_write_1h=30, tools=(("web_search", 1),))


def test_a_stream_of_googles_counts_its_searches() -> None:
    head = {"modelVersion": "gemini-3-flash", "responseId": "r"}
    said = {"content": {"parts": [{"text": "hi"}]}, **GROUNDED}
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 2}
    pieces = (
        {**head, "candidates": [said]},
        {**head, "candidates": [{"content": {"parts": []}, "finishReason": "STOP"}], "usageMetadata": usage},
    )
    decoder = OUTBOUND["gemini"].decoder()
    decoder.feed(b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in pieces))
    assert decoder.usage == ir.Usage(1, 2, tools=(("web_search", 3),))


def test_converse_tells_the_same_in_a_stream() -> None:
    usage = {
        "inputTokens": 1,
        "outputTokens": 2,
        "cacheWriteInputTokens": 4,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 4}],
    }
    decoder = OUTBOUND["converse"].decoder()
    decoder.feed(frames.event("messageStop", {"stopReason": "end_turn"}) + frames.event("metadata", {"usage": usage}))
    assert decoder.usage == ir.Usage(5, 2, cache_write=4, cache_write_1h=4)
