"""Chat completions on the wire of the Responses API: cases as bytes in and bytes out, streams cut anywhere."""

import contextlib
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from one_api import ir
from one_api.dialects import responses
from one_api.dialects.openai_answer import ChunkEncoder, encode_answer
from one_api.dialects.openai_request import decode_request
from one_api.lib.json import InvalidJSON

HERE = Path(__file__).parent
REQUESTS = sorted(each.name for each in (HERE / "openai_to_responses").iterdir())
ANSWERS = sorted(each.name for each in (HERE / "responses_to_openai").iterdir())
MODEL = "gpt-5"
EVENT: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)


def translate(*pieces: bytes) -> bytes:
    decoder, encoder = responses.decoder(), ChunkEncoder(model=MODEL, created=1, usage=True)
    events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()
    return b"".join(encoder.encode(event) for event in events)


def encode(document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    encoded = responses.encode_request(decode_request(document, model=document.get("model", MODEL)))
    return json.loads(encoded.body), list(encoded.losses)


@pytest.mark.parametrize("case", REQUESTS)
def test_requests(case: str) -> None:
    folder = HERE / "openai_to_responses" / case
    body, losses = encode(json.loads((folder / "request.in.json").read_text("utf-8")))
    assert {"losses": losses, "body": body} == json.loads((folder / "request.out.json").read_text("utf-8"))


@pytest.mark.parametrize("case", ANSWERS)
def test_answers(case: str) -> None:
    folder = HERE / "responses_to_openai" / case
    body = (folder / "answer.in.json").read_bytes()
    Response.model_validate(json.loads(body))
    answer = responses.decode_answer(body)
    expected = json.loads((folder / "answer.out.json").read_text("utf-8"))
    if isinstance(answer, ir.Failed):
        assert expected == {"failed": [answer.type, answer.message]}
    else:
        assert json.loads(encode_answer(answer, model=MODEL, created=1)) == expected


@pytest.mark.parametrize("case", ANSWERS)
def test_streams_cut_at_every_byte(case: str) -> None:
    folder = HERE / "responses_to_openai" / case
    raw, expected = (folder / "stream.in.sse").read_bytes(), (folder / "stream.out.sse").read_bytes()
    for line in raw.decode().split("\n"):
        if line.startswith("data: "):
            EVENT.validate_python(json.loads(line[6:]))
    assert translate(raw) == expected
    assert translate(*(raw[at : at + 1] for at in range(len(raw)))) == expected
    for at in range(1, len(raw), 5):
        assert translate(raw[:at], raw[at:]) == expected, at


@pytest.mark.parametrize("case", [each for each in ANSWERS if each != "error"])
def test_a_stream_adds_up_to_the_whole_answer(case: str) -> None:
    folder = HERE / "responses_to_openai" / case
    expected = json.loads((folder / "answer.out.json").read_text("utf-8"))
    message: dict[str, Any] = {}
    usage, reason = None, None
    for line in (folder / "stream.out.sse").read_text("utf-8").split("\n"):
        value = json.loads(line[6:]) if line.startswith("data: {") else {"choices": []}
        usage = value.get("usage", usage)
        for choice in value["choices"]:
            reason = choice["finish_reason"] or reason
            for name, piece in choice["delta"].items():
                if name == "tool_calls":
                    put(message.setdefault(name, []), piece[0])
                else:
                    message[name] = message[name] + piece if name in message else piece
    whole = expected["choices"][0]
    assert message | {"content": message["content"] or None} == whole["message"]
    assert (reason, usage) == (whole["finish_reason"], expected["usage"])


def put(calls: list[dict[str, Any]], piece: dict[str, Any]) -> None:
    if piece["index"] == len(calls):
        calls.append({name: value for name, value in piece.items() if name != "index"})
    else:
        calls[piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]


@pytest.mark.parametrize(
    "block, sentence",
    [
        (ir.Opaque("anthropic", {"type": "search_result"}), "cannot be sent"),
        (ir.Image(url="https://x.example/a.png"), "'assistant' can only hold text"),
    ],
)
def test_content_without_a_form_is_refused(block: ir.Said, sentence: str) -> None:
    with pytest.raises(ir.Unrepresentable, match=sentence):
        responses.encode_request(ir.Request(model=MODEL, turns=(ir.Turn("assistant", (block,)),)))


@pytest.mark.parametrize(
    "result, output",
    [
        (ir.ToolResult("c", (ir.Text("a"), ir.Text("b"))), "a\nb"),
        (ir.ToolResult("c", (ir.Text("no"),), failed=True), "Error: no"),
        (ir.ToolResult("c", ()), ""),
        (
            ir.ToolResult("c", (ir.Image(url="u"),), failed=True),
            [{"type": "input_text", "text": "Error:"}, {"type": "input_image", "detail": "auto", "image_url": "u"}],
        ),
    ],
)
def test_results_of_tools(result: ir.ToolResult, output: object) -> None:
    encoded = responses.encode_request(ir.Request(model=MODEL, turns=(ir.Turn("user", (result,)),)))
    assert json.loads(encoded.body)["input"] == [{"type": "function_call_output", "call_id": "c", "output": output}]


# --- streams that are not as they should be ---------------------------------------------------------------------------


def event(kind: str, /, **fields: Any) -> bytes:
    return b"data: " + json.dumps({**fields, "type": kind}).encode() + b"\n\n"


def events(*pieces: bytes) -> list[ir.Event]:
    decoder = responses.decoder()
    return [each for piece in pieces for each in decoder.feed(piece)] + decoder.close()


START = event("response.created", response={"id": "r", "model": "m", "status": "in_progress", "output": []})
TEXT = event("response.output_text.delta", output_index=0, delta="a")


def added(index: int) -> bytes:
    item = {"type": "function_call", "call_id": f"c{index}", "name": "f", "arguments": ""}
    return event("response.output_item.added", output_index=index, item=item)


def argument(index: int, text: str) -> bytes:
    return event("response.function_call_arguments.delta", output_index=index, delta=text)


def test_a_cut_stream_has_no_end() -> None:
    assert events(START, TEXT, event("response.completed", response={})[:-9]) == [
        ir.Started("r", "m"),
        ir.TextDelta("a"),
    ]


def test_what_follows_the_end_was_never_said() -> None:
    end = event("response.completed", response={"status": "completed"})
    assert events(START, end + TEXT, TEXT) == [ir.Started("r", "m"), ir.Finished("stop"), ir.Ended(None)]


def test_an_unreadable_event_ends_the_stream() -> None:
    assert events(START, b"data: {\n\n", TEXT)[1:] == [
        ir.Failed("upstream_error", "the upstream sent an event that cannot be read")
    ]


@pytest.mark.parametrize(
    "fields, failed",
    [
        ({"code": "server_error", "message": "no", "param": None}, ir.Failed("server_error", "no")),
        ({"error": {"type": "overloaded", "message": "busy"}}, ir.Failed("overloaded", "busy")),
        ({"error": "words"}, ir.Failed("", "words")),
        ({}, ir.Failed("", "the upstream reported an error")),
    ],
)
def test_an_error_ends_the_stream(fields: dict[str, Any], failed: ir.Failed) -> None:
    assert events(START, event("error", **fields), TEXT)[1:] == [failed]


def test_a_call_may_come_without_pieces() -> None:
    item = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}
    done = event("response.output_item.done", output_index=1, item=item)
    expected: list[ir.Event] = [ir.CallStarted("c1", "f"), ir.ArgumentsDelta('{"a":1}')]
    assert events(added(1), done) == expected
    assert events(done) == expected
    assert events(added(1), argument(1, '{"a":1}'), done) == expected


