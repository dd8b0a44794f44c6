"""Mail addresses: what counts as one, and which an administrator allows. Pure."""

import re
from typing import Final

from one_api.accounts.rules import SHORT

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# What is written between quotes, in brackets or in other scripts is an address too, but nobody has one.
_ADDRESS: Final = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")


def valid(address: str) -> bool:
    return len(address) <= SHORT and _ADDRESS.fullmatch(address) is not None


def listed(address: str, domains: tuple[str, ...]) -> bool:
    """Whether the address is of one of these domains, not of one below them."""
    return address.rpartition("@")[2].lower() in {domain.strip().lower() for domain in domains}
