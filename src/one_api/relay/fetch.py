"""TEMPORARY stand-in until the real fetcher lands."""

from typing import Any


class Fetcher:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

    async def head_of_image(self, url: str) -> bytes | None:
        return None
