"""Anthropic's clients on OpenAI's wire: what is asked for, what comes back, streams cut anywhere."""

import contextlib
import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from one_api import ir
from one_api.dialects import anthropic, openai_outbound
from one_api.dialects.anthropic import EventEncoder, StreamDecoder
from one_api.dialects.outbound import encode_request
from one_api.lib.json import InvalidJSON

PNG = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
LINK = {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}}
TOOL = {"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {}}}
FUNCTION = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}


def ask(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"messages": list(messages) or [{"role": "user", "content": "hi"}], **fields}


def encode(document: dict[str, Any], model: str = "gpt-4o") -> tuple[dict[str, Any], list[str]]:
    encoded = encode_request("openai", openai_outbound, anthropic.decode_request(document, model=model))
    return json.loads(encoded.body), list(encoded.losses)


def test_a_conversation_with_tools() -> None:
    body, losses = encode(
        ask(
            {"role": "user", "content": [{"type": "text", "text": "Weather?"}, PNG]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "is_error": True,
                        "content": [{"type": "text", "text": "no"}, LINK],
                    },
                    {"type": "text", "text": "So?", "cache_control": {"type": "ephemeral"}},
                ],
            },
            system=[{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}],
            tools=[TOOL],
            tool_choice={"type": "any", "disable_parallel_tool_use": True},
            max_tokens=9,
            stop_sequences=["END"],
            top_k=3,
            stream=True,
            metadata={"user_id": "u"},
            container="c",
        )
    )
    assert body == {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be brief.\n\nBe kind."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Weather?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                ],
            },
            {
                "role": "assistant",
                "content": "I look.",
                "tool_calls": [{"id": "t1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
            },
            {"role": "tool", "tool_call_id": "t1", "content": "Error: no"},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
                    {"type": "text", "text": "So?"},
                ],
            },
        ],
        "max_tokens": 9,
        "stop": ["END"],
        "stream": True,
        "stream_options": {"include_usage": True},
        "user": "u",
        "tools": [{"type": "function", "function": FUNCTION}],
        "tool_choice": "required",
        "parallel_tool_calls": False,
    }
    assert losses == ["container", "top_k", "thinking of an earlier turn", "cache_control"]


CLOSED = {"type": "object", "additionalProperties": False}


@pytest.mark.parametrize(
    "fields, model, sent, losses",
    [
        ({"max_tokens": 9}, "o3", {"max_completion_tokens": 9}, []),
        ({"temperature": 0.5}, "gpt-4o", {"temperature": 0.5}, []),
        ({"temperature": 0.5}, "gpt-5-mini", {}, ["temperature"]),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "o3", {"reasoning_effort": "low"}, []),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}},
            "o3",
            {"reasoning_effort": "high"},
            [],
        ),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "gpt-4o", {}, ["thinking"]),
        ({"thinking": {"type": "disabled"}}, "o3", {}, ["reasoning: it cannot be turned off"]),
        (
            {"thinking": {"type": "disabled"}},
            "gpt-5",
            {"reasoning_effort": "minimal"},
            ["reasoning: it cannot be turned off"],
        ),
        ({"thinking": {"type": "disabled"}}, "gpt-5.1", {"reasoning_effort": "none"}, []),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": CLOSED}}},
            "gpt-4o",
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "schema": CLOSED, "strict": True},
                }
            },
            [],
        ),
        (
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}},
            "gpt-4o",
            {
                "tools": [{"type": "function", "function": FUNCTION}],
                "tool_choice": {"type": "function", "function": {"name": "f"}},
            },
            [],
        ),
    ],
)
def test_wishes(fields: dict[str, Any], model: str, sent: dict[str, Any], losses: list[str]) -> None:
    body, lost = encode(ask(**fields), model)
    assert {key: value for key, value in body.items() if key not in ("model", "messages")} == sent
    assert lost == losses


@pytest.mark.parametrize(
    "document, sentence",
    [
        (ask(tools=[{"type": "web_search_20250305", "name": "web_search"}]), "tools.0 of type 'web_search_20250305'"),
        (ask(tools=[1]), "of the client's own"),
        (ask(tools=[{"input_schema": {}}]), "tools.0.name is required"),
        (
            ask({"role": "user", "content": [{"type": "tool_result", "content": [{"type": "tool_reference"}]}]}),
            "tool_reference",
        ),
        (ask({"role": "robot", "content": "x"}), "user or assistant"),
        (ask({"role": "user", "content": 1}), "a string or an array"),
        (ask({"role": "user", "content": [{"type": "search_result"}]}), "of type 'search_result' cannot be sent"),
        (ask({"role": "assistant", "content": [{"type": "server_tool_use"}]}), "of type 'server_tool_use' cannot"),
        (ask({"role": "assistant", "content": [PNG]}), "of type 'image' cannot be sent"),
        (ask({"role": "user", "content": [{"type": "image", "source": {"type": "file"}}]}), "'file' cannot be sent"),
        (ask(max_tokens="9"), "max_tokens has the wrong type"),
    ],
)
def test_content_without_a_form_is_refused(document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ir.Unrepresentable, match=sentence):
        encode(document)


