"""Requests of the Responses API that are forwarded as they are: what has to change, and what the gateway reads."""

import json
from typing import Any

import pytest

from one_api import ir
from one_api.dialects import responses
from one_api.dialects.responses.errors import encode_error_event
from one_api.dialects.tap import PassageTap
from one_api.errors import BadRequest, UpstreamError
from one_api.lib.sse import SSEReader

THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAAB"}
FOREIGN = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "one-api:anthropic:data:x"}
SAID = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    "document, system_prompt, patched",
    [
        ({"model": "m", "input": "hi"}, "", None),
        ({"model": "a", "input": "hi", "x": 1}, "", {"model": "m", "input": "hi", "x": 1}),
        ({"model": "m", "instructions": "b"}, "c", {"model": "m", "instructions": "c"}),
        ({"model": "m", "input": [FOREIGN, SAID]}, "", None),
    ],
)
def test_only_what_has_to_change_does(document: dict[str, Any], system_prompt: str, patched: object) -> None:
    assert responses.patch(document, model="m", system_prompt=system_prompt) == patched


@pytest.mark.parametrize(
    "items, kept",
    [("hi", "hi"), ([THOUGHT, SAID], [THOUGHT, SAID]), ([THOUGHT, FOREIGN, SAID], [THOUGHT, SAID]), (None, None)],
)
def test_what_another_vendor_thought_is_left_out(items: object, kept: object) -> None:
    document = {"model": "m", "input": items}
    found = responses.own(document, model="m", vendor=True)
    assert found == {"model": "m", "input": kept}
    assert (found is document) is (items == kept)


def test_what_is_text_for_the_model() -> None:
    image = {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"}
    file = {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}
    items = [{"content": [image, file]}, THOUGHT]
    document = {"model": "m", "instructions": "i", "input": items, "tools": [{"name": "f"}]}
    left = [{"type": "input_image", "detail": "auto"}, {"type": "input_file", "filename": "a.pdf"}]
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    assert responses.written(document) == ["i", [{"content": left}, thought], [{"name": "f"}]]


IMAGE = {"type": "input_image", "image_url": "https://x.example/a.png"}


@pytest.mark.parametrize(
    "document, measure",
    [
        ({"input": "hi"}, ir.Measure()),
        ({"input": "hi", "max_output_tokens": 9, "background": False}, ir.Measure(limit=9)),
        ({"input": "hi", "max_output_tokens": 0}, ir.Measure()),
        ({"input": [SAID], "tools": [{"type": "function"}, {"type": "custom"}, {"type": "namespace"}]}, ir.Measure()),
        ({"input": [{"content": [IMAGE, IMAGE]}]}, ir.Measure(media=2)),
        ({"input": [{"content": [{"type": "input_file", "file_data": "AAAA"}]}]}, ir.Measure(media=1, inline=4)),
        (
            {"input": [{"content": [{"type": "input_file", "file_data": "data:text/plain;base64,AAAA"}]}]},
            ir.Measure(media=1),
        ),
        ({"input": "hi", "tools": [{"type": "mcp"}, 1]}, ir.Measure(unseen=True)),
        ({"input": "hi", "tools": [{"type": "web_search"}]}, ir.Measure(unseen=True, tools=("web_search",))),
        (
            {"input": "hi", "tools": [{"type": "image_generation"}, {"type": "web_search_preview_2025_03_11"}] * 2},
            ir.Measure(unseen=True, tools=("web_search", "image_generation")),
        ),
        ({"input": [{"content": [{"type": "input_file", "file_url": "u"}]}]}, ir.Measure(media=1, unseen=True)),
        (
            {"input": [{"content": [{"type": "input_file", "file_id": "file-1"}]}]},
            ir.Measure(media=1, kept="input", unseen=True),
        ),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, ir.Measure(kept="input", unseen=True)),
        ({"input": "hi", "previous_response_id": "r"}, ir.Measure(kept="previous_response_id", unseen=True)),
        ({"conversation": "conv_1"}, ir.Measure(kept="conversation", unseen=True)),
        ({"prompt": {"id": "p"}}, ir.Measure(kept="prompt", unseen=True)),
    ],
)
def test_what_has_a_price(document: dict[str, Any], measure: ir.Measure) -> None:
    assert responses.measure(document) == measure


@pytest.mark.parametrize(
    "document, field, sentence",
    [
        ({}, "input", "field input is required"),
        ({"input": []}, "input", "field input is required"),
        ({"input": "hi", "max_output_tokens": -1}, "max_output_tokens", "max_output_tokens is invalid"),
        ({"input": "hi", "max_output_tokens": True}, "max_output_tokens", "max_output_tokens is invalid"),
        ({"input": "hi", "background": True}, "background", "background is not supported"),
    ],
)
def test_what_cannot_be_priced_is_refused(document: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(BadRequest, match=sentence) as refused:
        responses.measure(document)
    assert refused.value.param == field


def test_an_error_ends_a_stream_for_who_looks_at_errors_and_who_looks_at_responses() -> None:
    error = UpstreamError("it broke", code="upstream_stream_error", kind="server_error")
    first, second, rest = encode_error_event(error, "r").decode().split("\n\n")
    told = {"code": "upstream_stream_error", "message": "it broke (request id: r)", "param": None}
    raised = json.loads(first.removeprefix("event: error\ndata: "))
    assert raised == {"type": "error", "sequence_number": 0, **told, "error": {"type": "server_error", **told}}
    failed = json.loads(second.removeprefix("event: response.failed\ndata: "))
    assert failed["response"].keys() >= {"id", "object", "output", "tools", "tool_choice", "parallel_tool_calls"}
    assert (failed["type"], failed["response"]["status"], rest) == ("response.failed", "failed", "")
    assert failed["response"]["error"] == {"code": "upstream_stream_error", "message": "it broke (request id: r)"}


def test_the_events_of_an_error_go_on_counting() -> None:
    """Whether the stream was written here or forwarded."""
    encoder = responses.encoder(model="m", created=1, asked={})
    written = b"".join(encoder.encode(event) for event in (ir.Started("r", "m"), ir.TextDelta("hi")))
    tap = PassageTap(responses)
    for _, data in SSEReader().feed(written):
        tap.event(data)
    count = written.count(b"event: ")
    assert (encoder.number, tap.number) == (count, count)
    told = encode_error_event(UpstreamError("it broke"), "r", number=count).decode().split("data: ")[1:]
    assert [json.loads(each.partition("\n")[0])["sequence_number"] for each in told] == [count, count + 1]
