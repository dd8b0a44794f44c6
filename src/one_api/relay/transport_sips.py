"""Reading a little at a time, of an upstream that is faster than what becomes of its bytes."""

import asyncio
from typing import Final, Protocol

SIP: Final = 32 * 1024
"""Bytes that are read at a time of an upstream that is fast. Without a bound it is a quarter of a megabyte, which waits
twice where a client is slow: to be sent, and as text that may have to be counted."""


class Reader(Protocol):
    """Who is told what was read."""

    def data_received(self, data: bytes, /) -> None: ...
    def eof_received(self) -> bool: ...
    def connection_lost(self, error: Exception | None, /) -> None: ...


class Sips(asyncio.BufferedProtocol):
    """Reads for somebody else."""

    def __init__(self, reader: Reader) -> None:
        self._buffer = memoryview(bytearray(SIP))  # asyncio's TLS fills slices of it
        self._reader = reader

    def get_buffer(self, _sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._reader.data_received(bytes(self._buffer[:nbytes]))

    def eof_received(self) -> bool:
        return self._reader.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._reader.connection_lost(error)


def read_by(protocol: asyncio.BaseProtocol, transport: asyncio.Transport) -> None:
    """uvloop asks how to read when it begins to."""
    transport.pause_reading()
    transport.set_protocol(protocol)
    transport.resume_reading()
