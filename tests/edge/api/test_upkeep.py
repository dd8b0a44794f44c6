"""Testing channels and asking for balances, as a console does it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.edge.api.world import NOW, Person, World
from tests.harness import scripted
from tests.harness.scripted import Upstream, completion, replies

pytestmark = pytest.mark.anyio


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with scripted.serve() as serving:
        yield serving


async def channel(person: Person, upstream: Upstream, name: str = "main", **more: Any) -> int:
    body = {"type": 1, "name": name, "key": f"sk-up-{name}", "base_url": upstream.at(name), "models": "gpt-3.5-turbo"}
    assert (await person.post("/api/channel/", {**body, **more}))["success"]
    return int((await person.get("/api/channel/"))["data"][0]["id"])


async def test_a_single_test(here: World, upstream: Upstream) -> None:
    root = await here.with_session(1)
    number = await channel(root, upstream)
    upstream.scripts["main"] = replies(200, completion("I am gpt"))
    answer = await root.get(f"/api/channel/test/{number}")
    assert answer.pop("time") >= 0
    assert answer == {"success": True, "message": "I am gpt", "modelName": ""}
    answer = await root.get(f"/api/channel/test/{number}?model=undefined")
    assert (answer["success"], answer["modelName"]) == (True, "undefined")
    upstream.scripts["main"] = replies(401, b'{"error":{"message":"Incorrect API key provided"}}')
    assert await root.get(f"/api/channel/test/{number}/") == {
        "success": False,
        "message": "http status code: 401, error message: Incorrect API key provided",
        "time": 0,
        "modelName": "",
    }
    shown = (await root.get(f"/api/channel/{number}"))["data"]
    assert (shown["test_time"], shown["response_time"]) == (NOW, 0)
    entries = (await root.get("/api/log/?type=5"))["data"]
    assert [entry["content"] for entry in entries] == [
        "渠道 main 测试失败，错误：http status code: 401, error message: Incorrect API key provided",
        "渠道 main 测试成功，响应：I am gpt",
        "渠道 main 测试成功，响应：I am gpt",
    ]
    assert {entry["username"] for entry in entries} == {""}


async def test_a_channel_that_does_not_exist(here: World) -> None:
    root = await here.with_session(1)
    for path in ("/api/channel/test/9999", "/api/channel/update_balance/9999"):
        assert await root.get(path) == {"success": False, "message": "record not found"}
    for path in ("/api/channel/test/abc", "/api/channel/update_balance/abc"):
        message = 'strconv.Atoi: parsing "abc": invalid syntax'
        assert await root.get(path) == {"success": False, "message": message}


async def test_many_are_tested_behind_the_request(here: World, upstream: Upstream) -> None:
    root = await here.with_session(1)
    await channel(root, upstream)
    assert await root.get("/api/channel/test?scope=all") == {"success": True, "message": ""}
    turn = await upstream.turn()
    assert await root.get("/api/channel/test") == {"success": False, "message": "测试已在运行中"}
    progress = (await root.get("/api/channel/test/progress"))["data"]
    assert progress == {"running": True, "total": 1, "done": 0, "failed": 0, "began": NOW}
    await turn.reply(500, b"boom")
    await here.after.upkeep.tests.settled()
    progress = (await root.get("/api/channel/test/progress"))["data"]
    assert progress == {"running": False, "total": 1, "done": 1, "failed": 1, "began": NOW}
    assert await root.get("/api/channel/test?scope=enabled") == {"success": True, "message": ""}
    await here.after.upkeep.tests.settled()
    assert len(upstream.received) == 1
    assert [subject for _, subject, _ in await here.after.read()] == ["渠道测试完成", "渠道测试完成"]


async def test_balances(here: World, upstream: Upstream) -> None:
    root = await here.with_session(1)
    number = await channel(root, upstream, type=4)
    azure = await channel(root, upstream, "azure", type=3)
    upstream.scripts["main"] = replies(200, b'{"total_available":3.5}')
    assert await root.get(f"/api/channel/update_balance/{number}/") == {"success": True, "message": "", "balance": 3.5}
    upstream.scripts["main"] = replies(200, b'{"total_available":4}')
    assert await root.get("/api/channel/update_balance") == {"success": True, "message": ""}
    shown = (await root.get(f"/api/channel/{number}"))["data"]
    assert (shown["balance"], shown["balance_updated_time"]) == (4, NOW)
    upstream.scripts["main"] = replies(401, b'{"error":{"message":"no, sk-up-main"}}')
    message = "status code: 401"
    assert await root.get(f"/api/channel/update_balance/{number}") == {"success": False, "message": message}
    assert await root.get(f"/api/channel/update_balance/{azure}") == {"success": False, "message": "尚未实现"}


async def test_a_channel_disabled_by_a_test_is_out_of_the_routes_at_once(here: World, upstream: Upstream) -> None:
    root = await here.with_session(1)
    await root.put("/api/option/", {"key": "AutomaticDisableChannelEnabled", "value": "true"})
    number = await channel(root, upstream)
    upstream.scripts["main"] = replies(401, b"{}")
    await root.get("/api/channel/test")
    await here.after.upkeep.tests.settled()
    found = here.parts.routes.now.channel(number)
    assert found is not None
    assert found.status == 3
