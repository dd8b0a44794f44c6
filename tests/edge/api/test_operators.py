"""What the console asks for operators beyond One API: the shape of options, many channels at once, a test mail."""

import pytest
from sqlalchemy import insert, select

from one_api.options import KEYS
from one_api.store.schema import abilities, channels, redemptions
from tests.edge.api.world import World

pytestmark = pytest.mark.anyio


async def test_every_option_is_described_and_no_value_is_told(here: World) -> None:
    root = await here.with_session(1)
    await root.put("/api/option/", {"key": "SMTPToken", "value": "hidden-word"})
    answer = await root.get("/api/option/types")
    found = {row["key"]: row for row in answer["data"]}
    assert tuple(found) == KEYS
    assert "hidden-word" not in str(answer)
    secret = {
        "doc": "Password of the account",
        "kind": "text",
        "default": "",
        "secret": True,
        "stored": True,
        "least": None,
        "positive": False,
    }
    assert found["SMTPToken"] == {"key": "SMTPToken", "choices": [], **secret}
    assert found["GitHubClientSecret"]["stored"] is False
    assert found["QuotaPerUnit"]["kind"] == "number"
    assert (found["QuotaPerUnit"]["least"], found["QuotaPerUnit"]["positive"]) == (0, True)
    assert (found["HoldOutputTokens"]["kind"], found["HoldOutputTokens"]["least"]) == ("integer", 0)
    assert found["Theme"]["choices"] == ["default", "berry", "air"]
    assert found["ServerAddress"]["default"] == ""
    assert {found[key]["kind"] for key in ("ModelRatio", "CacheRatio")} == {"ratios"}
    assert found["EmailDomainWhitelist"]["kind"] == "list"


async def test_every_default_can_be_saved_as_it_is_described(here: World) -> None:
    root = await here.with_session(1)
    for row in (await root.get("/api/option/types"))["data"]:
        answer = await root.put("/api/option/", {"key": row["key"], "value": row["default"]})
        assert answer["success"], (row, answer)


async def test_many_channels_are_switched_and_deleted_at_once(everywhere: World) -> None:
    root = await everywhere.with_session(1)
    form = {"type": 1, "name": "up", "key": "a\nb\nc", "models": "m1,m2", "group": "default"}
    assert (await root.post("/api/channel/", form))["success"]
    ids = sorted(channel["id"] for channel in (await root.get("/api/channel/"))["data"])
    assert len(ids) >= 3
    first, second, *others = ids
    assert (await root.post("/api/channel/batch", {"action": "disable", "ids": f"{first},{second}"}))["success"]
    status = {row["id"]: row["status"] for row in await everywhere.rows(select(channels))}
    assert (status[first], status[second], status[others[-1]]) == (2, 2, 1)
    enabled = {(row["channel_id"], bool(row["enabled"])) for row in await everywhere.rows(select(abilities))}
    assert {(first, False), (second, False), (others[-1], True)} <= enabled
    assert (await root.post("/api/channel/batch", {"action": "enable", "ids": str(first)}))["success"]
    assert (await root.get(f"/api/channel/{first}"))["data"]["status"] == 1
    assert (await root.post("/api/channel/batch", {"action": "delete", "ids": f"{first},{second},999"}))["success"]
    assert sorted(row["id"] for row in await everywhere.rows(select(channels))) == others
    assert {row["channel_id"] for row in await everywhere.rows(select(abilities))} <= set(others)


@pytest.mark.parametrize(
    "form", [{"action": "explode", "ids": "1"}, {"action": "delete", "ids": "1,x"}, {"action": "delete", "ids": ""}]
)
async def test_a_batch_that_makes_no_sense_changes_nothing(here: World, form: dict[str, str]) -> None:
    root = await here.with_session(1)
    before = await here.rows(select(channels.c.id))
    assert not (await root.post("/api/channel/batch", form))["success"]
    assert await here.rows(select(channels.c.id)) == before


async def test_used_codes_are_deleted_and_no_others(here: World) -> None:
    root = await here.with_session(1)
    rows = [{"name": "gift", "key": str(status) * 32, "status": status, "quota": 1} for status in (1, 2, 3)]
    await here.execute(insert(redemptions).values(rows))
    assert (await root.ask("DELETE", "/api/redemption/used")).json()["data"] == 1
    assert {row["status"] for row in await here.rows(select(redemptions))} == {1, 2}


async def test_a_test_mail_without_a_server_says_why_it_was_not_sent(here: World) -> None:
    root = await here.with_session(1)
    answer = await root.post("/api/option/test_mail", {"email": "me@example.com"})
    assert answer["success"] is False
    assert answer["message"].startswith("failed to send email: ")
    assert not (await root.post("/api/option/test_mail", {"email": "nobody"}))["success"]
