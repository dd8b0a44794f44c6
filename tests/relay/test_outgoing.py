"""Bytes that leave together at the end of a turn of the loop."""

import asyncio
import socket

import pytest

from one_api.relay.outgoing import Outgoing

pytestmark = pytest.mark.anyio


class Wire(asyncio.WriteTransport):
    """A transport that notes what it is told."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.calls: list[list[bytes]] = []
        self.broken = broken
        self.closed = False

    def write(self, data: object) -> None:
        self.writelines([data])

    def writelines(self, list_of_data: object) -> None:
        if self.broken:
            raise RuntimeError("the handler is closed")
        assert isinstance(list_of_data, list)
        self.calls.append(list_of_data)

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True


async def test_nothing_leaves_in_the_turn_it_is_written_in_and_all_of_it_in_the_next() -> None:
    outgoing, one, other = Outgoing(asyncio.get_running_loop()), Wire(), Wire()
    outgoing.write(one, b"a")
    outgoing.write(other, b"b")
    outgoing.write(one, b"c")
    assert one.calls == other.calls == []
    await asyncio.sleep(0)
    assert (one.calls, other.calls) == ([[b"a", b"c"]], [[b"b"]]), "each in its order, with one call"
    outgoing.write(one, b"d")
    await asyncio.sleep(0)
    assert one.calls[1:] == [[b"d"]]


async def test_what_may_not_wait_leaves_at_once_and_after_what_waits() -> None:
    outgoing, one, other = Outgoing(asyncio.get_running_loop()), Wire(), Wire()
    outgoing.write(one, b"a")
    outgoing.write(other, b"b")
    outgoing.send(one, b"c")
    assert (one.calls, other.calls) == ([[b"a", b"c"]], [])
    await asyncio.sleep(0)
    assert (one.calls, other.calls) == ([[b"a", b"c"]], [[b"b"]])


async def test_who_is_gone_or_broken_keeps_nobody_waiting() -> None:
    outgoing, gone, broken, last = Outgoing(asyncio.get_running_loop()), Wire(), Wire(broken=True), Wire()
    for wire in (gone, broken, last):
        outgoing.write(wire, b"x")
    gone.abort()
    outgoing.flush()
    assert (gone.calls, broken.closed, last.calls) == ([], True, [[b"x"]])
    await asyncio.sleep(0)
    assert last.calls == [[b"x"]], "once"


async def test_what_was_written_before_a_close_arrives_where_it_was_flushed() -> None:
    loop = asyncio.get_running_loop()
    near, far = socket.socketpair()
    near.setblocking(False)
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=near)
    outgoing = Outgoing(loop)
    outgoing.write(transport, b"the last ")
    outgoing.write(transport, b"words")
    outgoing.flush()
    transport.close()
    with far:
        far.setblocking(False)
        read = b""
        while piece := await loop.sock_recv(far, 100):
            read += piece
    assert read == b"the last words"
