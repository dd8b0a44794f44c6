"""Chat completions on Google's wire: cases as bytes in and bytes out, streams cut anywhere, and nothing lost."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from one_api import ir
from one_api.dialects.gemini import Outgoing, StreamDecoder, decode_answer, models
from one_api.dialects.openai_answer import ChunkEncoder, encode_answer
from one_api.dialects.openai_request import decode_request
from one_api.lib.json import InvalidJSON

HERE = Path(__file__).parent
REQUESTS = sorted(each.name for each in (HERE / "openai_to_gemini").iterdir())
ANSWERS = sorted(each.name for each in (HERE / "gemini_to_openai").iterdir())
FAILED = ("blocked", "error", "nothing_said")
MODEL = "gemini-2.5-flash"


def encode(document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    encoded = Outgoing("BLOCK_NONE").encode_request(decode_request(document, model=document.get("model", MODEL)))
    return json.loads(encoded.body), list(encoded.losses)


def ask(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": list(messages) or [{"role": "user", "content": "hi"}], **fields}


def told(*, budget: int | None = None, level: str = "") -> dict[str, Any]:
    """How a model is told to think, and to show it."""
    return {"includeThoughts": True, **({"thinkingLevel": level} if budget is None else {"thinkingBudget": budget})}


def translate(*pieces: bytes) -> bytes:
    """A whole stream, read in these pieces and written as chunks."""
    decoder, encoder = StreamDecoder(), ChunkEncoder(model=MODEL, created=1, usage=True)
    events = [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()
    return b"".join(encoder.encode(event) for event in events)


@pytest.mark.parametrize("case", REQUESTS)
def test_requests(case: str) -> None:
    folder = HERE / "openai_to_gemini" / case
    body, losses = encode(json.loads((folder / "request.in.json").read_text("utf-8")))
    assert body.pop("safetySettings") == [
        {"category": f"HARM_CATEGORY_{each}", "threshold": "BLOCK_NONE"}
        for each in ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY")
    ]
    assert {"losses": losses, "body": body} == json.loads((folder / "request.out.json").read_text("utf-8"))


@pytest.mark.parametrize("case", ANSWERS)
def test_answers(case: str) -> None:
    folder = HERE / "gemini_to_openai" / case
    answer = decode_answer((folder / "answer.in.json").read_bytes())
    expected = json.loads((folder / "answer.out.json").read_text("utf-8"))
    if isinstance(answer, ir.Failed):
        assert expected == {"failed": [answer.type, answer.message, answer.refused]}
    else:
        assert json.loads(encode_answer(answer, model=MODEL, created=1)) == expected


@pytest.mark.parametrize("case", ANSWERS)
def test_streams_cut_at_every_byte(case: str) -> None:
    folder = HERE / "gemini_to_openai" / case
    raw, expected = (folder / "stream.in.sse").read_bytes(), (folder / "stream.out.sse").read_bytes()
    assert translate(raw) == expected
    assert translate(*(raw[at : at + 1] for at in range(len(raw)))) == expected
    for at in range(1, len(raw)):
        assert translate(raw[:at], raw[at:]) == expected, at


@pytest.mark.parametrize("case", [each for each in ANSWERS if each not in FAILED])
def test_a_stream_adds_up_to_the_whole_answer(case: str) -> None:
    folder = HERE / "gemini_to_openai" / case
    whole = json.loads((folder / "answer.out.json").read_text("utf-8"))
    message, usage, reason = added_up(translate((folder / "stream.in.sse").read_bytes()))
    assert message == whole["choices"][0]["message"]
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
    if not message.get("content") and "tool_calls" in message:
        message["content"] = None
    return message, usage, reason


def put_calls(calls: list[dict[str, Any]], pieces: list[dict[str, Any]]) -> None:
    for piece in pieces:
        if piece["index"] == len(calls):
            calls.append({name: value for name, value in piece.items() if name != "index"})
        else:
            calls[piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]


# --- what is refused, and what is given up ----------------------------------------------------------------------------

CALL = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{"}}]}

REFUSED: list[tuple[dict[str, Any], str]] = [
    (ask({"role": "tool", "tool_call_id": "c", "content": "x"}), "'c' has no call before it"),
    (ask(CALL), "no JSON"),
    (ask({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[1]"}}]}), "no JSON object"),
    (ask({"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}), "'input_audio' cannot be sent"),
    (ask(tools=[{"type": "web_search"}]), "'web_search' cannot be used"),
]


@pytest.mark.parametrize("document, sentence", REFUSED)
def test_content_without_a_form_is_refused(document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ir.Unrepresentable, match=sentence) as refused:
        encode(document)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "model, fields, sent, losses",
    [
        (MODEL, {"max_tokens": 10, "max_completion_tokens": 20}, {"maxOutputTokens": 20}, []),
        (MODEL, {"stop": list("abcdef")}, {"stopSequences": list("abcde")}, ["stop after the fifth"]),
        (MODEL, {"seed": "x", "logit_bias": {}, "metadata": {}}, None, ["seed", "logit_bias", "metadata"]),
        (MODEL, {"reasoning_effort": "none"}, {"thinkingConfig": {"thinkingBudget": 0}}, []),
        ("gemini-2.5-pro", {"reasoning_effort": "none"}, {"thinkingConfig": {"thinkingBudget": 128}}, []),
        ("gemini-3-pro", {"reasoning_effort": "none"}, {"thinkingConfig": {"thinkingLevel": "LOW"}}, []),
        ("gemini-3-pro", {"reasoning_effort": "minimal"}, {"thinkingConfig": told(level="LOW")}, []),
        (MODEL, {"reasoning": {"max_tokens": 300}}, {"thinkingConfig": told(budget=300)}, []),
        (MODEL, {"thinking": {"type": "enabled"}}, {"thinkingConfig": told(budget=-1)}, []),
        ("gemini-2.5-flash-image", {"reasoning_effort": "low"}, None, ["reasoning: the model cannot think"]),
        ("gemini-3-flash", {"reasoning_effort": "max"}, {"thinkingConfig": told(level="HIGH")}, []),
        ("gemini-3-flash", {"thinking": {"type": "disabled"}}, {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}, []),
        ("gemini-3-flash", {"thinking": {"type": "enabled"}}, {"thinkingConfig": {"includeThoughts": True}}, []),
        ("gemini-2.0-flash", {"frequency_penalty": 0.5}, {"frequencyPenalty": 0.5}, []),
        (MODEL, {"modalities": ["text", "audio"]}, None, ["modalities"]),
        (MODEL, {"response_format": {"type": "json_object"}}, {"responseMimeType": "application/json"}, []),
        (MODEL, {"response_format": {"type": "text"}}, None, []),
    ],
)
def test_wishes(model: str, fields: dict[str, Any], sent: dict[str, Any] | None, losses: list[str]) -> None:
    body, lost = encode({**ask(**fields), "model": model})
    assert (body.get("generationConfig"), lost) == (sent, losses)


@pytest.mark.parametrize(
    "model, version, able",
    [
        ("gemini-pro", None, models.Abilities(False, False, "no", True, True, False)),
        ("gemini-1.0-pro", (1, 0), models.Abilities(False, False, "no", True, True, False)),
        ("gemini-1.5-flash-8b", (1, 5), models.Abilities(True, False, "no", False, True, False)),
        ("gemini-2.0-flash", (2, 0), models.Abilities(True, True, "no", False, True, False)),
        ("gemini-2.0-flash-preview-image-generation", (2, 0), models.Abilities(False, True, "no", False, True, False)),
        ("google/gemini-2.5-pro", (2, 5), models.Abilities(True, True, "budget", True, False, False)),
        ("gemini-2.5-flash-preview-tts", (2, 5), models.Abilities(True, True, "no", False, False, False)),
        ("gemini-flash-latest", None, models.Abilities(True, True, "budget", False, False, False)),
        ("gemini-3.1-pro-preview", (3, 1), models.Abilities(True, True, "level", True, False, True)),
        ("gemma-3-27b-it", None, models.Abilities(False, False, "no", False, True, False)),
    ],
)
def test_what_a_model_can_be_told(model: str, version: tuple[int, int] | None, able: models.Abilities) -> None:
    assert models.version_of(model) == version
    assert models.abilities(model) == able


def test_thoughts_of_another_vendor_are_not_sent() -> None:
    details = [{"type": "reasoning.encrypted", "data": "x", "format": "anthropic-claude-v1", "index": 0}]
    body, losses = encode(ask({"role": "assistant", "content": "a", "reasoning_details": details}))
    assert body["contents"] == [{"role": "model", "parts": [{"text": "a"}]}]
    assert losses == ["thinking of another vendor"]


def test_a_schema_that_contains_itself_comes_to_an_end() -> None:
    node = {"type": "object", "properties": {name: {"$ref": "#/$defs/n"} for name in "abcdefgh"}}
    document = ask(tools=[{"function": {"name": "f", "parameters": {"$ref": "#/$defs/n", "$defs": {"n": node}}}}])
    body, _ = encode({**document, "model": "gemini-1.5-pro"})
    assert len(json.dumps(body)) < 200_000
    assert body["tools"][0]["functionDeclarations"][0]["parameters"]["properties"].keys() == set("abcdefgh")


# --- answers that are not as they should be ---------------------------------------------------------------------------

HELLO = b'data: {"candidates":[{"content":{"parts":[{"text":"Hi"}]}}],"usageMetadata":{"promptTokenCount":7}}\n\n'
COUNTED = b'"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5}'
STOP = b'data: {"candidates":[{"finishReason":"STOP"}],%b}\n\n' % COUNTED


def events(*pieces: bytes) -> list[ir.Event]:
    decoder = StreamDecoder()
    found = [event for piece in pieces for event in decoder.feed(piece)] + decoder.close()
    return [ir.Started("", each.model, each.prompt) if isinstance(each, ir.Started) else each for each in found]


def test_a_stream_that_says_why_it_stopped_is_complete() -> None:
    begun: list[ir.Event] = [ir.Started("", "", ir.Usage(7)), ir.TextDelta("Hi")]
    assert events(HELLO, STOP) == [*begun, ir.Finished("stop"), ir.Ended(ir.Usage(7, 5))]
    assert events(HELLO, STOP, b"data: [DONE]\n\n") == events(HELLO, STOP)
    assert events(HELLO, STOP[:-2]) == events(HELLO, STOP)


def test_a_cut_stream_has_no_end() -> None:
    assert events(HELLO, STOP[:-20]) == [ir.Started("", "", ir.Usage(7)), ir.TextDelta("Hi")]
    assert events(HELLO) == [ir.Started("", "", ir.Usage(7)), ir.TextDelta("Hi")]


def test_counts_after_the_reason_for_the_end_are_heard() -> None:
    later = b'data: {"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":6,"thoughtsTokenCount":2}}\n\n'
    assert events(HELLO, STOP, later)[-1] == ir.Ended(ir.Usage(7, 8, reasoning=2))


def test_an_unreadable_event_ends_the_stream() -> None:
    assert events(HELLO, b"data: {\n\n", STOP)[-1] == ir.Failed(
        "upstream_error", "the upstream sent an event that cannot be read"
    )


@pytest.mark.parametrize("count", ["-1", '"5"', "1e400", "{}", "true", "1.5"])
def test_usage_that_no_meter_shows_is_none(count: str) -> None:
    assert events(HELLO, STOP.replace(b":5", b":" + count.encode()))[-1] == ir.Ended(None)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"candidates":1}', b'{"candidates":[{"content":{"parts":[1]}}]}', b"\xff"]
)
def test_what_is_no_answer_is_told(body: bytes) -> None:
    with pytest.raises(InvalidJSON):
        decode_answer(body)


def test_an_answer_without_candidates_is_none() -> None:
    assert decode_answer(b'{"usageMetadata":{"promptTokenCount":1}}') == ir.Failed(
        "server_error", "No candidates returned"
    )


def test_answers_and_calls_without_a_name_are_given_one() -> None:
    body = b'{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"f"}}]}}]}'
    first, second = decode_answer(body), decode_answer(body)
    assert isinstance(first, ir.Answer)
    assert isinstance(second, ir.Answer)
    names = [block.id for answer in (first, second) for block in answer.blocks if isinstance(block, ir.ToolCall)]
    assert len({*names, first.id, second.id}) == 6


# --- nothing is lost on the way there and back ------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
SIGNATURES = st.binary(min_size=1, max_size=6).map(lambda raw: {"thoughtSignature": raw.hex()})
SIGNED: st.SearchStrategy[dict[str, str]] = st.just({}) | SIGNATURES
OBJECTS = st.dictionaries(WORDS, st.integers(-5, 5) | st.text(max_size=3), max_size=2)
TEXTS = st.builds(lambda text: {"text": text}, WORDS)
THOUGHTS = st.builds(lambda text, signed: {"text": text, "thought": True, **signed}, WORDS, SIGNED)
CALLS = st.builds(
    lambda name, args, number, signed: {"functionCall": {"name": name, "args": args, "id": f"fc{number}"}, **signed},
    WORDS,
    OBJECTS,
    st.integers(0, 10**6),
    SIGNED,
)


@st.composite
def answers(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Parts as a model gives them: a thought, a text with a signature or not, calls of which the first is signed."""
    said: list[dict[str, Any]] = draw(st.lists(THOUGHTS, max_size=1))
    said += [draw(TEXTS), *({"text": "", **each} for each in draw(st.lists(SIGNATURES, max_size=1)))]
    calls = draw(st.lists(CALLS, max_size=3, unique_by=lambda call: call["functionCall"]["id"]))
    if calls:
        calls[0] |= draw(SIGNATURES)
    return said + calls


