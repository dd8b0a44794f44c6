"""Clients of the Gemini API: their requests read, answers written for them, errors in Google's form."""

import contextlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from one_api import ir
from one_api.dialects import anthropic, gemini, openai_outbound
from one_api.dialects.gemini import Outgoing, StreamDecoder
from one_api.dialects.gemini.fields import snake
from one_api.errors import BadRequest, OneAPIError, UpstreamError

MODEL = "gemini-3-pro-preview"
PNG = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}


def ask(*contents: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"contents": list(contents) or [{"role": "user", "parts": [{"text": "hi"}]}], **fields}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "parts": list(parts)}


def model(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def as_openai(document: dict[str, Any], name: str = "gpt-4o") -> tuple[dict[str, Any], list[str]]:
    encoded = openai_outbound.encode_request(gemini.decode_request(document, model=name))
    return json.loads(encoded.body), list(encoded.losses)


def as_anthropic(document: dict[str, Any]) -> dict[str, Any]:
    found = anthropic.encode_request(gemini.decode_request(document, model="claude-3-haiku")).body
    return dict(json.loads(found))


CALL = {"functionCall": {"id": "c1", "name": "get_weather", "args": {"city": "Paris"}}}
RESULT = {"functionResponse": {"id": "c1", "name": "get_weather", "response": {"output": "21"}}}
DECLARED = {
    "name": "get_weather",
    "description": "Weather",
    "parameters": {
        "type": "OBJECT",
        "properties": {"city": {"type": "STRING", "nullable": True}},
        "required": ["city"],
    },
}


def test_a_conversation_with_tools_is_read() -> None:
    document = ask(
        user({"text": "Weather?"}, PNG),
        model({"text": "Hm.", "thought": True}, {"text": "Let me see"}, CALL),
        user(RESULT),
        systemInstruction={"parts": [{"text": "Be brief."}]},
        tools=[{"functionDeclarations": [DECLARED]}],
        toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}},
        generationConfig={"temperature": 0.5, "topP": 0.9, "maxOutputTokens": 9, "stopSequences": ["E"], "seed": 1},
        safetySettings=[],
    )
    body, losses = as_openai(document)
    assert body == {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Weather?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                ],
            },
            {
                "role": "assistant",
                "content": "Let me see",
                "tool_calls": [
                    {
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "21"},
        ],
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["E"],
        "seed": 1,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "description": "Weather",
                    "parameters": {
                        "type": "object",
                        "properties": {"city": {"type": ["string", "null"]}},
                        "required": ["city"],
                    },
                },
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    }
    assert losses == ["safetySettings", "thinking of an earlier turn"]


def renamed(value: Any) -> Any:
    """The same by the names the .proto file has."""
    if isinstance(value, list):
        return [renamed(each) for each in value]
    if isinstance(value, dict):
        return {snake(name): renamed(each) for name, each in value.items()}
    return value


def test_both_names_of_a_field_are_known() -> None:
    document = ask(
        user({"text": "a"}, PNG),
        model({**CALL, "thoughtSignature": "c2ln"}),
        user(RESULT),
        systemInstruction={"parts": [{"text": "s"}]},
        tools=[{"functionDeclarations": [{**DECLARED, "parametersJsonSchema": {"type": "object"}}]}],
        toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}},
        generationConfig={
            "maxOutputTokens": 5,
            "topK": 3,
            "thinkingConfig": {"thinkingBudget": 7},
            "responseMimeType": "application/json",
            "responseJsonSchema": {"type": "object"},
            "presencePenalty": 1,
        },
    )
    assert gemini.decode_request(renamed(document), model=MODEL) == gemini.decode_request(document, model=MODEL)
    assert gemini.measure(renamed(document)) == gemini.measure(document) == ir.Measure(limit=5, inline=4, media=1)
    assert "AAAA" not in json.dumps(gemini.written(renamed(document)))


