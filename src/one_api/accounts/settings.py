"""The table of options: read for the snapshot, written by root. What the values mean is `one_api.options`."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api import options as meaning
from one_api.options import Options
from one_api.store.engine import Database
from one_api.store.schema import options
from one_api.store.upsert import upsert
from one_api.sync import bump

log = logging.getLogger(__name__)


async def read(tx: AsyncConnection) -> dict[str, str]:
    """The rows as they are; one without a value counts as empty."""
    rows = await tx.execute(select(options.c.key, options.c.value))
    return {key: value or "" for key, value in rows}


async def rows(database: Database) -> dict[str, str]:
    async with database.read() as tx:
        return await read(tx)


def loader(defaults: Options, current: Callable[[], Options]) -> Callable[[AsyncConnection], Awaitable[Options]]:
    """What a Snapshot of the options loads with; a row that cannot be read keeps its current value and is logged."""

    async def load(tx: AsyncConnection) -> Options:
        made, rejected = meaning.parse(await read(tx), defaults=defaults, previous=current())
        for key, reason in rejected.items():
            log.warning("The option %s cannot be read and keeps its value: %s", key, reason)
        return made

    return load


async def save(database: Database, *, key: str, value: str, forget: str | None = None) -> None:
    """Write one option, and empty the one named by `forget`. What may be written, `options.check` says."""
    async with database.write() as tx:
        await tx.execute(_stored(tx.dialect.name, key, value))
        if forget is not None:
            await tx.execute(_stored(tx.dialect.name, forget, ""))
        await bump(tx, "options")


def _stored(kind: str, key: str, value: str) -> Any:
    return upsert(kind, options, {"key": key, "value": value}, again={"value": value})
