"""Images made from images: OpenAI's SDK, forms with several files, a price for each image or for its tokens."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from tests.conftest import GATEWAYS
from tests.e2e.world import START, Site, open_world
from tests.harness import scripted, servers

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(64))
FILE = ("a.png", PNG, "image/png")
USAGE = {
    "input_tokens": 300,
    "output_tokens": 1000,
    "total_tokens": 1300,
    "input_tokens_details": {"image_tokens": 290, "text_tokens": 10},
}


def images(count: int = 1, **more: Any) -> bytes:
    return json.dumps({"created": 1, "data": [{"b64_json": "aGk="}] * count, **more}).encode()


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("images")
    async with open_world(directory, servers.sqlite(directory)) as world:
        world.root.option("ModelRatio", json.dumps({"dall-e-2": 10, "gpt-image-1": 2.5}))
        world.root.option("CompletionRatio", json.dumps({"gpt-image-1": 8}))
        world.channel("draw", "dall-e-2,gpt-image-1,mine", model_mapping='{"mine":"gpt-image-1"}')
        yield Site(world, world.root.user("alice", START).token())


@pytest.fixture(autouse=True)
def fresh(request: pytest.FixtureRequest, site: Site) -> None:
    request.node.stash[GATEWAYS] = [site.world.gateway]
    site.world.upstream.reset()


@pytest.fixture
async def client(site: Site) -> AsyncIterator[openai.AsyncOpenAI]:
    url = f"http://127.0.0.1:{site.world.port}/v1"
    async with openai.AsyncOpenAI(api_key=site.key, base_url=url, max_retries=0) as made:
        yield made


async def test_several_images_and_a_mask_arrive_as_they_were_sent(site: Site, client: openai.AsyncOpenAI) -> None:
    site.world.upstream.scripts["draw"] = scripted.replies(200, images(2, usage=USAGE))
    answer = await client.images.edit(model="gpt-image-1", image=[FILE, FILE], mask=FILE, prompt="a cat", n=2)
    assert answer.usage is not None
    assert len(answer.data or ()) == 2
    sent = site.request
    assert sent.target == "/draw/v1/images/edits"
    assert (sent.body.count(PNG), sent.body.count(b'name="image[]"'), sent.body.count(b'name="mask"')) == (3, 2, 1)
    paid = await site.paid()
    assert (paid.quota, paid.prompt_tokens, paid.completion_tokens) == (2.5 * (300 + 8 * 1000), 300, 1000)


async def test_a_mapped_model_takes_the_others_place_in_the_form(site: Site, client: openai.AsyncOpenAI) -> None:
    site.world.upstream.scripts["draw"] = scripted.replies(200, images(usage=USAGE))
    await client.images.edit(model="mine", image=FILE, prompt="a cat")
    assert b'name="model"\r\n\r\ngpt-image-1\r\n' in site.request.body
    assert (await site.paid()).model_name == "gpt-image-1"


async def test_tokens_are_counted_where_nobody_tells_them(site: Site, client: openai.AsyncOpenAI) -> None:
    site.world.upstream.scripts["draw"] = scripted.replies(200, images())
    await client.images.edit(model="gpt-image-1", image=FILE, prompt="a cat", quality="low", size="1024x1024")
    paid = await site.paid()
    assert (paid.source, paid.completion_tokens) == ("counted", 272)


async def test_generated_images_of_that_model_are_paid_by_tokens_too(site: Site, client: openai.AsyncOpenAI) -> None:
    site.world.upstream.scripts["draw"] = scripted.replies(200, images(usage=USAGE))
    await client.images.generate(model="gpt-image-1", prompt="a cat")
    assert (await site.paid()).quota == 2.5 * (300 + 8 * 1000)


async def test_a_variation_costs_what_an_image_costs_and_only_what_came(site: Site, client: openai.AsyncOpenAI) -> None:
    site.world.upstream.scripts["draw"] = scripted.replies(200, images(2))
    with pytest.warns(DeprecationWarning, match="deprecated"):
        await client.images.create_variation(model="dall-e-2", image=FILE, n=3, size="256x256")
    assert site.request.target == "/draw/v1/images/variations"
    assert (await site.paid()).quota == 2 * 10_000


@pytest.mark.parametrize(
    "more, message",
    [
        ({"n": 11}, "invalid value of n"),
        ({"size": "7x7"}, "size not supported for this image model"),
        ({"prompt": ""}, "prompt is required"),
        ({"stream": True}, "images of a form are not served in a stream"),
    ],
)
async def test_what_cannot_be_priced_is_refused(
    site: Site, client: openai.AsyncOpenAI, more: Any, message: str
) -> None:
    with pytest.raises(openai.BadRequestError, match=message):
        await client.images.edit(**{"model": "dall-e-2", "image": FILE, "prompt": "a cat", **more})
    assert site.world.upstream.received == []


async def test_an_upstreams_refusal_costs_nothing(site: Site, client: openai.AsyncOpenAI) -> None:
    before = await site.charges()
    site.world.upstream.scripts["draw"] = scripted.replies(400, b'{"error":{"message":"no","type":"image_error"}}')
    with pytest.raises(openai.BadRequestError, match="no"):
        await client.images.edit(model="gpt-image-1", image=FILE, prompt="a cat")
    assert await site.charges() == before