@pytest.mark.parametrize(
    "tools, run",
    [
        (None, ()),
        ({"googleSearch": {}}, ()),
        ([1, {"functionDeclarations": []}, {"urlContext": {}}], ()),
        ([{"googleSearch": {}}, {"google_search": {}}], ("web_search",)),
        ([{"google_search_retrieval": {}}], ("web_search",)),
    ],
)
def test_a_search_that_google_runs_is_named(tools: Any, run: tuple[str, ...]) -> None:
    assert gemini.measure(ask(tools=tools)).tools == run


@pytest.mark.parametrize(
    "document",
    [
        {**ask(), "generationConfig": {}, "generation_config": {}},
        ask(generationConfig={"maxOutputTokens": 1, "max_output_tokens": 2}),
        ask(system_instruction={}, systemInstruction={}),
        ask(generationConfig={"maxOutputTokens": -1}),
        ask(generationConfig={"candidateCount": -1}),
        ask(generationConfig={"maxOutputTokens": "9"}),
        ask(generationConfig=[]),
    ],
)
def test_what_cannot_be_priced_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(BadRequest):
        gemini.measure(document)


def test_results_find_their_calls_without_ids() -> None:
    called = [{"functionCall": {"name": name}} for name in ("f", "g", "f")]
    answered = [{"functionResponse": {"name": name, "response": {name: 1}}} for name in ("g", "f", "f")]
    request = gemini.decode_request(ask(user({"text": "q"}), model(*called), user(*answered)), model=MODEL)
    calls = [block for block in request.turns[1].blocks if isinstance(block, ir.ToolCall)]
    results = [block for block in request.turns[2].blocks if isinstance(block, ir.ToolResult)]
    assert len({each.id for each in calls}) == 3
    assert [each.call_id for each in results] == [calls[1].id, calls[0].id, calls[2].id]


@pytest.mark.parametrize(
    "response, content, failed",
    [
        ({"output": "x"}, "x", False),
        ({"error": "x"}, "x", True),
        ({"output": {"a": 1}}, '{"a":1}', False),
        ({"a": 1, "error": ""}, '{"a":1,"error":""}', False),
        ({}, "{}", False),
    ],
)
def test_results_of_tools_are_read(response: dict[str, Any], content: str, *, failed: bool) -> None:
    answered = {"functionResponse": {"id": "c1", "name": "get_weather", "response": response}}
    request = gemini.decode_request(ask(user({"text": "q"}), model(CALL), user(answered)), model=MODEL)
    assert request.turns[2].blocks == (ir.ToolResult("c1", (ir.Text(content),), failed),)


REFUSED: list[tuple[dict[str, Any], str]] = [
    (ask(cachedContent="cachedContents/x"), "cachedContent cannot be used"),
    (ask(tools=[{"googleSearch": {}}]), "'googleSearch' cannot be used"),
    (ask({"role": "system", "parts": []}), r"contents\[0\].role has to be"),
    (ask({"role": "user", "parts": 1}), "parts has to be an array"),
    (ask(systemInstruction={"parts": [PNG]}), "can only hold text"),
    (ask(user({"functionResponse": {"response": {}}})), "has no call before it"),
    (ask(generationConfig={"stopSequences": [1]}), "stopSequences has to be"),
    (ask(generationConfig={"topP": "x"}), "topP has to be a number"),
    (ask(user({"executableCode": {"code": "1"}})), "cannot be sent to this channel"),
]


@pytest.mark.parametrize("document, sentence", REFUSED)
def test_content_without_a_form_is_refused(document: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ir.Unrepresentable, match=sentence):
        as_openai(document)


@pytest.mark.parametrize(
    "config, asked",
    [
        ({}, None),
        ({"thinkingBudget": 0}, ir.Reasoning("none")),
        ({"thinkingBudget": -1}, ir.Reasoning()),
        ({"thinkingBudget": 700}, ir.Reasoning("", 700)),
        ({"thinkingLevel": "low"}, ir.Reasoning("low")),
        ({"includeThoughts": True}, ir.Reasoning()),
    ],
)
def test_wishes_about_thinking_are_read(config: dict[str, Any], asked: ir.Reasoning | None) -> None:
    request = gemini.decode_request(ask(generationConfig={"thinkingConfig": config}), model=MODEL)
    assert request.reasoning == asked


