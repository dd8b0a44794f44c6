"""Streams of images: https://platform.openai.com/docs/api-reference/images-streaming.

Previews come first, then each image whole with what it cost; no mark follows. Seedream's models end with an event
without an image: https://www.volcengine.com/docs/82379/1824137.
"""

from typing import Any, Final

import msgspec

from one_api.dialects.decoding import BROKEN
from one_api.dialects.openai_chat import StreamTap, Verdict

_NOTHING: Final = msgspec.Raw(b"null")
_PREVIEW: Final = ".partial_image"
_LAST: Final = ".completed"


class _Event(msgspec.Struct):
    type: str = ""
    usage: Any = None
    error: Any = None
    b64_json: msgspec.Raw = _NOTHING
    url: msgspec.Raw = _NOTHING


_event = msgspec.json.Decoder(_Event)


class ImageTap(StreamTap):
    """Counts what passes: `images`, `previews`, and the reports of usage, of which each image may have one.

    What comes from the first whole image on is held back: whoever has it has paid.
    """

    __slots__ = ("images", "previews", "reports")

    def __init__(self) -> None:
        super().__init__()
        self.images = 0
        self.previews = 0
        self.reports: list[Any] = []

    @property
    def end(self) -> bytes:
        return b""

    def event(self, data: bytes | None) -> Verdict:
        if data is None:
            return Verdict.LAST if self.finished else Verdict.FORWARD
        if data == b"[DONE]":  # others that speak like OpenAI may say it
            return Verdict.DONE if self.finished else Verdict.DROP
        try:
            event = _event.decode(data)
        except BROKEN:
            return Verdict.LAST if self.finished else Verdict.CONTENT
        if event.error:
            self.error = event.error
            return Verdict.ERROR
        self.events += 1
        if event.type.endswith(_PREVIEW):
            self.previews += 1
        elif event.b64_json != _NOTHING or event.url != _NOTHING:
            self.images += 1
        if event.usage is not None:
            self.reports.append(event.usage)
        self.finished = self.finished or event.type.endswith(_LAST)
        return Verdict.LAST if self.finished else Verdict.CONTENT
