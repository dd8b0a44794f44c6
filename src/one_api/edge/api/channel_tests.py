"""Tests of channels, for administrators. One is waited for; many are begun, and their progress can be asked for."""

from dataclasses import asdict

from starlette.responses import Response

from one_api.edge.api.answers import answer, done, number, refused
from one_api.edge.api.declared import Query
from one_api.edge.api.endpoint import Access, Call, get


@get(
    "/api/channel/test/{id}",
    Access.ADMIN,
    changes=True,
    query=(Query("model"), Query("key", "integer", "The number of one of the channel's keys.")),
)
async def test_channel(call: Call) -> Response:
    """What the model said, or what went wrong, stands beside `success`; `modelName` is the query's."""
    model = call.text("model")
    found = await call.parts.tests.test(call.path_number("id"), model, request_id=call.id, key=call.number("key"))
    seconds = number(found.elapsed_ms / 1000 if found.passed else 0)
    return answer({"success": found.passed, "message": found.text, "time": seconds, "modelName": model})


@get("/api/channel/test", Access.ADMIN, changes=True)
async def test_channels(call: Call) -> Response:
    if not await call.parts.tests.begin(call.text("scope") or "all", request_id=call.id):
        return refused("测试已在运行中")
    return done()


@get("/api/channel/test/progress", Access.ADMIN)
async def test_progress(call: Call) -> Response:
    """Of the last test of many, on whichever node it runs."""
    return done(asdict(await call.parts.tests.progress()))
