"""The servers that other tests rely on."""

import socket
import struct
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.harness.servers import Database, NotStarted, connects, free_port, process

IP_LOCAL_PORT_RANGE = 51  # linux/in.h


@pytest.mark.anyio
async def test_a_database_is_empty_each_time(database: Database) -> None:
    engine = create_async_engine(database.url)
    async with engine.begin() as tx:
        await tx.execute(text("CREATE TABLE t (n int)"))
        await tx.execute(text("INSERT INTO t VALUES (1)"))
        assert (await tx.execute(text("SELECT n FROM t"))).scalar_one() == 1
    await engine.dispose()


test_a_database_is_empty_each_time_again = test_a_database_is_empty_each_time


def test_a_server_that_ends_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no disk')"]
    with pytest.raises(NotStarted, match="no disk"), process(command, port=free_port(), log=tmp_path / "log"):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="the system decides")
def test_a_free_port_is_for_servers_and_comes_to_nobody_by_chance() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert connects(port)
    with socket.socket() as other:
        try:
            other.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("I", port | port << 16))
        except OSError:
            pytest.skip("Linux before 6.3 has no way to ask for this port as any port")
        with pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", 0))
