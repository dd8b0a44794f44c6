"""`/v1/rerank`: one form for callers, whatever the channel's is; paid by what the upstream has read, or by count."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.e2e import wire
from tests.e2e.wire import Reply
from tests.e2e.world import START, Site, open_world
from tests.harness import scripted, servers
from tests.harness.admin import Admin

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

RESULTS = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.25}]
DOCUMENTS = ["Paris is a city", {"text": "Rome is a city"}]
TEXTS = ["Paris is a city", "Rome is a city"]
BODY: dict[str, Any] = {"query": "Italy?", "documents": DOCUMENTS, "top_n": 2, "return_documents": True}
JINA = {"model": "r", "object": "list", "usage": {"total_tokens": 100}, "results": RESULTS, "kept": 1}


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("rerank")
    async with open_world(directory, servers.sqlite(directory)) as world:
        names = ("jina", "mapped", "cohere", "ali", "voyage", "claude")
        world.root.option("ModelRatio", json.dumps(dict.fromkeys((*names, "real"), 1)))
        world.channel("jina", "jina", type=8)
        world.channel("mapped", "mapped", type=44, model_mapping='{"mapped":"real"}')
        world.channel("cohere", "cohere", type=35)
        world.channel("ali", "ali", type=17)
        world.channel("voyage", "voyage", type=102)
        world.channel("claude", "claude", type=14)
        yield Site(world, world.root.user("alice", START).token())


async def ask(site: Site, model: str, **fields: Any) -> Reply:
    body = json.dumps({"model": model, **BODY, **fields}).encode()
    return await site.world.ask(wire.request("/v1/rerank", body, key=site.key))


async def test_what_both_ends_speak_passes_as_it_is(site: Site) -> None:
    said = json.dumps(JINA, indent=1).encode()
    site.world.upstream.scripts["jina"] = scripted.replies(200, said)
    answer = await ask(site, "jina", unknown={"a": 1})
    assert (answer.status, answer.body) == (200, said)
    assert site.request.target == "/jina/v1/rerank"
    assert site.request.json() == {"model": "jina", **BODY, "unknown": {"a": 1}}
    paid = await site.paid()
    assert (paid.quota, paid.prompt_tokens, paid.completion_tokens, paid.source) == (100, 100, 0, "reported")


async def test_usage_in_coheres_place_counts_and_a_model_is_mapped(site: Site) -> None:
    meta = {"tokens": {"input_tokens": 30, "output_tokens": 0}, "billed_units": {"search_units": 1}}
    site.world.upstream.scripts["mapped"] = scripted.replies(
        200, json.dumps({"results": RESULTS, "meta": meta}).encode()
    )
    assert (await ask(site, "mapped")).status == 200
    assert site.request.json()["model"] == "real"
    assert (await site.paid()).quota == 30


FORMS = [
    (
        "cohere",
        "/cohere/v2/rerank",
        {"model": "cohere", "query": "Italy?", "documents": TEXTS, "top_n": 2},
        {"results": RESULTS, "meta": {"billed_units": {"search_units": 1}}},
    ),
    (
        "ali",
        "/ali/api/v1/services/rerank/text-rerank/text-rerank",
        {
            "model": "ali",
            "input": {"query": "Italy?", "documents": TEXTS},
            "parameters": {"return_documents": False, "top_n": 2},
        },
        {"output": {"results": RESULTS}, "usage": {"total_tokens": 77}, "request_id": "x"},
    ),
    (
        "voyage",
        "/voyage/v1/rerank",
        {"model": "voyage", "query": "Italy?", "documents": TEXTS, "top_k": 2},
        {"object": "list", "data": RESULTS, "model": "rerank-2.5", "usage": {"total_tokens": 77}},
    ),
]


@pytest.mark.parametrize("model, target, sent, said", FORMS)
async def test_other_forms_are_translated(site: Site, model: str, target: str, sent: Any, said: Any) -> None:
    site.world.upstream.scripts[model] = scripted.replies(200, json.dumps(said).encode())
    answer = await ask(site, model)
    assert answer.status == 200
    found = answer.json()
    assert (site.request.target, site.request.json()) == (target, sent)
    assert found["results"] == [
        {"index": 1, "relevance_score": 0.9, "document": {"text": "Rome is a city"}},
        {"index": 0, "relevance_score": 0.25, "document": {"text": "Paris is a city"}},
    ]
    paid = await site.paid()
    if model == "cohere":  # who tells searches, not tokens
        assert (paid.source, 5 < paid.quota < 30) == ("counted", True)
    else:
        assert (paid.source, paid.quota, found["usage"]["total_tokens"]) == ("reported", 77, 77)


@pytest.fixture(scope="module")
def poor(site: Site) -> Admin:
    return site.world.root.user("poor", 1)


LONG = ["x" * 2500] * 100
"""Three search units at most: pieces of long documents count as documents."""


@pytest.mark.parametrize(
    "model, meta, start, documents, status, left",
    [
        ("jina", {}, 2000, TEXTS, 200, 1000),
        ("jina", {}, 999, TEXTS, 403, 999),
        ("jina", {"billed_units": {"search_units": 2.0}}, 2500, TEXTS, 200, 500),
        ("cohere", {"billed_units": {"search_units": 1}}, 1000, TEXTS, 200, 0),
        ("cohere", {"billed_units": {"search_units": 1}}, 2999, LONG, 403, 2999),
        ("cohere", {"billed_units": {"search_units": 2}}, 3000, LONG, 200, 1000),
        ("cohere", {"billed_units": {"search_units": 99}}, 20_000, TEXTS, 200, 10_000),
        ("cohere", {"billed_units": {"search_units": -1}}, 2000, TEXTS, 200, 1000),
    ],
)
async def test_a_ranking_may_have_a_price_for_each_search(
    site: Site, poor: Admin, model: str, meta: Any, start: int, documents: list[str], status: int, left: int
) -> None:
    """The hold covers what the documents are worth; paid is what the answer says, and one search if it says nothing."""
    said = {"results": RESULTS, "meta": meta}
    site.world.upstream.scripts[model] = scripted.replies(200, json.dumps(said).encode())
    site.world.root.option("ModelPrice", json.dumps({"jina": 0.002, "cohere(35)": 0.002}))
    site.world.root.ask("PUT", "/api/user/", json={"id": poor.me()["id"], "quota": start})
    try:
        body = json.dumps({"model": model, **BODY, "documents": documents}).encode()
        answer = await site.world.ask(wire.request("/v1/rerank", body, key=poor.token()))
    finally:
        site.world.root.option("ModelPrice", "{}")
    await site.world.books.settled()
    assert (answer.status, (await site.world.books.user("poor")).quota) == (status, left)
    if model == "cohere" and status == 200:
        assert answer.json().get("meta", {}) == (meta if meta["billed_units"]["search_units"] > 0 else {})


@pytest.mark.parametrize(
    "said",
    [
        b"{",
        b'{"message":"no"}',
        b'{"results":1}',
        b'{"results":[{"index":7,"relevance_score":1}]}',
        b'{"results":[{}]}',
    ],
)
async def test_what_is_no_ranking_costs_nothing(site: Site, said: bytes) -> None:
    before = await site.charges()
    site.world.upstream.scripts["cohere"] = scripted.replies(200, said)
    answer = await ask(site, "cohere")
    assert answer.status >= 500
    assert answer.json()["error"]["message"]
    assert await site.charges() == before


async def test_a_report_that_cannot_be_is_not_paid(site: Site) -> None:
    site.world.upstream.scripts["jina"] = scripted.replies(
        200, json.dumps({**JINA, "usage": {"total_tokens": 9_000_000}}).encode()
    )
    assert (await ask(site, "jina")).status == 200
    assert (await site.paid()).quota < 1_100_000  # what is tolerated above the estimate


@pytest.mark.parametrize("body", [{"documents": []}, {"documents": None}, {"query": ""}, {"query": None}])
async def test_what_lacks_a_field_is_refused(site: Site, body: Any) -> None:
    answer = await ask(site, "jina", **body)
    assert (answer.status, site.world.upstream.received) == (400, [])


async def test_documents_that_a_channel_has_no_form_for_are_refused(site: Site) -> None:
    answer = await ask(site, "cohere", documents=[{"image": "https://x.example/a.png"}])
    assert (answer.status, answer.json()["error"]["message"].split(" (")[0]) == (
        400,
        "on this channel documents have to be texts",
    )


async def test_a_provider_that_ranks_nothing_says_so(site: Site) -> None:
    answer = await ask(site, "claude")
    assert answer.status == 500
    assert "unsupported relay mode" in answer.json()["error"]["message"]