@pytest.mark.parametrize(
    "config, choice, tools",
    [
        ({}, None, ["f", "g"]),
        ({"mode": "AUTO"}, ir.ToolChoice("auto"), ["f", "g"]),
        ({"mode": "none"}, ir.ToolChoice("none"), ["f", "g"]),
        ({"mode": "ANY", "allowedFunctionNames": ["f"]}, ir.ToolChoice("one", "f"), ["f", "g"]),
        ({"mode": "ANY", "allowedFunctionNames": ["g", "f"]}, ir.ToolChoice("any"), ["f", "g"]),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["g"]}, ir.ToolChoice("auto"), ["g"]),
    ],
)
def test_choices_of_tools_are_read(config: dict[str, Any], choice: ir.ToolChoice | None, tools: list[str]) -> None:
    declared = [{"functionDeclarations": [{"name": "f"}]}, {"functionDeclarations": [{"name": "g"}]}]
    document = ask(tools=declared, toolConfig={"functionCallingConfig": config})
    request = gemini.decode_request(document, model=MODEL)
    assert (request.choice, [each.name for each in request.tools]) == (choice, tools)


def test_a_request_changes_where_it_has_to_and_nowhere_else() -> None:
    seen = ask(unknown=[1], system_instruction={"parts": [{"text": "mine"}]})
    assert gemini.patch(seen, model="d", system_prompt="") is None
    assert gemini.patch(seen, model="d", system_prompt="ours") == {
        "contents": seen["contents"],
        "unknown": [1],
        "systemInstruction": {"parts": [{"text": "ours"}]},
    }


@pytest.mark.parametrize(
    "error, status",
    [
        (OneAPIError("m", status=400), "INVALID_ARGUMENT"),
        (OneAPIError("m", status=401), "UNAUTHENTICATED"),
        (OneAPIError("m", status=403), "PERMISSION_DENIED"),
        (OneAPIError("m", status=404), "NOT_FOUND"),
        (OneAPIError("m", status=413), "INVALID_ARGUMENT"),
        (OneAPIError("m", status=429), "RESOURCE_EXHAUSTED"),
        (OneAPIError("m", status=500), "INTERNAL"),
        (OneAPIError("m", status=503), "UNAVAILABLE"),
        (OneAPIError("m", status=529), "INTERNAL"),
        (UpstreamError("m", status=502, kind="FAILED_PRECONDITION"), "FAILED_PRECONDITION"),
        (UpstreamError("m", status=504, kind="a_type_of_openais"), "DEADLINE_EXCEEDED"),
    ],
)
def test_every_error_has_one_of_googles_names(error: OneAPIError, status: str) -> None:
    expected = {"error": {"code": error.status, "message": "m (request id: r)", "status": status}}
    assert json.loads(gemini.encode_error(error, "r")) == expected
    event = gemini.encode_error_event(error, "r")
    assert event.startswith(b'data: {"error":{')
    assert json.loads(event[6:]) == expected


# --- answers ----------------------------------------------------------------------------------------------------------

ANSWERED = (
    ir.Thinking("Well, then.", "sig+/=", "anthropic"),
    ir.Redacted("EmwKAh", "anthropic"),
    ir.Text("Hello"),
    ir.ToolCall("toolu_1", "f", '{"a":1}'),
    ir.ToolCall("toolu_2", "g", "{}"),
)
EVENTS: list[ir.Event] = [
    ir.Started("m1", "claude"),
    ir.ThinkingDelta("Well, "),
    ir.ThinkingDelta("then."),
    ir.ThinkingEnded(0, ir.Thinking("Well, then.", "sig+/=", "anthropic")),
    ir.ThinkingEnded(1, ir.Redacted("EmwKAh", "anthropic")),
    ir.TextDelta("Hel"),
    ir.Alive(),
    ir.TextDelta("lo"),
    ir.CallStarted("toolu_1", "f"),
    ir.ArgumentsDelta('{"a"'),
    ir.ArgumentsDelta(":1}"),
    ir.CallStarted("toolu_2", "g"),
    ir.ArgumentsDelta("{}"),
    ir.Finished("tool_calls"),
    ir.Ended(ir.Usage(30, 9, cached=20, reasoning=2)),
]
USED = {
    "promptTokenCount": 30,
    "candidatesTokenCount": 7,
    "totalTokenCount": 39,
    "cachedContentTokenCount": 20,
    "thoughtsTokenCount": 2,
}