def test_calls_that_are_mixed_end_a_stream_that_is_translated_and_no_other() -> None:
    mixed = (added(0), added(1), argument(0, "{"), argument(1, "}"))
    assert events(*mixed)[2:] == [ir.Failed("upstream_error", "the upstream mixes the calls of several tools")]
    reader = responses.decoder()
    read = [each for piece in mixed for each in reader.read(piece[len(b"data: ") :])]
    assert read[2:] == [ir.ArgumentsDelta("{"), ir.ArgumentsDelta("}")]


def test_tools_of_the_vendors_own_are_passed_over_in_any_form() -> None:
    """What only passes by is none of our business."""
    search = {"type": "tool_search_call", "id": "ts_1", "arguments": {"query": "x"}, "content": 1}
    read = responses.decode_answer(json.dumps({"id": "r", "output": [search], "usage": None}).encode())
    assert isinstance(read, ir.Answer)
    assert read.blocks == (ir.Opaque("openai", search),)
    passing = (
        event("response.output_item.added", output_index=0, item=search),
        event("response.code_interpreter_call_code.done", output_index=None, code={}, message=[]),
        event("response.output_item.done", output_index=0, item=search),
    )
    assert events(START, *passing, TEXT)[1:] == [ir.TextDelta("a")]


@pytest.mark.parametrize("count", ["-1", '"5"', "1e400", "{}", "true", "1.5", "null"])
def test_usage_that_no_meter_shows_is_none(count: str) -> None:
    end = event(
        "response.completed", response={"status": "completed", "usage": {"input_tokens": 1, "output_tokens": 0}}
    )
    assert events(end.replace(b'"output_tokens": 0', b'"output_tokens": ' + count.encode()))[-1] == ir.Ended(None)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b'{"output":1}', b'{"output":[1]}', b"\xff"])
