"""What a provider says about somebody, as far as we believe it. Pure.

An identity is an id that its provider never gives to anybody else. Names are suggestions; an e-mail address is there
only if the provider says that it was verified.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, get_args

from one_api.accounts.rules import SHORT, Refused

Kind = Literal["github", "lark", "oidc", "wechat"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_NAMES: Final[Mapping[Kind, str]] = MappingProxyType(
    {"github": "GitHub ", "lark": "飞书", "oidc": "OIDC ", "wechat": "微信"}
)
LONGEST_CODE: Final = 4096
LONGEST_TOKEN: Final = 16_384
_LONGEST_NAME: Final = 12
_LONGEST_SHOWN: Final = 20
_LONGEST_EMAIL: Final = 50
_GITHUB_IDS: Final = 1 << 63
_ERROR: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_EMAIL: Final = re.compile(r"[^\s@<>\"'(),:;\\]+@[^\s@<>\"'(),:;\\]+\.[^\s@<>\"'(),:;\\]+")
_NAME: Final = re.compile(r"\w[\w.-]*")


class Distrusted(Refused):
    """A provider did not show who somebody is. `reason` is for the log, and holds no secret either."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Untrusted(Exception):
    """What a provider said or signed shows nothing; the text says why, and holds nothing of it."""


class UnknownKey(Untrusted):
    """Signed by a key that is not in the set, which may be older than the token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody at a provider. `login` is what One API kept instead of GitHub's number."""

    kind: Kind
    subject: str
    username: str = ""
    display_name: str = ""
    email: str = ""
    login: str = ""

    @property
    def column(self) -> str:
        """Of the table of users."""
        return f"{self.kind}_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What a browser brought back from a provider, and what only this browser could have begun."""

    code: str
    issuer: str = ""
    verifier: str = ""
    nonce: str = ""

    def __repr__(self) -> str:
        return "<Callback>"


def denied(kind: Kind, error: Any) -> Distrusted:
    """A provider's own refusal, by the short code of an OAuth error.

    What is no such code stays out of the answer: a provider may echo what it was sent.
    """
    code = error if isinstance(error, str) and _ERROR.fullmatch(error) else "unknown_error"
    return Distrusted(f"{_NAMES[kind]}拒绝了此次登录：{code}", code)


def subject(value: Any) -> str | None:
    """An id that is text; None for what cannot be one, or would not come back from a column as it went in."""
    if not isinstance(value, str) or not 0 < len(value) <= SHORT or value != value.strip() or not value.isprintable():
        return None
    return value


def github_number(value: Any) -> str | None:
    """GitHub's id is a positive whole number; anything else is none."""
    if type(value) is not int or not 0 < value < _GITHUB_IDS:
        return None
    return str(value)


def access_token(value: Mapping[str, Any]) -> str | None:
    """The token of an answer, if it is one that we know how to send."""
    token, kind = value.get("access_token"), value.get("token_type", "bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer" or not isinstance(token, str):
        return None
    return token if 0 < len(token) <= LONGEST_TOKEN and token.isascii() and token.isprintable() else None


def plausible_code(code: str) -> bool:
    return 0 < len(code) <= LONGEST_CODE and code.isascii() and code.isprintable()


def username(value: Any) -> str:
    """A name to sign in with that a provider suggests, without the domain of an address, shortened; "" for none."""
    if not isinstance(value, str):
        return ""
    found = unicodedata.normalize("NFC", value).partition("@")[0][:_LONGEST_NAME]
    return found if _NAME.fullmatch(found) else ""


def display_name(value: Any, otherwise: str) -> str:
    """A name to show, shortened, without what moves or hides text."""
    if not isinstance(value, str):
        return otherwise
    found = "".join(letter if letter.isprintable() else " " for letter in value[:200])
    return " ".join(found.split())[:_LONGEST_SHOWN].strip() or otherwise


def email(value: Any, *, verified: Any) -> str:
    """An address, if it was verified; some providers say so in a word instead of a truth value."""
    if not isinstance(value, str) or len(value) > _LONGEST_EMAIL or not value.isprintable():
        return ""
    return value if (verified is True or verified == "true") and _EMAIL.fullmatch(value) else ""


def section(value: Any) -> Mapping[str, Any]:
    """An answer that is an object; anything else has nothing in it."""
    return value if isinstance(value, dict) else {}