def whole(blocks: tuple[ir.Said, ...], **fields: Any) -> dict[str, Any]:
    answer = ir.Answer(id="m1", model="claude", blocks=blocks, **fields)
    return dict(json.loads(gemini.encode_answer(answer, model=MODEL, created=1, asked={})))


def streamed(events: list[ir.Event]) -> list[dict[str, Any]]:
    encoder = gemini.encoder(model=MODEL, created=1, asked={})
    written = b"".join(encoder.encode(event) for event in events)
    return [json.loads(each.removeprefix(b"data: ")) for each in written.split(b"\n\n") if each]


def kept(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As Google's SDK keeps them: a signature is bytes, and written in the other alphabet."""
    return [
        {**part, "thoughtSignature": urlsafe_b64encode(urlsafe_b64decode(standard(part["thoughtSignature"]))).decode()}
        if "thoughtSignature" in part
        else part
        for part in parts
    ]


def standard(text: str) -> str:
    return text.replace("+", "-").replace("/", "_")


def sent_back(parts: list[dict[str, Any]]) -> tuple[ir.Said, ...]:
    return gemini.decode_request(ask(user({"text": "q"}), model(*kept(parts))), model=MODEL).turns[1].blocks


def test_a_whole_answer_is_one_of_theirs() -> None:
    value = whole(ANSWERED, reason="length", usage=ir.Usage(30, 9, cached=20, reasoning=2))
    candidate = value.pop("candidates")[0]
    assert value == {"usageMetadata": USED, "modelVersion": "claude", "responseId": "m1"}
    assert (candidate["finishReason"], candidate["index"], candidate["content"]["role"]) == ("MAX_TOKENS", 0, "model")
    assert candidate["content"]["parts"][2:] == [
        {"text": "Hello"},
        {"functionCall": {"id": "toolu_1", "name": "f", "args": {"a": 1}}},
        {"functionCall": {"id": "toolu_2", "name": "g", "args": {}}},
    ]


def test_signatures_of_another_vendor_come_back_as_they_were() -> None:
    assert sent_back(whole(ANSWERED)["candidates"][0]["content"]["parts"]) == ANSWERED
    parts = [part for chunk in streamed(EVENTS) for part in chunk["candidates"][0]["content"]["parts"]]
    blocks = sent_back(parts)
    assert blocks[:2] == ANSWERED[:2]
    assert blocks[2:4] == (ir.Text("Hel"), ir.Text("lo"))
    assert blocks[4:] == ANSWERED[3:]


def test_a_signature_of_googles_stays_as_it_is() -> None:
    assert sent_back([{"text": "", "thoughtSignature": "c2ln"}]) == (ir.Redacted("c2ln", "gemini"),)
    assert whole((ir.Redacted("c2ln", "gemini"),))["candidates"][0]["content"]["parts"] == [
        {"text": "", "thoughtSignature": "c2ln"}
    ]


def test_a_stream_is_one_of_theirs() -> None:
    chunks = streamed(EVENTS)
    assert [chunk["candidates"][0].get("finishReason") for chunk in chunks] == [None] * (len(chunks) - 1) + ["STOP"]
    assert [chunk.get("usageMetadata") for chunk in chunks] == [None] * (len(chunks) - 1) + [USED]
    assert {(chunk["responseId"], chunk["modelVersion"]) for chunk in chunks} == {("m1", "claude")}
    read = StreamDecoder()
    found = [event for chunk in chunks for event in read.read(json.dumps(chunk).encode())] + read.close()
    assert [each for each in found if isinstance(each, (ir.CallStarted, ir.ArgumentsDelta))] == [
        ir.CallStarted("toolu_1", "f"),
        ir.ArgumentsDelta('{"a":1}'),
        ir.CallStarted("toolu_2", "g"),
        ir.ArgumentsDelta("{}"),
    ]
    assert found[-2:] == [ir.Finished("tool_calls"), ir.Ended(ir.Usage(30, 9, cached=20, reasoning=2))]


def test_a_call_that_was_cut_off_keeps_what_there_is_of_it() -> None:
    cut = [*EVENTS[:9], ir.ArgumentsDelta('{"a"'), ir.Finished("length"), ir.Ended(None)]
    call, end = streamed(cut)[-2:]
    assert call["candidates"][0]["content"]["parts"][0]["functionCall"]["args"] == {"unfinished": '{"a"'}
    assert end["candidates"][0]["finishReason"] == "MAX_TOKENS"
    assert "usageMetadata" not in end


def test_images_are_shown() -> None:
    image = ir.Image(media_type="image/png", data="AAAA")
    assert whole((image,))["candidates"][0]["content"]["parts"] == [PNG]
    assert streamed([ir.Shown(image)])[0]["candidates"][0]["content"]["parts"] == [PNG]


# --- there and back ---------------------------------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
SAID = st.builds(lambda text: {"text": text}, WORDS)
THOUGHT = st.builds(lambda text: {"text": text, "thought": True, "thoughtSignature": "c2ln"}, WORDS)
ASKED = SAID | st.just(PNG) | st.just({"fileData": {"fileUri": "https://x.example/a", "mimeType": "video/mp4"}})


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(ASKED, min_size=1, max_size=3), st.lists(SAID | THOUGHT, min_size=1, max_size=4)), min_size=1
    )
)
def test_a_request_read_and_written_in_their_dialect_is_itself(turns: list[tuple[list[Any], list[Any]]]) -> None:
    contents = [content for asked, said in turns for content in (user(*asked), model(*said))]
    document = ask(
        *contents,
        model({**CALL, "thoughtSignature": "c2ln"}) if contents[-1]["role"] == "user" else user({"text": "and?"}),
        generationConfig={"maxOutputTokens": 9, "temperature": 0.5, "stopSequences": ["E"]},
        systemInstruction={"parts": [{"text": "s"}]},
    )
    encoded = Outgoing().encode_request(gemini.decode_request(document, model=MODEL))
    body = json.loads(encoded.body)
    body.pop("safetySettings")
    assert body == document
    assert encoded.losses == ()