def test_what_is_no_answer_is_told(body: bytes) -> None:
    with pytest.raises(InvalidJSON):
        responses.decode_answer(body)


# --- nothing is lost on the way there and back ------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
SAID = st.one_of(
    st.builds(
        lambda text: {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}, WORDS
    ),
    st.builds(
        lambda number, name, value: {
            "type": "function_call",
            "call_id": f"call_{number}",
            "name": name,
            "arguments": json.dumps(value),
        },
        st.integers(0, 10**6),
        WORDS,
        st.dictionaries(WORDS, st.integers(-5, 5), max_size=2),
    ),
    st.builds(
        lambda text, data: {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": text}] if text else [],
            "encrypted_content": data,
        },
        WORDS | st.just(""),
        WORDS.filter(lambda text: not text.startswith("one-api:")),
    ),
)
ASKED = st.builds(
    lambda text: {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}, WORDS
)


@settings(max_examples=200, deadline=None)
@given(st.lists(SAID | ASKED, min_size=1, max_size=6))
def test_a_request_read_and_written_in_their_dialect_is_itself(items: list[Any]) -> None:
    tool = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}
    form = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": False}
    document: dict[str, Any] = {
        "model": "gpt-4.1",
        "instructions": "Be brief.",
        "input": items,
        "tools": [tool],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "max_output_tokens": 9,
        "temperature": 0.5,
        "text": {"format": form},
        "store": False,
        "stream": True,
        "user": "u",
    }
    encoded = responses.encode_request(responses.decode_request(document, model="gpt-4.1"))
    sent = json.loads(encoded.body)
    assert joined(sent.pop("input")) == joined(document.pop("input"))
    assert sent == document
    assert encoded.losses == ()


def joined(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages of one side that follow each other may have become one."""
    found: list[dict[str, Any]] = []
    for item in items:
        before = found[-1] if found else {}
        if item["type"] == "message" == before.get("type") and item["role"] == before["role"]:
            found[-1] = {**before, "content": [*before["content"], *item["content"]]}
        else:
            found.append(item)
    return found


@settings(max_examples=200, deadline=None)
@given(st.lists(SAID, min_size=1, max_size=5), st.lists(st.integers(0, 3000), max_size=6))
def test_what_was_thought_comes_back_in_a_chat_completion(items: list[dict[str, Any]], cuts: list[int]) -> None:
    """The encrypted reasoning of an answer, whole or streamed, is what the next request holds."""
    body = {"id": "r", "model": "m", "status": "completed", "output": items}
    answer = responses.decode_answer(json.dumps(body).encode())
    assert isinstance(answer, ir.Answer)
    message = json.loads(encode_answer(answer, model=MODEL, created=1))["choices"][0]["message"]
    sent, losses = encode({"messages": [{"role": "user", "content": "q"}, message]})
    assert losses == []
    kept = [item for item in sent["input"] if item["type"] == "reasoning"]
    assert kept == [item for item in items if item["type"] == "reasoning"]

    raw = START + b"".join(streamed(items)) + event("response.completed", response=body)
    edges = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    told = events(*(raw[start:end] for start, end in itertools.pairwise(edges)))
    assert [each.block for each in told if isinstance(each, ir.ThinkingEnded)] == [
        block for block in answer.blocks if isinstance(block, (ir.Thinking, ir.Redacted))
    ]


def streamed(items: list[dict[str, Any]]) -> list[bytes]:
    found = []
    for index, item in enumerate(items):
        found.append(event("response.output_item.added", output_index=index, item={**item, "summary": []}))
        found.append(event("response.output_item.done", output_index=index, item=item))
    return found


KEYS = st.sampled_from(
    [
        *("response", "item", "delta", "output_index", "error", "code", "message", "usage", "output", "id"),
        *("summary", "content", "text", "arguments", "call_id", "name", "status", "incomplete_details", "type"),
    ]
)
KINDS = st.sampled_from(
    [
        *("response.created", "response.output_text.delta", "response.output_item.added", "response.output_item.done"),
        *("response.completed", "response.incomplete", "response.failed", "error", "function_call", "reasoning"),
        "response.function_call_arguments.delta",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4) | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=14,
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(KINDS, st.dictionaries(KEYS, JSON, max_size=5)), max_size=5), JSON)
def test_answers_of_any_shape_are_read_or_refused(pieces: list[tuple[str, dict[str, Any]]], body: Any) -> None:
    found = events(*(event(kind, **fields) for kind, fields in pieces))
    assert sum(isinstance(each, (ir.Ended, ir.Failed)) for each in found) <= 1
    for value in (body, {"output": [body]}, {"output": [{"type": "reasoning", "summary": body}], "usage": body}):
        with contextlib.suppress(InvalidJSON):
            responses.decode_answer(json.dumps(value).encode())
