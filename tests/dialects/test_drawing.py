"""Images in the words of vendors that have their own: what is sent, what is read, what is refused."""

import json
from typing import Any

import pytest

from one_api import ir
from one_api.dialects import drawing
from one_api.dialects.dashscope import images as dashscope
from one_api.dialects.drawing import Picture
from one_api.dialects.replicate import images as replicate
from one_api.lib.json import InvalidJSON

VENDORS: dict[str, Any] = {"dashscope": dashscope, "replicate": replicate}
CAT = {"prompt": "a cat"}
URL = "https://x.example/1.png"


@pytest.mark.parametrize(
    "vendor, model, asked, body, losses",
    [
        (
            "dashscope",
            "wanx-v1",
            {**CAT, "n": 2, "size": "720x1280", "seed": 7, "negative_prompt": "dogs", "style": "<anime>", "user": "u"},
            {
                "model": "wanx-v1",
                "input": {"prompt": "a cat", "negative_prompt": "dogs"},
                "parameters": {"n": 2, "seed": 7, "style": "<anime>", "size": "720*1280"},
            },
            ("user",),
        ),
        (
            "dashscope",
            "qwen-image-plus",
            {**CAT, "size": "auto", "negative_prompt": "dogs", "style": "vivid", "watermark": False, "seed": "7"},
            {
                "model": "qwen-image-plus",
                "input": {"messages": [{"role": "user", "content": [{"text": "a cat"}]}]},
                "parameters": {"n": 1, "watermark": False, "negative_prompt": "dogs"},
            },
            ("style", "seed"),
        ),
        (
            "replicate",
            "o/m",
            {**CAT, "n": 1, "size": "1792x1024", "output_format": "jpeg", "seed": 7, "num_outputs": 4, "quality": "hd"},
            {"input": {"prompt": "a cat", "aspect_ratio": "16:9", "output_format": "jpg", "seed": 7}},
            ("num_outputs", "quality"),
        ),
        ("replicate", "o/m", {**CAT, "size": "1024x1536"}, {"input": {"prompt": "a cat", "aspect_ratio": "2:3"}}, ()),
        ("replicate", "o/m", {**CAT, "size": "0x0"}, {"input": {"prompt": "a cat"}}, ()),
        (
            "replicate",
            "o/m",
            {**CAT, "size": "1024x1024", "aspect_ratio": "21:9"},
            {"input": {"prompt": "a cat", "aspect_ratio": "21:9"}},
            (),
        ),
    ],
)
def test_requests(vendor: str, model: str, asked: Any, body: Any, losses: tuple[str, ...]) -> None:
    encoded = VENDORS[vendor].encode_request(drawing.decode_request(asked), model=model)
    assert (json.loads(encoded.body), encoded.losses) == (body, losses)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"prompt": 1},
        {**CAT, "size": 5},
        {**CAT, "n": "1"},
        {**CAT, "response_format": "x"},
        {**CAT, "stream": True},
    ],
)
def test_what_is_no_request_is_refused(asked: Any) -> None:
    with pytest.raises(ir.Unrepresentable):
        drawing.decode_request(asked)


def test_a_prediction_makes_one_image() -> None:
    with pytest.raises(ir.Unrepresentable, match="makes one image"):
        replicate.encode_request(drawing.decode_request({**CAT, "n": 2}), model="o/m")


def task(status: str, **output: Any) -> Any:
    return {"request_id": "r", "output": {"task_id": "t", "task_status": status, **output}, "usage": {"image_count": 1}}


@pytest.mark.parametrize(
    "vendor, answer, found",
    [
        (
            "dashscope",
            task(
                "SUCCEEDED",
                results=[{"url": URL, "actual_prompt": "a fat cat"}, {"code": "Slow", "message": "slow"}],
            ),
            (Picture(URL, prompt="a fat cat"),),
        ),
        (
            "dashscope",
            {
                "output": {
                    "choices": [{"finish_reason": "stop", "message": {"content": [{"image": URL}, {"text": "!"}]}}]
                }
            },
            (Picture(URL),),
        ),
        (
            "dashscope",
            task("SUCCEEDED", results=[{"code": "Slow", "message": "slow"}]),
            ir.Failed("Slow", "slow"),
        ),
        (
            "dashscope",
            task("FAILED", code="DataInspectionFailed", message="no"),
            ir.Failed("DataInspectionFailed", "no", refused=True),
        ),
        ("dashscope", task("UNKNOWN"), ir.Failed("upstream_error", "the task ended as UNKNOWN")),
        ("dashscope", {"code": "Arrearage", "message": "pay"}, ir.Failed("insufficient_quota", "pay")),
        ("dashscope", {}, ir.Failed("upstream_error", drawing.NONE)),
        (
            "dashscope",
            {"output": {"choices": [{"message": {"content": "I cannot"}}, {}]}},
            ir.Failed("upstream_error", drawing.NONE),
        ),
        ("replicate", {"status": "succeeded", "output": URL}, (Picture(URL),)),
        (
            "replicate",
            {"status": "succeeded", "output": [URL, "data:image/png;base64,aGk="]},
            (Picture(URL), Picture(data="aGk=")),
        ),
        ("replicate", {"status": "failed", "error": "NSFW"}, ir.Failed("upstream_error", "NSFW")),
        ("replicate", {"status": "succeeded", "output": {"a": 1}}, ir.Failed("upstream_error", drawing.NONE)),
        ("replicate", {"status": "succeeded", "output": []}, ir.Failed("upstream_error", drawing.NONE)),
    ],
)
def test_answers(vendor: str, answer: Any, found: Any) -> None:
    assert VENDORS[vendor].decode_answer(json.dumps(answer).encode()) == found


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("body", [b"", b"[]", b'{"output":', b'{"output":{"results":7}}', b'{"status":7}', b"\xff"])
def test_what_is_no_answer_is_none(vendor: str, body: bytes) -> None:
    try:
        found = VENDORS[vendor].decode_answer(body)
    except InvalidJSON:
        return
    assert isinstance(found, ir.Failed)


def test_openais_answer() -> None:
    pictures = (Picture(URL, prompt="a fat cat"), Picture(data="aGk="))
    assert json.loads(drawing.encode_answer(pictures, created=3)) == {
        "created": 3,
        "data": [{"url": URL, "revised_prompt": "a fat cat"}, {"b64_json": "aGk="}],
    }
