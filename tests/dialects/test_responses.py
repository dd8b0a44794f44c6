"""Clients of the Responses API on other wires: what is asked for, what comes back, streams cut anywhere.

A case of `responses_requests` is a request, and what each dialect makes of it; the answers are those of Anthropic's and
of chat completions.
"""

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
from one_api.dialects import anthropic, openai_outbound, responses
from one_api.dialects.outbound import Outbound
from one_api.errors import BadRequest

HERE = Path(__file__).parent
REQUESTS = sorted(each.name for each in (HERE / "responses_requests").iterdir())
DIALECTS: list[tuple[str, Outbound, str]] = [
    ("anthropic", anthropic, "claude-sonnet-4-5"),
    ("openai", openai_outbound, "gpt-4o"),
    ("responses", responses, "gpt-4o"),
]
EVENT: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)


def ask(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"input": list(items) or "hi", **fields}


def encode(dialect: Outbound, document: dict[str, Any], model: str = "gpt-4o") -> tuple[dict[str, Any], list[str]]:
    encoded = dialect.encode_request(responses.decode_request(document, model=model))
    return json.loads(encoded.body), list(encoded.losses)


@pytest.mark.parametrize("name, dialect, model", DIALECTS)
@pytest.mark.parametrize("case", REQUESTS)
def test_requests(case: str, name: str, dialect: Outbound, model: str) -> None:
    folder = HERE / "responses_requests" / case
    body, losses = encode(dialect, json.loads((folder / "request.in.json").read_text("utf-8")), model)
    assert {"losses": losses, "body": body} == json.loads((folder / f"{name}.out.json").read_text("utf-8"))


def test_images_of_results_do_not_stand_between_them() -> None:
    """After a call, chat completions want the results of all calls before anything else."""
    image = [{"type": "input_image", "image_url": "https://x.example/a.png"}]
    body, _ = encode(
        openai_outbound,
        ask(
            {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": image},
            {"type": "function_call_output", "call_id": "b", "output": image},
        ),
    )
    assert [each["role"] for each in body["messages"]] == ["assistant", "tool", "tool", "user"]


def message(*content: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return ask({"type": "message", "role": role, "content": list(content)})


def tool(**fields: Any) -> dict[str, Any]:
    return ask(tools=[fields])


@pytest.mark.parametrize(
    "document, field",
    [
        (ask(previous_response_id="resp_1"), "previous_response_id"),
        (ask(conversation={"id": "conv_1"}), "conversation"),
        (ask(prompt={"id": "pmpt_1"}), "prompt"),
        (ask(background=True), "background"),
    ],
)
def test_what_needs_a_memory_is_refused_by_its_name(document: dict[str, Any], field: str) -> None:
    with pytest.raises(ir.Unrepresentable, match=f"^{field} cannot be used on this channel") as refused:
        responses.decode_request(document, model="m")
    assert (refused.value.status, refused.value.param) == (400, field)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "input has to be a string or an array"),
    ({"input": [1]}, r"input\[0\] has to be an object"),
    (ask({"type": "item_reference", "id": "msg_1"}), "send the item itself"),
    (ask({"type": "web_search_call", "id": "ws_1"}), r"input\[0\] of type 'web_search_call' cannot be sent"),
    (ask({"type": "compaction", "encrypted_content": "x"}), "'compaction' cannot be sent"),
    (ask({"content": "x"}), "of type None cannot be sent"),
    (ask({"role": "robot", "content": "x"}), "'robot' is not known"),
    (ask({"type": "function_call", "name": "f"}), "needs a call_id and a name"),
    (ask({"type": "function_call_output", "output": "x"}), "call_id is required"),
    (message({"type": "input_image", "image_url": "https://x/a.png"}, role="developer"), "can only hold text"),
    (message({"type": "input_image", "file_id": "file-1"}), "image_url is required"),
    (message({"type": "input_image", "image_url": "data:image/png,AAAA"}), "data:TYPE;base64,DATA"),
    (message({"type": "input_file", "file_id": "file-1"}), "needs file_data or file_url"),
    (message({"type": "input_audio", "input_audio": {}}), "'input_audio' cannot be sent"),
    (tool(type="web_search"), r"tools\[0\] of type 'web_search' cannot be used"),
    (tool(type="mcp", server_label="x"), "'mcp' cannot be used"),
    (tool(type="computer_use_preview"), "'computer_use_preview' cannot be used"),
    (tool(type="function"), r"tools\[0\].name is required"),
    (tool(type="namespace", name="n", tools=[{"type": "image_generation"}]), r"tools\[0\].tools\[0\] of type 'image_g"),
    (ask(tool_choice={"type": "file_search"}), "tool_choice"),
    (ask(tool_choice="sometimes"), "tool_choice"),
    (ask(text={"format": {"type": "grammar"}}), "text.format"),
    (ask(max_output_tokens="9"), "max_output_tokens has the wrong type"),
    (ask(instructions=["x"]), "instructions has the wrong type"),
]


