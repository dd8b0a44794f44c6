"""Several processes at one port: started together, replaced one after the other on SIGHUP, ended together on SIGTERM.

As uvicorn does it, but with our server in each, and with nobody lost at the end: this process accepts no connection, so
it lets go of the port before the others do. A process that dies is replaced; one that cannot start ends all.
"""

import logging
import signal
import socket
import time
from queue import Empty, SimpleQueue
from typing import Final

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Process

from one_api.edge.server import Server

LOOK_S: Final = 0.5
START_S: Final = 60.0
HEARD: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

log = logging.getLogger(__name__)


class Worker(Process):
    """One of the processes: uvicorn's, with our server in it."""

    @property
    def server(self) -> Server:
        if not isinstance(self._server, Server):
            self._server = Server(self.config)
        return self._server


class Workers:
    """The processes of one port."""

    def __init__(self, config: uvicorn.Config, listener: socket.socket) -> None:
        self._config = config
        self._listener = listener
        self._signals: SimpleQueue[int] = SimpleQueue()
        self._workers: list[Worker] = []

    def run(self) -> int:
        """Returns the exit status when told to end."""
        for number in HEARD:
            signal.signal(number, lambda heard, _frame: self._signals.put(heard))
        self._workers = [self._begun() for _ in range(self._config.workers)]
        status = None
        while status is None:
            match self._heard(LOOK_S):
                case signal.SIGTERM | signal.SIGINT:
                    status = 0
                case signal.SIGHUP:
                    self._replace_all()
                case _:
                    status = self._look()
        self._end()
        return status

    def _begun(self) -> Worker:
        worker = Worker(self._config, [self._listener])
        worker.start()
        return worker

    def _heard(self, patience_s: float) -> int | None:
        try:
            return self._signals.get(timeout=patience_s)
        except Empty:
            return None

    def _look(self) -> int | None:
        """Replace who is dead or does not answer; a status if that is no use."""
        for number, worker in enumerate(self._workers):
            if worker.is_alive(self._config.timeout_worker_healthcheck):
                continue
            worker.kill()
            worker.join()
            if worker.exitcode == STARTUP_FAILURE:
                log.error("Process %d could not start", worker.pid)
                return STARTUP_FAILURE
            self._workers[number] = self._begun()
            log.error("Process %d was lost; %d is in its place", worker.pid, self._workers[number].pid)
        return None

    def _replace_all(self) -> None:
        """A new process serves before an old one is told to end, so that the port is never without."""
        for number, old in enumerate(self._workers):
            new = self._begun()
            if not self._serves(new):
                new.kill()
                new.join()
                log.error("Process %d did not start, and %d stays", new.pid, old.pid)
                return
            old.terminate()
            old.join()
            self._workers[number] = new
            log.info("Process %d is replaced by %d", old.pid, new.pid)

    def _serves(self, worker: Worker) -> bool:
        """Whether it comes to that; not if this process is told to end meanwhile."""
        deadline = time.monotonic() + START_S
        while not worker.is_ready(timeout=1):
            if not worker.process.is_alive() or time.monotonic() > deadline:
                return False
            heard = self._heard(0.1)
            if heard is not None and heard != signal.SIGHUP:
                self._signals.put(heard)
                return False
        return True

    def _end(self) -> None:
        self._listener.close()
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            worker.join()
