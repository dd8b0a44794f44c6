"""What a browser began at a provider: a state that is good once, for ten minutes, and in this browser only.

The table holds hashes, so a dump of it opens nothing. PKCE's verifier and OIDC's nonce are stored nowhere: both follow
from the browser's cookie and the state, of which only this browser has both.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from one_api.accounts.rules import same
from one_api.store.engine import Database
from one_api.store.schema import oauth_states

LIFE_S: Final = 600
_LONGEST: Final = 64
_BROWSER: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Begun:
    """A state that is still good. `provider` is empty where a console did not say which it would go to."""

    state_hash: str
    provider: str
    pkce: bool


def browser_id(cookie: str) -> str:
    """What names a browser: the id in its cookie if it is one of ours, else a new one."""
    return cookie if _BROWSER.fullmatch(cookie) else secrets.token_urlsafe(32)


def verifier(state: str, browser: str) -> str:
    """PKCE's code verifier, 43 characters (RFC 7636, 4.1)."""
    return _derived("code_verifier", state, browser)


def challenge(state: str, browser: str) -> str:
    """Its S256 challenge."""
    return _base64url(hashlib.sha256(verifier(state, browser).encode()).digest())


def nonce(state: str, browser: str) -> str:
    return _derived("nonce", state, browser)


def _derived(purpose: str, state: str, browser: str) -> str:
    return _base64url(hmac.digest(browser.encode(), f"{purpose} {state}".encode(), "sha256"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def new() -> str:
    return secrets.token_urlsafe(32)


async def begin(database: Database, state: str, *, browser: str, provider: str, pkce: bool, now: int) -> None:
    row = {"state_hash": _hashed(state), "browser": _hashed(browser), "provider": provider, "pkce": pkce}
    async with database.write() as tx:
        await tx.execute(insert(oauth_states).values(**row, expires_at=now + LIFE_S))


async def find(database: Database, state: str, *, browser: str, now: int) -> Begun | None:
    """What this browser began with this state, if it is still good; by primary key."""
    if not 0 < len(state) <= _LONGEST or not browser:
        return None
    wanted = select(oauth_states).where(oauth_states.c.state_hash == _hashed(state))
    async with database.read() as tx:
        row = (await tx.execute(wanted)).first()
    if row is None or row.expires_at <= now or not same(_hashed(browser), row.browser):
        return None
    return Begun(row.state_hash, row.provider, bool(row.pkce))


async def use(database: Database, begun: Begun) -> bool:
    """Use it up. False if somebody was faster."""
    async with database.write() as tx:
        used = await tx.execute(delete(oauth_states).where(oauth_states.c.state_hash == begun.state_hash))
        return used.rowcount == 1


async def purge(tx: AsyncConnection, *, now: int) -> int:
    """Delete what has expired, by idx_oauth_states_expires_at. How many there were."""
    return (await tx.execute(delete(oauth_states).where(oauth_states.c.expires_at <= now))).rowcount
