"""Images of providers that draw in a form of their own, for OpenAI's SDK: several requests, one price."""

import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from tests.e2e import wire
from tests.e2e.world import START, Site, open_world
from tests.harness import servers
from tests.harness.scripted import Received, Script, Turn, replies

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

FLUX = "black-forest-labs/flux-schnell"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
URL = "https://x.example/1.png"


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("drawn")
    async with open_world(directory, servers.sqlite(directory), USER_CONTENT_NETWORKS="127.0.0.0/8") as world:
        world.root.option("ModelRatio", json.dumps({"wanx-v1": 8, "qwen-image": 5, FLUX: 1.5}))
        world.channel("ali", "wanx-v1,qwen-image,ali-stable-diffusion-xl", type=17)
        world.channel("replicate", FLUX, type=46)
        yield Site(world, world.root.user("alice", START).token())


def begun(first: Any, then: Any) -> Script:
    """What the beginning is answered with, and the question that follows; what is made is there too."""

    async def script(turn: Turn) -> None:
        if turn.request.target.endswith(".png"):
            await turn.reply(200, PNG, [("content-type", "image/png")])
        else:
            await turn.reply(200, json.dumps(first if turn.request.method == "POST" else then).encode())

    return script


def ali(status: str, **output: Any) -> Script:
    then = {"output": {"task_id": "t1", "task_status": status, **output}}
    return begun({"output": {"task_id": "t1", "task_status": status}}, then)


def asked(site: Site) -> list[Received]:
    return [each for each in site.world.upstream.received if not each.target.endswith(".png")]


async def test_a_task_of_alis_is_begun_and_fetched(site: Site, client: openai.AsyncOpenAI) -> None:
    made = [{"url": URL, "actual_prompt": "a fat cat"}, {"url": URL}]
    site.world.upstream.scripts["ali"] = ali("SUCCEEDED", results=made)
    answer = await client.images.generate(model="wanx-v1", prompt="a cat", n=2, size="720x1280")
    assert [(each.url, each.revised_prompt) for each in answer.data or ()] == [(URL, "a fat cat"), (URL, None)]
    first, then = asked(site)
    assert (first.target, first.header("x-dashscope-async")) == (
        "/ali/api/v1/services/aigc/text2image/image-synthesis",
        "enable",
    )
    assert first.json()["parameters"] == {"n": 2, "size": "720*1280"}
    assert (then.method, then.target) == ("GET", "/ali/api/v1/tasks/t1")
    assert then.header("authorization") == first.header("authorization") == "Bearer sk-upstream-ali"
    assert (await site.paid()).quota == 2 * 8000


async def test_only_what_came_is_paid(site: Site, client: openai.AsyncOpenAI) -> None:
    site.world.upstream.scripts["ali"] = ali("SUCCEEDED", results=[{"url": URL}, {"code": "X", "message": "slow"}])
    await client.images.generate(model="wanx-v1", prompt="a cat", n=2)
    assert (await site.paid()).quota == 8000


async def test_a_model_that_answers_at_once(site: Site, client: openai.AsyncOpenAI) -> None:
    said = {"output": {"choices": [{"message": {"content": [{"image": URL}]}}]}}
    site.world.upstream.scripts["ali"] = replies(200, json.dumps(said).encode())
    answer = await client.images.generate(model="qwen-image", prompt="a cat")
    assert (answer.data or [])[0].url == URL
    assert site.request.target == "/ali/api/v1/services/aigc/multimodal-generation/generation"
    assert site.request.header("x-dashscope-async") == ""
    assert (await site.paid()).quota == 5000


async def test_a_model_has_its_name_at_the_vendor(site: Site, client: openai.AsyncOpenAI) -> None:
    site.world.upstream.scripts["ali"] = ali("SUCCEEDED", results=[{"url": URL}])
    await client.images.generate(model="ali-stable-diffusion-xl", prompt="a cat")
    assert asked(site)[0].json()["model"] == "stable-diffusion-xl"
    assert (await site.paid()).quota == 8000


async def test_a_prediction_is_an_image(site: Site, client: openai.AsyncOpenAI) -> None:
    done = {"id": "p1", "status": "succeeded", "output": [URL]}
    site.world.upstream.scripts["replicate"] = begun(done, done)
    answer = await client.images.generate(model=FLUX, prompt="a cat", size="1024x1024", extra_body={"seed": 7})
    assert [each.url for each in answer.data or ()] == [URL]
    first, then = asked(site)
    assert first.target == f"/replicate/v1/models/{FLUX}/predictions"
    assert first.json() == {"input": {"prompt": "a cat", "aspect_ratio": "1:1", "seed": 7}}
    assert (then.method, then.target) == ("GET", "/replicate/v1/predictions/p1")
    assert (await site.paid()).quota == 1500


