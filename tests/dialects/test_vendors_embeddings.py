"""Embeddings in the words of vendors that have their own: what is sent, what is read, what is refused."""

import json
from typing import Any

import pytest

from one_api import ir
from one_api.dialects import predict
from one_api.dialects.baidu import embeddings as baidu
from one_api.dialects.bedrock.embeddings import Cohere, Titan
from one_api.dialects.embeddings import Texts, Vectors
from one_api.dialects.tencent import embeddings as tencent
from one_api.lib.json import InvalidJSON

VENDORS: dict[str, Any] = {
    "baidu": baidu, "bedrock-cohere": Cohere(), "predict": predict, "tencent": tencent, "titan": Titan()
}  # fmt: skip
TWO = [[0.5, 1.5], [2.5, 3.5]]


@pytest.mark.parametrize(
    "name, asked, body, losses",
    [
        ("tencent", Texts(("a", "b"), 3), {"InputList": ["a", "b"]}, ("dimensions",)),
        ("baidu", Texts(("a",), None, {"x": 1}), {"input": ["a"]}, ("x",)),
        ("titan", Texts(("a",), 256), {"inputText": "a", "dimensions": 256}, ()),
        (
            "bedrock-cohere",
            Texts(("a", "b")),
            {"texts": ["a", "b"], "input_type": "search_document", "embedding_types": ["float"]},
            (),
        ),
        (
            "predict",
            Texts(("a", "b"), 64, {"task_type": "RETRIEVAL_QUERY", "x": 1}),
            {
                "instances": [{"content": text, "task_type": "RETRIEVAL_QUERY"} for text in ("a", "b")],
                "parameters": {"outputDimensionality": 64},
            },
            ("x",),
        ),
    ],
)
def test_what_is_sent(name: str, asked: Texts, body: Any, losses: tuple[str, ...]) -> None:
    encoded = VENDORS[name].encode_request(asked, model="m")
    assert (json.loads(encoded.body), encoded.losses) == (body, losses)


def predicted(*counts: Any) -> Any:
    found = zip(TWO, counts, strict=True)
    return {"predictions": [{"embeddings": {"values": v, "statistics": {"token_count": c}}} for v, c in found]}


@pytest.mark.parametrize(
    "name, value, vectors, read",
    [
        (
            "tencent",
            {"Response": {"Data": [{"Embedding": TWO[1], "Index": 1}, {"Embedding": TWO[0], "Index": 0}]}},
            TWO,
            None,
        ),
        ("baidu", {"data": [{"embedding": TWO[0], "index": 0}], "usage": {"prompt_tokens": 4}}, TWO[:1], 4),
        ("titan", {"embedding": TWO[0], "inputTextTokenCount": 3}, TWO[:1], 3),
        ("titan", {"embedding": TWO[0]}, TWO[:1], None),
        ("bedrock-cohere", {"id": "e", "embeddings": {"float": TWO}}, TWO, None),
        ("predict", predicted(3.0, 1), TWO, 4),
        ("predict", predicted(3.0, None), TWO, None),
        ("predict", predicted(3.0, -1), TWO, None),
    ],
)
def test_what_is_read(name: str, value: Any, vectors: list[list[float]], read: int | None) -> None:
    usage = None if read is None else ir.Usage(input=read)
    assert VENDORS[name].decode_answer(json.dumps(value).encode()) == Vectors(tuple(vectors), usage)


@pytest.mark.parametrize(
    "name, value, kind",
    [
        ("tencent", {"Response": {"Error": {"Code": "AuthFailure", "Message": "no"}}}, "authentication_error"),
        ("baidu", {"error_code": 110, "error_msg": "Access token invalid"}, "token_refused"),
        ("bedrock-cohere", {"message": "no"}, ""),
    ],
)
def test_errors_have_their_cause(name: str, value: Any, kind: str) -> None:
    found = VENDORS[name].decode_answer(json.dumps(value).encode())
    assert isinstance(found, ir.Failed)
    assert found.type == kind


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("body", [b"", b"[]", b"1", b'{"data":1,"predictions":[{}],"embedding":"x","Response":1}'])
def test_what_is_no_answer_is_none(name: str, body: bytes) -> None:
    if isinstance(VENDORS[name], Cohere) and body.startswith(b"{"):
        assert isinstance(VENDORS[name].decode_answer(body), ir.Failed)
        return
    with pytest.raises(InvalidJSON):
        VENDORS[name].decode_answer(body)


def test_titan_takes_one_text_at_a_time() -> None:
    with pytest.raises(ir.Unrepresentable, match="one text at a time"):
        Titan().encode_request(Texts(("a", "b")), model="m")
