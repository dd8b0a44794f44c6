"""What happened: calls, top-ups, and what administrators changed; and what a user used."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypedDict

from starlette.responses import Response

from one_api.accounts import logs, retention, spreadsheet, usage
from one_api.accounts.logs import Filter, Log
from one_api.accounts.rules import Refused
from one_api.accounts.usage import Share, Used
from one_api.edge.api.answers import answer, done
from one_api.edge.api.declared import PAGE, Bare, Query
from one_api.edge.api.endpoint import Access, Call, delete, get
from one_api.errors import Unavailable

_SELF: Final = (
    Query("start_timestamp", "integer", "In Unix seconds, itself included; 0 is none."),
    Query("end_timestamp", "integer", "In Unix seconds, itself included; 0 is none."),
    Query("model_name"),
    Query("token_name"),
)
_CHANNEL: Final = Query("channel", "integer", "A channel's id.")
_ALL: Final = (*_SELF, Query("username"), _CHANNEL)
_CSV: Final = Bare(str, media="text/csv", refused=True)
MOST_EXPORTED: Final = 10_000
_TYPE: Final = Query("type", "integer", "1 top-up, 2 call, 3 management, 4 system, 5 test.")


_DAYS: Final = Query("days", "integer", "Today and the days before, at most 90; 0 is 7.")


class Bar(TypedDict):
    """One model on one day. The names are One API's."""

    Day: str
    ModelName: str
    RequestCount: int
    Quota: int
    PromptTokens: int
    CompletionTokens: int


class Consumed(TypedDict):
    quota: int


def _wanted(call: Call) -> Filter:
    return Filter(
        type=call.number("type"),
        start_timestamp=call.number("start_timestamp"),
        end_timestamp=call.number("end_timestamp"),
        model_name=call.text("model_name"),
        username=call.text("username"),
        token_name=call.text("token_name"),
        channel=call.number("channel"),
    )


def _own(call: Call) -> Filter:
    return replace(_wanted(call), username="", channel=0, user_id=call.user.id)


@get("/api/log/", Access.ADMIN, query=(PAGE, _TYPE, *_ALL), answers=list[Log])
async def list_logs(call: Call) -> Response:
    return done(await logs.page(call.parts.logs, _wanted(call), number=call.page, now=call.now))


@get("/api/log/self", Access.USER, query=(PAGE, _TYPE, *_SELF), answers=list[Log])
async def list_own_logs(call: Call) -> Response:
    """A user's own; their numbers are not shown."""
    return done(_numberless(await logs.page(call.parts.logs, _own(call), number=call.page, now=call.now)))


@get("/api/log/search", Access.ADMIN)
async def search_logs(call: Call) -> Response:
    return done(await logs.search(call.parts.logs, keyword=call.text("keyword")))


@get("/api/log/self/search", Access.USER)
async def search_own_logs(call: Call) -> Response:
    found = await logs.search_own(call.parts.logs, user_id=call.user.id, keyword=call.text("keyword"))
    return done(_numberless(found))


@get("/api/log/csv", Access.ADMIN, query=(_TYPE, *_ALL), answers=_CSV)
async def export(call: Call) -> Response:
    """The newest rows that match, as a table for spreadsheets."""
    return _table(await logs.newest(call.parts.logs, _wanted(call), most=MOST_EXPORTED, now=call.now))


@get("/api/log/self/csv", Access.USER, query=(_TYPE, *_SELF), answers=_CSV)
async def export_own(call: Call) -> Response:
    found = await logs.newest(call.parts.logs, _own(call), most=MOST_EXPORTED, now=call.now)
    return _table(_numberless(found))


def _table(found: Sequence[Log]) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="logs.csv"'}
    return Response(spreadsheet.table(found), headers=headers, media_type="text/csv; charset=utf-8")


def _numberless(found: list[Log]) -> list[Log]:
    return [replace(log, id=0) for log in found]


@get("/api/log/stat", Access.ADMIN, query=_ALL, answers=Consumed)
async def stat(call: Call) -> Response:
    return done({"quota": await logs.consumed(call.parts.logs, replace(_wanted(call), type=0))})


@get("/api/log/self/stat", Access.USER, query=(*_SELF, _CHANNEL), answers=Consumed)
async def own_stat(call: Call) -> Response:
    wanted = replace(_own(call), type=0, channel=call.number("channel"))
    return done({"quota": await logs.consumed(call.parts.logs, wanted)})


@delete("/api/log/", Access.ADMIN)
async def delete_logs(call: Call) -> Response:
    """Everything before a time, of every type; how many rows it was."""
    before = call.number("target_timestamp")
    if before == 0:
        raise Refused("target timestamp is required")
    return done(await retention.forget(call.parts.logs, before=before))


@get("/api/user/dashboard", Access.USER, query=(_DAYS,), answers=list[Bar] | None)
async def dashboard(call: Call) -> Response:
    """By day and model; null if there is nothing."""
    try:
        found = await _by_day(call, call.user.id)
    except Unavailable:
        return answer({"data": None, "message": "无法获取统计信息", "success": False})
    return done([_bar(used) for used in found] or None)


@get("/api/log/usage", Access.ADMIN, query=(_DAYS,), answers=list[Bar])
async def usage_of_all(call: Call) -> Response:
    """By day and model, of everybody together."""
    return done([_bar(used) for used in await _by_day(call, None)])


@get("/api/log/usage/users", Access.ADMIN, query=(_DAYS,), answers=list[Share])
async def usage_by_user(call: Call) -> Response:
    """Who used most."""
    return done(await _shares(call, "user"))


@get("/api/log/usage/channels", Access.ADMIN, query=(_DAYS,), answers=list[Share])
async def usage_by_channel(call: Call) -> Response:
    """Which channels were used most; a name is a channel's number."""
    return done(await _shares(call, "channel"))


async def _by_day(call: Call, user_id: int | None) -> list[usage.Used]:
    rolled = call.options.usage_rollup_enabled
    return await usage.by_day(call.parts.logs, user_id=user_id, days=_days(call), now=call.now, rolled=rolled)


async def _shares(call: Call, by: usage.By) -> list[Share]:
    parts, rolled = call.parts, call.options.usage_rollup_enabled
    return await usage.shares(parts.logs, people=parts.database, by=by, days=_days(call), now=call.now, rolled=rolled)


def _days(call: Call) -> int:
    asked = call.number("days")
    return asked if 0 < asked <= usage.LONGEST else usage.WEEK


def _bar(used: Used) -> Bar:
    return {
        "Day": used.day,
        "ModelName": used.model_name,
        "RequestCount": used.request_count,
        "Quota": used.quota,
        "PromptTokens": used.prompt_tokens,
        "CompletionTokens": used.completion_tokens,
    }
