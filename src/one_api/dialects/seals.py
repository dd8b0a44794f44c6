"""What one vendor signed, kept by clients of another: it says whose it is, and so is known again when it comes back.

No vendor's own signature has the mark in it: they are base64.
"""

from typing import Final

_MARK: Final = "#"


def seal(origin: str, signature: str, *, own: str) -> str:
    """As it is for who knows it anyway, or knows not whose it is."""
    return signature if origin in ("", own) else f"{origin}{_MARK}{signature}"


def unseal(sealed: str, *, own: str) -> tuple[str, str]:
    """Whose it is, and what they signed."""
    origin, mark, signature = sealed.partition(_MARK)
    return (origin, signature) if mark and origin.isascii() and origin.isalpha() else (own, sealed)
