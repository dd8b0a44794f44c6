"""Channels, for administrators."""

from dataclasses import asdict, dataclass
from typing import Any

from starlette.responses import Response

from one_api.channels import keys, queries, rules
from one_api.channels.rules import Shown, Wish
from one_api.edge.api.answers import done, number
from one_api.edge.api.declared import KEYWORD, PAGE
from one_api.edge.api.decode import Int, Int64, Uint
from one_api.edge.api.endpoint import Access, Call, delete, get, post, put


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a form may say.

    parameters: JSON, `{"headers": {name: text or null}, "body": {"set": {path: value}, "default": {path: value},
    "delete": [path]}, "timeouts": {"connect", "first_byte", "idle", "total": seconds}, "test_model": name}`.
    key_choice: "random" or "round_robin" for a channel with several keys, "" for one key.
    """

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
    parameters: str | None = None
    key_choice: str | None = None

    def __repr__(self) -> str:
        return f"<Channel {self.id} {self.name!r}>"

    def wish(self) -> Wish:
        return Wish(**asdict(self))


def _shown(channel: Shown) -> dict[str, Any]:
    found = {name: value for name, value in asdict(channel).items() if value or name not in Shown.__optional_keys__}
    return {**found, "balance": number(channel.balance)}


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
    """One for each line of the key; with a `key_choice` one that has them all."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys to add, one on each line."""

    key: str = ""

    def __repr__(self) -> str:
        return "<Keys>"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatus:
    """1: in use, 2: not."""

    status: Int = 0


@get("/api/channel/{id}/keys", Access.ADMIN, answers=list[keys.ShownKey])
async def list_keys(call: Call) -> Response:
    """Of a channel that has several, without themselves; status 3 is out of use because of what an upstream said."""
    return done([asdict(key) for key in await keys.shown(call.parts.database, call.path_number("id"))])


@post("/api/channel/{id}/keys", Access.ADMIN, form=Keys, answers=None)
async def add_keys(call: Call) -> Response:
    given = rules.keys(call.bind(Keys, "Keys").key)
    await keys.add(call.parts.database, call.path_number("id"), given)
    await call.refresh()
    return done()


@put("/api/channel/{id}/keys/{number}", Access.ADMIN, form=KeyStatus, answers=None)
async def update_key(call: Call) -> Response:
    """One that is put back into use takes its channel with it, if that went out of use for want of keys."""
    wish = call.bind(KeyStatus, "KeyStatus")
    channel_id, number = call.path_number("id"), call.path_number("number")
    await keys.switch(call.parts.database, channel_id, number, wish.status, now=call.now)
    await call.refresh()
    return done()


@delete("/api/channel/{id}/keys/{number}", Access.ADMIN, answers=None)
async def delete_key(call: Call) -> Response:
    await keys.remove(call.parts.database, call.path_number("id"), call.path_number("number"))
    await call.refresh()
    return done()