NAMES = st.sampled_from(
    [
        *("role", "parts", "text", "thought", "thoughtSignature", "functionCall", "functionResponse", "name", "id"),
        *("args", "response", "inlineData", "inline_data", "fileData", "mimeType", "data", "functionDeclarations"),
        *("parameters", "mode", "thinkingConfig", "thinkingBudget", "responseSchema", "responseMimeType", "topK"),
        *("stopSequences", "functionCallingConfig", "allowedFunctionNames", "type", "properties", "items", "nullable"),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=4)
KINDS = st.sampled_from(["user", "model", "ANY", "OBJECT", "image/png", "application/json"])
JSON = st.recursive(
    LEAVES | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=14,
)


@settings(max_examples=400, deadline=None)
@given(JSON, JSON, JSON)
def test_requests_of_any_shape_are_sent_or_refused(a: Any, b: Any, c: Any) -> None:
    document = {
        "contents": [user(a if isinstance(a, dict) else {"text": a}), b],
        "systemInstruction": c,
        "tools": [{"functionDeclarations": [a]}],
        "toolConfig": b,
        "generationConfig": c,
    }
    for fields in (document, {"contents": a}, {**ask(), "generationConfig": a}, {**ask(), "tools": b}):
        with contextlib.suppress(BadRequest):
            gemini.measure(fields)
        with contextlib.suppress(ir.Unrepresentable):
            gemini.written(fields)
        with contextlib.suppress(ir.Unrepresentable):
            as_openai(fields)
        with contextlib.suppress(ir.Unrepresentable):
            as_anthropic(fields)
