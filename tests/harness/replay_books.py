"""What calls changed in the database, read past the gateway: balances, totals, statuses and log rows.

Balances move with a call. Log rows and what a channel has used follow within a second, so they are looked at for many
calls at once: a row names its request, and a channel's total has to have moved by the rows of the batch.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tests.harness.replay_lines import Json

PATIENCE_S = 60.0  # a loaded machine, not an expectation
POLL_S = 0.02

TABLES: Mapping[str, tuple[str, ...]] = {
    "user": ("quota", "used_quota", "request_count"),
    "token": ("remain_quota", "used_quota", "status"),
    "channel": ("used_quota", "status"),
}
LOG_FIELDS = (
    "user_id", "type", "content", "username", "token_name", "model_name", "quota", "prompt_tokens",
    "completion_tokens", "channel_id", "is_stream", "system_prompt_reset",
)  # fmt: skip

State: TypeAlias = Mapping[str, Mapping[int, Mapping[str, int]]]


class NotSettled(Exception):
    """The gateway still holds quota, or owes log rows, long after its last answer."""


@dataclass(frozen=True, slots=True)
class LogRow:
    request_id: str
    fields: Mapping[str, Any]


class Books:
    """A reader of one gateway's database. The waiting ones know the tables that are the gateway's own."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(url)
        self._last_log = 0

    async def aclose(self) -> None:
        await self._engine.dispose()

    async def state(self) -> State:
        async with self._engine.connect() as tx:
            return {kind: await _table(tx, kind, columns) for kind, columns in TABLES.items()}

    async def idle(self) -> None:
        """Returns when no call has quota on hold."""
        await self._until_none("select count(*) from holds")

    async def settled(self) -> None:
        """Returns when all that was charged is in the log and in the channels' totals."""
        await self.idle()
        await self._until_none(
            "select count(*) from ledger where kind = 'final' and id >"
            " (select coalesce(max(value), 0) from marks where name like 'moved:%')"
        )

    async def unoccupied(self) -> None:
        """Returns when no process tests channels or asks for balances any more, so that the next may begin."""
        held = "select count(*) from leases where name in ('test channels', 'update balances') and until >= :now"
        await self._until_none(held)

    async def new_logs(self) -> list[LogRow]:
        """The rows since the last time, oldest first."""
        columns = ", ".join(("id", "request_id", *LOG_FIELDS))
        async with self._engine.connect() as tx:
            found = await tx.execute(
                text(f"select {columns} from logs where id > :last order by id"), {"last": self._last_log}
            )
            rows = [dict(row) for row in found.mappings()]
        if rows:
            self._last_log = rows[-1]["id"]
        return [LogRow(row["request_id"], {name: plain(row[name]) for name in LOG_FIELDS}) for row in rows]

    async def _until_none(self, query: str) -> None:
        """A query may ask for the present second, `:now`."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            now = {"now": int(time.time())} if ":now" in query else {}
            async with self._engine.connect() as tx:
                (left,) = (await tx.execute(text(query), now)).one()
            if not left:
                return
            if asyncio.get_running_loop().time() > deadline:
                raise NotSettled(f"{left} rows left: {query}")
            await asyncio.sleep(POLL_S)


async def _table(tx: AsyncConnection, kind: str, columns: tuple[str, ...]) -> dict[int, dict[str, int]]:
    found = await tx.execute(text(f"select id, {', '.join(columns)} from {kind}s"))
    return {row["id"]: {name: int(row[name] or 0) for name in columns} for row in found.mappings()}


def plain(value: Any) -> Any:
    """A value as recordings write it, which know no booleans and no NULL in a row of the log."""
    return int(value) if isinstance(value, bool) else value


def changes(before: State, after: State) -> dict[str, dict[str, dict[str, Any]]]:
    """The differences in the form of a recording: amounts as deltas, a status as where from and to."""
    found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in TABLES}
    for kind, rows in after.items():
        for number, row in rows.items():
            old = before[kind].get(number, dict.fromkeys(row, 0))
            moved = {name: _change(name, old[name], value) for name, value in row.items() if value != old[name]}
            if moved:
                found[kind][str(number)] = moved
    return found


def _change(name: str, old: int, new: int) -> Any:
    return {"from": old, "to": new} if name == "status" else new - old


def complete(effects: Json, other: Json) -> dict[str, Any]:
    """Effects with empty places for all that the other one names, so that they differ in single values only."""
    found: dict[str, Any] = {
        kind: {
            number: effects.get(kind, {}).get(number, {}) for number in {**effects.get(kind, {}), **other.get(kind, {})}
        }
        for kind in TABLES
    }
    return {**found, "logs": list(effects.get("logs", ()))}


def spent(rows: list[Mapping[str, Any]]) -> dict[str, int]:
    """What log rows charge to each channel."""
    found: dict[str, int] = {}
    for row in rows:
        if row["channel_id"] and row["quota"]:
            found[str(row["channel_id"])] = found.get(str(row["channel_id"]), 0) + row["quota"]
    return found
