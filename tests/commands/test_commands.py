"""The commands on One API's sample databases, on all three engines."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, delete, func, insert, select, text, update

from one_api import cli
from one_api.accounts import passwords
from one_api.config import Config
from one_api.store import copying
from one_api.store.engine import open_database
from one_api.store.migrations import HEAD, migrate
from one_api.store.schema import channels, holds, ledger, logs, marks, metadata, users
from one_api.store.sums import sums
from one_api.store.untouched import address_of, reading
from tests.harness import scripted, servers
from tests.harness.scripted import completion, replies
from tests.store import samples

ALL = {**dict.fromkeys(samples.FILES, "sqlite"), "postgres.sql": "postgres", "mysql.sql": "mariadb"}
Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("doctor", env={...})` gives the status, the JSON and what was complained of."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str, env: dict[str, str] | None = None) -> tuple[int, Any, str]:
        with monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            capsys.readouterr()
            status = cli.main([*words, "--json"])
        said = capsys.readouterr()
        return status, json.loads(said.out) if said.out else None, said.err

    return call


def loaded(request: pytest.FixtureRequest, name: str) -> servers.Database:
    database: servers.Database = request.getfixturevalue(ALL[name])
    samples.load(database, name)
    return database


@pytest.mark.parametrize("name", ALL)
def test_a_database_is_looked_through_and_adopted(request: pytest.FixtureRequest, run: Run, name: str) -> None:
    database = loaded(request, name)
    env = dict(database.env)
    before = Path(env["SQLITE_PATH"]).read_bytes() if "SQLITE_PATH" in env else b""
    status, found, _ = run("doctor", env=env)
    about = {each["about"] for each in found["findings"]}
    assert status == (4 if "orphan abilities" in about else 0)
    assert ("orphan abilities" in about) is name.startswith(("one-api", "postgres", "mysql"))
    assert "plaintext keys" in about
    assert (found["revision"], found["adoptable"]) == ("", True)

    status, planned, _ = run("adopt", "--dry-run", env=env)
    assert status == 0
    assert "create table ledger" in planned["steps"]
    if before:
        assert Path(env["SQLITE_PATH"]).read_bytes() == before
    assert run("doctor", env=env)[1] == found

    status, adopted, _ = run("adopt", env=env)
    assert (status, adopted["changes"], adopted["steps"]) == (0, [], [])
    assert adopted["revision"] == HEAD
    for table, values in found["tables"].items():
        assert adopted["tables"][table]["rows"] == values["rows"]
    # That One API can go on with what was adopted and served: tests/e2e/test_adopted.py


def broken(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("update users set quota = -5 where id = 2")
        connection.execute("update tokens set remain_quota = -7, unlimited_quota = 0 where id = 1")
        connection.execute("update channels set model_mapping = '{' where id = 1")
        connection.execute("insert or replace into options values ('ModelRatio', '{\"gpt-4\":')")
        connection.execute("drop index idx_tokens_key")
        connection.execute("update tokens set key = 'the same' where id < 3")


def test_what_is_wrong_is_found_before_anything_is_touched(sqlite: servers.Database, run: Run) -> None:
    samples.load(sqlite, "one-api.db")
    path = Path(sqlite.env["SQLITE_PATH"])
    broken(path)
    before = path.read_bytes()
    status, found, _ = run("doctor", str(path))
    told = {(each["about"], each["severity"]) for each in found["findings"]}
    wanted = {(about, "warning") for about in ("negative balances", "channels", "options", "orphan abilities")}
    assert {*wanted, ("drift", "error")} <= told
    assert (status, found["adoptable"]) == (4, False)
    status, refused, _ = run("adopt", env=dict(sqlite.env))
    assert (status, refused["adoptable"]) == (4, False)
    assert path.read_bytes() == before


def test_a_database_that_is_not_there_is_said_and_not_made(run: Run, tmp_path: Path) -> None:
    assert run("doctor", env={"SQLITE_PATH": "nowhere.db"})[::2] == (2, "one-api: there is no file 'nowhere.db'\n")
    status, _, complaint = run("doctor", env={"SQL_DSN": "postgres://u:canary@127.0.0.1:1/d"})
    assert status == 1
    assert "canary" not in complaint
    assert list(tmp_path.glob("*.db")) == []


def test_a_database_goes_round_all_engines(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> None:
    source = loaded(request, "one-api.db")
    path = Path(source.env["SQLITE_PATH"])
    before = path.read_bytes()
    places = [str(path)]
    places += [request.getfixturevalue(kind).env["SQL_DSN"] for kind in ("postgres", "mariadb")]
    for here, there in pairwise([*places, str(tmp_path / "back.db")]):
        status, done, complaint = run("copy-db", here, there)
        assert (status, done, complaint) == (0, {"rows": 146, "changes": []}, "")
    assert path.read_bytes() == before
    assert contents(path) == contents(tmp_path / "back.db", like=path)
    status, _, complaint = run("copy-db", str(path), places[1])
    assert (status, complaint) == (1, "one-api: the target has rows of its own; copy to an empty database\n")


def contents(path: Path, *, like: Path | None = None) -> samples.Rows:
    """The rows, with the times and padding that engines keep alike; of the columns that a database `like` it has."""
    with opened(path) as tx, opened(like or path) as model:
        return samples.rows(tx, samples.columns(model))


@contextmanager
def opened(path: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as tx:
            yield tx
    finally:
        engine.dispose()


class Interrupted(Exception):
    pass


class UntilThen:
    """Progress that ends the copy after some steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def advance(self, count: int) -> None:
        self.left -= 1
        if not self.left:
            raise Interrupted


