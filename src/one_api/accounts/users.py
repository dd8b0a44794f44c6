"""Users as rows: found, listed, made, changed.

Every change names its columns. Balances are not among them: the ledger alone changes a quota after the row is made.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import Select, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts import tokens
from one_api.accounts.rules import COMMON, DELETED, ENABLED, NEVER, ROOT, NotFound, Refused, same
from one_api.store.engine import Database
from one_api.store.schema import sessions, users
from one_api.sync import bump

PAGE: Final = 10
Give: TypeAlias = Callable[[AsyncConnection, int], Awaitable[None]]
_ORDERS: Final = {name: users.c[name].desc() for name in ("quota", "used_quota", "request_count")}


class NameTaken(Refused):
    def __init__(self) -> None:
        super().__init__("用户名已被占用")


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user without his secrets."""

    id: int
    username: str
    display_name: str
    role: int
    status: int
    email: str
    github_id: str
    wechat_id: str
    lark_id: str
    oidc_id: str
    quota: int
    used_quota: int
    request_count: int
    group: str
    aff_code: str
    inviter_id: int


_COLUMNS: Final = tuple(users.c[name] for name in User.__dataclass_fields__)
_EMPTY: Final = {name: "" if field.type is str else 0 for name, field in User.__dataclass_fields__.items()}
# Built once: it is asked with every request of a script.
_BY_ACCESS_TOKEN: Final = select(*_COLUMNS, users.c.access_token).where(
    users.c.access_token == bindparam("access_token")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """Who is to be made. `password` is a hash, or empty; `quota` what he has before any gift."""

    username: str
    password: str
    display_name: str
    email: str = ""
    quota: int = 0
    inviter_id: int = 0


def select_user() -> Select[Any]:
    return select(*_COLUMNS)


def as_user(row: Sequence[Any]) -> User:
    """A row of `select_user`; NULL is what the column's type has instead."""
    found = zip(_EMPTY.items(), row, strict=False)
    return User(**{name: empty if value is None else value for (name, empty), value in found})  # type: ignore[arg-type]  # columns are the fields


async def by_access_token(database: Database, access_token: str) -> User | None:
    """The user with exactly this token, by idx_users_access_token."""
    if not access_token or len(access_token) > 255 or not access_token.isascii() or not access_token.isprintable():
        return None
    async with database.read() as tx:
        row = (await tx.execute(_BY_ACCESS_TOKEN, {"access_token": access_token})).first()
    if row is None or not same(access_token, row.access_token or ""):
        return None
    return as_user(row)


async def for_login(database: Database, name: str) -> tuple[User, str] | None:
    """The user of this name, else the first of this e-mail address, and his password's hash.

    One query, by idx_users_username and idx_users_email, whether there is anybody or not.
    """
    by_name_first = (users.c.username == name).desc()
    found = select(*_COLUMNS, users.c.password).where(or_(users.c.username == name, users.c.email == name))
    async with database.read() as tx:
        row = (await tx.execute(found.order_by(by_name_first, users.c.id).limit(1))).first()
    return None if row is None else (as_user(row), row.password)


async def root_email(database: Database) -> str:
    """Where notices for root go: the address of the first enabled root, or empty."""
    roots = select(users.c.email).where(users.c.role == ROOT, users.c.status == ENABLED).order_by(users.c.id)
    async with database.read() as tx:
        return (await tx.execute(roots.limit(1))).scalar() or ""


async def get(database: Database, user_id: int) -> User:
    """Raises NotFound."""
    async with database.read() as tx:
        return await one(tx, user_id=user_id)


async def one(tx: AsyncConnection, *, user_id: int, lock: bool = False) -> User:
    """Raises NotFound."""
    wanted = select_user().where(users.c.id == user_id)
    row = (await tx.execute(wanted.with_for_update() if lock else wanted)).first()
    if row is None:
        raise NotFound
    return as_user(row)


async def by_name(tx: AsyncConnection, *, username: str) -> User | None:
    row = (await tx.execute(select_user().where(users.c.username == username).with_for_update())).first()
    return None if row is None else as_user(row)


async def page(database: Database, *, number: int, order: str) -> list[User]:
    """Ten users who are not deleted, newest first unless `order` names a column."""
    first = [_ORDERS[order]] if order in _ORDERS else []
    wanted = select_user().where(users.c.status != DELETED).order_by(*first, users.c.id.desc())
    return await _all(database, wanted.limit(PAGE).offset(number * PAGE))


async def search(database: Database, *, keyword: str) -> list[User]:
    """By the beginning of a name or address, and by number; the deleted too."""
    pattern = f"{keyword}%"
    texts: Sequence[Any] = [column.like(pattern) for column in (users.c.username, users.c.email, users.c.display_name)]
    if keyword.isascii() and keyword.isdecimal() and len(keyword) < 19:
        texts = [*texts, users.c.id == int(keyword)]
    return await _all(database, select_user().where(or_(*texts)).order_by(users.c.id))


async def _all(database: Database, wanted: Select[Any]) -> list[User]:
    async with database.read() as tx:
        return [as_user(row) for row in await tx.execute(wanted)]


async def inviter_of(database: Database, aff_code: str) -> User | None:
    """Who hands out this invite code, by idx_users_aff_code."""
    if not aff_code:
        return None
    async with database.read() as tx:
        row = (await tx.execute(select_user().where(users.c.aff_code == aff_code))).first()
    return None if row is None or not same(aff_code, row.aff_code) else as_user(row)


async def nothing(_tx: AsyncConnection, _user_id: int) -> None:
    pass


async def create(
    database: Database,
    new: NewUser,
    *,
    now: int,
    first: Callable[[AsyncConnection], Awaitable[object]] | None = None,
    give: Give = nothing,
) -> int:
    """Make a user and his first token; his id. Raises NameTaken.

    What has to be done `first` is done in the same transaction. So does `give` credit gifts: there is never a user
    without his.
    """
    async with database.write() as tx:
        if first is not None:
            await first(tx)
        user_id = await add(tx, new, {}, now=now)
        await give(tx, user_id)
        return user_id


async def add(tx: AsyncConnection, new: NewUser, also: Mapping[str, str], *, now: int) -> int:
    """A user, with more columns of his, and his first token, `default`, without limits; his id. Raises NameTaken."""
    try:
        made = await tx.execute(insert(users).values({**_first_row(new), **also}))
    except IntegrityError as error:
        raise NameTaken from error
    user_id = tokens.new_id(made)
    first = tokens.Wish(
        name="default",
        expired_time=NEVER,
        remain_quota=-1,
        unlimited_quota=True,
        models=None,
        subnet=None,
    )
    await tokens.add(tx, user_id=user_id, wish=first, now=now)
    return user_id


def _first_row(new: NewUser) -> dict[str, Any]:
    return {
        "username": new.username,
        "password": new.password,
        "display_name": new.display_name,
        "email": new.email,
        "role": COMMON,
        "status": ENABLED,
        "access_token": tokens.hex_id(),
        "quota": new.quota,
        "used_quota": 0,
        "request_count": 0,
        "group": "default",
        "aff_code": tokens.letters(12),
        "inviter_id": new.inviter_id,
        **dict.fromkeys(("github_id", "wechat_id", "lark_id", "oidc_id"), ""),
    }


async def rotate_access_token(database: Database, user_id: int) -> str:
    """A new access token; the only time it can be seen."""
    token = tokens.hex_id()
    async with database.write() as tx:
        await tx.execute(update(users).where(users.c.id == user_id).values(access_token=token))
        await bump(tx, f"user:{user_id}")
    return token


async def make_invite_code(database: Database, *, user_id: int) -> str:
    """Give a user an invite code unless somebody was faster; the one he has then."""
    without = or_(users.c.aff_code.is_(None), users.c.aff_code == "")
    async with database.write() as tx:
        code = tokens.letters(12)
        await tx.execute(update(users).where(users.c.id == user_id, without).values(aff_code=code))
        return (await one(tx, user_id=user_id)).aff_code


async def write(tx: AsyncConnection, user: User, changes: dict[str, Any], *, keep_session: str = "") -> None:
    """Write named columns, and end the sessions that a new password, role or status ends.

    A banned user's sessions stay until he is enabled again, so that he is told why he is refused; they open nothing.
    Raises NameTaken.
    """
    if not changes:
        return
    try:
        await tx.execute(update(users).where(users.c.id == user.id).values(changes))
    except IntegrityError as error:
        raise NameTaken from error
    await bump(tx, f"user:{user.id}")
    bans = changes.get("status", ENABLED) != ENABLED
    if not bans and changes.keys() & {"password", "role", "status"}:
        theirs = sessions.c.user_id == user.id
        await tx.execute(delete(sessions).where(theirs, sessions.c.id_hash != keep_session))


async def another_root(tx: AsyncConnection, *, user_id: int) -> bool:
    """Whether somebody else is an enabled root. All roots are locked, so that two cannot leave at once."""
    roots = select(users.c.id).where(users.c.role >= ROOT, users.c.status == ENABLED).order_by(users.c.id)
    return any(row.id != user_id for row in await tx.execute(roots.with_for_update()))


async def email_taken(tx: AsyncConnection, *, email: str, user_id: int) -> bool:
    """By idx_users_email."""
    others = select(func.count()).select_from(users).where(users.c.email == email, users.c.id != user_id)
    return bool((await tx.execute(others)).scalar_one())
