"""Sources and likelihoods of a text: in every dialect's own form, and at the same place of the text in all of them."""

import itertools
import json
from typing import Any

import pytest

from one_api import ir
from one_api.dialects.inbound import INBOUND
from one_api.dialects.outbound import OUTBOUND
from one_api.dialects.wholes import spread

URL = "https://example.com/a"
FIRST = ir.Text("你好 there. ", citations=(ir.Citation(URL, "A", 0, 2, "你好"),))
SECOND = ir.Text("And on.", citations=(ir.Citation("https://example.com/b", "B", 10, 17),))
TOKEN = ir.Token("hi", -0.5, (104, 105), (ir.Token("hi", -0.5, (104, 105)), ir.Token("ho", -1.5, (104, 111))))
CALL = ir.ToolCall("call_1", "f", "{}")
CITING = ("openai", "responses", "gemini")


def whole(client: str, *blocks: ir.Said) -> Any:
    answer = ir.Answer(id="x", model="m", blocks=blocks)
    return json.loads(INBOUND[client].encode_answer(answer, model="m", created=1, asked={}))


def streamed(client: str, *blocks: ir.Said) -> bytes:
    encoder = INBOUND[client].encoder(model="m", created=1, asked={})
    answer = ir.Answer(id="x", model="m", blocks=blocks)
    return b"".join(encoder.encode(event) for event in spread(answer))


def told(client: str, data: bytes) -> tuple[str, list[ir.Citation], list[ir.Token]]:
    """What a client of this dialect reads in a stream."""
    decoder = OUTBOUND[client].decoder()
    events = [*decoder.feed(data), *decoder.close()]
    return (
        "".join(event.text for event in events if isinstance(event, ir.TextDelta)),
        [event.citation for event in events if isinstance(event, ir.Cited)],
        [token for event in events if isinstance(event, ir.TextDelta) for token in event.tokens],
    )


def test_sources_in_openais_words() -> None:
    source = {"url": URL, "title": "A", "start_index": 0, "end_index": 2}
    message = whole("openai", FIRST)["choices"][0]["message"]
    assert message["annotations"] == [{"type": "url_citation", "url_citation": source}]
    (item,) = whole("responses", FIRST)["output"]
    assert item["content"][0]["annotations"] == [{"type": "url_citation", **source}]


def test_places_are_those_of_a_message_in_responses() -> None:
    *_, item = whole("responses", FIRST, CALL, SECOND)["output"]
    assert [(each["start_index"], each["end_index"]) for each in item["content"][0]["annotations"]] == [(0, 7)]


def test_sources_in_googles_words_are_counted_in_bytes() -> None:
    metadata = whole("gemini", FIRST)["candidates"][0]["groundingMetadata"]
    assert metadata == {
        "groundingChunks": [{"web": {"uri": URL, "title": "A"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 0, "endIndex": 6, "text": "你好"}, "groundingChunkIndices": [0]}
        ],
    }


def test_sources_in_anthropics_words() -> None:
    (block,) = whole("anthropic", FIRST)["content"]
    assert block["citations"] == [
        {"type": "web_search_result_location", "url": URL, "title": "A", "cited_text": "你好", "encrypted_index": ""}
    ]


@pytest.mark.parametrize("client, channel", list(itertools.permutations(CITING, 2)))
def test_sources_stay_where_they_are_through_every_pair(client: str, channel: str) -> None:
    places = [(each.url, each.title, each.start, each.end) for each in (*FIRST.citations, *SECOND.citations)]
    there = told(channel, streamed(channel, FIRST, SECOND))
    assert [(each.url, each.title, each.start, each.end) for each in there[1]] == places
    again = streamed(client, ir.Text(there[0], citations=tuple(there[1])))
    assert [(each.url, each.title, each.start, each.end) for each in told(client, again)[1]] == places


def test_a_block_of_anthropics_is_the_place_of_its_sources() -> None:
    _, found, _ = told("anthropic", streamed("anthropic", ir.Text("Before. "), CALL, FIRST))
    assert [(each.start, each.end, each.quote) for each in found] == [(8, 18, "你好")]


@pytest.mark.parametrize("client", ["openai", "responses"])
def test_likelihoods_in_openais_words(client: str) -> None:
    hi, ho = (
        {"token": "hi", "logprob": -0.5, "bytes": [104, 105]},
        {"token": "ho", "logprob": -1.5, "bytes": [104, 111]},
    )
    answer = whole(client, ir.Text("hi", tokens=(TOKEN,)))
    found = (
        answer["choices"][0]["logprobs"]["content"]
        if client == "openai"
        else answer["output"][0]["content"][0]["logprobs"]
    )
    assert found == [{**hi, "top_logprobs": [hi, ho]}]


@pytest.mark.parametrize("client", CITING)
def test_likelihoods_come_with_the_text_of_a_stream(client: str) -> None:
    text, _, (token,) = told(client, streamed(client, ir.Text("hi", tokens=(TOKEN,))))
    assert (text, token.token, token.logprob) == ("hi", "hi", -0.5)
    assert [(each.token, each.logprob) for each in token.top] == [("hi", -0.5), ("ho", -1.5)]


def test_what_perplexity_found_are_sources() -> None:
    results = [{"title": "A", "url": URL, "date": None, "snippet": "It is."}, {"title": None, "url": "https://b"}, 7]
    chunk = {"id": "c", "model": "sonar", "search_results": results}
    said = {**chunk, "choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": None}]}
    last = {**chunk, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]}
    data = b"".join(b"data: %b\n\n" % json.dumps(each).encode() for each in (said, last))
    assert told("openai", data)[1] == [ir.Citation(URL, "A", quote="It is."), ir.Citation("https://b")]


@pytest.mark.parametrize("stream", [False, True])
def test_addresses_are_sources_where_perplexity_tells_no_more(*, stream: bool) -> None:
    inner = {("delta" if stream else "message"): {"content": "hi"}, "index": 0, "finish_reason": "stop"}
    body = json.dumps({"id": "c", "model": "sonar", "citations": [URL, 7, URL], "choices": [inner]}).encode()
    if stream:
        assert told("openai", b"data: %b\n\n" % body)[1] == [ir.Citation(URL)]
        return
    answer = OUTBOUND["openai"].decode_answer(body)
    assert isinstance(answer, ir.Answer)
    assert answer.blocks == (ir.Text("hi", citations=(ir.Citation(URL),)),)


@pytest.mark.parametrize("noise", [7, "x", [7], [{}], [{"url": 7}], [{"token": 1, "logprob": "x"}], {"content": 3}])
def test_notes_of_another_shape_are_passed_over(noise: Any) -> None:
    message = {"content": "hi", "annotations": noise}
    body = {"choices": [{"message": message, "logprobs": noise, "finish_reason": "stop"}], "search_results": noise}
    answer = OUTBOUND["openai"].decode_answer(json.dumps(body).encode())
    assert isinstance(answer, ir.Answer)
    assert [block.text for block in answer.blocks if isinstance(block, ir.Text)] == ["hi"]
