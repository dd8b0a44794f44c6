"""Images and files that a request names by address, fetched for channels that have to be given their bytes."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

from msgspec.structs import replace

from one_api import ir
from one_api.errors import UpstreamError
from one_api.relay.fetch import Fetched, FetchError

MOST: Final = 16  # of a call, as with One API
MOST_BYTES: Final = 20 * 1024 * 1024  # together: no vendor takes a larger request

Medium = ir.Image | ir.File
Enclosed = Mapping[str, Medium]
"""What was fetched, by address."""
NOTHING: Final[Enclosed] = {}


class Source(Protocol):
    """Who fetches."""

    async def get(self, url: str, *, most: int) -> Fetched:
        """Raises FetchError."""


def addresses(request: ir.Request, wanted: Callable[[Medium], bool]) -> list[Medium]:
    """What there is to fetch, each address once."""
    found = {block.url: block for block in _media(request) if block.url and wanted(block)}
    return list(found.values())


async def fetch(media: list[Medium], source: Source) -> Enclosed:
    """Raises UpstreamError: a channel that fetches itself may do better."""
    if len(media) > MOST:
        raise _refused(f"more than {MOST} images by address cannot be sent to this channel")
    left = MOST_BYTES
    found: dict[str, Medium] = {}
    for block in media:
        try:
            fetched = await source.get(block.url, most=left)
        except FetchError as error:
            raise _refused(f"an image of the request cannot be fetched: {error}") from None
        left -= len(fetched.body)
        found[block.url] = _enclosed(block, fetched)
    return found


def _enclosed(block: Medium, fetched: Fetched) -> Medium:
    kind = fetched.content_type
    if not kind or (isinstance(block, ir.Image) and not kind.startswith("image/")):
        raise _refused("an image of the request cannot be fetched: what is there is none")
    return replace(block, url="", media_type=kind, data=b64encode(fetched.body).decode())


def enclose(request: ir.Request, found: Enclosed) -> ir.Request:
    """The request with what was fetched in its place."""
    if not found:
        return request
    turns = tuple(replace(turn, blocks=tuple(_with(block, found) for block in turn.blocks)) for turn in request.turns)
    return replace(request, turns=turns)


def _with(block: ir.Said, found: Enclosed) -> ir.Said:
    if isinstance(block, (ir.Image, ir.File)):
        return found.get(block.url, block)
    if isinstance(block, ir.ToolResult):
        content = tuple(each if isinstance(each, ir.Text) else found.get(each.url, each) for each in block.content)
        return replace(block, content=content)
    return block


def _media(request: ir.Request) -> Iterator[Medium]:
    for turn in request.turns:
        for block in turn.blocks:
            if isinstance(block, (ir.Image, ir.File)):
                yield block
            elif isinstance(block, ir.ToolResult):
                yield from (each for each in block.content if not isinstance(each, ir.Text))


def _refused(message: str) -> UpstreamError:
    return UpstreamError(message, status=400, code="invalid_image", kind="one_api_error", blame="caller")
