"""Documents ranked by how much they answer a query: in Jina's form, which most providers share, and in others.

https://jina.ai/reranker/#apiform. A provider with a form of its own is a request and an answer.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from one_api import ir
from one_api.lib import json

MOST: Final = 10_000_000  # tokens that are believed
_PIECES: Final = 100  # of a search unit
_PIECE: Final = 1000  # bytes: of 510 tokens, https://docs.cohere.com/docs/models#rerank
UNREADABLE: Final = "the upstream gave no ranking"
_KNOWN: Final = frozenset(("model", "query", "documents", "top_n", "return_documents"))


class Asked(msgspec.Struct, frozen=True):
    """What is to be ranked. `extra` are wishes that only some providers know."""

    query: str
    documents: tuple[Any, ...]
    top_n: int | None = None
    return_documents: bool = False
    extra: ir.Extra = {}

    def texts(self) -> list[str]:
        """Raises Unrepresentable for a document that is more than a text."""
        return [_text(each) for each in self.documents]


class Ranking(msgspec.Struct, frozen=True):
    """Places of documents with their scores, best first. `usage` is None where the upstream does not say."""

    results: tuple[tuple[int, float], ...]
    usage: ir.Usage | None = None


class Form(msgspec.Struct, frozen=True):
    """How a provider is asked, and how its answer is read; that raises KeyError, TypeError or ValueError."""

    encode: Callable[[Asked, str], dict[str, Any]]
    decode: Callable[[Any], Ranking]
    known: frozenset[str] = frozenset()


def decode_request(document: Mapping[str, Any]) -> Asked:
    """Raises Unrepresentable."""
    query, documents, top_n = document.get("query"), document.get("documents"), document.get("top_n")
    if not isinstance(query, str):
        raise ir.Unrepresentable("on this channel query has to be a string")
    if not isinstance(documents, list):
        raise ir.Unrepresentable("documents has to be an array")
    if top_n is not None and (type(top_n) is not int or top_n < 1):
        raise ir.Unrepresentable("top_n has to be a number above 0")
    extra = {name: value for name, value in document.items() if name not in _KNOWN and value is not None}
    return Asked(query, tuple(documents), top_n, document.get("return_documents") is True, extra)


def written(document: Mapping[str, Any]) -> list[str]:
    """The texts of a request, for who counts them."""
    documents = document.get("documents")
    found = [document.get("query"), *(documents if isinstance(documents, list) else ())]
    texts = [each.get("text") if isinstance(each, dict) else each for each in found]
    return [each for each in texts if isinstance(each, str)]


def repeated(document: Mapping[str, Any]) -> int:
    """Bytes of the query that a ranker reads again with each document but the first; some providers count them.

    https://docs.voyageai.com/docs/faq#what-is-the-total-number-of-tokens-for-the-rerankers
    """
    query, documents = document.get("query"), document.get("documents")
    if not isinstance(documents, list):
        return 0
    return _size(query) * max(0, len(documents) - 1)


def searches(document: Mapping[str, Any]) -> int:
    """The search units that a request is worth at most: each is a query with up to 100 documents.

    Models cut documents that are too long for them, and each piece counts: https://cohere.com/pricing.
    """
    query, documents = document.get("query"), document.get("documents")
    if not isinstance(documents, list):
        return 1
    texts = [each.get("text") if isinstance(each, dict) else each for each in documents]
    pieces = sum(1 + (_size(query) + _size(each)) // _PIECE for each in texts)
    return max(1, -(-pieces // _PIECES))


def _size(text: object) -> int:
    return len(text.encode()) if isinstance(text, str) else 0


def encode_request(form: Form, asked: Asked, *, model: str) -> ir.Encoded:
    """Raises Unrepresentable."""
    value = form.encode(asked, model)
    value.update((name, found) for name, found in asked.extra.items() if name in form.known)
    return ir.Encoded(json.encode(value), tuple(name for name in asked.extra if name not in form.known))


def decode_answer(form: Form, body: bytes) -> Ranking | ir.Failed:
    """Raises json.InvalidJSON."""
    value = json.decode(body)
    try:
        return form.decode(value)
    except (KeyError, TypeError, ValueError, AttributeError):
        message = value.get("message") if isinstance(value, dict) else None
        return ir.Failed("", message if isinstance(message, str) and message else UNREADABLE)


def encode_answer(found: Ranking, asked: Asked, *, model: str) -> bytes:
    """In Jina's form."""
    used = found.usage or ir.Usage()
    results = [_result(place, score, asked) for place, score in found.results]
    usage = {"total_tokens": used.input, "prompt_tokens": used.input}
    value: dict[str, Any] = {"object": "list", "model": model, "results": results, "usage": usage}
    if used.searches:
        value["meta"] = {"billed_units": {"search_units": used.searches}}
    return json.encode(value)