@pytest.mark.parametrize("model", ["wanx-v1", FLUX])
async def test_who_wants_the_image_itself_gets_it(site: Site, client: openai.AsyncOpenAI, model: str) -> None:
    url = f"{site.world.upstream.at('made')}/1.png"
    done = {"id": "p1", "status": "succeeded", "output": url}
    site.world.upstream.scripts |= {
        "ali": ali("SUCCEEDED", results=[{"url": url}]),
        "replicate": begun(done, done),
        "made": begun({}, {}),
    }
    answer = await client.images.generate(model=model, prompt="a cat", response_format="b64_json")
    [image] = answer.data or []
    assert (b64decode(image.b64_json or ""), image.url) == (PNG, None)
    assert site.world.upstream.received[-1].header("authorization") == ""
    await site.paid()


async def test_an_address_that_holds_the_image_is_fetched_nowhere(site: Site, client: openai.AsyncOpenAI) -> None:
    done = {"id": "p1", "status": "succeeded", "output": f"data:image/png;base64,{b64encode(PNG).decode()}"}
    site.world.upstream.scripts["replicate"] = begun(done, done)
    answer = await client.images.generate(model=FLUX, prompt="a cat", response_format="b64_json")
    [image] = answer.data or []
    assert b64decode(image.b64_json or "") == PNG


FAILED = [
    ("wanx-v1", ali("FAILED", code="InternalError", message="it broke"), 502, "it broke"),
    ("wanx-v1", ali("FAILED", code="DataInspectionFailed", message="not that"), 400, "not that"),
    ("wanx-v1", ali("SUCCEEDED", results=[]), 502, "the task ended as SUCCEEDED"),
    ("wanx-v1", replies(403, b'{"code":"AccessDenied.Unpurchased","message":"buy it"}'), 403, "buy it"),
    ("qwen-image", replies(200, b"[]"), 500, "cannot be read"),
    (FLUX, begun({"id": "p", "status": "failed"}, {"status": "failed", "error": "NSFW"}), 502, "NSFW"),
]


@pytest.mark.parametrize("model, script, status, message", FAILED)
async def test_what_fails_costs_nothing(
    site: Site, client: openai.AsyncOpenAI, model: str, script: Script, status: int, message: str
) -> None:
    before = await site.charges()
    site.world.upstream.scripts |= {"ali": script, "replicate": script}
    with pytest.raises(openai.APIStatusError, match=message) as failed:
        await client.images.generate(model=model, prompt="a cat")
    assert failed.value.status_code == status
    assert await site.charges() == before


async def test_an_image_that_cannot_be_fetched_costs_nothing(site: Site, client: openai.AsyncOpenAI) -> None:
    before = await site.charges()
    site.world.upstream.scripts["ali"] = ali("SUCCEEDED", results=[{"url": "http://10.0.0.1/1.png"}])
    with pytest.raises(openai.APIStatusError, match="its address is not a public one"):
        await client.images.generate(model="wanx-v1", prompt="a cat", response_format="b64_json")
    assert await site.charges() == before


async def test_who_leaves_while_it_is_fetched_pays_nothing(site: Site) -> None:
    paid = sum(each.quota for each in await finals(site))
    url = f"{site.world.upstream.at('made')}/1.png"
    site.world.upstream.scripts["ali"] = ali("SUCCEEDED", results=[{"url": url}])
    body = json.dumps({"model": "wanx-v1", "prompt": "a cat", "response_format": "b64_json"}).encode()
    async with wire.connect(site.world.port) as connection:
        connection.send(wire.request("/v1/images/generations", body, key=site.key))
        turn = await site.world.upstream.turn()
    await turn.left()
    assert sum(each.quota for each in await finals(site)) == paid


async def finals(site: Site) -> Any:
    await site.world.books.settled()
    return await site.world.books.finals("alice")


@pytest.mark.parametrize("more", [{"n": 2}, {"stream": True}])
async def test_what_cannot_be_drawn_is_refused(site: Site, client: openai.AsyncOpenAI, more: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="on this channel"):
        await client.images.generate(model=FLUX, prompt="a cat", **more)
    assert site.world.upstream.received == []
