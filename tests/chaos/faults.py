"""What production does to a site. Each returns when the site is whole again."""

import asyncio
import os
import random
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from tests.chaos.site import Site
from tests.e2e.books import eventually

REST_S = 0.5
SILENCE_S = 4.0
DISK = "size=1m"

Fault = Callable[[Site, random.Random], Awaitable[None]]


async def kill_a_node(site: Site, dice: random.Random) -> None:
    node = dice.choice(site.nodes)
    site.kills.append(time.monotonic())
    await asyncio.to_thread(node.kill)
    site.kills.append(time.monotonic())
    await asyncio.to_thread(node.start)
    await site.ready()


async def end_a_node(site: Site, dice: random.Random) -> None:
    node = dice.choice(site.nodes)
    status = await asyncio.to_thread(node.stop)
    assert status == 0, node.output()[-2000:]
    await asyncio.to_thread(node.start)
    await site.ready()


async def restart_all_nodes(site: Site, _dice: random.Random) -> None:
    """One after the other, as for an upgrade."""
    for node in site.nodes:
        assert await asyncio.to_thread(node.stop) == 0, node.output()[-2000:]
        await asyncio.to_thread(node.start)
        await site.ready()
        await asyncio.sleep(REST_S)


async def restart_the_database(site: Site, dice: random.Random) -> None:
    async with site.outage():
        await asyncio.to_thread(site.server.stop)
        await asyncio.sleep(dice.random() * 2)
        await asyncio.to_thread(site.server.start)


async def cut_a_node_from_the_database(site: Site, _dice: random.Random) -> None:
    """Nobody is told: bytes just do not arrive."""
    async with site.outage():
        site.gate.open.clear()
        await asyncio.sleep(SILENCE_S)
        site.gate.open.set()


async def pause_valkey(site: Site, dice: random.Random) -> None:
    site.valkey_gets(signal.SIGSTOP)
    await asyncio.sleep(1 + dice.random() * 2)
    site.valkey_gets(signal.SIGCONT)


async def slow_valkey(site: Site, _dice: random.Random) -> None:
    """It answers while it is waited for, then when nobody waits any more."""

    async def noticed() -> bool:
        said = [node.output() for node in site.nodes]
        return any(each.rfind("Redis does not answer") > each.rfind("Redis answers again") for each in said)

    site.slow.delay_s = 0.1
    await asyncio.sleep(1.0)
    site.slow.delay_s = 1.5
    await asyncio.sleep(2.0)
    await eventually(noticed, within=60)
    site.slow.delay_s = 0.0


async def restart_valkey(site: Site, dice: random.Random) -> None:
    port = site.valkey.port
    await asyncio.to_thread(site.valkey.stop)
    await asyncio.sleep(dice.random() * 2)
    site.valkey._desired_port = port
    await asyncio.to_thread(site.valkey.start)


async def fill_the_disk_of_a_node(site: Site, dice: random.Random) -> None:
    """The one its log is on; a small one that is mounted for this, which takes root."""
    logs = site.nodes[0].directory / "logs"
    await asyncio.to_thread(call, "mount", "-t", "tmpfs", "-o", DISK, "tmpfs", logs)
    try:
        await asyncio.to_thread(site.nodes[0].stop)
        await asyncio.to_thread(site.nodes[0].start)
        await asyncio.to_thread(fill, logs / "filler")
        await asyncio.sleep(2 + dice.random())
        assert await asyncio.to_thread(site.nodes[0].stop) == 0
    finally:
        await asyncio.to_thread(call, "umount", logs)
    await asyncio.to_thread(site.nodes[0].start)
    await site.ready()


def call(*command: str | Path) -> None:
    subprocess.run(command, check=True)


def fill(path: Path) -> None:
    """Until nothing more fits."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


def can_mount() -> bool:
    """Whether this is root with all its rights."""
    if os.geteuid() != 0:
        return False
    done = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True)
    return done.returncode == 0


ALL: dict[str, Fault] = {
    "kill -9 of a node": kill_a_node,
    "SIGTERM of a node": end_a_node,
    "rolling restart of both nodes": restart_all_nodes,
    "restart of the database": restart_the_database,
    "a node cut from the database": cut_a_node_from_the_database,
    "Valkey paused": pause_valkey,
    "Valkey slow: 200 ms, then 3 s": slow_valkey,
    "Valkey restarted": restart_valkey,
    "a full disk below a node's log": fill_the_disk_of_a_node,
}
