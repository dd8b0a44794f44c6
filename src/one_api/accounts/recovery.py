"""A new password for whoever can read the account's mail, or runs the gateway."""

import secrets
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts import codes, passwords, tokens, users
from one_api.accounts.codes import Ticket
from one_api.accounts.rules import DELETED, Refused
from one_api.accounts.users import User, as_user, select_user
from one_api.store.engine import Database
from one_api.store.schema import users as table

EXPIRED: Final = "重置链接非法或已过期"
PASSWORD_DIGITS: Final = 12


async def account_of(database: Database, email: str) -> User | None:
    """The one account an address stands for, by idx_users_email: the first that is not deleted.

    MySQL finds addresses that only look alike; they are not this one, and the mail would go to whoever asked.
    """
    wanted = select_user().where(table.c.email == email, table.c.status != DELETED).order_by(table.c.id)
    async with database.read() as tx:
        found = [as_user(row) for row in await tx.execute(wanted)]
    return next((user for user in found if user.email.encode().lower() == email.encode().lower()), None)


async def renew_password(database: Database, ticket: Ticket) -> str:
    """A new password for the ticket's account; its sessions and its access token end. Raises Refused."""
    password = new_password()
    changes = {"password": await passwords.hashed(password), "access_token": tokens.hex_id()}
    async with database.write() as tx:
        user = await _owner(tx, ticket)
        if user is None or not await codes.spend(tx, ticket):
            raise Refused(EXPIRED)
        await users.write(tx, user, changes)
    return password


async def replace_password(database: Database, username: str, password: str) -> bool:
    """The operator's own way: a new password, no session and another access token. False if nobody has the name."""
    changes = {"password": await passwords.hashed(password), "access_token": tokens.hex_id()}
    async with database.write() as tx:
        user = await users.by_name(tx, username=username)
        if user is None or user.status == DELETED:
            return False
        await users.write(tx, user, changes)
    return True


def new_password() -> str:
    return secrets.token_hex(PASSWORD_DIGITS // 2)


async def _owner(tx: AsyncConnection, ticket: Ticket) -> User | None:
    """The account, if it still has the address the code was sent to."""
    row = (await tx.execute(select_user().where(table.c.id == ticket.user_id).with_for_update())).first()
    user = None if row is None else as_user(row)
    return user if user is not None and user.email == ticket.address and user.status != DELETED else None
