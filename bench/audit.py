"""Compares the books with what the clients saw.

Every answer whose end was seen must have its final in the ledger and its row in the log, with the right amount, and the
balances of every user and token must have moved by exactly the finals that name them.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bench.database import Database

DRAIN_S = 60.0
POLL_S = 0.05

BALANCES = {
    "user_id": "SELECT id, quota, used_quota FROM users",
    "token_id": "SELECT id, remain_quota, used_quota FROM tokens",
}
FINALS = "SELECT request_id FROM ledger WHERE id > :id AND kind = 'final' AND quota = :quota"
LOGGED = "SELECT request_id FROM logs WHERE id > :id AND type = 2 AND quota = :quota"


@dataclass(frozen=True, slots=True)
class Books:
    """Where the tables stood."""

    ledger: int
    logs: int
    balances: Mapping[str, Mapping[int, tuple[int, int]]]

    @classmethod
    def read(cls, database: Database) -> Self:
        return cls(
            ledger=database.number("SELECT coalesce(max(id), 0) FROM ledger"),
            logs=database.number("SELECT coalesce(max(id), 0) FROM logs"),
            balances={
                name: {key: (left, used) for key, left, used in database.rows(sql)} for name, sql in BALANCES.items()
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`lost`: answers seen whole without their final or their log row. `wrong`: balances that moved by another sum."""

    seen: int
    lost: int
    wrong: int


def wait_for_logs(database: Database, before: Books) -> bool:
    """Log rows follow the finals; False if some are missing after a minute."""
    finals = database.number("SELECT count(*) FROM ledger WHERE id > :id AND kind = 'final'", id=before.ledger)
    end = time.monotonic() + DRAIN_S
    while time.monotonic() < end:
        # Ids may have gaps: the cheap question first, asked often beside the process that is measured.
        if database.number("SELECT coalesce(max(id), 0) FROM logs") - before.logs >= finals and (
            database.number("SELECT count(*) FROM logs WHERE id > :id", id=before.logs) >= finals
        ):
            return True
        time.sleep(POLL_S)
    return False


def audit(database: Database, before: Books, ids: Path, *, quota: int) -> Verdict:
    seen = Counter(ids.read_text().split())
    finals = booked(database, FINALS, after=before.ledger, quota=quota)
    logged = booked(database, LOGGED, after=before.logs, quota=quota)
    lost = sum(1 for request_id in seen if finals[request_id] != 1 or logged[request_id] != 1)
    # An id seen twice, or an answer without an id, is one booking for several calls.
    lost += seen.total() - len(seen)
    return Verdict(seen=seen.total(), lost=lost, wrong=wrong_balances(database, before))


def booked(database: Database, sql: str, *, after: int, quota: int) -> Counter[str]:
    return Counter(request_id for (request_id,) in database.rows(sql, id=after, quota=quota))


def wrong_balances(database: Database, before: Books) -> int:
    after = Books.read(database)
    wrong = 0
    for name, balances in before.balances.items():
        sums = database.rows(f"SELECT {name}, sum(quota) FROM ledger WHERE id > :id GROUP BY {name}", id=before.ledger)
        spent = {key: int(total) for key, total in sums}
        for key, (left, used) in balances.items():
            cost = spent.get(key, 0)
            wrong += after.balances[name][key] != (left - cost, used + cost)
    return wrong
