"""Notices are sent one after another, whatever becomes of each, and what waits at the end is sent too."""

import asyncio

import pytest
from structlog.testing import capture_logs

from one_api.relay.postbox import Postbox
from tests.harness.lookingafter import Letters

pytestmark = pytest.mark.anyio


class Slow(Letters):
    """Sends when told to."""

    __slots__ = ("go",)

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def to_user(self, address: str, subject: str, content: str) -> None:
        await self.go.wait()
        await super().to_user(address, subject, content)


async def test_what_waits_at_the_end_is_sent() -> None:
    slow = Slow()
    postbox = Postbox(slow)
    postbox.to_root("a", "1")
    postbox.to_user("u@example.com", "b", "2")
    closing = asyncio.create_task(postbox.aclose())
    await asyncio.sleep(0)
    assert slow.sent == []
    slow.go.set()
    await closing
    assert slow.sent == [("", "a", "1"), ("u@example.com", "b", "2")]


async def test_the_end_does_not_wait_for_ever() -> None:
    postbox = Postbox(Slow())
    postbox.to_root("a", "1")
    with capture_logs() as logged:
        await postbox.aclose(patience_s=0.01)
    assert [line["event"] for line in logged] == ["notices were not sent before the end"]


async def test_one_that_cannot_be_sent_holds_up_no_other() -> None:
    letters = Letters(broken=True)
    postbox = Postbox(letters)
    with capture_logs() as logged:
        postbox.to_root("a", "secret content")
        await postbox.sent()
        letters.broken = False
        postbox.to_root("b", "2")
        await postbox.aclose()
    assert letters.subjects == ["b"]
    assert [(line["event"], line["subject"]) for line in logged] == [("a notice was not sent", "a")]
    assert "secret content" not in str(logged)


async def test_too_many_are_dropped_and_never_wait() -> None:
    slow = Slow()
    postbox = Postbox(slow, most=3)
    with capture_logs() as logged:
        for number in range(10):
            postbox.to_root(str(number), "")
    slow.go.set()
    await postbox.aclose()
    assert slow.subjects == ["0", "1", "2"]
    assert len(logged) == 7
