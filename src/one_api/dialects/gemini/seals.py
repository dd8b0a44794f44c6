"""Signatures of other vendors in the one field there is for them.

It holds base64, which clients decode and write anew in another alphabet; what Google signed is left as it is.
"""

import binascii
from base64 import b64encode, urlsafe_b64decode

from one_api import ir
from one_api.dialects import seals
from one_api.dialects.gemini.parts import NAME


def seal(origin: str, signature: str) -> str:
    """Empty for none, and for one of nobody."""
    if not origin or not signature or origin == NAME:
        return signature if origin else ""
    return b64encode(seals.seal(origin, signature, own=NAME).encode()).decode()


def unseal(sealed: str) -> tuple[str, str]:
    """Whose signature it is, and the signature."""
    try:
        opened = urlsafe_b64decode(sealed.replace("+", "-").replace("/", "_").encode()).decode()
    except (binascii.Error, ValueError):
        return NAME, sealed
    origin, signature = seals.unseal(opened, own=NAME)
    return (origin, signature) if origin != NAME else (NAME, sealed)


def redacted(sealed: str) -> ir.Redacted:
    origin, data = unseal(sealed)
    return ir.Redacted(data, origin)


def thinking(text: str, sealed: str) -> ir.Thinking:
    """A thought that nobody signed is shown again by nobody."""
    origin, signature = unseal(sealed) if sealed else ("", "")
    return ir.Thinking(text, signature, origin)
