"""uvicorn's server, which loses nobody when it stops listening, and keeps little for those who do not read."""

import asyncio
import os
import socket
from collections.abc import Iterable
from typing import Final

import uvicorn

from one_api.edge.protocol import RelayProtocol

UNSENT: Final = 128 * 1024
"""Bytes the system keeps for a connection before it has sent them. Without a bound it is megabytes, and an answer runs
far ahead of a client who does not read it."""


class Server(uvicorn.Server):
    """Whoever was connected to before the port closed is served.

    Connections wait in the system's queue until they are accepted, and are reset where their socket is closed before.
    A port of several processes is closed by the last of them.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for sock in listeners(self.servers):
            with sock:  # connections have it from who listens
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        heard = listeners(self.servers)
        for server in self.servers:
            server.close()
        for given in sockets or ():
            given.close()
        waiting = [connection for sock in heard for connection in accepted(sock)]
        loop = asyncio.get_running_loop()
        for connection in waiting:
            await loop.connect_accepted_socket(self._protocol, connection)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        return RelayProtocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def listeners(servers: Iterable[asyncio.Server]) -> list[socket.socket]:
    """Their sockets, with all that sockets can; to be closed beside the servers' own."""
    return [socket.socket(fileno=os.dup(sock.fileno())) for server in servers for sock in server.sockets]


def accepted(listener: socket.socket) -> list[socket.socket]:
    """Who waits at a port; it is closed after them."""
    found = []
    with listener:
        listener.setblocking(False)
        while True:
            try:
                found.append(listener.accept()[0])
            except BlockingIOError:
                return found
