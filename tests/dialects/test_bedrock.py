"""Bedrock's two APIs: frames as Amazon's library reads them, events however the bytes were cut, requests it takes."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from one_api import ir
from one_api.dialects import anthropic, bedrock, vertex
from one_api.dialects.bedrock import converse
from one_api.dialects.bedrock.frames import Broken, FrameReader
from one_api.dialects.outbound import OUTBOUND, Outbound
from one_api.lib.sse import SSEReader
from tests.harness.frames import event, exception, frame

RECORDED = Path(__file__).parent / "anthropic_to_openai"
STREAMS = sorted(RECORDED.glob("*/stream.in.sse"))
MODEL: Any = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")


def framed(stream: bytes) -> bytes:
    """The same events in Amazon's envelope."""
    pieces = [data for _, data in SSEReader().feed(stream) if data is not None]
    return b"".join(event("chunk", {"bytes": base64.b64encode(each).decode(), "p": "abc"}) for each in pieces)


def events(dialect: Outbound, data: bytes, step: int) -> list[ir.Event]:
    decoder = dialect.decoder()
    found = [each for at in range(0, len(data), step) for each in decoder.feed(data[at : at + step])]
    return found + decoder.close()


# --- frames -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.binary(max_size=50), st.dictionaries(st.text("abc:-", min_size=1), st.text()))))
def test_frames_are_read_as_amazons_library_reads_them(made: list[tuple[bytes, dict[str, str]]]) -> None:
    data = b"".join(frame(payload, {":message-type": "event", **headers}) for payload, headers in made)
    theirs: Any = EventStreamBuffer()
    theirs.add_data(data)
    expected = [(each.headers[":message-type"], each.payload) for each in theirs]
    assert [(each.kind, each.payload) for each in FrameReader().feed(data)] == expected


@given(st.binary(min_size=12))
def test_what_is_no_frame_is_called_that(data: bytes) -> None:
    with pytest.raises(Broken):
        list(FrameReader().feed(data))


@given(st.data())
def test_a_damaged_frame_is_not_believed(data: st.DataObject) -> None:
    raw = bytearray(event("chunk", {"bytes": "e30="}))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    found = bedrock.decoder().feed(bytes(raw))
    assert not [each for each in found if not isinstance(each, ir.Failed)]


# --- models of Anthropic's --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.parent.name)
def test_a_stream_in_frames_says_what_it_says_without(path: Path) -> None:
    stream = path.read_bytes()
    expected = [each for each in events(anthropic, stream, len(stream)) if not isinstance(each, ir.Alive)]
    data = framed(stream)
    for step in (1, 7, len(data)):
        found = [each for each in events(bedrock, data, step) if not isinstance(each, ir.Alive)]
        assert found == expected


def test_the_request_names_the_api_and_not_the_model() -> None:
    request = ir.Request(model="anthropic.claude-x", turns=(ir.Turn("user", (ir.Text("hi"),)),), limit=9, stream=True)
    plain = json.loads(anthropic.encode_request(request).body)
    amazons = json.loads(bedrock.encode_request(request).body)
    googles = json.loads(vertex.encode_request(request).body)
    assert amazons == {
        "anthropic_version": "bedrock-2023-05-31",
        **{name: value for name, value in plain.items() if name not in ("model", "stream")},
    }
    assert googles == {**amazons, "anthropic_version": "vertex-2023-10-16", "stream": True}


@pytest.mark.parametrize("dialect", [OUTBOUND["bedrock"], OUTBOUND["converse"]], ids=["invoke", "converse"])
def test_an_exception_in_a_stream_is_a_failure(dialect: Outbound) -> None:
    data = exception("throttlingException", "Too many tokens") + event("chunk", {})
    for step in (1, len(data)):
        assert events(dialect, data, step) == [ir.Failed("rate_limit_error", "Too many tokens")]


@pytest.mark.parametrize("dialect", [OUTBOUND["bedrock"], OUTBOUND["converse"]], ids=["invoke", "converse"])
def test_a_stream_that_breaks_off_does_not_end(dialect: Outbound) -> None:
    data = framed(STREAMS[0].read_bytes()) if dialect is OUTBOUND["bedrock"] else CONVERSED
    for end in range(0, len(data) - 400, 97):
        assert not [each for each in events(dialect, data[:end], 50) if isinstance(each, ir.Ended)]


# --- Converse ---------------------------------------------------------------------------------------------------------

