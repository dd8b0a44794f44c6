"""What is left of an answer whose caller went away: nothing, at once."""

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