@pytest.mark.parametrize("document, sentence", REFUSED)
def test_content_without_a_form_is_refused(document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ir.Unrepresentable, match=sentence):
        responses.decode_request(document, model="m")


# --- answers ----------------------------------------------------------------------------------------------------------

ASKED: dict[str, Any] = {
    "input": "Hello",
    "instructions": "Be brief.",
    "metadata": {"a": "b"},
    "store": True,
    "tools": [
        {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}, "strict": True},
        {"type": "custom", "name": "apply_patch"},
        {
            "type": "namespace",
            "name": "github",
            "description": "",
            "tools": [{"type": "function", "name": "push", "parameters": {}}],
        },
    ],
    "reasoning": {"effort": "low", "summary": "auto"},
    "text": {"verbosity": "low"},
}
ANTHROPIC = sorted(each.name for each in (HERE / "anthropic_to_openai").iterdir() if each.name != "error")


def whole(answer: ir.Answer | ir.Failed) -> dict[str, Any]:
    assert isinstance(answer, ir.Answer)
    value: dict[str, Any] = json.loads(responses.encode_answer(answer, model="m", created=1, asked=ASKED))
    Response.model_validate(value)
    return value


def translate(dialect: Outbound, *pieces: bytes, asked: dict[str, Any] = ASKED) -> bytes:
    decoder, encoder = dialect.decoder(), responses.EventEncoder(model="m", created=1, asked=asked)
    events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()
    return b"".join(encoder.encode(event) for event in events)


def events_of(stream: bytes) -> list[dict[str, Any]]:
    """The events, each one that their SDK knows, in order."""
    found = [json.loads(line[6:]) for line in stream.decode().split("\n") if line.startswith("data: ")]
    names = [line[7:] for line in stream.decode().split("\n") if line.startswith("event: ")]
    assert [each["type"] for each in found] == names
    assert [each["sequence_number"] for each in found] == list(range(len(found)))
    for each in found:
        EVENT.validate_python(each)
    return found


PARTS = {
    "response.content_part": ("content", "content_index"),
    "response.reasoning_summary_part": ("summary", "summary_index"),
}
TEXTS = {
    "response.output_text": ("content", "content_index", "text"),
    "response.refusal": ("content", "content_index", "refusal"),
    "response.reasoning_summary_text": ("summary", "summary_index", "text"),
    "response.function_call_arguments": ("", "", "arguments"),
    "response.custom_tool_call_input": ("", "", "input"),
}


