"""A new user, whoever makes him: his row, his gifts, and the log rows that say so."""

from dataclasses import dataclass

from one_api.accounts import logs, passwords, users
from one_api.accounts.logs import SYSTEM, Entry
from one_api.accounts.rules import InvalidInput, quota_text, unacceptable
from one_api.accounts.users import NewUser, User
from one_api.edge.api.endpoint import Call
from one_api.ledger import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Who is to be made, as a form has it. An inviter's code nobody has is no code."""

    username: str
    password: str
    display_name: str
    email: str = ""
    aff_code: str = ""

    def __repr__(self) -> str:
        return f"<Newcomer {self.username!r}>"


def check(*, username: str, password: str, display_name: str, email: str) -> None:
    """Raises InvalidInput for what no user can have, an empty name among it."""
    complaints = unacceptable(username=username, password=password, display_name=display_name, email=email)
    if not username or not password or complaints:
        raise InvalidInput


async def welcome(call: Call, newcomer: Newcomer) -> None:
    """Make the user; his inviter's gift is credited once per request. Raises Refused if the name is taken."""
    options, database = call.options, call.parts.database
    inviter = await users.inviter_of(database, newcomer.aff_code)
    invited = options.quota_for_invitee if inviter is not None else 0
    gift = max(options.quota_for_new_user, 0) + max(invited, 0)
    new = NewUser(
        username=newcomer.username,
        password=await passwords.hashed(newcomer.password),
        display_name=newcomer.display_name,
        email=newcomer.email,
        quota=gift,
        inviter_id=inviter.id if inviter is not None else 0,
    )
    user_id = await users.create(database, new, now=call.now)
    if inviter is not None and options.quota_for_inviter > 0:
        facts = Facts(username=inviter.username, source="counted", logged=False)
        await call.parts.ledger.grant(inviter.id, options.quota_for_inviter, "adjust", call.id, facts)
    await logs.write(call.parts.logs, _gifts(call, user_id, newcomer.username, inviter), now=call.now)


def _gifts(call: Call, user_id: int, username: str, inviter: User | None) -> list[Entry]:
    options = call.options
    gifts = [(options.quota_for_new_user, "新用户注册赠送", user_id, username)]
    if inviter is not None:
        gifts.append((options.quota_for_invitee, "使用邀请码赠送", user_id, username))
        gifts.append((options.quota_for_inviter, "邀请用户赠送", inviter.id, inviter.username))
    return [
        Entry(user_id=to, type=SYSTEM, content=f"{why} {quota_text(quota, options)}", username=name, request_id=call.id)
        for quota, why, to, name in gifts
        if quota > 0
    ]
