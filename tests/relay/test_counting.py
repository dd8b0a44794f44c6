"""Where tokens are counted: on the event loop only what is short and whose encoder is there."""

from threading import current_thread, main_thread

import pytest

from one_api.options import DEFAULTS
from one_api.pricing.tokens import Encoder, Encoders, Encoding, TokenCounter
from one_api.relay.counting import INLINE, Counting

pytestmark = pytest.mark.anyio


class Letters:
    """Notes where it counts."""

    def __init__(self, on_loop: list[bool]) -> None:
        self._on_loop = on_loop

    def encode_ordinary(self, text: str) -> list[int]:
        self._on_loop.append(current_thread() is main_thread())
        return [ord(letter) for letter in text]


class NoImages:
    async def head_of_image(self, url: str) -> bytes | None:
        return None


async def test_the_loop_neither_loads_an_encoder_nor_counts_long_texts() -> None:
    loaded: dict[Encoding, bool] = {}
    counted: list[bool] = []

    def load(encoding: Encoding) -> Encoder:
        loaded[encoding] = current_thread() is main_thread()
        return Letters(counted)

    counter = TokenCounter(Encoders(load), {"gpt-4o"})
    counting = Counting(exact=counter, approximate=counter, images=NoImages(), clock=lambda: 0)
    for model in ("gpt-4", "gpt-4", "gpt-4o"):
        for length in (1, INLINE + 1):
            assert await counting.text(model, ["a" * length], DEFAULTS) == length
    assert loaded == {"cl100k_base": False, "o200k_base": False}
    assert counted == [False, False, True, False, False, False]