def added_up(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The output of a client that puts pieces together; what is told twice has to be told alike."""
    items: list[dict[str, Any]] = []
    for event in events:
        kind, _, stage = event["type"].rpartition(".")
        if kind == "response.output_item":
            put_item(items, stage, event["output_index"], event["item"])
        elif "item_id" in event:
            item = items[event["output_index"]]
            assert event["item_id"] == item["id"]
            put_piece(item, kind, stage, event)
    return items


def put_item(items: list[dict[str, Any]], stage: str, index: int, item: dict[str, Any]) -> None:
    if stage == "added":
        assert index == len(items)
        items.append(json.loads(json.dumps(item)))
    else:
        news = {name: item[name] for name in ("encrypted_content", "status") if name in item}
        assert items[index] | news == item
        items[index] = item


def put_piece(item: dict[str, Any], kind: str, stage: str, event: dict[str, Any]) -> None:
    if kind in PARTS:
        parts, index = PARTS[kind]
        if stage == "added":
            assert event[index] == len(item[parts])
            item[parts].append(dict(event["part"]))
        assert item[parts][event[index]] == event["part"]
        return
    parts, index, name = TEXTS[kind]
    place = item[parts][event[index]] if parts else item
    if stage == "delta":
        place[name] += event["delta"]
    else:
        assert place[name] == event[name]


@pytest.mark.parametrize("case", ANTHROPIC)
def test_an_answer_of_anthropics(case: str) -> None:
    folder = HERE / "anthropic_to_openai" / case
    expected = json.loads((HERE / "anthropic_to_responses" / f"{case}.json").read_text("utf-8"))
    assert whole(anthropic.decode_answer((folder / "answer.in.json").read_bytes())) == expected


@pytest.mark.parametrize("case", ANTHROPIC)
def test_a_stream_of_anthropics_cut_at_every_byte(case: str) -> None:
    raw = (HERE / "anthropic_to_openai" / case / "stream.in.sse").read_bytes()
    expected = (HERE / "anthropic_to_responses" / f"{case}.sse").read_bytes()
    assert translate(anthropic, raw) == expected
    assert translate(anthropic, *(raw[at : at + 1] for at in range(len(raw)))) == expected
    for at in range(1, len(raw), 3):
        assert translate(anthropic, raw[:at], raw[at:]) == expected, at


@pytest.mark.parametrize("case", ANTHROPIC)
def test_a_stream_adds_up_to_the_whole_answer(case: str) -> None:
    events = events_of((HERE / "anthropic_to_responses" / f"{case}.sse").read_bytes())
    expected = json.loads((HERE / "anthropic_to_responses" / f"{case}.json").read_text("utf-8"))
    output = added_up(events)
    assert _parsed(output) == _parsed(expected["output"])
    assert [each["type"] for each in events[:2]] == ["response.created", "response.in_progress"]
    assert events[1]["response"] == {**expected, "status": "in_progress", "output": [], **NOT_YET}
    assert events[-1]["type"] == f"response.{expected['status']}"
    assert events[-1]["response"] == {**expected, "output": output}


NOT_YET = {"usage": None, "incomplete_details": None}


def _parsed(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Arguments may have been written with other blanks."""
    return [{**item, "arguments": json.loads(item["arguments"])} if "arguments" in item else item for item in items]


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return b"data: " + json.dumps({"id": "chatcmpl-1", "model": "gpt", "choices": choices, **more}).encode() + b"\n\n"


def called(index: int, name: str, *pieces: str) -> bytes:
    first = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
    rest = ({"index": index, "function": {"arguments": piece}} for piece in pieces)
    return b"".join(chunk({"tool_calls": [each]}) for each in (first, *rest))


USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 20},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
CHAT = b"".join(
    (
        chunk({"role": "assistant", "content": ""}),
        b": wait\n\n",
        chunk({"reasoning_content": "h"}),
        chunk({"reasoning_content": "m"}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        called(0, "get_weather", '{"city":', ' "Rome"}'),
        called(1, "apply_patch", '{"inp', 'ut":"*** \\"x\\""}'),
        called(2, "github__push", "{}"),
        chunk({}, "tool_calls"),
        b"data: " + json.dumps({"id": "chatcmpl-1", "choices": [], "usage": USAGE}).encode() + b"\n\n",
        b"data: [DONE]\n\n",
    )
)
OUTPUT: list[dict[str, Any]] = [
    {"id": "rs_1_0", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
    {
        "id": "msg_1_1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hello"}],
    },
    {
        "id": "fc_1_2",
        "type": "function_call",
        "status": "completed",
        "arguments": '{"city": "Rome"}',
        "call_id": "call_0",
        "name": "get_weather",
    },
    {
        "id": "ctc_1_3",
        "type": "custom_tool_call",
        "status": "completed",
        "input": '*** "x"',
        "call_id": "call_1",
        "name": "apply_patch",
    },
    {
        "id": "fc_1_4",
        "type": "function_call",
        "status": "completed",
        "arguments": "{}",
        "call_id": "call_2",
        "name": "push",
        "namespace": "github",
    },
]
COUNTED = {
    "input_tokens": 30,
    "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 20},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 37,
}


