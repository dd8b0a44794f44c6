"""What an operator should know of a database before it is used: read only, on one of One API's as well as on ours.

A finding of severity `error` keeps the gateway from adopting the database; a `warning` is wrong and goes on being so;
a `note` is worth knowing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Column, Connection, Inspector, Table, and_, func, inspect, or_, select, text

from one_api import options as meaning
from one_api.store.adopt import MigrationError, missing_indexes, names_of, plan, refuse_duplicates
from one_api.store.schema import ONE_API, abilities, channels, holds, metadata, options, tokens, users
from one_api.store.sums import Sums, sums

Severity = Literal["error", "warning", "note"]
ALEMBIC: Final = "alembic_version"


@dataclass(frozen=True, slots=True)
class Finding:
    about: str
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class Checkup:
    """`revision` is "" for a database that this program has not adopted. `steps` are what adopting would do."""

    engine: str
    version: str
    revision: str
    sums: Sums
    steps: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def adoptable(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)


def examine(tx: Connection) -> Checkup:
    tables = Tables(tx)
    findings = [finding for check in CHECKS for finding in check(tx, tables)]
    version = tx.dialect.server_version_info
    return Checkup(
        engine=tx.dialect.name,
        version=".".join(map(str, version or ())),
        revision=revision(tx, tables),
        sums=sums(tx, metadata.tables.values()),
        steps=tuple(plan(tx, metadata.tables.values())),
        findings=tuple(findings),
    )


class Tables:
    """Which tables and columns there are."""

    def __init__(self, tx: Connection) -> None:
        self.found: Inspector = inspect(tx)
        self.names = set(self.found.get_table_names())
        self._columns: dict[str, set[str]] = {}

    def has(self, *columns: Column[Any]) -> bool:
        return all(column.table.name in self.names and column.name in self.columns(column.table) for column in columns)

    def columns(self, table: Any) -> set[str]:
        if table.name not in self._columns:
            found = self.found.get_columns(table.name) if table.name in self.names else []
            self._columns[table.name] = {column["name"].lower() for column in found}
        return self._columns[table.name]


def revision(tx: Connection, tables: Tables) -> str:
    if ALEMBIC not in tables.names:
        return ""
    return ",".join(tx.execute(text("SELECT version_num FROM alembic_version")).scalars())


def one_apis(_tx: Connection, tables: Tables) -> Iterator[Finding]:
    missing = sorted(table.name for table in ONE_API if table.name not in tables.names)
    if len(missing) == len(ONE_API):
        yield Finding("tables", "note", "the database holds no table of One API; a new one would be made in it")
    elif missing:
        yield Finding("tables", "note", f"missing tables are created: {', '.join(missing)}")


def drift(tx: Connection, tables: Tables) -> Iterator[Finding]:
    """Columns and indexes that are not as they would be made, and rows that stand in the way of an index."""
    for table in ONE_API:
        if table.name not in tables.names:
            continue
        there = tables.columns(table)
        absent = sorted(column.name for column in table.columns if column.name not in there)
        if absent:
            yield Finding("drift", "note", f"table {table.name} lacks {', '.join(absent)}, which would be added")
        left = sorted(there - {column.name for column in table.columns})
        if left:
            yield Finding("drift", "note", f"table {table.name} has columns nobody reads: {', '.join(left)}")
        yield from narrow(table, tables.found)
        yield from duplicates(tx, table, tables)


def narrow(table: Table, found: Inspector) -> Iterator[Finding]:
    if found.dialect.name == "sqlite":
        return
    for there in found.get_columns(table.name):
        wanted = table.columns.get(there["name"])
        have = getattr(there["type"], "length", None)
        need = None if wanted is None else getattr(wanted.type.dialect_impl(found.dialect), "length", None)
        if have and need and have < need:
            place = f"{table.name}.{there['name']}"
            yield Finding("drift", "warning", f"column {place} holds {have} characters, {need} may be needed")


def duplicates(tx: Connection, table: Table, tables: Tables) -> Iterator[Finding]:
    for index in missing_indexes(table, tables.found):
        if index.unique and set(names_of(index)) <= tables.columns(table):
            try:
                refuse_duplicates(tx, table, names_of(index))
            except MigrationError as error:
                yield Finding("drift", "error", str(error))


def keys(tx: Connection, tables: Tables) -> Iterator[Finding]:
    for table, column, what in (
        (channels, channels.c.key, "keys of channels"),
        (tokens, tokens.c.key, "keys of tokens"),
        (users, users.c.access_token, "access tokens of users"),
    ):
        if tables.has(column):
            number = counted(tx, table, and_(column.is_not(None), column != ""))
            if number:
                yield Finding("plaintext keys", "note", f"{number} {what} can be read by who reads the database")


def ratios(tx: Connection, tables: Tables) -> Iterator[Finding]:
    if not tables.has(options.c.key, options.c.value):
        return
    rows = {key: value or "" for key, value in tx.execute(select(options.c.key, options.c.value))}
    _, rejected = meaning.parse(rows)
    for key, reason in rejected.items():
        yield Finding("options", "warning", f"the option {key} cannot be read, its default would hold: {reason}")


def orphans(tx: Connection, tables: Tables) -> Iterator[Finding]:
    if tables.has(abilities.c.channel_id, channels.c.id):
        there = select(channels.c.id).where(channels.c.id == abilities.c.channel_id).exists()
        number = counted(tx, abilities, ~there)
        if number:
            yield Finding("orphan abilities", "warning", f"{number} abilities belong to channels that are gone")
    if tables.has(tokens.c.user_id, users.c.id):
        there = select(users.c.id).where(users.c.id == tokens.c.user_id).exists()
        number = counted(tx, tokens, ~there)
        if number:
            yield Finding("orphan tokens", "warning", f"{number} tokens belong to users that are gone")


def balances(tx: Connection, tables: Tables) -> Iterator[Finding]:
    if tables.has(users.c.quota):
        number = counted(tx, users, users.c.quota < 0)
        if number:
            yield Finding("negative balances", "warning", f"{number} users have less than nothing")
    if tables.has(tokens.c.remain_quota, tokens.c.unlimited_quota):
        limited = or_(tokens.c.unlimited_quota.is_(None), tokens.c.unlimited_quota == False)  # noqa: E712  # SQL
        number = counted(tx, tokens, and_(tokens.c.remain_quota < 0, limited))
        if number:
            yield Finding("negative balances", "warning", f"{number} tokens with a limit have less than nothing left")


def documents(tx: Connection, tables: Tables) -> Iterator[Finding]:
    """JSON of channels that cannot be read."""
    for column in (channels.c.model_mapping, channels.c.config):
        if not tables.has(column, channels.c.id):
            continue
        rows = tx.execute(select(channels.c.id, column).where(column.is_not(None), column != ""))
        broken = sorted(number for number, value in rows if not readable(value))
        if broken:
            shown = ", ".join(map(str, broken[:10]))
            yield Finding("channels", "warning", f"{column.name} is no JSON object in {len(broken)}: {shown}")


def readable(value: str) -> bool:
    try:
        return isinstance(json.loads(value), dict)
    except (ValueError, RecursionError):
        return False


def open_holds(tx: Connection, tables: Tables) -> Iterator[Finding]:
    if tables.has(holds.c.request_id):
        number = counted(tx, holds, text("1 = 1"))
        if number:
            yield Finding("holds", "note", f"{number} calls are under way, or are settled by the next start")


def counted(tx: Connection, table: Table, condition: Any) -> int:
    return int(tx.execute(select(func.count()).select_from(table).where(condition)).scalar_one())


CHECKS: Final[tuple[Callable[[Connection, Tables], Iterator[Finding]], ...]] = (
    *(one_apis, drift, keys, ratios, orphans, balances, documents, open_holds),
)


def as_facts(found: Checkup) -> Mapping[str, Any]:
    return {
        "engine": found.engine,
        "version": found.version,
        "revision": found.revision,
        "adoptable": found.adoptable,
        "tables": {name: dict(values) for name, values in found.sums.items()},
        "steps": list(found.steps),
        "findings": [{"about": each.about, "severity": each.severity, "text": each.text} for each in found.findings],
    }
