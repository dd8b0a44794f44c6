"""What is noted of a text: its sources and how likely each token of it was, to and fro.

https://ai.google.dev/api/generate-content#GroundingMetadata and .../#LogprobsResult. Places are bytes there, and
characters here.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from one_api import ir


class _Page(msgspec.Struct):
    uri: str = ""
    title: str = ""


class _Source(msgspec.Struct):
    web: _Page | None = None


class _Segment(msgspec.Struct, rename="camel"):
    start_index: int = 0
    end_index: int = 0
    text: str = ""


class _Support(msgspec.Struct, rename="camel"):
    segment: _Segment | None = None
    grounding_chunk_indices: list[int] | None = None


class Grounding(msgspec.Struct, rename="camel"):
    """https://ai.google.dev/gemini-api/docs/google-search#understanding_the_response."""

    web_search_queries: list[str] | None = None
    grounding_chunks: list[_Source] | None = None
    grounding_supports: list[_Support] | None = None


class _Candidate(msgspec.Struct, rename="camel"):
    token: str = ""
    log_probability: float = 0.0


class _Place(msgspec.Struct):
    candidates: list[_Candidate] | None = None


class Likely(msgspec.Struct, rename="camel"):
    chosen_candidates: list[_Candidate] | None = None
    top_candidates: list[_Place] | None = None


def citations(grounding: Grounding | None, text: str) -> tuple[ir.Citation, ...]:
    """`text` is all that was said."""
    return () if grounding is None else tuple(_citations(grounding, text.encode("utf-8", "surrogatepass")))


def _citations(grounding: Grounding, text: bytes) -> Iterator[ir.Citation]:
    pages = [source.web for source in grounding.grounding_chunks or ()]
    named: set[int] = set()
    for support in grounding.grounding_supports or ():
        segment = support.segment or _Segment()
        start, end = (_characters(text, at) for at in (segment.start_index, segment.end_index))
        for index in support.grounding_chunk_indices or ():
            page = pages[index] if 0 <= index < len(pages) else None
            if page is not None:
                named.add(index)
                yield ir.Citation(page.uri, page.title, start, end, segment.text)
    for index, page in enumerate(pages):
        if page is not None and index not in named:
            yield ir.Citation(page.uri, page.title)


def _characters(text: bytes, at: int) -> int:
    return len(text[: max(at, 0)].decode("utf-8", "ignore"))


def tokens(likely: Likely | None) -> tuple[ir.Token, ...]:
    chosen = [] if likely is None else likely.chosen_candidates or []
    tops = [] if likely is None else likely.top_candidates or []
    others = [tuple(_token(each) for each in place.candidates or ()) for place in tops]
    return tuple(
        ir.Token(each.token, each.log_probability, top=others[index] if index < len(others) else ())
        for index, each in enumerate(chosen)
    )


def _token(candidate: _Candidate) -> ir.Token:
    return ir.Token(candidate.token, candidate.log_probability)


# --- what is told -----------------------------------------------------------------------------------------------------


def encode_citations(found: Iterable[ir.Citation], text: str) -> dict[str, Any]:
    """Nothing where there is none; `text` is all that was said."""
    pages: dict[str, int] = {}
    titles: dict[str, str] = {}
    supports = []
    for each in found:
        index = pages.setdefault(each.url, len(pages))
        titles.setdefault(each.url, each.title)
        if each.end > each.start:
            start, end = (len(text[:at].encode("utf-8", "surrogatepass")) for at in (each.start, each.end))
            segment = {"startIndex": start, "endIndex": end, "text": text[each.start : each.end]}
            supports.append({"segment": segment, "groundingChunkIndices": [index]})
    if not pages:
        return {}
    sources = [{"web": {"uri": url, "title": titles[url]}} for url in pages]
    return {"groundingMetadata": {"groundingChunks": sources, "groundingSupports": supports}}


def encode_tokens(found: tuple[ir.Token, ...]) -> Mapping[str, Any]:
    if not found:
        return {}
    chosen = [_candidate(each) for each in found]
    tops = [{"candidates": [_candidate(other) for other in each.top]} for each in found]
    return {"logprobsResult": {"chosenCandidates": chosen, "topCandidates": tops}}


def _candidate(token: ir.Token) -> dict[str, Any]:
    return {"token": token.token, "logProbability": token.logprob}