USAGE = {"inputTokens": 5, "outputTokens": 9, "totalTokens": 34, "cacheReadInputTokens": 20}
CONVERSED = b"".join(
    (
        event("messageStart", {"role": "assistant"}),
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm"}}}),
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "s1"}}}),
        event("contentBlockStop", {"contentBlockIndex": 0}),
        event("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "你好"}}),
        event("contentBlockStop", {"contentBlockIndex": 1}),
        event("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "t1", "name": "f"}}}),
        event("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": '{"a":'}}}),
        event("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": "1}"}}}),
        event("contentBlockStop", {"contentBlockIndex": 2}),
        event("contentBlockStart", {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "t2", "name": "g"}}}),
        event("contentBlockStop", {"contentBlockIndex": 3}),
        event("somethingNew", {"x": 1}),
        event("messageStop", {"stopReason": "tool_use"}),
        event("metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}}),
    )
)
THOUGHT = ir.Thinking("Hm", "s1", "converse")


@pytest.mark.parametrize("step", [1, 13, 10_000])
def test_a_conversation_is_read_however_it_was_cut(step: int) -> None:
    assert events(OUTBOUND["converse"], CONVERSED, step) == [
        ir.Started("", ""),
        ir.ThinkingDelta("Hm"),
        ir.ThinkingEnded(0, THOUGHT),
        ir.TextDelta("你好"),
        ir.CallStarted("t1", "f"),
        ir.ArgumentsDelta('{"a":'),
        ir.ArgumentsDelta("1}"),
        ir.CallStarted("t2", "g"),
        ir.ArgumentsDelta("{}"),
        ir.Finished("tool_calls"),
        ir.Ended(ir.Usage(input=25, output=9, cached=20)),
    ]


def test_a_whole_conversation_is_read() -> None:
    content = [
        {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "s1"}}},
        {"text": "Hi"},
        {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
        {"unknown": {}},
    ]
    body = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "tool_use", "usage": USAGE}
    assert converse.decode_answer(json.dumps(body, separators=(",", ":")).encode()) == ir.Answer(
        id="",
        model="",
        blocks=(THOUGHT, ir.Text("Hi"), ir.ToolCall("t1", "f", '{"a":1}')),
        reason="tool_calls",
        usage=ir.Usage(input=25, output=9, cached=20),
    )


def test_amazons_library_takes_what_is_asked() -> None:
    request = ir.Request(
        model="meta.llama3-70b-instruct-v1:0",
        system=(ir.Text("Be brief."),),
        turns=(
            ir.Turn("user", (ir.Text("hi"), ir.Image(media_type="image/png", data="iVBORw0KGgo="))),
            ir.Turn("user", (ir.File(media_type="application/pdf", data="JVBERi0=", name="a.b/c.pdf"),)),
            ir.Turn("assistant", (THOUGHT, ir.Thinking("unsigned"), ir.ToolCall("t1", "f", '{"a":1}'))),
            ir.Turn("user", (ir.ToolResult("t1", (ir.Text("21"),), failed=True), ir.Text(" "))),
        ),
        tools=(ir.Tool("f", "does", {"properties": {"a": {}}}), ir.Tool("g")),
        choice=ir.ToolChoice("one", "f"),
        limit=50,
        temperature=1.5,
        top_p=0.5,
        top_k=3,
        stop=("END",),
        extra={"seed": 1},
    )
    encoded = converse.encode_request(request)
    body = json.loads(encoded.body)
    asked = {"modelId": request.model, **body}
    for message in asked["messages"]:
        for block in message["content"]:
            for media in (block.get("image"), block.get("document")):
                if media:
                    media["source"]["bytes"] = base64.b64decode(media["source"]["bytes"])
    report = ParamValidator().validate(asked, MODEL.operation_model("Converse").input_shape)
    assert not report.has_errors(), report.generate_report()
    assert [message["role"] for message in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][0]["content"][2]["document"]["name"] == "a b c pdf"
    assert body["messages"][1]["content"][0]["reasoningContent"]["reasoningText"]["signature"] == "s1"
    assert body["inferenceConfig"] == {"maxTokens": 50, "temperature": 1, "topP": 0.5, "stopSequences": ["END"]}
    assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "f"}}
    assert encoded.losses == ("seed", "thinking of an earlier turn", "temperature above 1", "top_k")


@pytest.mark.parametrize(
    "block",
    [
        ir.Image(url="https://images.example/a.png"),
        ir.Image(media_type="image/tiff", data="AAAA"),
        ir.File(media_type="application/zip", data="AAAA"),
        ir.ToolCall("t", "f", "[1]"),
        ir.ToolCall("t", "f", '{"a":'),
        ir.Opaque("anthropic", {"type": "x"}),
    ],
)
def test_content_that_converse_has_no_form_for_is_refused(block: ir.Said) -> None:
    with pytest.raises(ir.Unrepresentable):
        converse.encode_request(ir.Request(model="m", turns=(ir.Turn("user", (block,)),)))


@given(st.binary())
def test_nothing_that_comes_raises(data: bytes) -> None:
    for raw in (data, frame(data, {":message-type": "event", ":event-type": "contentBlockDelta"})):
        events(OUTBOUND["converse"], raw, 5)
        events(OUTBOUND["bedrock"], raw, 5)
