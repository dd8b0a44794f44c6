"""Notices are sent in the background, whatever becomes of each, and what waits at the end is sent too."""

import asyncio

import pytest
from structlog.testing import capture_logs

from one_api.notify import Outbox
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
    outbox = Outbox(slow)
    outbox.to_root("a", "1")
    outbox.to_user("u@example.com", "b", "2")
    closing = asyncio.create_task(outbox.aclose())
    await asyncio.sleep(0)
    assert slow.sent == []
    slow.go.set()
    await closing
    assert slow.sent == [("", "a", "1"), ("u@example.com", "b", "2")]


async def test_the_end_does_not_wait_for_ever() -> None:
    outbox = Outbox(Slow())
    outbox.to_root("a", "1")
    with capture_logs() as logged:
        await outbox.aclose(patience_s=0.01)
    assert [line["event"] for line in logged] == ["notices were not sent before the end"]


async def test_one_that_cannot_be_sent_holds_up_no_other() -> None:
    letters = Letters(broken=True)
    outbox = Outbox(letters)
    with capture_logs() as logged:
        outbox.to_root("a", "secret content")
        await outbox.sent()
        letters.broken = False
        outbox.to_root("b", "2")
        await outbox.aclose()
    assert letters.subjects == ["b"]
    assert [(line["event"], line["subject"]) for line in logged] == [("a notice was not sent", "a")]
    assert "secret content" not in str(logged)


async def test_one_that_hangs_keeps_no_other_from_going() -> None:
    slow, done = Slow(), asyncio.Event()

    async def job() -> None:
        done.set()

    outbox = Outbox(slow)
    outbox.to_user("u@example.com", "a", "1")
    outbox.post("b", job)
    await asyncio.wait_for(done.wait(), 60)
    assert slow.sent == []
    slow.go.set()
    await outbox.aclose()


async def test_too_many_are_dropped_and_never_wait() -> None:
    slow = Slow()
    outbox = Outbox(slow, most=3)
    with capture_logs() as logged:
        for number in range(10):
            outbox.to_root(str(number), "")
    slow.go.set()
    await outbox.aclose()
    assert slow.subjects == ["0", "1", "2"]
    assert len(logged) == 7
