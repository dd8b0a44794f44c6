"""Requests of the Responses API that are forwarded as they are: what has to change, and what the gateway reads."""

from typing import Any

import pytest

from one_api.dialects import responses
from one_api.dialects.responses.errors import encode_error_event
from one_api.errors import UpstreamError

THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAAB"}
FOREIGN = {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "one-api:anthropic:data:x"}
SAID = {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    "document, system_prompt, patched",
    [
        ({"model": "m", "input": "hi"}, "", None),
        ({"model": "m", "input": [THOUGHT, SAID], "x": 1}, "", None),
        ({"model": "a", "input": "hi", "x": 1}, "", {"model": "m", "input": "hi", "x": 1}),
        ({"model": "m", "instructions": "b"}, "c", {"model": "m", "instructions": "c"}),
        ({"model": "m", "input": [THOUGHT, FOREIGN, SAID]}, "", {"model": "m", "input": [THOUGHT, SAID]}),
    ],
)
def test_only_what_has_to_change_does(document: dict[str, Any], system_prompt: str, patched: object) -> None:
    assert responses.patch(document, model="m", system_prompt=system_prompt) == patched


def test_what_is_text_for_the_model() -> None:
    image = {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"}
    file = {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"}
    document = {"model": "m", "instructions": "i", "input": [{"content": [image, file]}], "tools": [{"name": "f"}]}
    left = [{"type": "input_image", "detail": "auto"}, {"type": "input_file", "filename": "a.pdf"}]
    assert responses.written(document) == ["i", [{"content": left}], [{"name": "f"}]]


@pytest.mark.parametrize(
    "document, unseen",
    [
        ({"input": "hi"}, False),
        ({"input": [SAID], "tools": [{"type": "function"}, {"type": "custom"}, {"type": "namespace"}]}, False),
        ({"input": [{"content": [{"type": "input_image", "image_url": "https://x"}]}]}, False),
        ({"input": "hi", "previous_response_id": "resp_1"}, True),
        ({"input": "hi", "conversation": "conv_1"}, True),
        ({"prompt": {"id": "p"}}, True),
        ({"input": "hi", "tools": [{"type": "web_search"}]}, True),
        ({"input": [{"content": [{"type": "input_file", "file_id": "file-1"}]}]}, True),
        ({"input": [{"content": [{"type": "input_file", "file_url": "https://x"}]}]}, True),
    ],
)
def test_whether_the_model_reads_more_than_is_sent(document: dict[str, Any], unseen: object) -> None:
    assert responses.unseen(document) is unseen


def test_an_error_ends_a_stream_as_an_event() -> None:
    error = UpstreamError("it broke", code="upstream_stream_error", kind="server_error")
    told = '"code":"upstream_stream_error","message":"it broke (request id: r)","param":null'
    data = f'{{"type":"error","sequence_number":0,{told},"error":{{"type":"server_error",{told}}}}}'
    assert encode_error_event(error, "r").decode() == f"event: error\ndata: {data}\n\n"
