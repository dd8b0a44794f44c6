"""Whose account an identity is: found, bound, unbound, or a new one.

One API's table has no unique index on these ids, so whoever changes them first takes the identity's topic, and the next
one waits until it is done: an identity opens one account.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import delete, exists, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts import tokens
from one_api.accounts.oauth.identity import KINDS, Identity, Kind
from one_api.accounts.rules import ENABLED, Refused, same
from one_api.accounts.users import Give, NewUser, User, add, as_user, email_taken, nothing, one, select_user, write
from one_api.store.engine import Database, retrying
from one_api.store.schema import github_accounts, users
from one_api.sync import bump

TAKEN: Final[dict[Kind, str]] = {
    "github": "该 GitHub 账户已被绑定",
    "lark": "该飞书账户已被绑定",
    "oidc": "该 OIDC 账户已被绑定",
    "wechat": "该微信账号已被绑定",
}


class Bound(Refused):
    """The identity opens an account already."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(TAKEN[kind])


async def find(database: Database, identity: Identity) -> User | None:
    """The account that the identity opens."""
    async with database.read() as tx:
        return await _find(tx, identity)


async def bind(database: Database, user: User, identity: Identity) -> None:
    """Give the identity to a user in place of the one he had. Raises Bound; and Refused if he is banned by now."""

    async def work() -> None:
        async with database.write() as tx:
            await _take(tx, identity)
            if await _find(tx, identity) is not None:
                raise Bound(identity.kind)
            if (await one(tx, user_id=user.id, lock=True)).status != ENABLED:
                raise Refused("用户已被封禁")
            await write(tx, user, {identity.column: identity.subject})
            await _mark(tx, identity, user.id)

    await retrying(work)


async def unbind(database: Database, user: User, kind: Kind) -> None:
    """Raises Refused if there is nothing to take away, or no other way in would be left."""
    columns = {each: users.c[f"{each}_id"] for each in KINDS}

    async def work() -> None:
        async with database.write() as tx:
            wanted = select(users.c.password, *columns.values()).where(users.c.id == user.id).with_for_update()
            row = (await tx.execute(wanted)).mappings().one()
            if not row[columns[kind]]:
                raise Refused("尚未绑定该账户")
            if not row[users.c.password] and not any(row[columns[each]] for each in KINDS if each != kind):
                raise Refused("请先设置密码，否则解除绑定后将无法登录")
            await write(tx, user, {f"{kind}_id": ""})
            if kind == "github":
                await tx.execute(delete(github_accounts).where(github_accounts.c.user_id == user.id))

    await retrying(work)


async def create(database: Database, new: NewUser, identity: Identity, *, now: int, give: Give = nothing) -> int:
    """A new user whom the identity opens; his id. An address that somebody else has stays with him.

    `give` credits gifts in the same transaction. Raises Bound, and NameTaken.
    """

    async def work() -> int:
        async with database.write() as tx:
            await _take(tx, identity)
            if await _find(tx, identity) is not None:
                raise Bound(identity.kind)
            if identity.login and await _imported(tx, identity.login):
                raise Refused(f"GitHub 账户 {identity.login} 已绑定旧账号：请先以其他方式登录该账号，再重新绑定 GitHub")
            email = "" if await email_taken(tx, email=new.email, user_id=0) else new.email
            user_id = await add(tx, new, {"email": email, identity.column: identity.subject}, now=now)
            await _mark(tx, identity, user_id)
            await give(tx, user_id)
            return user_id

    return await retrying(work)


async def names(database: Database, identity: Identity) -> Sequence[str]:
    """Names for a new user, best first: the provider's, One API's, and one that nobody can have guessed."""
    async with database.read() as tx:
        highest = (await tx.execute(select(func.max(users.c.id)))).scalar_one() or 0
    suggested = (identity.username,) if identity.username else ()
    return (*suggested, f"{identity.kind}_{highest + 1}", f"{identity.kind}_{tokens.letters(8)}")


async def _take(tx: AsyncConnection, identity: Identity) -> None:
    key = hashlib.sha256(identity.subject.encode()).hexdigest()
    await bump(tx, f"identity:{identity.kind}:{key}")


async def _find(tx: AsyncConnection, identity: Identity) -> User | None:
    """By the index of its column. Databases may compare without case; GitHub's ids count only where we wrote them."""
    column = users.c[identity.column]
    wanted = select_user().where(column == identity.subject)
    if identity.kind == "github":
        marked = github_accounts.c.github_id == int(identity.subject)
        wanted = wanted.where(exists().where(marked, github_accounts.c.user_id == users.c.id))
    found = await tx.execute(wanted.order_by(users.c.id))
    return next((as_user(row) for row in found if same(identity.subject, _text(row, identity.column))), None)


def _text(row: Any, name: str) -> str:
    return str(row._mapping[name] or "")  # noqa: SLF001 - SQLAlchemy's public name for it


async def _imported(tx: AsyncConnection, login: str) -> bool:
    """Whether an account has this login name from One API, by idx_users_git_hub_id."""
    ours = exists().where(github_accounts.c.user_id == users.c.id)
    found = await tx.execute(select(users.c.github_id).where(users.c.github_id == login, ~ours))
    return any(row.github_id.lower() == login.lower() for row in found)


async def _mark(tx: AsyncConnection, identity: Identity, user_id: int) -> None:
    """Say that this user's GitHub id is a number."""
    if identity.kind != "github":
        return
    number = int(identity.subject)
    old = or_(github_accounts.c.user_id == user_id, github_accounts.c.github_id == number)
    await tx.execute(delete(github_accounts).where(old))
    await tx.execute(insert(github_accounts).values(github_id=number, user_id=user_id))