def test_hints_are_dropped_by_name() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}
    body, losses = encode(
        ask(
            {
                "role": "user",
                "content": [{"type": "document", "source": pdf, "title": "t", "citations": {"enabled": True}}],
            },
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}, **mark}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "x", **mark}]},
            system=[{"type": "text", "text": "Be brief.", **mark}],
            tools=[{**TOOL, "type": "custom", "defer_loading": True, "eager_input_streaming": None, **mark}],
            service_tier="standard_only",
            speed="standard",
            container=None,
        )
    )
    assert body["messages"][1]["content"] == [
        {"type": "file", "file": {"filename": "t", "file_data": "data:application/pdf;base64,AAAA"}}
    ]
    assert body["tools"] == [{"type": "function", "function": FUNCTION}]
    assert losses == ["service_tier", "cache_control", "defer_loading", "citations"]


# --- answers ----------------------------------------------------------------------------------------------------------

USAGE = {"prompt_tokens": 30, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 20}}
CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
    {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}},
]
MESSAGE = {"role": "assistant", "content": "Hello", "reasoning_content": "hm", "tool_calls": CALLS}
BLOCKS: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "hm", "signature": ""},
    {"type": "text", "text": "Hello"},
    {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}},
    {"type": "tool_use", "id": "c2", "name": "g", "input": {}},
]
COUNTED = {"input_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 20, "output_tokens": 7}


def test_a_whole_answer() -> None:
    choice = {"index": 0, "message": MESSAGE, "finish_reason": "tool_calls"}
    answer = openai_outbound.decode_answer(
        json.dumps({"id": "x", "model": "gpt", "choices": [choice], "usage": USAGE}).encode()
    )
    assert isinstance(answer, ir.Answer)
    assert json.loads(anthropic.encode_answer(answer, model="m", created=1, asked={})) == {
        "id": "x",
        "type": "message",
        "role": "assistant",
        "model": "gpt",
        "content": BLOCKS,
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": COUNTED,
    }


PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": "h"}, {"type": "text", "text": "m"}]},
    {"type": "text", "text": "Hel"},
    {"type": "reference", "reference_ids": [1]},
    {"type": "text", "text": "lo"},
]


def test_a_content_that_is_a_list_is_understood() -> None:
    function = {"name": "f", "arguments": {"a": 1}}
    message = {"role": "assistant", "content": PARTS, "tool_calls": [{"id": "c", "function": function}]}
    whole = openai_outbound.decode_answer(json.dumps({"choices": [{"message": message}]}).encode())
    assert isinstance(whole, ir.Answer)
    assert whole.blocks == (ir.Thinking("hm"), ir.Text("Hello"), ir.ToolCall("c", "f", '{"a":1}'))
    events = read(
        chunk({"content": [PARTS[0]]}),
        chunk({"content": PARTS[1:]}),
        chunk({"content": [{"type": "refusal", "refusal": "no"}]}),
        chunk({"tool_calls": [{"index": 0, "id": "c", "function": function}]}),
    )
    assert events[1:] == [
        ir.ThinkingDelta("hm"),
        ir.TextDelta("Hello"),
        ir.TextDelta("no", refused=True),
        ir.CallStarted("c", "f"),
        ir.ArgumentsDelta('{"a":1}'),
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"choices":[]}', b'{"choices":[{}]}', b'{"choices":1}'])
def test_what_is_no_answer_is_told(body: bytes) -> None:
    with pytest.raises(InvalidJSON):
        openai_outbound.decode_answer(body)


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({"id": "x", "model": "gpt", "choices": choices, **more}).encode() + b"\n\n"


