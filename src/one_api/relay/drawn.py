"""Images drawn by a channel with a form of its own: both ends' words are read and written here."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from msgspec.structs import replace

from one_api import ir
from one_api.dialects import drawing
from one_api.dialects.dashscope import images as dashscope
from one_api.dialects.drawing import Asked, Picture
from one_api.dialects.replicate import images as replicate
from one_api.errors import UpstreamError
from one_api.pricing.images import upstream_model
from one_api.relay import rewritten
from one_api.relay.calls import Ask, Call
from one_api.relay.enclosed import Source
from one_api.relay.fetch import MAX_IMAGE, FetchError
from one_api.relay.inflow import ClientGone, Shape
from one_api.relay.rewritten import RewrittenInflow
from one_api.routing import Channel


class Form(Protocol):
    """How images are asked for at an upstream."""

    def encode_request(self, asked: Asked, /, *, model: str) -> ir.Encoded:
        """Raises Unrepresentable."""

    def decode_answer(self, body: bytes, /) -> tuple[Picture, ...] | ir.Failed:
        """Raises json.InvalidJSON."""


FORMS: Final[Mapping[str, Form]] = MappingProxyType({"dashscope": dashscope, "replicate": replicate})
"""By the name of the wire; those that are not OpenAI's."""


def write_request(call: Call, ask: Ask, channel: Channel, model: str, form: Form) -> bytes:
    """The body for the upstream. Raises UpstreamError for what this channel cannot draw; another may."""
    return rewritten.write_request(
        call,
        channel,
        lambda: form.encode_request(drawing.decode_request(ask.document), model=upstream_model(model)),
        code="invalid_image_request",
    )


class DrawnInflow(RewrittenInflow):
    """An answer that is translated. What the caller wants enclosed is fetched by `enclose` before it is told."""

    __slots__ = ("_created", "_enclosed", "_fetching", "_form", "_pictures")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, form: Form, document: Mapping[str, Any], created: int
    ) -> None:
        super().__init__(loop, wants=Shape.WHOLE)
        self._form = form
        self._created = created
        self._enclosed = drawing.decode_request(document).enclosed
        self._pictures: tuple[Picture, ...] = ()
        self._fetching: asyncio.Future[tuple[Picture, ...]] | None = None

    def abandon(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
        super().abandon()

    def rewrite(self) -> ir.Failed | None:
        found = self._form.decode_answer(self.body)
        if isinstance(found, ir.Failed):
            return found
        self._tell(found)
        return None

    def _tell(self, pictures: tuple[Picture, ...]) -> None:
        self._pictures = pictures
        self._parts = [drawing.encode_answer(pictures, created=self._created)]

    async def enclose(self, source: Source) -> None:
        """Raises ClientGone, or UpstreamError: what is made no other channel is asked to make again."""
        if not self._enclosed:
            return
        self._fetching = asyncio.ensure_future(_fetched(self._pictures, source))
        await asyncio.wait((self._fetching,))
        if self._fetching.cancelled():
            raise ClientGone
        try:
            self._tell(self._fetching.result())
        except FetchError as error:
            raise UpstreamError(f"an image that was made cannot be fetched: {error}", retry=False) from None


async def _fetched(pictures: tuple[Picture, ...], source: Source) -> tuple[Picture, ...]:
    """Raises FetchError."""
    return tuple([each if each.data else await _enclosed(each, source) for each in pictures])


async def _enclosed(picture: Picture, source: Source) -> Picture:
    found = await source.get(picture.url, most=MAX_IMAGE)
    return replace(picture, url="", data=b64encode(found.body).decode())
