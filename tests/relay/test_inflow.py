"""An answer as it passes: the notes it leaves for a crash, and what is left when its caller went away."""

import asyncio
import gc
import weakref
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from one_api.edge.cycle import RelayCycle
from one_api.relay.heading import UNREAD
from one_api.relay.inflow import ClientGone, Inflow, Shape
from one_api.relay.transport import Head

pytestmark = pytest.mark.anyio


class Watched(Inflow):
    __slots__ = ("__weakref__",)


async def test_who_leaves_takes_his_answer_with_him_and_no_collector_has_to_find_it() -> None:
    """The connection and its last call know each other, so they wait for the collector: the text must not."""
    connection: Any = SimpleNamespace(transport=None)
    cycle = RelayCycle(connection, UNREAD, keep_alive=True, chunked=True)
    connection.cycle = cycle
    inflow = Watched(asyncio.get_running_loop(), wants=Shape.EVENTS)
    cycle.listen(inflow)

    async def deliver(answer: Inflow) -> None:
        await answer.ended

    gc.disable()
    try:
        alive = weakref.ref(inflow)
        cycle.lost()
        with suppress(ClientGone):
            await deliver(inflow)
        inflow.close()
        del inflow
        assert alive() is None
    finally:
        gc.enable()


async def test_a_slow_stream_notes_what_it_has_cost_so_that_two_seconds_of_it_are_written_down() -> None:
    running, now = asyncio.get_running_loop(), 100.0
    loop: Any = SimpleNamespace(create_future=running.create_future, time=lambda: now)
    written: list[bytes] = []
    client: Any = SimpleNamespace(write=written.append, listen=lambda _listener: None)
    notes: list[tuple[float, int]] = []
    inflow = Inflow(loop, wants=Shape.EVENTS, checkpoint=lambda flow: notes.append((now, flow.tap.events)))
    inflow.on_head(Head(200, [(b"content-type", b"text/event-stream")]))
    event = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
    inflow.on_data(event)
    inflow.attach(client)
    for _ in range(4):  # fewer than ten events, and two with each read
        now += 1.0
        inflow.on_data(event * 2)
    inflow.close()
    assert notes == [(102.0, 5), (104.0, 9)]
    assert b"".join(written) == event * 9
