import asyncio

import bcrypt
import pytest
from sqlalchemy import event, insert, select

from one_api.config import Config, ConfigError
from one_api.store.engine import Database
from one_api.store.firstrun import create_root
from one_api.store.migrations import migrate
from one_api.store.schema import tokens, users
from tests.harness import servers
from tests.store import samples

pytestmark = pytest.mark.anyio

NOW = 1_700_000_000


async def test_root_is_made_as_one_api_makes_it(store: Database) -> None:
    assert await create_root(store, Config(), now=NOW)
    async with store.read() as tx:
        root = (await tx.execute(select(users))).one()._asdict()
        assert (await tx.execute(select(tokens.c.id))).first() is None
    assert bcrypt.checkpw(b"123456", root["password"].encode())
    assert root["password"].startswith("$2a$10$")
    assert len(root["access_token"]) == 32
    assert {key: root[key] for key in ("id", "username", "display_name", "role", "status", "quota", "aff_code")} == {
        "id": 1, "username": "root", "display_name": "Root User", "role": 100, "status": 1, "quota": 500000000000000,
        "aff_code": "",
    }  # fmt: skip
    assert (root["group"], root["used_quota"], root["request_count"]) == ("default", 0, 0)


async def test_the_first_token_is_number_one_and_the_next_follows(store: Database) -> None:
    config = Config(initial_root_token="root-key", initial_root_access_token="a" * 32)
    assert await create_root(store, config, now=NOW)
    async with store.write() as tx:
        token = (await tx.execute(select(tokens))).one()._asdict()
        second = (await tx.execute(insert(tokens).values(key="next"))).inserted_primary_key
        assert (await tx.execute(select(users.c.access_token))).scalar_one() == "a" * 32
    assert token == {
        "id": 1, "user_id": 1, "key": "root-key", "status": 1, "name": "Initial Root Token", "created_time": NOW,
        "accessed_time": NOW, "expired_time": -1, "remain_quota": 500000000000000, "unlimited_quota": True,
        "used_quota": 0, "models": None, "subnet": "",
    }  # fmt: skip
    assert tuple(second or ()) == (2,)


async def test_root_is_made_once_and_never_beside_others(store: Database) -> None:
    made = await asyncio.gather(*(create_root(store, Config(initial_root_token="k"), now=NOW) for _ in range(4)))
    assert sorted(made) == [False, False, False, True]
    async with store.write() as tx:
        await tx.execute(users.update().values(username="somebody"))
    assert not await create_root(store, Config(initial_root_token="other"), now=NOW)
    async with store.read() as tx:
        assert (
            len((await tx.execute(select(users.c.id))).all()) == len((await tx.execute(select(tokens.c.id))).all()) == 1
        )


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
async def test_who_comes_second_by_a_hair_makes_none(request: pytest.FixtureRequest, kind: str) -> None:
    store = samples.opened(request.getfixturevalue(kind))
    await migrate(store)
    inserting = asyncio.Event()

    @event.listens_for(store.writer.sync_engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if second and statement.startswith("INSERT INTO users"):
            inserting.set()

    second: list[asyncio.Task[bool]] = []
    async with store.write() as tx:
        await tx.execute(insert(users).values(username="root", password=""))
        second.append(asyncio.create_task(create_root(store, Config(initial_root_token="k"), now=NOW)))
        await inserting.wait()
    assert not await second[0]
    async with store.read() as tx:
        assert (await tx.execute(select(tokens.c.id))).first() is None
    await store.aclose()


async def test_an_adopted_database_keeps_its_root(sqlite: servers.Database) -> None:
    samples.load(sqlite, "one-api.db")
    opened = samples.opened(sqlite)
    assert not await create_root(opened, Config(), now=NOW)
    await opened.aclose()


async def test_a_first_token_that_does_not_fit_is_refused(store: Database) -> None:
    config = Config(initial_root_token="k" * 49)
    if store.kind == "sqlite":
        assert await create_root(store, config, now=NOW)
        return
    with pytest.raises(ConfigError, match=r"^INITIAL_ROOT_TOKEN: longer than 48 characters$"):
        await create_root(store, config, now=NOW)
