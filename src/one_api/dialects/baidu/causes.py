"""What the codes of Baidu's errors mean: https://cloud.baidu.com/doc/WENXINWORKSHOP/s/tlmyncueh.

They come with status 200. The key itself was looked at when it was exchanged for a token.
"""

from collections.abc import Mapping
from typing import Final

from one_api import ir
from one_api.dialects.decoding import REPORTED

_KEY, _BUSY = "authentication_error", "rate_limit_error"
CAUSES: Final[Mapping[int, str]] = {
    6: "permission_error",
    13: _KEY,
    14: _KEY,
    15: _KEY,
    19: "insufficient_quota",
    **dict.fromkeys((4, 17, 18, 336100, 336501, 336502), _BUSY),
    **dict.fromkeys((110, 111), ir.TOKEN_REFUSED),
    **dict.fromkeys((336007, 336103), "context_length_exceeded"),
}
"""In the words of routing.health."""
_HOPELESS: Final = frozenset((336007, 336103))


def failed(code: int, message: str) -> ir.Failed:
    return ir.Failed(CAUSES.get(code, "baidu_error"), message or REPORTED, refused=code in _HOPELESS)