@settings(max_examples=300, deadline=None)
@given(answers())
def test_an_answer_sent_back_is_what_it_was(parts: list[dict[str, Any]]) -> None:
    body = json.dumps({"candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": "STOP"}]}).encode()
    answer = decode_answer(body)
    assert isinstance(answer, ir.Answer)
    message = json.loads(encode_answer(answer, model=MODEL, created=1))["choices"][0]["message"]
    question = {"role": "user", "content": "q"}
    sent, losses = encode({**ask(question, message), "model": "gemini-3-pro-preview"})
    assert sent["contents"][1]["parts"] == parts
    assert losses == []


@settings(max_examples=300, deadline=None)
@given(answers(), st.data())
def test_a_streamed_answer_sent_back_is_what_it_was(parts: list[dict[str, Any]], data: st.DataObject) -> None:
    pieces = []
    for part in parts:
        text = part.get("text", "")
        cut = data.draw(st.integers(0, len(text)))
        if 0 < cut < len(text):
            begun = {name: each for name, each in part.items() if name != "thoughtSignature"}
            pieces += [{**begun, "text": text[:cut]}, {**part, "text": text[cut:]}]
        else:
            pieces.append(part)
    raw = b"".join(
        b"data: " + json.dumps({"candidates": [{"content": {"parts": [each]}}]}).encode() + b"\r\n\r\n"
        for each in pieces
    )
    message, _, reason = added_up(translate(raw, STOP))
    assert reason == ("tool_calls" if "tool_calls" in message else "stop")
    sent, losses = encode({**ask({"role": "user", "content": "q"}, message), "model": "gemini-3-pro-preview"})
    assert sent["contents"][1]["parts"] == parts
    assert losses == []


