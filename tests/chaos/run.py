"""Steady load, one fault after the other, and an audit."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.audit import Audit, audit
from tests.chaos.faults import REST_S, Fault
from tests.chaos.load import Load
from tests.chaos.site import Site, opened
from tests.harness.servers import MariaDB, Postgres


@dataclass(slots=True)
class Result:
    engine: str
    seed: int
    seconds: float
    faults: Counter[str]
    calls: int
    audit: Audit


async def chaos(
    folder: Path,
    server: Postgres | MariaDB,
    faults: Mapping[str, Fault],
    *,
    seconds: float,
    clients: int,
    pause_s: float,
    seed: int,
) -> Result:
    """Each fault once, in any order, and again until the time is over."""
    dice, done = random.Random(seed), Counter[str]()
    async with opened(folder, server) as site:
        load = Load(site.proxy.port, site.keys, random.Random(seed), pause_s)
        began = time.monotonic()
        tasks = [asyncio.create_task(load.client(who)) for who in range(clients)]
        while not done or time.monotonic() - began < seconds:
            for name in dice.sample(list(faults), len(faults)):
                if done[name] and time.monotonic() - began >= seconds:
                    break
                site.timeline.append((time.monotonic(), name))
                await faults[name](site, dice)
                done[name] += 1
                await asyncio.sleep(REST_S)
        load.over.set()
        await asyncio.gather(*tasks)
        took = time.monotonic() - began
        await come_to_rest(site)
        return Result(site.database.kind, seed, took, done, len(load.calls), await audit(site, load.calls))


async def come_to_rest(site: Site) -> None:
    """Both nodes end, leases of the killed are over, and one that starts finds what they left."""
    for node in site.nodes:
        assert await asyncio.to_thread(node.stop) == 0, node.output()[-2000:]
    await site.place.change("update leases set until = 0")
    await asyncio.to_thread(site.nodes[0].start)
    assert await asyncio.to_thread(site.nodes[0].stop) == 0
