"""Chat completions on Anthropic's wire: cases as bytes in and bytes out, streams cut anywhere, and nothing lost."""

import contextlib
import itertools
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from one_api import ir
from one_api.dialects import anthropic
from one_api.dialects.anthropic import StreamDecoder, models
from one_api.dialects.openai_answer import ChunkEncoder, encode_answer
from one_api.dialects.openai_request import decode_request
from one_api.lib.json import InvalidJSON

HERE = Path(__file__).parent
REQUESTS = sorted(each.name for each in (HERE / "openai_to_anthropic").iterdir())
ANSWERS = sorted(each.name for each in (HERE / "anthropic_to_openai").iterdir())
MODEL = "claude-sonnet-4-5"


def encode(document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    encoded = anthropic.encode_request(decode_request(document, model=document.get("model", MODEL)))
    return json.loads(encoded.body), list(encoded.losses)


def ask(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": list(messages) or [{"role": "user", "content": "hi"}], **fields}


def translate(*pieces: bytes) -> bytes:
    """A whole stream, read in these pieces and written as chunks."""
    decoder, encoder = StreamDecoder(), ChunkEncoder(model=MODEL, created=1, usage=True)
    events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()
    return b"".join(encoder.encode(event) for event in events)


@pytest.mark.parametrize("case", REQUESTS)
def test_requests(case: str) -> None:
    folder = HERE / "openai_to_anthropic" / case
    body, losses = encode(json.loads((folder / "request.in.json").read_text("utf-8")))
    assert {"losses": losses, "body": body} == json.loads((folder / "request.out.json").read_text("utf-8"))


@pytest.mark.parametrize("case", ANSWERS)
def test_answers(case: str) -> None:
    folder = HERE / "anthropic_to_openai" / case
    answer = anthropic.decode_answer((folder / "answer.in.json").read_bytes())
    expected = json.loads((folder / "answer.out.json").read_text("utf-8"))
    if isinstance(answer, ir.Failed):
        assert expected == {"failed": [answer.type, answer.message]}
    else:
        assert json.loads(encode_answer(answer, model=MODEL, created=1)) == expected


@pytest.mark.parametrize("case", ANSWERS)
def test_streams_cut_at_every_byte(case: str) -> None:
    folder = HERE / "anthropic_to_openai" / case
    raw, expected = (folder / "stream.in.sse").read_bytes(), (folder / "stream.out.sse").read_bytes()
    assert translate(raw) == expected
    assert translate(*(raw[at : at + 1] for at in range(len(raw)))) == expected
    for at in range(1, len(raw)):
        assert translate(raw[:at], raw[at:]) == expected, at


@pytest.mark.parametrize("case", [each for each in ANSWERS if each != "error"])
def test_a_stream_adds_up_to_the_whole_answer(case: str) -> None:
    folder = HERE / "anthropic_to_openai" / case
    whole = json.loads((folder / "answer.out.json").read_text("utf-8"))
    message, usage, reason = added_up(translate((folder / "stream.in.sse").read_bytes()))
    expected = whole["choices"][0]["message"]
    for call in expected.get("tool_calls", ()):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    for call in message.get("tool_calls", ()):
        call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    assert message == expected
    assert (usage, reason) == (whole["usage"], whole["choices"][0]["finish_reason"])


def added_up(stream: bytes) -> tuple[dict[str, Any], Any, str | None]:
    """The message, usage and finish reason of a client that puts deltas together."""
    message: dict[str, Any] = {}
    usage, reason = None, None
    for line in stream.decode().split("\n"):
        if not line.startswith("data: {"):
            continue
        chunk = json.loads(line[6:])
        usage = chunk.get("usage", usage)
        for choice in chunk["choices"]:
            reason = choice["finish_reason"] or reason
            for name, value in choice["delta"].items():
                if name == "tool_calls":
                    put_calls(message.setdefault(name, []), value)
                else:
                    message[name] = message[name] + value if name in message else value
    return message, usage, reason


def put_calls(calls: list[dict[str, Any]], pieces: list[dict[str, Any]]) -> None:
    for piece in pieces:
        if piece["index"] == len(calls):
            calls.append({name: value for name, value in piece.items() if name != "index"})
        else:
            calls[piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]


# --- what is refused, and what is given up ----------------------------------------------------------------------------


def part(value: dict[str, Any]) -> dict[str, Any]:
    return ask({"role": "user", "content": [value]})


REFUSED: list[tuple[dict[str, Any], str]] = [
    (part({"type": "input_audio", "input_audio": {}}), "'input_audio' cannot be sent"),
    (part({"type": "file", "file": {"file_id": "file-1"}}), "file_data is required"),
    (part({"type": "file", "file": {"file_data": "data:application/zip;base64,AAAA"}}), "'application/zip' cannot"),
    (part({"type": "file", "file": {"file_data": "data:text/plain;base64,!"}}), "no text in base64"),
    (part({"type": "image_url", "image_url": {"url": "data:image/png,AAAA"}}), "data:TYPE;base64,DATA"),
    (part({"type": "image_url", "image_url": {}}), "url is required"),
    (ask({"role": "system", "content": [{"type": "image_url", "image_url": "https://x/a.png"}]}), "only hold text"),
    (ask({"role": "assistant", "content": [{"type": "image_url", "image_url": "https://x/a.png"}]}), "cannot hold"),
    (ask({"role": "robot", "content": "x"}), "'robot' is not known"),
    (ask({"role": "tool", "content": "x"}), "tool_call_id is required"),
    (ask({"role": "assistant", "tool_calls": [{"id": "a", "type": "custom"}]}), "the call of a function"),
    (ask({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}), "no JSON"),
    (ask({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[1]"}}]}), "no JSON object"),
    (ask(tools=[{"type": "web_search"}]), "'web_search' cannot be used"),
    (ask(tools=[{"type": "function", "function": {}}]), "name is required"),
    (ask(tool_choice={"type": "allowed_tools"}), "tool_choice"),
    (ask(stop=[1]), "stop has to be"),
]


@pytest.mark.parametrize("document, sentence", REFUSED)
def test_content_without_a_form_is_refused(document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ir.Unrepresentable, match=sentence) as refused:
        encode(document)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "fields, sent, losses",
    [
        ({"max_tokens": 10, "max_completion_tokens": 20}, {"max_tokens": 20}, []),
        ({"max_tokens": 0}, {"max_tokens": 4096}, []),
        ({"temperature": 1.7}, {"max_tokens": 4096, "temperature": 1}, ["temperature above 1"]),
        ({"temperature": 0.5, "top_p": 0.5}, {"max_tokens": 4096, "temperature": 0.5}, ["top_p"]),
        ({"logit_bias": {}, "seed": None, "n": 1}, {"max_tokens": 4096}, ["logit_bias"]),
        ({"stop": [" ", "x"]}, {"max_tokens": 4096, "stop_sequences": ["x"]}, []),
        ({"reasoning_effort": "none"}, {"max_tokens": 4096}, []),
        (
            {"reasoning": {"max_tokens": 2000}, "max_tokens": 3000},
            {"max_tokens": 3000, "thinking": {"type": "enabled", "budget_tokens": 1976}},
            [],
        ),
        ({"reasoning_effort": "high", "max_tokens": 50}, {"max_tokens": 50}, ["reasoning: max_tokens is too small"]),
        ({"thinking": {"type": "disabled"}}, {"max_tokens": 4096}, []),
    ],
)
def test_wishes(fields: dict[str, Any], sent: dict[str, Any], losses: list[str]) -> None:
    body, lost = encode(ask(**fields))
    assert {key: value for key, value in body.items() if key not in ("model", "messages")} == sent
    assert lost == losses


@pytest.mark.parametrize(
    "model, version, thinking, sampling, structured",
    [
        ("claude-2.1", (2, 1), "no", "all", False),
        ("claude-instant-1", (1, 0), "no", "all", False),
        ("claude-3-haiku-20240307", (3, 0), "no", "all", False),
        ("claude-3-7-sonnet-latest", (3, 7), "budget", "all", False),
        ("claude-sonnet-4-20250514", (4, 0), "budget", "all", False),
        ("claude-opus-4-1-20250805", (4, 1), "budget", "one", False),
        ("anthropic/claude-haiku-4.5", (4, 5), "budget", "one", True),
        ("claude-sonnet-4-6", (4, 6), "adaptive", "one", True),
        ("claude-opus-4-7", (4, 7), "adaptive", "none", True),
        ("claude-opus-5-5", (5, 5), "adaptive", "none", True),
        ("claude-later", None, "adaptive", "none", True),
        ("kimi-k2", None, "budget", "all", False),
    ],
)
def test_what_a_model_can_be_told(
    model: str, version: tuple[int, int] | None, thinking: str, sampling: str, *, structured: bool
) -> None:
    able = models.abilities(model)
    assert models.version_of(model) == version
    assert (able.thinking, able.sampling, able.structured) == (thinking, sampling, structured)


@pytest.mark.parametrize(
    "model, limit, thinking",
    [
        ("claude-opus-5-5", 64_000, "adaptive"),
        ("claude-later", 64_000, "adaptive"),
        ("claude-sonnet-4-5", 64_000, "enabled"),
        ("claude-opus-4-1-20250805", 32_000, "enabled"),
        ("claude-3-5-sonnet-latest", 8192, None),
        ("claude-3-haiku-20240307", 4096, None),
        ("kimi-k2", 4096, "enabled"),
    ],
)
def test_an_answer_may_be_as_long_as_the_model_gives_one(model: str, limit: int, thinking: str | None) -> None:
    turns = (ir.Turn("user", (ir.Text("hi"),)),)
    asked = ir.Request(model=model, turns=turns, open_ended=True, reasoning=ir.Reasoning("max"))
    body = json.loads(anthropic.encode_request(asked).body)
    assert (body["max_tokens"], body.get("thinking", {}).get("type")) == (limit, thinking)
    assert body.get("thinking", {}).get("budget_tokens", 0) <= limit - 1024
    limited = json.loads(anthropic.encode_request(msgspec.structs.replace(asked, limit=3000)).body)
    assert limited["max_tokens"] == 3000


def test_thoughts_of_another_vendor_are_not_sent() -> None:
    details = [{"type": "reasoning.text", "text": "hm", "signature": "s", "format": "google-gemini-v1", "index": 0}]
    body, losses = encode(ask({"role": "assistant", "content": "a", "reasoning_details": details}))
    assert body["messages"] == [{"role": "assistant", "content": [{"type": "text", "text": "a"}]}]
    assert losses == ["unsigned thinking"]


# --- streams that are not as they should be ---------------------------------------------------------------------------

START = (
    b'data: {"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":7,"output_tokens":1}}}\n\n'
)
FINISH = b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}\n\n'


def events(*pieces: bytes) -> list[ir.Event]:
    decoder = StreamDecoder()
    return [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()


def test_a_stream_that_says_why_it_stopped_is_complete() -> None:
    assert events(START, FINISH)[-2:] == [ir.Finished("stop"), ir.Ended(ir.Usage(7, 5))]


def test_a_cut_stream_has_no_end() -> None:
    assert events(START, FINISH[:-20]) == [ir.Started("m", "c", ir.Usage(7))]


def test_an_unreadable_event_ends_the_stream() -> None:
    assert events(START, b"data: {\n\n", FINISH)[1:] == [
        ir.Failed("upstream_error", "the upstream sent an event that cannot be read")
    ]


@pytest.mark.parametrize("count", ["-1", '"5"', "1e400", "{}", "true", "1.5"])
def test_usage_that_no_meter_shows_is_none(count: str) -> None:
    finish = FINISH.replace(b"5}", count.encode() + b"}")
    found = events(START, finish, b'data: {"type":"message_stop"}\n\n')[-1]
    assert found == ir.Ended(None)


def test_counts_of_the_last_report_are_the_larger_ones() -> None:
    """Some providers say nothing at the start and all at the end, others repeat zeros."""
    zeros = FINISH.replace(b'"output_tokens":5', b'"input_tokens":0,"output_tokens":5,"cache_read_input_tokens":2')
    assert events(START, zeros)[-1] == ir.Ended(ir.Usage(9, 5, cached=2))


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"content":1}', b'{"content":[{"type":1}]}', b"\xff"])
def test_what_is_no_answer_is_told(body: bytes) -> None:
    with pytest.raises(InvalidJSON):
        anthropic.decode_answer(body)


# --- nothing is lost on the way there and back ------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
IDS = st.integers(0, 10**6).map(lambda number: f"toolu_{number}")
OBJECTS = st.dictionaries(WORDS, st.integers(-5, 5) | st.text(max_size=3), max_size=2)
THOUGHTS = st.one_of(
    st.builds(lambda text, signature: {"type": "thinking", "thinking": text, "signature": signature}, WORDS, WORDS),
    st.builds(lambda data: {"type": "redacted_thinking", "data": data}, WORDS),
)
CALLS = st.builds(
    lambda number, name, value: {"type": "tool_use", "id": number, "name": name, "input": value}, IDS, WORDS, OBJECTS
)


@st.composite
def answers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Blocks as a model gives them: thoughts anywhere, one text, then calls."""
    said = [{"type": "text", "text": draw(WORDS)}, *draw(st.lists(CALLS, max_size=3))]
    for thought in draw(st.lists(THOUGHTS, max_size=3)):
        said.insert(draw(st.integers(0, len(said))), thought)
    return said


@settings(max_examples=300, deadline=None)
@given(answers())
def test_an_answer_sent_back_is_what_it_was(blocks: list[dict[str, Any]]) -> None:
    body = json.dumps({"id": "m", "model": "c", "content": blocks, "stop_reason": "end_turn"}).encode()
    answer = anthropic.decode_answer(body)
    assert isinstance(answer, ir.Answer)
    message = json.loads(encode_answer(answer, model=MODEL, created=1))["choices"][0]["message"]
    sent, losses = encode(ask({"role": "user", "content": "q"}, message))
    assert sent["messages"][1]["content"] == blocks
    assert losses == []


def streamed(blocks: list[dict[str, Any]]) -> bytes:
    """The same answer as a stream, each text in two pieces."""
    found: list[dict[str, Any]] = [{"type": "message_start", "message": {"id": "m", "model": "c"}}]
    for index, block in enumerate(blocks):
        deltas: list[dict[str, Any]] = []
        match block["type"]:
            case "text":
                text = block["text"]
                deltas = [{"type": "text_delta", "text": text[:1]}, {"type": "text_delta", "text": text[1:]}]
                begun = {**block, "text": ""}
            case "thinking":
                deltas = [
                    {"type": "thinking_delta", "thinking": block["thinking"]},
                    {"type": "signature_delta", "signature": block["signature"]},
                ]
                begun = {**block, "thinking": "", "signature": ""}
            case "tool_use":
                text = json.dumps(block["input"]) if block["input"] else ""
                deltas = [{"type": "input_json_delta", "partial_json": each} for each in (text[:3], text[3:])]
                begun = {**block, "input": {}}
            case _:
                begun = block
        found.append({"type": "content_block_start", "index": index, "content_block": begun})
        found.extend({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas)
        found.append({"type": "content_block_stop", "index": index})
    found += [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, {"type": "message_stop"}]
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in found)


@settings(max_examples=300, deadline=None)
@given(answers(), st.lists(st.integers(0, 2000), max_size=6))
def test_a_stream_sent_back_is_what_it_was(blocks: list[dict[str, Any]], cuts: list[int]) -> None:
    raw = streamed(blocks)
    edges = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    pieces = [raw[start:end] for start, end in itertools.pairwise(edges)]
    message, _, _ = added_up(translate(*pieces))
    sent, losses = encode(ask({"role": "user", "content": "q"}, message))
    assert sent["messages"][1]["content"] == blocks
    assert losses == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "tool_calls", "function", "name", "id", "index"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(JSON, JSON, JSON, JSON, JSON)
def test_requests_of_any_shape_are_sent_or_refused(a: Any, b: Any, c: Any, d: Any, e: Any) -> None:
    message = {"role": "assistant", "content": a, "tool_calls": b, "reasoning_details": c}
    document = {"messages": [message], "tools": d, "response_format": e, "thinking": a, "stop": b, "tool_choice": c}
    with contextlib.suppress(ir.Unrepresentable):
        encode(document)
