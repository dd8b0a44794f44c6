"""Where log lines go: standard output and a file, one line an event, never with a key or a body in it."""

import logging
import sys
from datetime import datetime
from pathlib import Path

import structlog

from one_api.config import Config, ConfigError

STAMP = "%Y/%m/%d - %H:%M:%S"
LINES = "one_api.lines"
"""The logger of messages that are whole lines already."""


def configure(config: Config, directory: str) -> None:
    """Send everything to standard output, and to a file in `directory` unless that is empty. Raises ConfigError."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt=STAMP, utc=False),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = Formatter(
        processor=_renderer(config.log_format),
        foreign_pre_chain=shared,
    )
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    if directory:
        handlers.append(_file(config, Path(directory)))
    root = logging.getLogger()
    root.handlers = []
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(logging.DEBUG if config.debug else logging.INFO)
    for noisy in ("aiosqlite", "asyncio", "alembic", "httpx2", "httpcore2", "hpack"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


class Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders everything but what is rendered."""

    def format(self, record: logging.LogRecord) -> str:
        return record.getMessage() if record.name == LINES else super().format(record)


def _renderer(form: str) -> structlog.typing.Processor:
    match form:
        case "json":
            return structlog.processors.JSONRenderer(ensure_ascii=False)
        case "one-api":
            return one_api_line
        case _:
            return structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)


def one_api_line(_logger: object, _name: str, event: structlog.typing.EventDict) -> str:
    """`[INFO] 2006/01/02 - 15:04:05 | request id | message`, as scripts that read One API's files expect it."""
    level = str(event.pop("level", "info")).upper()
    parts = [f"[{ {'WARNING': 'WARN', 'CRITICAL': 'FATAL'}.get(level, level) }] {event.pop('timestamp', '')}"]
    if "request_id" in event:
        parts.append(str(event.pop("request_id")))
    text, trace = str(event.pop("event", "")), event.pop("exception", None)
    facts = " ".join(f"{name}={value}" for name, value in event.items() if name != "logger")
    parts.append(f"{text} {facts}".rstrip().replace("\n", "\\n"))
    return " | ".join(parts) + (f"\n{trace}" if trace else "")


def _file(config: Config, directory: Path) -> logging.Handler:
    """The file One API would write: dated by the process's start, or one for ever."""
    name = "oneapi.log" if config.only_one_log_file else f"oneapi-{datetime.now().astimezone():%Y%m%d}.log"
    try:
        directory.mkdir(exist_ok=True)
        return logging.FileHandler(directory / name, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--log-dir: {error}") from None
