"""uvicorn's server, which loses nobody when it stops listening."""

import asyncio
import os
import socket

import uvicorn

from one_api.edge.protocol import RelayProtocol


class Server(uvicorn.Server):
    """Whoever was connected to before the port closed is served.

    Connections wait in the system's queue until they are accepted, and are reset where their socket is closed before.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        heard = [socket.socket(fileno=os.dup(sock.fileno())) for server in self.servers for sock in server.sockets]
        for server in self.servers:
            server.close()
        waiting = [connection for sock in heard for connection in accepted(sock)]
        loop = asyncio.get_running_loop()
        for connection in waiting:
            await loop.connect_accepted_socket(self._protocol, connection)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        return RelayProtocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


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
