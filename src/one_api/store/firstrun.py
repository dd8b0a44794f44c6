"""The first user of an empty database: root, as One API makes it."""

import asyncio
import logging
from uuid import uuid4

import bcrypt
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.config import Config, ConfigError
from one_api.store.engine import Database
from one_api.store.schema import tokens, users

log = logging.getLogger(__name__)

PASSWORD = b"123456"
QUOTA = 500_000_000_000_000
KEY_LENGTH = 48


async def create_root(database: Database, config: Config, *, now: int) -> bool:
    """Create root if there is no user at all, on any node; False if there is one.

    Nodes that start at once make one: its name is unique, and who comes second fails on it.
    """
    async with database.read() as tx:
        if await any_user(tx):
            return False
    if database.kind != "sqlite" and len(config.initial_root_token) > KEY_LENGTH:
        raise ConfigError(f"INITIAL_ROOT_TOKEN: longer than {KEY_LENGTH} characters")
    password = await asyncio.to_thread(bcrypt.hashpw, PASSWORD, bcrypt.gensalt(10, prefix=b"2a"))
    try:
        async with database.write() as tx:
            if await any_user(tx):
                return False
            await insert_root(tx, config, password=password.decode(), now=now)
    except IntegrityError:
        return False
    log.warning("No user exists, created root with the password %s: change it now", PASSWORD.decode())
    return True


async def any_user(tx: AsyncConnection) -> bool:
    return (await tx.execute(select(users.c.id).limit(1))).first() is not None


async def insert_root(tx: AsyncConnection, config: Config, *, password: str, now: int) -> None:
    """The token's id, 1 in a new database, comes from the table itself, so that no sequence falls behind."""
    made = await tx.execute(
        insert(users).values(
            username="root",
            password=password,
            display_name="Root User",
            role=100,
            status=1,
            access_token=config.initial_root_access_token or uuid4().hex,
            quota=QUOTA,
            aff_code="",
        )
    )
    user_id = made.inserted_primary_key[0] if made.inserted_primary_key else None
    if config.initial_root_token:
        await tx.execute(
            insert(tokens).values(
                user_id=user_id,
                key=config.initial_root_token,
                status=1,
                name="Initial Root Token",
                created_time=now,
                accessed_time=now,
                expired_time=-1,
                remain_quota=QUOTA,
                unlimited_quota=True,
            )
        )