# --- anything at all --------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(
    [
        *(
            "candidates",
            "content",
            "parts",
            "text",
            "thought",
            "thoughtSignature",
            "functionCall",
            "name",
            "args",
            "id",
        ),
        *("inlineData", "mimeType", "data", "finishReason", "index", "usageMetadata", "promptTokenCount", "error"),
        *("promptFeedback", "blockReason", "message", "status"),
    ]
)
VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=4)
JSON = st.recursive(
    VALUES | st.sampled_from(["STOP", "SAFETY", "image/png"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=14,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(JSON, max_size=3), st.booleans())
def test_streams_of_any_shape_come_to_at_most_one_end(said: list[Any], wrapped: bool) -> None:  # noqa: FBT001
    chunks = [{"candidates": [{"content": {"parts": [each]}}]} if wrapped else each for each in said]
    raw = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks)
    found = events(raw, STOP)
    ends = [each for each in found if isinstance(each, (ir.Ended, ir.Failed))]
    assert len(ends) == 1
    assert found[-1] is ends[0]


SCHEMA_KEYS = st.sampled_from(
    ["type", "properties", "items", "anyOf", "allOf", "oneOf", "$ref", "$defs", "enum", "const", "required", "format"]
)
SCHEMAS = st.recursive(
    VALUES | st.sampled_from(["object", "string", "#/$defs/a", "#", "#/properties"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCHEMA_KEYS | WORDS, inner, max_size=4),
    max_leaves=16,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(SCHEMA_KEYS, SCHEMAS, max_size=5))
def test_schemas_of_any_shape_can_be_sent(schema: dict[str, Any]) -> None:
    document = ask(tools=[{"function": {"name": "f", "parameters": schema}}])
    for model in ("gemini-1.5-pro", MODEL):
        body, _ = encode({**document, "model": model})
        assert body["tools"][0]["functionDeclarations"][0]["name"] == "f"
