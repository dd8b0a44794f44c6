"""Neutral values of a call: what every dialect, price and log row means by them.

Values that every call makes are msgspec structs: they cost a tenth of a frozen dataclass.
"""

import msgspec


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Counted units of one call, in tokens.

    `input` includes `cached` and `audio_in`; `output` includes `reasoning` and `audio_out`.
    """

    input: int = 0
    output: int = 0
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    audio_in: int = 0
    audio_out: int = 0
