"""Embeddings in OpenAI's form and in Google's: every pair, and requests of any shape."""

import contextlib
import json
from array import array
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from one_api import ir
from one_api.dialects import embeddings as openai
from one_api.dialects.embeddings import Texts, Vectors
from one_api.dialects.gemini import embeddings as google
from one_api.lib.json import InvalidJSON


def content(*texts: str) -> dict[str, Any]:
    return {"content": {"parts": [{"text": each} for each in texts]}}


@pytest.mark.parametrize(
    "document, asked",
    [
        ({"input": "a", "model": "m", "user": "u"}, Texts(("a",))),
        ({"input": ["a", "b"], "dimensions": 3, "x": 1}, Texts(("a", "b"), 3, {"x": 1})),
    ],
)
def test_openais_requests_are_read(document: dict[str, Any], asked: Texts) -> None:
    assert openai.decode_request(document) == asked


@pytest.mark.parametrize(
    "document, asked",
    [
        (content("a", "b"), Texts(("ab",))),
        ({**content("a"), "output_dimensionality": 3, "taskType": "X"}, Texts(("a",), 3, {"taskType": True})),
        ({"requests": [content("a"), content("b")]}, Texts(("a", "b"))),
        ({"requests": []}, Texts(())),
    ],
)
def test_googles_requests_are_read(document: dict[str, Any], asked: Texts) -> None:
    assert google.decode_request(document) == asked


@pytest.mark.parametrize(
    "document",
    [
        {"requests": [{**content("a"), "outputDimensionality": 1}, content("b")]},
        {"content": {"parts": [{"inlineData": {}}]}},
        {"requests": 1},
    ],
)
def test_what_has_no_form_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ir.Unrepresentable):
        google.decode_request(document)
    with pytest.raises(ir.Unrepresentable):
        openai.decode_request({"input": [[1, 2]]})


def test_requests_are_written() -> None:
    asked = Texts(("a", "b"), 3, {"x": 1})
    sent = openai.encode_request(asked, model="m")
    assert json.loads(sent.body) == {"model": "m", "input": ["a", "b"], "encoding_format": "float", "dimensions": 3}
    sent = google.encode_request(asked, model="m")
    assert json.loads(sent.body) == {
        "requests": [{"model": "models/m", **content(each), "outputDimensionality": 3} for each in "ab"]
    }
    assert sent.losses == ("x",)


def test_the_model_is_renamed_wherever_it_stands() -> None:
    document = {"requests": [{"model": "models/a", **content("x")}]}
    assert google.patch(document, model="a") is None
    assert google.patch(content("x"), model="b") is None
    assert google.patch({"model": "models/a", **content("x")}, model="b") == {"model": "models/b", **content("x")}
    assert google.patch(document, model="b") == {"requests": [{"model": "models/b", **content("x")}]}
    assert google.names({"model": "m", **document}) == {"m", "a"}


def test_answers_arrive_in_either_form() -> None:
    found = Vectors(([0.5, -1.0], [0.25, 2.0]), ir.Usage(input=7))
    for dialect in (openai, google):
        asked: dict[str, Any] = {"requests": []}
        assert dialect.decode_answer(dialect.encode_answer(found, model="m", asked=asked)) == found
    one = json.loads(google.encode_answer(found, model="m", asked={}))
    assert one == {"embedding": {"values": [0.5, -1.0]}, "usageMetadata": {"promptTokenCount": 7}}
    packed = json.loads(openai.encode_answer(found, model="m", asked={"encoding_format": "base64"}))
    assert [list(array("f", b64decode(each["embedding"]))) for each in packed["data"]] == [[0.5, -1.0], [0.25, 2.0]]
    assert [each["index"] for each in packed["data"]] == [0, 1]
    assert packed["usage"] == {"prompt_tokens": 7, "total_tokens": 7}


def test_vectors_have_the_order_of_their_texts() -> None:
    body = b'{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}'
    assert openai.decode_answer(body) == Vectors(([1.0], [2.0]))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"data":[{"embedding":["x"]}]}', b'{"embeddings":[1]}', b"\xff"])
def test_what_is_no_answer_is_told(body: bytes) -> None:
    for dialect in (openai, google):
        with contextlib.suppress(InvalidJSON):
            assert isinstance(dialect.decode_answer(body), ir.Failed)


def test_an_error_in_a_good_answer_is_one() -> None:
    body = b'{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}'
    assert google.decode_answer(body) == ir.Failed("UNAVAILABLE", "m")


NAMES = st.sampled_from(["requests", "content", "parts", "text", "model", "outputDimensionality", "input"])
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_requests_of_any_shape_are_read_or_refused(document: dict[str, Any]) -> None:
    assert all(isinstance(each, str) for each in google.written(document))
    for read in (google.decode_request, openai.decode_request, google.names):
        with contextlib.suppress(ir.Unrepresentable):
            read(document)
