"""The benchmark's audit notices what it is for: bookings that are missing, doubled or of another amount."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.audit import Books, Verdict, audit
from bench.cases import CASES, Case
from bench.database import Database, sqlite
from bench.seed import Size, fill
from one_api.store.schema import metadata

SIZE = Size(users=3, tokens=6, logs=20)
QUOTA = 35
USER, TOKEN = 2, 4
FINAL = (
    "INSERT INTO ledger (request_id, kind, user_id, token_id, quota, created_at, model_name)"
    " VALUES (:id, 'final', :user, :token, :quota, 0, 'm')"
)
LOG = "INSERT INTO logs (request_id, type, user_id, quota) VALUES (:id, 2, :user, :quota)"
USER_PAYS = "UPDATE users SET quota = quota - :quota, used_quota = used_quota + :quota WHERE id = :user"
TOKEN_PAYS = (
    "UPDATE tokens SET remain_quota = remain_quota - :quota, used_quota = used_quota + :quota WHERE id = :token"
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with sqlite(tmp_path) as found:

        async def make() -> None:
            async with found.engine.begin() as connection:
                await connection.run_sync(metadata.create_all)

        found.runner.run(make())
        found.change(("INSERT INTO users (username, password) VALUES ('root', '')", {}))
        fill(found, SIZE, upstream=1)
        yield found


def book(database: Database, *statements: str, request_id: str, quota: int = QUOTA) -> None:
    values: dict[str, object] = {"id": request_id, "user": USER, "token": TOKEN, "quota": quota}
    database.change(*((sql, {k: v for k, v in values.items() if f":{k}" in sql}) for sql in statements))


def verdict(database: Database, before: Books, tmp_path: Path, *seen: str) -> Verdict:
    ids = tmp_path / "ids"
    ids.write_text("".join(f"{request_id}\n" for request_id in seen))
    return audit(database, before, ids, quota=QUOTA)


def test_books_in_order_lose_nothing(database: Database, tmp_path: Path) -> None:
    before = Books.read(database)
    for request_id in ("a", "b"):
        book(database, FINAL, LOG, USER_PAYS, TOKEN_PAYS, request_id=request_id)
    assert verdict(database, before, tmp_path, "a", "b") == Verdict(seen=2, lost=0, wrong=0)


@pytest.mark.parametrize(
    "statements, quota, lost, wrong",
    [
        pytest.param([LOG], QUOTA, 1, 0, id="no final"),
        pytest.param([FINAL, USER_PAYS, TOKEN_PAYS], QUOTA, 1, 0, id="no log row"),
        pytest.param([FINAL, LOG, LOG, USER_PAYS, TOKEN_PAYS], QUOTA, 1, 0, id="two log rows"),
        pytest.param([FINAL, LOG, USER_PAYS, TOKEN_PAYS], QUOTA - 1, 1, 0, id="another amount"),
        pytest.param([FINAL, LOG, TOKEN_PAYS], QUOTA, 0, 1, id="the user did not pay"),
        pytest.param([FINAL, LOG, USER_PAYS, USER_PAYS, TOKEN_PAYS], QUOTA, 0, 1, id="the user paid twice"),
        pytest.param([FINAL, LOG], QUOTA, 0, 2, id="nobody paid"),
    ],
)
def test_disorder_is_counted(
    database: Database, tmp_path: Path, statements: list[str], quota: int, lost: int, wrong: int
) -> None:
    before = Books.read(database)
    book(database, *statements, request_id="a", quota=quota)
    assert verdict(database, before, tmp_path, "a") == Verdict(seen=1, lost=lost, wrong=wrong)


def test_two_answers_with_one_id_are_one_booking(database: Database, tmp_path: Path) -> None:
    before = Books.read(database)
    book(database, FINAL, LOG, USER_PAYS, TOKEN_PAYS, request_id="a")
    assert verdict(database, before, tmp_path, "a", "a").lost == 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bodies_have_their_size(case: Case) -> None:
    assert len(case.body) == case.size