@pytest.mark.anyio
async def test_a_copy_that_broke_off_goes_on(
    sqlite: servers.Database, postgres: servers.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "CHUNK", 5)
    samples.load(sqlite, "one-api.db")
    target = samples.opened(postgres)
    try:
        await migrate(target)
        for steps in (3, 9, 14):
            async with reading(address_of(sqlite.env["SQLITE_PATH"])) as source:
                with pytest.raises(Interrupted):
                    await copying.copy(source, target, UntilThen(steps))
        async with reading(address_of(sqlite.env["SQLITE_PATH"])) as source:
            assert await copying.copy(source, target, UntilThen(-1)) == []
            wanted = await source.run_sync(sums, metadata.tables.values())
        async with target.read() as tx:
            found = await tx.run_sync(sums, metadata.tables.values())
            assert {table: found[table] for table in wanted} == wanted
            # The next id of PostgreSQL's sequence is a new one.
            highest = (await tx.execute(select(func.max(users.c.id)))).scalar_one()
        async with target.write() as tx:
            made = await tx.execute(insert(users).values(username="new", password="x", aff_code="new"))
            assert made.inserted_primary_key is not None
            assert made.inserted_primary_key[0] == highest + 1
    finally:
        await target.aclose()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_what_the_source_left_open_is_ended_in_the_copy(
    request: pytest.FixtureRequest, run: Run, tmp_path: Path, kind: str
) -> None:
    source = servers.sqlite(tmp_path)
    samples.load(source, "one-api.db")
    assert run("migrate", env=dict(source.env))[:2] == (0, {"revision": HEAD})
    engine = create_engine(f"sqlite:///{source.env['SQLITE_PATH']}")
    with engine.begin() as tx:
        tx.execute(text("update users set quota = 1000 where id = 2"))
        tx.execute(
            insert(holds).values(request_id="open", user_id=2, token_id=0, quota=70, checkpoint=30, instance="x")
        )
        row = {"user_id": 2, "quota": 5, "source": "reported", "content": "倍率", "instance": "x", "created_at": 1}
        for slot in (1, 2):
            tx.execute(insert(ledger).values(request_id=f"slot {slot}", kind="final", slot=slot, model_name="m", **row))
            tx.execute(insert(marks).values(name=f"moved:{slot}", value=0))
    engine.dispose()
    place = str(tmp_path / "copy.db") if kind == "sqlite" else request.getfixturevalue(kind).env["SQL_DSN"]
    assert run("copy-db", source.env["SQLITE_PATH"], place)[0] == 0
    status, back, _ = run("backup", "back.db", env={"SQLITE_PATH" if kind == "sqlite" else "SQL_DSN": place})
    assert status == 0
    assert back["bytes"] == (tmp_path / "back.db").stat().st_size
    assert sorted(each.name for each in tmp_path.glob("back.db*")) == ["back.db"]
    with sqlite3.connect(tmp_path / "back.db") as read:
        assert read.execute("select count(*) from holds").fetchone() == (0,)
        assert read.execute("select quota from users where id = 2").fetchone() == (1040,)  # 70 held, 30 used
        moved = read.execute("select request_id, quota from logs where request_id in ('open', 'slot 1', 'slot 2')")
        assert sorted(moved) == [("open", 30), ("slot 1", 5), ("slot 2", 5)]
        assert read.execute("select count(*) from marks where name > 'moved:0' and name < 'moved;'").fetchone() == (0,)