STREAM = b"".join(
    (
        chunk({"role": "assistant", "content": ""}),
        b": wait\n\n",
        chunk({"reasoning_content": "h"}),
        chunk({"reasoning_content": "m"}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({"tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": {"name": "f"}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": " 1}"}}]}),
        chunk({"tool_calls": [{"index": 1, "id": "c2", "function": {"name": "g", "arguments": ""}}]}),
        chunk({}, "tool_calls"),
        b"data: " + json.dumps({"id": "x", "choices": [], "usage": USAGE}).encode() + b"\n\n",
        b"data: [DONE]\n\n",
    )
)


def read(*pieces: bytes) -> list[ir.Event]:
    decoder = openai_outbound.decoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


def translate(*pieces: bytes) -> bytes:
    encoder, events = EventEncoder(model="m"), read(*pieces)
    return b"".join(encoder.encode(event) for event in events)


def test_a_stream_cut_at_every_byte_is_the_same() -> None:
    expected = translate(STREAM)
    for at in range(1, len(STREAM)):
        assert translate(STREAM[:at], STREAM[at:]) == expected, at


def test_a_stream_is_one_of_theirs_and_adds_up_to_the_whole_answer() -> None:
    written = translate(STREAM)
    names = [line[7:] for line in written.decode().split("\n") if line.startswith("event: ")]
    assert names[:3] == ["message_start", "ping", "content_block_start"]
    assert names[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    events = [json.loads(line[6:]) for line in written.decode().split("\n") if line.startswith("data: ")]
    assert [each["index"] for each in events if each["type"] == "content_block_stop"] == [0, 1, 2, 3]
    assert [each["content_block"]["type"] for each in events if each["type"] == "content_block_start"] == [
        each["type"] for each in BLOCKS
    ]
    assert events[-2]["delta"]["stop_reason"] == "tool_use"
    assert events[-2]["usage"] == COUNTED
    read = StreamDecoder().feed(written)
    assert [each.text for each in read if isinstance(each, ir.TextDelta)] == ["Hel", "lo"]
    assert "".join(each.text for each in read if isinstance(each, ir.ArgumentsDelta)) == '{"a": 1}{}'
    assert read[-2:] == [ir.Finished("tool_calls"), ir.Ended(ir.Usage(30, 7, cached=20))]


def test_an_error_ends_a_stream() -> None:
    broken = chunk({"content": "a"}) + b'data: {"error":{"message":"no","type":"server_error"}}\n\n' + chunk({})
    assert read(broken)[-1] == ir.Failed("server_error", "no")
    assert translate(broken) == translate(chunk({"content": "a"}))


def test_a_stream_that_says_why_it_stopped_is_complete_and_another_is_not() -> None:
    assert translate(chunk({"content": "a"}, "stop")).endswith(b'data: {"type":"message_stop"}\n\n')
    assert b"message_stop" not in translate(chunk({"content": "a"}))


def test_calls_that_are_mixed_end_the_stream() -> None:
    calls = [chunk({"tool_calls": [{"index": index, "id": "c", "function": {"name": "f"}}]}) for index in (0, 1, 0)]
    assert read(*calls)[-1] == ir.Failed("upstream_error", "the upstream mixes the calls of several tools")


# --- there and back ---------------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
SIGNED = st.from_regex(r"[0-9A-Za-z+/]{1,8}={0,2}", fullmatch=True)
IDS = st.integers(0, 10**6).map(lambda number: f"toolu_{number}")
SAID = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, WORDS),
    st.builds(
        lambda number, name, value: {"type": "tool_use", "id": number, "name": name, "input": value},
        IDS,
        WORDS,
        st.dictionaries(WORDS, st.integers(-5, 5), max_size=2),
    ),
    st.builds(lambda text, sign: {"type": "thinking", "thinking": text, "signature": sign}, WORDS, SIGNED),
    st.builds(lambda data: {"type": "redacted_thinking", "data": data}, SIGNED),
)
ASKED = st.one_of(st.builds(lambda text: {"type": "text", "text": text}, WORDS), st.just(PNG), st.just(LINK))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.lists(ASKED, min_size=1, max_size=3), st.lists(SAID, min_size=1, max_size=4)), min_size=1))
def test_a_request_read_and_written_in_their_dialect_is_itself(turns: list[tuple[list[Any], list[Any]]]) -> None:
    messages = list(
        itertools.chain.from_iterable(
            ({"role": "user", "content": asked}, {"role": "assistant", "content": said}) for asked, said in turns
        )
    )
    document = ask(*messages, max_tokens=9, system="s", stop_sequences=["E"], temperature=0.5)
    encoded = anthropic.encode_request(anthropic.decode_request(document, model="claude-3-haiku"))
    assert json.loads(encoded.body) == {"model": "claude-3-haiku", **document}
    assert encoded.losses == ()


KEYS = st.sampled_from(
    ["role", "content", "type", "text", "source", "data", "name", "id", "input", "index", "thinking", "url", "schema"]
)
VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4)
KINDS = st.sampled_from(["text", "image", "document", "tool_use", "tool_result", "thinking", "base64", "user", "tool"])
JSON = st.recursive(
    VALUES | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=14,
)


@settings(max_examples=300, deadline=None)
@given(JSON, JSON, JSON, JSON)
def test_requests_of_any_shape_are_sent_or_refused(a: Any, b: Any, c: Any, d: Any) -> None:
    message = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": a}, b]}
    document = {"messages": [message, c], "system": d, "tools": b, "tool_choice": a, "output_config": c, "thinking": d}
    for fields in (
        document,
        {**document, "tools": None},
        {"messages": c},
        {"messages": [{"role": "user", **_dict(a)}]},
    ):
        with contextlib.suppress(ir.Unrepresentable):
            encode(fields)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"content": value}


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON, max_size=4))
def test_streams_of_any_shape_come_to_an_end(chunks: list[Any]) -> None:
    raw = b"".join(b"data: " + json.dumps({"choices": [each]}).encode() + b"\n\n" for each in chunks)
    events = read(raw + b"data: [DONE]\n\n")
    assert [each for each in events if isinstance(each, (ir.Ended, ir.Failed))] == events[-1:]
    assert translate(raw + b"data: [DONE]\n\n").count(b"event: message_stop") == isinstance(events[-1], ir.Ended)
