"""A new user, whoever makes him: his row, his gifts, and the log rows that say so."""

from dataclasses import dataclass
from functools import partial

from one_api.accounts import Transaction, logs, passwords, profile, users
from one_api.accounts.codes import Ticket
from one_api.accounts.logs import SYSTEM, Entry
from one_api.accounts.oauth import Identity, bindings
from one_api.accounts.rules import InvalidInput, quota_text, unacceptable
from one_api.accounts.users import NewUser, User
from one_api.edge.api.endpoint import Call
from one_api.ledger import Facts, credit
from one_api.lib import json
from one_api.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Who is to be made, as a form has it. An inviter's code nobody has is no code.

    `address` is one he proved by a code, `email` one his provider vouches for. `identity` is how he signs in if not by
    a password; an empty one is none.
    """

    username: str
    password: str
    display_name: str
    address: Ticket | None = None
    email: str = ""
    aff_code: str = ""
    identity: Identity | None = None

    def __repr__(self) -> str:
        return f"<Newcomer {self.username!r}>"


def check(*, username: str, password: str, display_name: str, email: str) -> None:
    """Raises InvalidInput for what no user can have, an empty name among it."""
    complaints = unacceptable(username=username, password=password, display_name=display_name, email=email)
    if not username or not password or complaints:
        raise InvalidInput


async def welcome(call: Call, newcomer: Newcomer) -> int:
    """Make the user; his id. Gifts are credited in the same transaction.

    Raises NameTaken, and Bound if the identity is somebody's.
    """
    database = call.parts.database
    inviter = await users.inviter_of(database, newcomer.aff_code)
    new = NewUser(
        username=newcomer.username,
        password=await passwords.hashed(newcomer.password) if newcomer.password else "",
        display_name=newcomer.display_name,
        email=newcomer.address.address if newcomer.address else newcomer.email,
        inviter_id=inviter.id if inviter is not None else 0,
    )
    gifts: list[Gift] = []

    async def give(tx: Transaction, user_id: int) -> None:
        gifts[:] = _gifts(call.options, user_id, newcomer.username, inviter)
        for gift in gifts:
            await gift.credit(tx, call)

    if newcomer.identity is None:
        take = partial(profile.take_address, ticket=newcomer.address) if newcomer.address else None
        user_id = await users.create(database, new, now=call.now, first=take, give=give)
    else:
        user_id = await bindings.create(database, new, newcomer.identity, now=call.now, give=give)
    await logs.note(call.parts.logs, [gift.entry(call) for gift in gifts], now=call.now)
    return user_id


@dataclass(frozen=True, slots=True)
class Gift:
    """What somebody gets because a user is new, and why; `occasion` is one word for the ledger."""

    quota: int
    why: str
    user_id: int
    username: str
    occasion: str

    async def credit(self, tx: Transaction, call: Call) -> None:
        details = json.encode({"request": call.id}).decode()
        facts = Facts(username=self.username, source="counted", details=details)
        key = f"{call.id}:{self.occasion}"
        await credit(tx, user_id=self.user_id, amount=self.quota, kind="gift", key=key, facts=facts, now=call.now)

    def entry(self, call: Call) -> Entry:
        content = f"{self.why} {quota_text(self.quota, call.options)}"
        return Entry(user_id=self.user_id, type=SYSTEM, content=content, username=self.username, request_id=call.id)


def _gifts(options: Options, user_id: int, username: str, inviter: User | None) -> list[Gift]:
    gifts = [Gift(options.quota_for_new_user, "新用户注册赠送", user_id, username, "new")]
    if inviter is not None:
        gifts.append(Gift(options.quota_for_invitee, "使用邀请码赠送", user_id, username, "invited"))
        gifts.append(Gift(options.quota_for_inviter, "邀请用户赠送", inviter.id, inviter.username, "inviter"))
    return [gift for gift in gifts if gift.quota > 0]
