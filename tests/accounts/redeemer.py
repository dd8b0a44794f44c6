"""The process that is killed while its clients redeem codes."""

import asyncio
import os
import random
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts import redemptions
from one_api.accounts.rules import Refused
from one_api.config import Config
from one_api.ledger import Facts, credit
from one_api.store.engine import Database, open_database
from one_api.store.schema import redemptions as table
from tests.harness.nest import breed

USERS = 5
CLIENTS = 8


async def load(url: str, dice: random.Random, reports: int) -> None:
    database = open_database(Config(sql_dsn=url, sqlite_busy_timeout=10_000))
    async with database.read() as tx:
        keys = list((await tx.execute(select(table.c.key))).scalars())
    await asyncio.gather(*[client(database, dice.sample(keys, len(keys)), dice, reports) for _ in range(CLIENTS)])


async def client(database: Database, keys: list[str], dice: random.Random, reports: int) -> None:
    for key in keys:
        user_id = dice.randint(1, USERS)
        try:
            quota = await redemptions.redeem(database, key, now=1, pay=partial(pay, user_id, key))
        except Refused:
            continue
        os.write(reports, f"{key} {user_id} {quota}\n".encode())


async def pay(user_id: int, key: str, tx: AsyncConnection, quota: int) -> None:
    await credit(tx, user_id=user_id, amount=quota, kind="redeem", key=key, facts=Facts(), now=1)


if __name__ == "__main__":
    breed(load)
