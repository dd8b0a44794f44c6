"""Channels, for administrators."""

from dataclasses import asdict, dataclass
from typing import Any

from starlette.responses import Response

from one_api.channels import queries
from one_api.channels.rules import Shown, Wish
from one_api.edge.api.answers import done, number
from one_api.edge.api.declared import KEYWORD, PAGE
from one_api.edge.api.decode import Int, Int64, Uint
from one_api.edge.api.endpoint import Access, Call, delete, get, post, put


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a form may say."""

    id: Int = 0
    type: Int = 0
    key: str = ""
    status: Int = 0
    name: str = ""
    weight: Uint | None = None
    created_time: Int64 = 0
    test_time: Int64 = 0
    response_time: Int = 0
    base_url: str | None = None
    other: str | None = None
    balance: float = 0
    balance_updated_time: Int64 = 0
    models: str = ""
    group: str = ""
    used_quota: Int64 = 0
    model_mapping: str | None = None
    priority: Int64 | None = None
    config: str = ""
    system_prompt: str | None = None

    def __repr__(self) -> str:
        return f"<Channel {self.id} {self.name!r}>"

    def wish(self) -> Wish:
        return Wish(**asdict(self))


def _shown(channel: Shown) -> dict[str, Any]:
    return {**asdict(channel), "balance": number(channel.balance)}


@get("/api/channel/", Access.ADMIN, query=(PAGE,), answers=list[Shown])
async def list_channels(call: Call) -> Response:
    return done([_shown(channel) for channel in await queries.page(call.parts.database, number=call.page)])


@get("/api/channel/search", Access.ADMIN, query=(KEYWORD,), answers=list[Shown])
async def search_channels(call: Call) -> Response:
    found = await queries.search(call.parts.database, keyword=call.text("keyword"))
    return done([_shown(channel) for channel in found])


@get("/api/channel/{id}", Access.ADMIN, answers=Shown)
async def get_channel(call: Call) -> Response:
    return done(_shown(await queries.get(call.parts.database, call.path_number("id"))))


@post("/api/channel/", Access.ADMIN, form=Channel, answers=None)
async def create_channels(call: Call) -> Response:
    """One for each line of the key."""
    await queries.create(call.parts.database, call.bind(Channel, "Channel").wish(), now=call.now)
    await call.refresh()
    return done()


@put("/api/channel/", Access.ADMIN, form=Channel, answers=Shown)
async def update_channel(call: Call) -> Response:
    changed = await queries.change(call.parts.database, call.bind(Channel, "Channel").wish())
    await call.refresh()
    return done(_shown(changed))


@delete("/api/channel/disabled", Access.ADMIN, answers=int)
async def delete_disabled_channels(call: Call) -> Response:
    count = await queries.remove_disabled(call.parts.database)
    await call.refresh()
    return done(count)


@delete("/api/channel/{id}", Access.ADMIN, answers=None)
async def delete_channel(call: Call) -> Response:
    await queries.remove(call.parts.database, call.path_number_or_zero("id"))
    await call.refresh()
    return done()
