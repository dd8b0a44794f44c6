"""What happened: calls, top-ups, and what administrators changed."""

from dataclasses import replace

from starlette.responses import Response

from one_api.accounts import logs
from one_api.accounts.logs import Filter
from one_api.edge.api.answers import done
from one_api.edge.api.endpoint import Access, Call, get


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


@get("/api/log/", Access.ADMIN)
async def list_logs(call: Call) -> Response:
    return done(await logs.page(call.parts.logs, _wanted(call), number=call.page))


@get("/api/log/self", Access.USER)
async def list_own_logs(call: Call) -> Response:
    """A user's own; their numbers are not shown."""
    found = await logs.page(call.parts.logs, _own(call), number=call.page)
    return done([replace(log, id=0) for log in found])


@get("/api/log/stat", Access.ADMIN)
async def stat(call: Call) -> Response:
    return done({"quota": await logs.consumed(call.parts.logs, replace(_wanted(call), type=0))})


@get("/api/log/self/stat", Access.USER)
async def own_stat(call: Call) -> Response:
    wanted = replace(_own(call), type=0, channel=call.number("channel"))
    return done({"quota": await logs.consumed(call.parts.logs, wanted)})