def test_a_backup_overwrites_nothing(sqlite: servers.Database, run: Run, tmp_path: Path) -> None:
    samples.load(sqlite, "one-api.db")
    (tmp_path / "there").write_text("mine")
    assert run("backup", "there", env=dict(sqlite.env))[0] == 2
    assert (tmp_path / "there").read_text() == "mine"


@pytest.mark.parametrize("words", [("user", "reset-password", "root"), ("channel", "test", "1"), ("backup", "b.db")])
def test_no_database_is_made_where_there_is_none(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    """As in a wrong folder."""
    assert run(*words)[::2] == (2, "one-api: there is no file 'one-api.db'\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["root", "nobody"])
def test_a_password_is_reset(sqlite: servers.Database, run: Run, name: str) -> None:
    samples.load(sqlite, "one-api.db")
    run("migrate", env=dict(sqlite.env))
    status, done, complaint = run("user", "reset-password", name, env=dict(sqlite.env))
    if name == "nobody":
        assert (status, complaint) == (1, "one-api: there is no user 'nobody'\n")
        return
    with sqlite3.connect(sqlite.env["SQLITE_PATH"]) as read:
        (stored,) = read.execute("select password from users where username = 'root'").fetchone()
    assert status == 0
    assert passwords._verify(done["password"], stored)


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 401])
async def test_a_channel_is_tested(sqlite: servers.Database, run: Run, status: int) -> None:
    samples.load(sqlite, "one-api.db")
    config = Config(sqlite_path=sqlite.env["SQLITE_PATH"])
    async with scripted.serve() as upstream:
        upstream.scripts["up"] = replies(status, completion("well"))
        database = open_database(config)
        await migrate(database)
        async with database.write() as tx:
            change = update(channels).where(channels.c.id == 1)
            await tx.execute(change.values(type=1, base_url=upstream.at("up")))
            await tx.execute(delete(logs))
        exit_status, found, _ = await asyncio.to_thread(run, "channel", "test", "1", env=dict(sqlite.env))
        assert (exit_status, found["passed"]) == ((0, True) if status == 200 else (4, False))
        async with database.read() as tx:
            (row,) = (await tx.execute(select(logs))).all()
        await database.aclose()
        assert (row.type, row.channel_id) == (5, 1)


def test_serving_loads_no_other_command() -> None:
    code = """
import sys
from one_api.cli import main
assert main(["--version"]) == 0
others = {name for name in sys.modules if name.startswith("one_api.commands.")}
assert others == {"one_api.commands.serve", "one_api.commands.shell"}, others
assert not {"one_api.store.copying", "one_api.store.checkup"} & set(sys.modules)"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
