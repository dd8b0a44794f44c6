"""`one-api serve`: One API's flags, and its habit that the environment wins over them."""

import argparse
import asyncio
import logging
import os
import resource
import signal
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn

from one_api import __version__, app, logs
from one_api.cli import COMMANDS
from one_api.commands.shell import FAILED, WRONG, complain, configured, say
from one_api.config import Config, ConfigError
from one_api.dialects.realtime import MOST_BYTES_OF_A_MESSAGE
from one_api.edge.protocol import RelayProtocol
from one_api.edge.server import Server
from one_api.errors import Unavailable
from one_api.metrics.share import DIRECTORY
from one_api.store import dsn
from one_api.store.migrations import MigrationError

KEEP_ALIVE_S = 75
MOST_FILES = 2**20
ENGINES = {"sqlite": "SQLite", "mysql": "MySQL", "postgresql": "PostgreSQL"}

log = logging.getLogger(__name__)


def run(words: Sequence[str]) -> int:
    """Run the gateway until a signal ends it."""
    flags = parser().parse_args(words)
    if flags.version:
        say(__version__)
        return 0
    try:
        config = configured()
        os.environ[app.LOG_DIRECTORY] = flags.log_dir  # for worker processes
        logs.configure(config, flags.log_dir)
        port = config.listen_port(flags.port)
        announce(config, port)
        asyncio.run(app.prepare(config))
    except ConfigError as error:
        return complain(error, WRONG)
    except (MigrationError, Unavailable) as error:
        return complain(error, FAILED)
    return serve(config, port)


def parser() -> argparse.ArgumentParser:
    commands = "\n".join(f"  {name:<10} {does}" for name, does in COMMANDS.items())
    made = argparse.ArgumentParser(
        prog="one-api",
        description="One endpoint, many models.",
        epilog=f"commands, each of which has a --help:\n{commands}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--port", "-port", type=int, default=None, metavar="N", help="port to listen on (3000)")
    made.add_argument("--log-dir", "-log-dir", default="./logs", metavar="DIR", help="folder of log files (./logs)")
    made.add_argument("--version", "-version", action="store_true", help="print the version and exit")
    return made


def announce(config: Config, port: int) -> None:
    """What operators of One API look for in the first lines of its log, and what is different here."""
    log.info("One API %s started", __version__)
    if not config.sql_dsn:
        log.info("SQL_DSN not set, using SQLite as database")
    try:
        log.info("using %s as database", ENGINES[dsn.parse(config.sql_dsn, sqlite_path=config.sqlite_path).kind])
    except dsn.WrongAddress as error:
        raise ConfigError(f"SQL_DSN: {error}") from None
    if config.log_sql_dsn:
        log.info("using secondary database for table logs")
    if config.redis_enabled:
        log.info("Redis is enabled")
    elif not config.redis_conn_string:
        log.info("REDIS_CONN_STRING not set, Redis is not enabled")
    if config.enable_metric:
        log.info("metric enabled, will disable channel if too much request failed")
    for remark in config.remarks():
        log.info(remark)
    log.info("server will listen on http://localhost:%d", port)


def session_protocol(**kwargs: Any) -> asyncio.Protocol:
    """uvicorn's WebSocket, loaded with the first session."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import (  # noqa: PLC0415  # most sites have no sessions
        WebSocketsSansIOProtocol,
    )

    return WebSocketsSansIOProtocol(**kwargs)


def server_of(config: Config, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        "one_api.app:create",
        factory=True,
        host=config.host,
        port=port,
        workers=config.workers,
        loop="uvloop",
        http=RelayProtocol,
        ws=session_protocol,  # type: ignore[arg-type]  # uvicorn calls it as it would call the class
        ws_max_size=MOST_BYTES_OF_A_MESSAGE,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=4096,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=config.shutdown_timeout,
    )


def open_many_files() -> None:
    """Every call takes two connections, and many systems allow a thousand until a program asks for more, as Go's do."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(most, MOST_FILES) if most != resource.RLIM_INFINITY else MOST_FILES
    if 0 <= allowed < wanted:  # to have no limit is -1
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def serve(config: Config, port: int) -> int:
    open_many_files()
    server_config = server_of(config, port)
    if config.workers > 1:
        from one_api.edge.workers import Workers  # noqa: PLC0415  # loads what one process does not need

        with TemporaryDirectory(prefix="one-api-") as directory:
            os.environ[DIRECTORY] = directory  # where the processes tell each other what they counted
            return Workers(server_config, server_config.bind_socket()).run()
    server = Server(server_config)

    def end(*_signal: object) -> None:
        server.should_exit = True

    # To end when told to is success: uvicorn raises the signal once more when it is done.
    signal.signal(signal.SIGTERM, end)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # a terminal that is closed; `nohup` has it ignored
        signal.signal(signal.SIGHUP, end)
    server.run()
    return 0 if server.started else 3
