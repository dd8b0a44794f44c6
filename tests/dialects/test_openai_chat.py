"""What is read from OpenAI's wire while it passes, and the patches a request may get."""

import json
from typing import Any

import msgspec
import pytest

from one_api.dialects import openai_chat
from one_api.dialects.openai_chat import StreamTap, Verdict, patch, read_whole, said
from one_api.lib.json import InvalidJSON


def chunk(delta: dict[str, Any] | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": None}]
    return json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": choices, **more}).encode()


@pytest.mark.parametrize(
    "data, verdict",
    [
        (None, Verdict.FORWARD),
        (b"[DONE]", Verdict.DONE),
        (b"{not json", Verdict.CONTENT),
        (b"[1]", Verdict.CONTENT),
        (chunk({"content": "a"}), Verdict.CONTENT),
        (chunk({"content": "a"}, usage={"total_tokens": 1}), Verdict.CONTENT),
        (chunk(usage={"total_tokens": 1}), Verdict.USAGE_ONLY),
        (chunk(prompt_filter_results=[{}]), Verdict.DROP),
        (chunk(error={"message": "overloaded"}), Verdict.ERROR),
        (b'{"error":"text"}', Verdict.ERROR),
        (b'{"error":null,"choices":[{"delta":{"content":"x"}}]}', Verdict.CONTENT),
    ],
)
def test_each_event_has_a_verdict(data: bytes | None, verdict: Verdict) -> None:
    assert StreamTap().event(data) is verdict


def test_everything_a_model_said_is_collected() -> None:
    tap = StreamTap()
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    for delta in (
        {"role": "assistant", "content": ""},
        {"reasoning_content": "think"},
        {"content": "Hel"},
        {"content": "lo", "refusal": "no"},
        {"tool_calls": [call]},
    ):
        tap.event(chunk(delta))
    assert "".join(tap.pieces) == 'thinkHellonof{"a":1}'
    assert tap.events == 5


def test_content_in_parts_and_unknown_shapes_are_collected_too() -> None:
    tap = StreamTap()
    tap.event(
        chunk(
            {
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "thinking", "thinking": [{"type": "text", "text": "b"}]},
                ]
            }
        )
    )
    assert tap.pieces == ["a", "b"]


def test_completion_chunks_are_read_by_their_text() -> None:
    tap = StreamTap()
    tap.event(b'{"choices":[{"text":"one","index":0,"finish_reason":null}]}')
    tap.event(b'{"choices":[{"text":" two","index":0,"finish_reason":"stop"}]}')
    assert (tap.pieces, tap.finished) == (["one", " two"], True)


def test_the_last_usage_counts() -> None:
    tap = StreamTap()
    for n in (1, 2):
        tap.event(chunk({"content": "x"}, usage={"completion_tokens": n}))
    assert tap.usage == {"completion_tokens": 2}


def test_an_answer_in_one_piece_is_read_without_building_it() -> None:
    body = {
        "choices": [{"message": {"content": "hi", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}}],
        "usage": {"x": 1},
    }
    whole = read_whole(json.dumps(body).encode())
    assert (bytes(whole.usage), whole.error, said(whole.choices)) == (b'{"x": 1}', None, ["hi", "f", "{}"])


def test_a_completion_is_read_by_its_text() -> None:
    assert said(msgspec.Raw(b'[{"text":"a"},{"text":"b"},5]')) == ["a", "b"]
    assert said(msgspec.Raw(b"null")) == []


@pytest.mark.parametrize("body", [b"hello", b"", b"[1]", b'{"a":', b'"x"'])
def test_what_is_no_json_object_is_no_answer(body: bytes) -> None:
    with pytest.raises(InvalidJSON):
        read_whole(body)


def test_a_document_without_changes_is_left_alone() -> None:
    document = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream_options": {"include_usage": True}}
    assert patch(document, model="m", include_usage=True) is None
    assert patch(document) is None


def test_patches_keep_every_other_field_and_the_original() -> None:
    document = {"model": "a", "messages": [{"role": "user", "content": "x"}], "seed": 4, "stream_options": {"k": 1}}
    before = json.dumps(document)
    patched = patch(document, model="b", system_prompt="be brief", include_usage=True)
    assert patched == {
        "model": "b",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "x"}],
        "seed": 4,
        "stream_options": {"k": 1, "include_usage": True},
    }
    assert json.dumps(document) == before


def test_a_system_prompt_replaces_only_the_content_of_a_first_system_message() -> None:
    document = {"messages": [{"role": "system", "content": "old", "name": "n"}, {"role": "user", "content": "x"}]}
    patched = patch(document, system_prompt="new")
    assert patched is not None
    assert patched["messages"][0] == {"role": "system", "content": "new", "name": "n"}
    assert len(patched["messages"]) == 2


def test_developer_messages_are_no_system_messages() -> None:
    patched = patch({"messages": [{"role": "developer", "content": "x"}]}, system_prompt="new")
    assert patched is not None
    assert [message["role"] for message in patched["messages"]] == ["system", "developer"]


def test_asking_for_usage_is_noticed() -> None:
    assert openai_chat.asks_usage({"stream_options": {"include_usage": True}})
    assert not openai_chat.asks_usage({"stream_options": {"include_usage": 1}})
    assert not openai_chat.asks_usage({})


def test_usage_alone_finishes_a_stream_and_running_usage_does_not() -> None:
    tap = StreamTap()
    tap.event(b'{"choices":[{"delta":{"content":"a"}}],"usage":{"total_tokens":1}}')
    assert not tap.finished
    tap.event(b'{"choices":[],"usage":{"total_tokens":1}}')
    assert tap.finished
