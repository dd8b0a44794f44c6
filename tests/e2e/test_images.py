"""Images made from images: OpenAI's SDK, forms with several files, a price for each image or for its tokens."""

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from tests.e2e.books import eventually
from tests.e2e.world import START, Site, open_world
from tests.harness import scripted, servers

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("fresh")]

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


# --- streams ---


def event(kind: str, **more: Any) -> bytes:
    value = {"type": kind, "b64_json": "aGk=", "created_at": 1, "size": "1024x1024", "quality": "low", **more}
    return f"event: {kind}\ndata: {json.dumps(value)}\n\n".encode()


def drawing(word: str, *, usage: Any = USAGE) -> tuple[bytes, bytes]:
    """A preview, and the image."""
    return event(f"{word}.partial_image", partial_image_index=0), event(f"{word}.completed", usage=usage)


ASKED: Any = {"model": "gpt-image-1", "prompt": "a cat", "stream": True, "partial_images": 1, "quality": "low"}


@pytest.mark.parametrize("word", ["image_generation", "image_edit"])
async def test_a_stream_of_images_is_paid_by_what_its_end_reports(
    site: Site, client: openai.AsyncOpenAI, word: str
) -> None:
    site.world.upstream.scripts["draw"] = scripted.streams(b"".join(drawing(word)))
    asked = {**ASKED, "size": "1024x1024"}
    if word == "image_generation":
        stream = await client.images.generate(**asked)
    else:
        stream = await client.images.edit(image=FILE, **asked)
    seen = [(each.type, each.b64_json) async for each in stream]
    assert seen == [(f"{word}.partial_image", "aGk="), (f"{word}.completed", "aGk=")]
    paid = await site.paid()
    assert (paid.quota, paid.source, paid.is_stream) == (2.5 * (300 + 8 * 1000), "reported", True)


async def test_a_stream_that_reports_nothing_is_counted_with_its_previews(
    site: Site, client: openai.AsyncOpenAI
) -> None:
    site.world.upstream.scripts["draw"] = scripted.streams(b"".join(drawing("image_generation", usage=None)))
    assert len([each async for each in await client.images.generate(**ASKED, size="1024x1024")]) == 2
    paid = await site.paid()
    assert (paid.source, paid.completion_tokens) == ("counted", 272 + 100)


@pytest.mark.parametrize(
    "rest, message",
    [
        (b'event: error\ndata: {"type":"error","error":{"message":"too odd","type":"image_error"}}\n\n', "too odd"),
        (b"", "ended before its answer did"),
    ],
)
async def test_a_stream_without_its_image_ends_with_an_error_and_costs_the_previews(
    site: Site, client: openai.AsyncOpenAI, rest: bytes, message: str
) -> None:
    site.world.upstream.scripts["draw"] = scripted.streams(drawing("image_generation")[0] + rest)
    stream = aiter(await client.images.generate(**ASKED))
    assert (await anext(stream)).type == "image_generation.partial_image"
    with pytest.raises(openai.APIError, match=message):
        await anext(stream)
    paid = await site.paid()
    assert (paid.source, paid.completion_tokens) == ("estimated", 100)


async def test_who_leaves_with_a_preview_pays_the_image(site: Site, client: openai.AsyncOpenAI) -> None:
    before = await site.charges()

    async def script(turn: scripted.Turn) -> None:
        await turn.start(headers=[("content-type", "text/event-stream")])
        await turn.piece(drawing("image_generation")[0])
        await turn.left()

    site.world.upstream.scripts["draw"] = script
    stream = await client.images.generate(**ASKED, size="1024x1024")
    async for _ in stream:
        break
    await stream.close()

    async def charged() -> bool:
        return await site.charges() > before

    await eventually(charged)
    assert (await site.paid()).completion_tokens == 272 + 100
