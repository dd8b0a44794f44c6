"""OpenAI's own SDK notices nothing: real sockets and databases, a vendor-like upstream, the books after each call."""

import asyncio
import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import openai
import pytest

from tests.conftest import StartGateway
from tests.harness.admin import Admin
from tests.harness.servers import Database

MODELS = "gpt-4o-mini,gpt-3.5-turbo,text-embedding-3-small,dall-e-3,tts-1,whisper-1,text-moderation-latest"
START = 100_000_000


@dataclass(frozen=True, slots=True)
class Site:
    """A gateway with one channel, one user and his key."""

    url: str
    key: str
    user: Admin

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=self.key, max_retries=0, timeout=30)

    def balanced(self) -> dict[str, int]:
        """Balance and spending add up to what was given; returns the user's numbers."""
        row = self.user.me()
        assert row["quota"] + row["used_quota"] == START, row
        return row


@pytest.fixture
def site(gateway: StartGateway, database: Database, aimock: str) -> Iterator[Site]:
    running = gateway(database)
    with Admin(running.url) as root:
        root.channel(aimock, MODELS)
        user = root.user("alice", START)
        yield Site(running.url, user.token(), user)


def charged(site: Site, call: Callable[[openai.OpenAI], object]) -> int:
    """Make a call; what it cost, seen at once after its end."""
    before = site.balanced()
    with site.client() as client:
        call(client)
    after = site.balanced()
    return before["quota"] - after["quota"]


def test_every_kind_of_call_is_answered_and_paid(site: Site) -> None:
    def chat(client: openai.OpenAI) -> None:
        answer = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hello"}])
        assert answer.choices[0].message.content == "Hello from aimock, 你好"

    def stream(client: openai.OpenAI) -> None:
        chunks = list(
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "hello"}], stream=True
            )
        )
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hello from aimock, 你好"

    def stream_with_usage(client: openai.OpenAI) -> None:
        chunks = list(
            client.chat.completions.create(
                model="gpt-4o-mini",
                messages=[{"role": "user", "content": "hello"}],
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        assert chunks[-1].usage is not None

    def tools(client: openai.OpenAI) -> None:
        answer = client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "weather"}],
            tools=[{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}],
        )
        calls = answer.choices[0].message.tool_calls
        assert calls is not None
        assert calls[0].type == "function"
        assert calls[0].function.name == "get_weather"

    def vision(client: openai.OpenAI) -> None:
        png = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
        client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "hello"}, {"type": "image_url", "image_url": {"url": png}}],
                }
            ],
        )

    def embeddings(client: openai.OpenAI) -> None:
        answer = client.embeddings.create(model="text-embedding-3-small", input=["a b c", "d"])
        assert len(answer.data) == 2

    for call in (chat, stream, stream_with_usage, tools, vision, embeddings):
        assert charged(site, call) > 0, call.__name__


def test_the_async_client_streams_in_parallel(site: Site) -> None:
    async def one(client: openai.AsyncOpenAI) -> str:
        stream = await client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "hello"}], stream=True
        )
        return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    async def many() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key, max_retries=0) as client:
            return await asyncio.gather(*(one(client) for _ in range(20)))

    assert asyncio.run(many()) == ["Hello from aimock, 你好"] * 20
    row = site.balanced()
    assert row["request_count"] == 20


def test_audio_images_and_moderations_go_through(site: Site) -> None:
    with site.client() as client:
        image = client.images.generate(model="dall-e-3", prompt="a cat", size="1024x1024")
        assert image.data
        speech = client.audio.speech.create(model="tts-1", voice="alloy", input="hello")
        assert speech.content
        text = client.audio.transcriptions.create(model="whisper-1", file=("a.mp3", io.BytesIO(b"ID3" + b"\0" * 100)))
        assert text.text
        client.moderations.create(model="text-moderation-latest", input="hello")
    site.balanced()


def test_errors_are_the_sdks_own_and_cost_nothing(site: Site) -> None:
    with site.client() as client:
        with pytest.raises(openai.RateLimitError):
            client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "limit"}])
        with pytest.raises(openai.InternalServerError, match="无可用渠道"):
            client.chat.completions.create(model="nowhere", messages=[{"role": "user", "content": "x"}])
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="gpt-4o-mini", messages=[])
    with (
        openai.OpenAI(base_url=f"{site.url}/v1", api_key="sk-wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()
    assert site.balanced()["quota"] == START


def test_models_are_listed_by_the_sdk(site: Site) -> None:
    with site.client() as client:
        assert {model.id for model in client.models.list()} == set(MODELS.split(","))
        assert client.models.retrieve("gpt-4o-mini").owned_by == "openai"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("meta/nothing")


@pytest.mark.parametrize("config", ["{}", '{"responses":true}', '{"responses":"only"}'], ids=["chat", "both", "only"])
def test_responses_are_answered_and_paid(gateway: StartGateway, sqlite: Database, aimock: str, config: str) -> None:
    """By a mock provider that counts nothing: whatever it is spoken to in, the answer is the same."""

    def whole(client: openai.OpenAI) -> None:
        answer = client.responses.create(model="gpt-4o", input="hello", reasoning={"effort": "low"})
        assert answer.output_text == "Hello from aimock, 你好"

    def stream(client: openai.OpenAI) -> None:
        with client.responses.stream(model="gpt-4o", input="hello") as events:
            pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
            answer = events.get_final_response()
        assert "".join(pieces) == answer.output_text == "Hello from aimock, 你好"

    def tools(client: openai.OpenAI) -> None:
        tool: Any = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}, "strict": False}
        with client.responses.stream(model="gpt-4o", input="weather", tools=[tool]) as events:
            call = events.until_done().get_final_response().output[-1]
        assert call.type == "function_call"
        assert (call.name, call.arguments) == ("get_weather", '{"city":"Paris"}')

    running = gateway(sqlite)
    with Admin(running.url) as root:
        root.channel(aimock, "gpt-4o", config=config)
        user = root.user("alice", START)
        site = Site(running.url, user.token(), user)
        for call in (whole, stream, tools):
            assert charged(site, call) > 0, call.__name__
