"""A user as consoles know him: always all members, and never a secret in them."""

from dataclasses import asdict
from typing import Any, TypedDict

from one_api.accounts.users import User


class ShownUser(TypedDict):
    id: int
    username: str
    password: str
    display_name: str
    role: int
    status: int
    email: str
    github_id: str
    wechat_id: str
    lark_id: str
    oidc_id: str
    verification_code: str
    access_token: str
    quota: int
    used_quota: int
    request_count: int
    group: str
    aff_code: str
    inviter_id: int


_EMPTY = {
    "id": 0,
    "username": "",
    "password": "",
    "display_name": "",
    "role": 0,
    "status": 0,
    "email": "",
    "github_id": "",
    "wechat_id": "",
    "lark_id": "",
    "oidc_id": "",
    "verification_code": "",
    "access_token": "",
    "quota": 0,
    "used_quota": 0,
    "request_count": 0,
    "group": "",
    "aff_code": "",
    "inviter_id": 0,
}


def full(user: User) -> dict[str, Any]:
    return _EMPTY | asdict(user)


def brief(user: User) -> dict[str, Any]:
    """Who signed in: five members have their values."""
    return _EMPTY | {name: getattr(user, name) for name in ("id", "username", "display_name", "role", "status")}


def rank(user: User) -> dict[str, Any]:
    """What a button of the user list changed: role and status."""
    return _EMPTY | {"role": user.role, "status": user.status}