def test_a_chat_completion() -> None:
    function = {"name": "get_weather", "arguments": '{"city": "Rome"}'}
    patched = {"name": "apply_patch", "arguments": '{"input":"*** \\"x\\""}'}
    pushed = {"name": "github__push", "arguments": "{}"}
    calls = [
        {"id": f"call_{number}", "type": "function", "function": each}
        for number, each in enumerate((function, patched, pushed))
    ]
    said = {"role": "assistant", "content": "Hello", "reasoning_content": "hm", "tool_calls": calls}
    body = {"id": "chatcmpl-1", "model": "gpt", "choices": [{"message": said, "finish_reason": "tool_calls"}]}
    value = whole(openai_outbound.decode_answer(json.dumps({**body, "usage": USAGE}).encode()))
    assert value == {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": "Be brief.",
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {"a": "b"},
        "model": "gpt",
        "output": OUTPUT,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": "low", "summary": "auto"},
        "safety_identifier": None,
        "service_tier": "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "tool_choice": "auto",
        "tools": ASKED["tools"],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": COUNTED,
        "user": None,
    }


def test_a_chat_stream_cut_at_every_byte_is_the_same() -> None:
    expected = translate(openai_outbound, CHAT)
    for at in range(1, len(CHAT)):
        assert translate(openai_outbound, CHAT[:at], CHAT[at:]) == expected, at


def test_a_chat_stream_adds_up_to_the_whole_answer() -> None:
    events = events_of(translate(openai_outbound, CHAT))
    assert added_up(events) == OUTPUT
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["output"] == OUTPUT
    assert events[-1]["response"]["usage"] == COUNTED


def test_items_are_told_as_the_vendor_tells_them() -> None:
    """See https://developers.openai.com/api/docs/guides/streaming-responses."""
    item = ("output_item.added", "output_item.done")
    summary = ("reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.delta")
    text = ("content_part.added", "output_text.delta", "output_text.delta", "output_text.done", "content_part.done")
    arguments = ("function_call_arguments.delta", "function_call_arguments.delta", "function_call_arguments.done")
    assert [each["type"].removeprefix("response.") for each in events_of(translate(openai_outbound, CHAT))] == [
        *("created", "in_progress"),
        *(item[0], *summary, "reasoning_summary_text.done", "reasoning_summary_part.done", item[1]),
        *(item[0], *text, item[1]),
        *(item[0], *arguments, item[1]),
        *(item[0], "custom_tool_call_input.delta", "custom_tool_call_input.done", item[1]),
        *(item[0], "function_call_arguments.delta", "function_call_arguments.done", item[1]),
        "completed",
    ]


