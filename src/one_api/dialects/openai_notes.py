"""What is noted of a text in OpenAI's dialects: its sources, and how likely each token of it was.

https://platform.openai.com/docs/api-reference/chat/object has annotations of the first form and `logprobs`,
https://developers.openai.com/api/reference/resources/responses/methods/create of the second one.
"""

from collections.abc import Iterable
from typing import Any, Final

from one_api import ir
from one_api.dialects.reading import text_of

LOGPROBS: Final = "logprobs"
"""Among the `extra` of a request: how many alternatives are wanted beside each token, 0 for the token alone."""


def wanted(asked: bool, most: Any) -> dict[str, int]:  # noqa: FBT001
    """The wish for likelihoods in every dialect's words."""
    return {LOGPROBS: most if type(most) is int and most > 0 else 0} if asked else {}


def encode_annotation(found: ir.Citation, *, flat: bool, base: int = 0) -> dict[str, Any]:
    """base: where the text it stands in begins."""
    places = {"start_index": max(found.start - base, 0), "end_index": max(found.end - base, 0)}
    source = {"url": found.url, "title": found.title, **places}
    return {"type": "url_citation", **source} if flat else {"type": "url_citation", "url_citation": source}


def decode_annotations(found: Any, *, base: int = 0) -> tuple[ir.Citation, ...]:
    """Of either form. What is no page on the web only the vendor could show."""
    return tuple(_citations(found, base)) if isinstance(found, list) and found else ()


def _citations(found: list[Any], base: int) -> Iterable[ir.Citation]:
    for each in found:
        inner = each.get("url_citation", each) if isinstance(each, dict) else None
        if isinstance(inner, dict) and isinstance(inner.get("url"), str):
            start, end = (_place(inner.get(name)) for name in ("start_index", "end_index"))
            yield ir.Citation(inner["url"], text_of(inner.get("title")), base + start, base + end)


def _place(value: Any) -> int:
    return value if type(value) is int and value > 0 else 0


def encode_tokens(tokens: tuple[ir.Token, ...]) -> list[dict[str, Any]]:
    return [{**_token(each), "top_logprobs": [_token(other) for other in each.top]} for each in tokens]


def _token(token: ir.Token) -> dict[str, Any]:
    written = list(token.bytes) if token.bytes is not None else list(token.token.encode("utf-8", "surrogatepass"))
    return {"token": token.token, "logprob": token.logprob, "bytes": written}


def decode_tokens(found: Any) -> tuple[ir.Token, ...]:
    if not isinstance(found, list) or not found:
        return ()
    return tuple(token for each in found if (token := _read(each, top=True)) is not None)


def _read(value: Any, *, top: bool = False) -> ir.Token | None:
    if not isinstance(value, dict):
        return None
    token, logprob, written = value.get("token"), value.get("logprob"), value.get("bytes")
    if not isinstance(token, str) or isinstance(logprob, bool) or not isinstance(logprob, (int, float)):
        return None
    others = value.get("top_logprobs") if top else None
    read = tuple(each for other in others if (each := _read(other)) is not None) if isinstance(others, list) else ()
    kept = tuple(each for each in written if type(each) is int) if isinstance(written, list) else None
    return ir.Token(token, logprob, kept, read)


def moved(text: ir.Text, base: int) -> ir.Text:
    """The same text further on in an answer."""
    if not text.citations or not base:
        return text
    return ir.Text(
        text.text,
        text.extra,
        text.refused,
        tuple(
            ir.Citation(each.url, each.title, each.start + base, each.end + base, each.quote) for each in text.citations
        ),
        text.tokens,
    )


def searched(found: Any) -> tuple[ir.Citation, ...]:
    """What Perplexity tells of its sources, or, as it once did, their addresses alone.

    https://docs.perplexity.ai/api-reference/chat-completions-post
    """
    sources: dict[str, ir.Citation] = {}
    for each in found if isinstance(found, list) else ():
        source = {"url": each} if isinstance(each, str) else each
        if isinstance(source, dict) and isinstance(source.get("url"), str):
            title, quote = (text_of(source.get(name)) for name in ("title", "snippet"))
            sources[source["url"]] = ir.Citation(source["url"], title, quote=quote)
    return tuple(sources.values())
