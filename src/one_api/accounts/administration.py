"""What administrators do to users, within the ranks: who stands above somebody may change him, root may change all."""

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts import users
from one_api.accounts.rules import (
    ADMIN,
    COMMON,
    DELETED,
    DISABLED,
    ENABLED,
    ROOT,
    InvalidInput,
    Refused,
    check_length,
    unacceptable,
)
from one_api.accounts.tokens import hex_id
from one_api.accounts.users import User
from one_api.store.engine import Database

OUTRANKED: Final = "无权更新同权限等级或更高权限等级的用户信息"
LAST_ROOT: Final = "不能降级、禁用或删除最后一个超级管理员"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an administrator writes about a user; empty and 0 leave a column as it is. `password` is a hash."""

    username: str = ""
    password: str = ""
    display_name: str = ""
    email: str = ""
    group: str = ""
    role: int = 0
    status: int = 0


async def update(database: Database, *, actor: User, user_id: int, wish: Wish) -> User:
    """Carry a wish out. The user as he was. Raises Refused."""
    async with database.write() as tx:
        user = await users.one(tx, user_id=user_id, lock=True)
        if actor.role != ROOT and user.role >= actor.role:
            raise Refused(OUTRANKED)
        if actor.role != ROOT and wish.role >= actor.role:
            raise Refused("无权将其他用户权限等级提升到大于等于自己的权限等级")
        changes = _changes(user, wish)
        await _permit(tx, user, changes)
        await users.write(tx, user, changes)
    return user


def _changes(user: User, wish: Wish) -> dict[str, Any]:
    """What differs from the row; only that has to be acceptable."""
    names = ("username", "display_name", "email", "group", "role", "status")
    changes = {name: new for name in names if (new := getattr(wish, name)) and new != getattr(user, name)}
    texts = {name: changes[name] for name in ("username", "display_name", "email") if name in changes}
    if unacceptable(**texts):
        raise InvalidInput
    check_length("group", changes.get("group", ""), 32)
    return changes | ({"password": wish.password} if wish.password else {})


async def _permit(tx: AsyncConnection, user: User, changes: dict[str, Any]) -> None:
    """Raises Refused for an address in use, and for what would leave no root."""
    if "email" in changes and await users.email_taken(tx, email=changes["email"], user_id=user.id):
        raise Refused("邮箱地址已被占用")
    leaves = changes.get("role", user.role) < ROOT or changes.get("status", user.status) != ENABLED
    if user.role >= ROOT and user.status == ENABLED and leaves and not await users.another_root(tx, user_id=user.id):
        raise Refused(LAST_ROOT)


async def manage(database: Database, *, actor: User, username: str, action: str) -> User:
    """One of the console's buttons. The user as he is then. Raises Refused."""
    async with database.write() as tx:
        user = await users.by_name(tx, username=username)
        if user is None:
            raise Refused("用户不存在")
        if actor.role <= user.role and actor.role != ROOT:
            raise Refused(OUTRANKED)
        changes = _action(actor, user, action)
        changes = {name: new for name, new in changes.items() if new != getattr(user, name)}
        await users.write(tx, user, changes)
    return replace(user, **changes)


def _action(actor: User, user: User, action: str) -> dict[str, Any]:
    match action:
        case "disable":
            _spare_root(user, "无法禁用超级管理员用户")
            return {"status": DISABLED}
        case "enable":
            return {"status": ENABLED}
        case "delete":
            _spare_root(user, "无法删除超级管理员用户")
            return deletion()
        case "promote":
            if actor.role != ROOT:
                raise Refused("普通管理员用户无法提升其他用户为管理员")
            if user.role >= ADMIN:
                raise Refused("该用户已经是管理员")
            return {"role": ADMIN}
        case "demote":
            _spare_root(user, "无法降级超级管理员用户")
            if user.role == COMMON:
                raise Refused("该用户已经是普通用户")
            return {"role": COMMON}
        case _:
            return {}


def _spare_root(user: User, message: str) -> None:
    if user.role >= ROOT:
        raise Refused(message)


def deletion() -> dict[str, Any]:
    """What deleting a user writes: he keeps his row, addresses and bindings, and loses his name."""
    return {"status": DELETED, "username": f"deleted_{hex_id()}"}


async def remove(database: Database, *, actor: User, user_id: int) -> None:
    """Raises Refused; nobody removes his equal, root neither."""
    async with database.write() as tx:
        user = await users.one(tx, user_id=user_id, lock=True)
        if user.role >= actor.role:
            raise Refused("无权删除同权限等级或更高权限等级的用户")
        await users.write(tx, user, deletion())


async def visible(database: Database, *, actor: User, user_id: int) -> User:
    """A user as an administrator may see him. Raises Refused."""
    if user_id == 0:
        raise Refused("id 为空！")
    user = await users.get(database, user_id)
    if actor.role <= user.role and actor.role != ROOT:
        raise Refused("无权获取同级或更高等级用户的信息")
    return user
