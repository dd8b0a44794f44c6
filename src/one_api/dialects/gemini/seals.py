"""Signatures of other vendors in the one field there is for them, so that they come back and are known again.

The field holds base64, which clients decode and write anew in another alphabet; what Google signed is never sealed.
"""

import binascii
from base64 import b64encode, urlsafe_b64decode
from typing import Final

from one_api import ir
from one_api.dialects.gemini.parts import NAME

_MARK: Final = "#"


def seal(origin: str, signature: str) -> str:
    """Google's own as it is, "" for none."""
    if origin in ("", NAME) or not signature:
        return signature if origin == NAME else ""
    return b64encode(f"{origin}{_MARK}{signature}".encode()).decode()


def unseal(sealed: str) -> tuple[str, str]:
    """Whose signature it is, and the signature."""
    try:
        opened = urlsafe_b64decode(sealed.replace("+", "-").replace("/", "_").encode()).decode()
    except (binascii.Error, ValueError):
        return NAME, sealed
    origin, mark, signature = opened.partition(_MARK)
    return (origin, signature) if mark and origin.isascii() and origin.isalnum() else (NAME, sealed)


def redacted(sealed: str) -> ir.Redacted:
    origin, data = unseal(sealed)
    return ir.Redacted(data, origin)


def thinking(text: str, sealed: str) -> ir.Thinking:
    origin, signature = unseal(sealed) if sealed else ("", "")
    return ir.Thinking(text, signature, origin)
