"""Who may do what with a key, in One API's order and words. Pure."""

import hmac
import logging
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from msgspec import Struct

from one_api.errors import AccessDenied, OneAPIError, TokenRefused
from one_api.options import Options

log = logging.getLogger(__name__)

COMMON: Final = 1
ADMIN: Final = 10
ROOT: Final = 100

ENABLED: Final = 1
DISABLED: Final = 2
DELETED: Final = 3  # of a user
EXPIRED: Final = 3  # of a token
EXHAUSTED: Final = 4  # of a token

NEVER: Final = -1  # a token's expiry
MOST_PASSWORD_BYTES: Final = 72  # bcrypt reads no more
MOST_QUOTA: Final = 10**15

# What fits into a column on every database.
SHORT: Final = 191  # characters
LONG: Final = 65_535  # bytes

Network = IPv4Network | IPv6Network


class Refused(OneAPIError):
    """A request the console may make and we do not carry out: HTTP 200 and a sentence for whoever sits there."""

    status = 200


class InvalidParameter(Refused):
    """A required field is missing or the body cannot be read; the console's language decides the words."""

    def __init__(self, status: int = 200) -> None:
        super().__init__("invalid parameter", status=status)


class InvalidInput(Refused):
    """A field's value is not acceptable; the console's language decides the words."""

    def __init__(self) -> None:
        super().__init__("Invalid input, please check your input")