def read_usage(value: Any) -> ir.Usage | None:
    """What an answer in Jina's form says was read: Jina itself, Cohere's `meta` as SiliconFlow and Xinference have it.

    https://docs.siliconflow.cn/api-reference/rerank/create-rerank. A number of searches is no number of tokens.
    """
    if not isinstance(value, dict):
        return None
    usage, meta = _object(value.get("usage")), _object(value.get("meta"))
    billed = _object(meta.get("billed_units"))
    read = (
        *(_count(usage, name) for name in ("total_tokens", "prompt_tokens")),
        _count(_object(meta.get("tokens")), "input_tokens"),
        *(_count(billed, name) for name in ("total_tokens", "input_tokens")),
    )
    found = ir.Usage(
        input=next(filter(None, read), 0), searches=_count(billed, "search_units") or _count(usage, "search_units")
    )
    return found if found.input or found.searches else None


def _count(place: Mapping[str, Any], name: str) -> int:
    """Cohere writes whole floats."""
    count = place.get(name)
    if not isinstance(count, int | float) or isinstance(count, bool) or not 0 < count <= MOST:
        return 0
    return int(count)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(document: Any) -> str:
    text = document.get("text") if isinstance(document, dict) and document.keys() <= {"text"} else document
    if not isinstance(text, str):
        raise ir.Unrepresentable("on this channel documents have to be texts")
    return text


def _result(place: int, score: float, asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = {"index": place, "relevance_score": score}
    if asked.return_documents:
        document = asked.documents[place]
        found["document"] = {"text": document} if isinstance(document, str) else document
    return found


def _results(listed: Any) -> tuple[tuple[int, float], ...]:
    if not isinstance(listed, list):
        raise TypeError("no list")
    return tuple((int(each["index"]), float(each["relevance_score"])) for each in listed)


# https://docs.cohere.com/reference/rerank: version 2 has no `return_documents`.


def _to_cohere(asked: Asked, model: str) -> dict[str, Any]:
    value: dict[str, Any] = {"model": model, "query": asked.query, "documents": asked.texts()}
    return value if asked.top_n is None else {**value, "top_n": asked.top_n}


def _from_cohere(answer: Any) -> Ranking:
    return Ranking(_results(answer["results"]), read_usage(answer))


# https://help.aliyun.com/zh/model-studio/text-rerank-api


def _to_dashscope(asked: Asked, model: str) -> dict[str, Any]:
    parameters: dict[str, Any] = {"return_documents": False}
    if asked.top_n is not None:
        parameters["top_n"] = asked.top_n
    return {"model": model, "input": {"query": asked.query, "documents": asked.texts()}, "parameters": parameters}


def _from_dashscope(answer: Any) -> Ranking:
    return Ranking(_results(answer["output"]["results"]), read_usage(answer))


# https://docs.voyageai.com/reference/reranker-api


def _to_voyage(asked: Asked, model: str) -> dict[str, Any]:
    value: dict[str, Any] = {"model": model, "query": asked.query, "documents": asked.texts()}
    return value if asked.top_n is None else {**value, "top_k": asked.top_n}


def _from_voyage(answer: Any) -> Ranking:
    return Ranking(_results(answer["data"]), read_usage(answer))


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "cohere": Form(_to_cohere, _from_cohere, frozenset(("max_tokens_per_doc", "priority"))),
        "dashscope": Form(_to_dashscope, _from_dashscope),
        "voyage": Form(_to_voyage, _from_voyage, frozenset(("truncation",))),
    }
)
"""Forms that are not Jina's."""
