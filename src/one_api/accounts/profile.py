"""What a user changes about himself: nothing here reaches a balance, a role or another's row."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts import codes, passwords, users
from one_api.accounts.administration import deletion
from one_api.accounts.codes import Ticket
from one_api.accounts.rules import Refused, unacceptable
from one_api.accounts.users import User
from one_api.store.engine import Database


async def change(
    database: Database, user: User, *, username: str, password: str, display_name: str, keep_session: str
) -> None:
    """Write what is not empty and differs; only that has to be acceptable. Raises Refused.

    A new password ends his sessions but the one kept, given by its hash.
    """
    texts = {"username": username, "display_name": display_name}
    changes: dict[str, Any] = {name: new for name, new in texts.items() if new and new != getattr(user, name)}
    complaints = unacceptable(**changes, password=password)
    if complaints:
        raise Refused("输入不合法 " + "\n".join(_validator(field, rule) for field, rule in complaints))
    if password:
        changes["password"] = await passwords.hashed(password)
    async with database.write() as tx:
        await users.write(tx, user, changes, keep_session=keep_session)


def _validator(field: str, rule: str) -> str:
    return f"Key: 'User.{field}' Error:Field validation for '{field}' failed on the '{rule}' tag"


async def address_taken(database: Database, email: str) -> bool:
    """Whether any account has this address, a deleted one too."""
    async with database.read() as tx:
        return await users.email_taken(tx, email=email, user_id=0)


async def take_address(tx: AsyncConnection, ticket: Ticket, *, user_id: int = 0) -> None:
    """In the transaction that gives an address to this account: the code is spent. Raises Refused."""
    if not await codes.spend(tx, ticket):
        raise Refused("验证码错误或已过期")
    if await users.email_taken(tx, email=ticket.address, user_id=user_id):
        raise Refused("邮箱地址已被占用")


async def bind_address(database: Database, user: User, ticket: Ticket) -> None:
    """Raises Refused."""
    async with database.write() as tx:
        await take_address(tx, ticket, user_id=user.id)
        await users.write(tx, user, {"email": ticket.address})


async def remove(database: Database, user: User) -> None:
    """Delete himself: his row stays, his name is free."""
    async with database.write() as tx:
        await users.write(tx, user, deletion())


async def invite_code(database: Database, user: User) -> str:
    """His invite code; made when it is first asked for."""
    return user.aff_code or await users.make_invite_code(database, user_id=user.id)