class NotFound(Refused):
    def __init__(self) -> None:
        super().__init__("record not found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A token that was good when it was loaded, with its owner. `expires` is -1 for never."""

    user_id: int
    username: str
    role: int
    group: str
    token_id: int
    token_name: str
    key: str
    models: tuple[str, ...] | None
    subnet: str
    unlimited: bool
    expires: int

    def __repr__(self) -> str:
        return f"<Caller user {self.user_id} token {self.token_id}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A token's row with its owner's."""

    id: int
    user_id: int
    key: str
    status: int
    name: str
    expired_time: int
    remain_quota: int
    unlimited: bool
    models: str
    subnet: str
    username: str
    user_status: int
    role: int
    group: str

    def __repr__(self) -> str:
        return f"<Holder token {self.id}>"


class Credentials(Struct, frozen=True):
    """What an Authorization header says: a key, and the channel an administrator wants."""

    key: str
    channel: str | None

    def __repr__(self) -> str:
        return f"<Credentials channel={self.channel!r}>"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a token is not accepted, and the status its row gets because of it."""

    error: TokenRefused
    becomes: int | None = None


def read_key(authorization: str) -> Credentials | None:
    """Read `[Bearer ][sk-]KEY[-CHANNEL[-anything]]`; None for an empty key."""
    key, *rest = authorization.removeprefix("Bearer ").removeprefix("sk-").split("-", 2)
    return Credentials(key, rest[0] if rest else None) if key else None


def require_key(credentials: Credentials | None) -> Credentials:
    """Raises TokenRefused if there is no key."""
    if credentials is None:
        raise TokenRefused("未提供令牌")
    return credentials


def same(sought: str, found: str) -> bool:
    """Whether a secret is the one that was sought; databases may have compared without case or padding."""
    return hmac.compare_digest(sought.encode(), found.encode())


def refusal(token: Holder, now: int) -> Refusal | None:
    """What speaks against a token, by its own row alone."""
    if token.status == EXHAUSTED:
        return Refusal(TokenRefused(f"令牌 {token.name}（#{token.id}）额度已用尽"))
    if token.status == EXPIRED:
        return Refusal(TokenRefused("该令牌已过期"))
    if token.status != ENABLED:
        return Refusal(TokenRefused("该令牌状态不可用"))
    if token.expired_time != NEVER and token.expired_time < now:
        return Refusal(TokenRefused("该令牌已过期"), becomes=EXPIRED)
    if not token.unlimited and token.remain_quota <= 0:
        return Refusal(TokenRefused("该令牌额度已用尽"), becomes=EXHAUSTED)
    return None


def caller(token: Holder) -> Caller:
    """The caller behind a token nothing speaks against. Raises AccessDenied if its owner may not call."""
    if token.user_status != ENABLED:
        raise AccessDenied("用户已被封禁")
    return Caller(
        user_id=token.user_id,
        username=token.username,
        role=token.role,
        group=token.group,
        token_id=token.id,
        token_name=token.name,
        key=token.key,
        models=tuple(token.models.split(",")) if token.models else None,
        subnet=token.subnet,
        unlimited=token.unlimited,
        expires=token.expired_time,
    )


def permit_address(caller: Caller, ip: str) -> None:
    """Raises AccessDenied when the token is bound to networks and `ip` is in none of them."""
    if caller.subnet and not within(ip, caller.subnet):
        raise AccessDenied(f"该令牌只能在指定网段使用：{caller.subnet}，当前 ip：{ip}")


def permit_model(caller: Caller, model: str) -> None:
    """Raises AccessDenied when the token is bound to models and `model` is none of them."""
    if caller.models is not None and model and model not in caller.models:
        raise AccessDenied(f"该令牌无权使用模型：{model}")


def within(ip: str, subnet: str) -> bool:
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _networks(subnet))


@lru_cache(maxsize=1024)
def _networks(subnet: str) -> tuple[Network, ...]:
    """What can be read is kept: a row written by hand narrows to its good parts, and to nobody if there are none."""
    found = []
    for text in subnet.split(","):
        try:
            found.append(cidr(text))
        except ValueError:
            log.warning("The subnet of a token cannot be read: %r", text)
    return tuple(found)


def cidr(text: str) -> Network:
    """One network in CIDR notation, blanks around it allowed. Raises ValueError for anything else."""
    text = text.strip()
    _, slash, length = text.partition("/")
    if not slash or not length.isascii() or not length.isdecimal():
        raise ValueError(f"invalid CIDR address: {text}")
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"invalid CIDR address: {text}") from None


def check_token(name: str, subnet: str | None) -> None:
    """Raises Refused for a name or networks that a token cannot have."""
    if len(name.encode()) > 30:
        raise Refused("参数错误：令牌名称过长")
    for text in (subnet or "").split(",") if subnet else ():
        try:
            cidr(text)
        except ValueError as error:
            raise Refused(f"参数错误：无效的网段：failed to parse subnet: {error}") from None


def check_enabling(*, status: int, expired_time: int, remain_quota: int, unlimited: bool, now: int) -> None:
    """Raises Refused if a token stored like this must not be enabled again."""
    if status == EXPIRED and expired_time != NEVER and expired_time <= now:
        raise Refused("令牌已过期，无法启用，请先修改令牌过期时间，或者设置为永不过期")
    if status == EXHAUSTED and remain_quota <= 0 and not unlimited:
        raise Refused("令牌可用额度已用尽，无法启用，请先修改令牌剩余额度，或者设置为无限额度")


def unacceptable(
    *, username: str = "", password: str = "", display_name: str = "", email: str = ""
) -> list[tuple[str, str]]:
    """Fields whose value a user cannot have, with the rule it breaks; an empty value is no value."""
    found = []
    if len(username) > 12:
        found.append(("Username", "max"))
    if password and len(password) < 8:
        found.append(("Password", "min"))
    if len(password) > 20 or len(password.encode()) > MOST_PASSWORD_BYTES:
        found.append(("Password", "max"))
    if len(display_name) > 20:
        found.append(("DisplayName", "max"))
    if len(email) > 50:
        found.append(("Email", "max"))
    return found


def quota_text(quota: int, options: Options) -> str:
    """A quota as log rows write it; the dollar sign is the full-width one."""
    if options.display_in_currency_enabled:
        return f"＄{quota / options.quota_per_unit:.6f} 额度"
    return f"{quota} 点额度"


def check_quota(quota: int) -> None:
    """Raises Refused for an amount beyond what the ledger moves."""
    if abs(quota) > MOST_QUOTA:
        raise Refused(f"额度不能超过 {MOST_QUOTA}")


def check_length(field: str, text: str, most: int) -> None:
    """Raises Refused for a text that one of the databases could not store."""
    if len(text.encode() if most == LONG else text) > most:
        raise Refused(f"{field} 过长")