@pytest.mark.parametrize(
    "finish, status, details",
    [
        ("stop", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_an_answer_that_was_broken_off_is_incomplete(finish: str, status: str, details: object) -> None:
    stream = events_of(translate(openai_outbound, chunk({"content": "Hel"}), chunk({}, finish), b"data: [DONE]\n\n"))
    said = {"message": {"role": "assistant", "content": "Hel"}, "finish_reason": finish}
    body = {"id": "chatcmpl-1", "model": "gpt", "choices": [said]}
    value = whole(openai_outbound.decode_answer(json.dumps(body).encode()))
    assert stream[-1] == {**stream[-1], "type": f"response.{status}", "response": value}
    assert (value["status"], value["incomplete_details"]) == (status, details)
    assert value["output"][0]["status"] == status


def test_a_refusal_stays_one() -> None:
    """Clients that want JSON read a refusal as such, and anything else as JSON."""
    pieces = (chunk({"role": "assistant", "refusal": "I can"}), chunk({"refusal": "not."}), chunk({}, "stop"))
    events = events_of(translate(openai_outbound, *pieces, b"data: [DONE]\n\n"))
    said = {"message": {"role": "assistant", "content": None, "refusal": "I cannot."}, "finish_reason": "stop"}
    value = whole(openai_outbound.decode_answer(json.dumps({"id": "1", "model": "gpt", "choices": [said]}).encode()))
    assert added_up(events) == value["output"] == events[-1]["response"]["output"]
    assert value["output"][0]["content"] == [{"type": "refusal", "refusal": "I cannot."}]
    kinds = ("content_part.added", "refusal.delta", "refusal.delta", "refusal.done", "content_part.done")
    assert [each["type"].removeprefix("response.") for each in events[3:8]] == list(kinds)


PNG = ir.Image(media_type="image/png", data="AAAA")


def test_an_image_is_what_a_tool_of_theirs_would_have_made() -> None:
    encoder = responses.encoder(model="m", created=1, asked={})
    shown: list[ir.Event] = [
        ir.Started("1", "m"),
        ir.TextDelta("See:"),
        ir.Shown(PNG),
        ir.Shown(ir.Image(url="https://x.example/a.png")),
        ir.Finished("stop"),
        ir.Ended(None),
    ]
    events = events_of(b"".join(encoder.encode(event) for event in shown))
    value = whole(ir.Answer(id="1", model="m", blocks=(ir.Text("See:"), PNG)))
    assert events[-1]["response"]["output"] == value["output"]
    image = {"id": "ig_1_1", "type": "image_generation_call", "status": "completed"}
    assert value["output"][1] == {**image, "result": "AAAA", "output_format": "png"}
    request = responses.decode_request(ask({"role": "user", "content": "q"}, *value["output"]), model="m")
    assert request.turns[-1].blocks == (PNG,)


def test_nothing_is_written_for_an_error() -> None:
    broken = chunk({"content": "a"}) + b'data: {"error":{"message":"no","type":"server_error"}}\n\n' + chunk({})
    assert events_of(translate(openai_outbound, broken))[-1]["type"] == "response.output_text.delta"


def test_ids_are_such_as_the_vendor_takes_back() -> None:
    """At most 64 characters of a few kinds: their API refuses others in the next turn."""
    answer = ir.Answer(id="gen:" + "1" * 90, model="", blocks=(ir.Text("a"), ir.ToolCall("c", "f", "{}")))
    value = whole(answer)
    for each in (value["id"], *(item["id"] for item in value["output"])):
        assert len(each) <= 64
        assert each.replace("_", "").isalnum()


# --- nothing is lost on the way there and back ------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
CALLS = st.builds(
    lambda number, value: {"type": "tool_use", "id": f"toolu_{number}", "name": "f", "input": value},
    st.integers(0, 10**6),
    st.dictionaries(WORDS, st.integers(-5, 5) | st.text(max_size=3), max_size=2),
)
THOUGHTS = st.one_of(
    st.builds(lambda text, sign: {"type": "thinking", "thinking": text, "signature": sign}, WORDS | st.just(""), WORDS),
    st.builds(lambda data: {"type": "redacted_thinking", "data": data}, WORDS),
)


@st.composite
def answers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Blocks as a model gives them: thoughts anywhere, one text, then calls."""
    said = [{"type": "text", "text": draw(WORDS)}, *draw(st.lists(CALLS, max_size=3))]
    for thought in draw(st.lists(THOUGHTS, max_size=3)):
        said.insert(draw(st.integers(0, len(said))), thought)
    return said


def sent_back(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    items = [{"role": "user", "content": "q"}, *output]
    body, losses = encode(anthropic, ask(*items), "claude-sonnet-4-5")
    assert losses == []
    blocks: list[dict[str, Any]] = body["messages"][1]["content"]
    return blocks


@settings(max_examples=200, deadline=None)
@given(answers())
def test_an_answer_sent_back_is_what_it_was(blocks: list[dict[str, Any]]) -> None:
    body = json.dumps({"id": "m", "model": "c", "content": blocks, "stop_reason": "end_turn"}).encode()
    assert sent_back(whole(anthropic.decode_answer(body))["output"]) == blocks


@settings(max_examples=200, deadline=None)
@given(answers(), st.lists(st.integers(0, 2000), max_size=6))
def test_a_stream_sent_back_is_what_it_was(blocks: list[dict[str, Any]], cuts: list[int]) -> None:
    raw = streamed(blocks)
    edges = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    pieces = [raw[start:end] for start, end in itertools.pairwise(edges)]
    assert sent_back(added_up(events_of(translate(anthropic, *pieces)))) == blocks


def streamed(blocks: list[dict[str, Any]]) -> bytes:
    """The same answer as a stream of Anthropic's, each text in two pieces."""
    found: list[dict[str, Any]] = [{"type": "message_start", "message": {"id": "m", "model": "c"}}]
    for index, block in enumerate(blocks):
        name, field = {"text": ("text", "text"), "thinking": ("thinking", "thinking")}.get(
            block["type"], ("input_json", "partial_json")
        )
        whole_text = json.dumps(block["input"]) if "input" in block else block.get(name, "")
        empty: dict[str, Any] = {"input": {}} if "input" in block else {name: ""}
        begun = {**block, **empty, "signature": ""}
        found.append({"type": "content_block_start", "index": index, "content_block": begun})
        deltas: list[dict[str, Any]] = [
            {"type": f"{name}_delta", field: whole_text[:1]},
            {"type": f"{name}_delta", field: whole_text[1:]},
        ]
        if "signature" in block:
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        found.extend({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        found.append({"type": "content_block_stop", "index": index})
    found += [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}]
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in found)


KEYS = st.sampled_from(
    [
        *("role", "content", "type", "text", "name", "id", "call_id", "arguments", "input", "output", "summary"),
        *("encrypted_content", "image_url", "file_data", "namespace", "tools", "format", "mode", "schema", "effort"),
    ]
)
KINDS = st.sampled_from(
    [
        *("message", "user", "assistant", "function_call", "function_call_output", "custom_tool_call", "reasoning"),
        *("input_text", "input_image", "input_file", "namespace", "function", "custom", "allowed_tools", "json_schema"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4) | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=14,
)


@settings(max_examples=400, deadline=None)
@given(JSON, JSON, JSON, JSON)
def test_requests_of_any_shape_are_sent_or_refused(a: Any, b: Any, c: Any, d: Any) -> None:
    item = {"type": "function_call_output", "call_id": "t", "output": a}
    for fields in (
        {"input": [item, b], "tools": [c], "tool_choice": d, "text": a, "reasoning": b, "include": c},
        {"input": a},
        {"input": [{"role": "user", "content": b}, c, d]},
        {"input": "x", "tools": a, "tool_choice": b, "text": {"format": c}, "metadata": d},
    ):
        for _, dialect, model in DIALECTS:
            with contextlib.suppress(ir.Unrepresentable):
                encode(dialect, fields, model)
        assert isinstance(responses.written(fields), list)
        with contextlib.suppress(BadRequest):
            responses.measure(fields)
        responses.patch(responses.own(fields, model="m", vendor=True), model="m", system_prompt="s")
        answer = ir.Answer(id="x", model="m", blocks=(ir.ToolCall("c", "f", "{"), ir.Text("a")))
        responses.encode_answer(answer, model="m", created=1, asked=fields)


@settings(max_examples=200, deadline=None)
@given(st.lists(JSON, max_size=4))
def test_streams_of_any_shape_come_to_an_end(chunks: list[Any]) -> None:
    raw = b"".join(b"data: " + json.dumps({"choices": [each]}).encode() + b"\n\n" for each in chunks)
    written = translate(openai_outbound, raw + b"data: [DONE]\n\n")
    assert written.count(b"event: response.completed") <= 1
