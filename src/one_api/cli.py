"""The command `one-api`: One API's flags, and its habit that the environment wins over them."""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Sequence

import uvicorn

from one_api import __version__, app, logs
from one_api.config import Config, ConfigError
from one_api.edge.protocol import RelayProtocol
from one_api.edge.server import Server
from one_api.errors import Unavailable
from one_api.store.migrations import MigrationError

KEEP_ALIVE_S = 75


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the gateway until a signal ends it. Exit code 2: a setting is wrong, and one line says which."""
    flags = parser().parse_args(arguments)
    if flags.version:
        print(__version__)  # noqa: T201  # the answer to the question
        return 0
    try:
        config = Config.load(os.environ)
        if config.tz:
            os.environ["TZ"] = config.tz
            time.tzset()
        os.environ[app.LOG_DIRECTORY] = flags.log_dir  # for worker processes
        logs.configure(config, flags.log_dir)
        port = config.listen_port(flags.port)
        asyncio.run(app.prepare(config))
    except ConfigError as error:
        return complain(error, 2)
    except (MigrationError, Unavailable) as error:
        return complain(error, 1)
    return serve(config, port)


def complain(error: Exception, status: int) -> int:
    print(f"one-api: {error}", file=sys.stderr)  # noqa: T201  # whoever started it has to see it
    return status


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="one-api", description="One endpoint, many models.", allow_abbrev=False)
    made.add_argument("--port", "-port", type=int, default=None, metavar="N", help="port to listen on (3000)")
    made.add_argument("--log-dir", "-log-dir", default="./logs", metavar="DIR", help="folder of log files (./logs)")
    made.add_argument("--version", "-version", action="store_true", help="print the version and exit")
    return made


def serve(config: Config, port: int) -> int:
    server_config = uvicorn.Config(
        "one_api.app:create",
        factory=True,
        host=config.host,
        port=port,
        workers=config.workers,
        loop="uvloop",
        http=RelayProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=4096,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=config.shutdown_timeout,
    )
    if config.workers > 1:
        from uvicorn.supervisors import Multiprocess  # noqa: PLC0415  # loads what one process does not need

        Multiprocess(server_config, sockets=[server_config.bind_socket()]).run()
        return 0
    server = Server(server_config)

    def end(*_signal: object) -> None:
        server.should_exit = True

    # To end when told to is success: uvicorn raises the signal once more when it is done.
    signal.signal(signal.SIGTERM, end)
    server.run()
    return 0 if server.started else 3
