"""The settings of a process: read once from the environment and `.env`, frozen, with One API's names.

A field is its variable in lower case. Empty means unset; a boolean is true only for the word `true`, as in One API.
Unlike there, a value that cannot be read ends the start with one line that names its variable, and what is secret
never shows in `repr` nor in a message.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Network = IPv4Network | IPv6Network

# What One API's example files show; as a secret it is public.
SAMPLE_SECRET = "random_string"  # noqa: S105 - the sample that must not be used

NO_BUFFER = "results are counted where they arise; there is no buffer, and it has no effect"
NO_TOKENIZERS = "the tokenizers are part of the program; it has no effect"


class ConfigError(Exception):
    """A wrong setting; the text is one line for the operator, without secrets. The process ends with status 2."""


def word(text: str) -> str:
    return text


def true(text: str) -> bool:
    return text == "true"


def true_in_any_case(text: str) -> bool:
    return text.lower() == "true"


def number(text: str) -> float:
    if not re.fullmatch(r"[+-]?\d+(\.\d*)?|[+-]?\.\d+", text, re.ASCII):
        raise ValueError(f"not a number: {text!r}")
    return float(text)


def whole(least: int, most: int = 2**31 - 1) -> Callable[[str], int]:
    """Whole numbers from `least` to `most`."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
            raise ValueError(f"not a number: {text!r}")
        if not least <= int(text) <= most:
            raise ValueError(f"not between {least} and {most}: {text!r}")
        return int(text)

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"not one of {', '.join(words)}: {text!r}")
        return text

    return parse


def secret_word(text: str) -> str:
    return "" if text == SAMPLE_SECRET else text


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and CIDR networks, separated by commas or blanks; `*` is everywhere."""
    if text.strip() == "*":
        return ip_network("0.0.0.0/0"), ip_network("::/0")
    found: list[Network] = []
    for item in re.split(r"[,\s]+", text.strip(", \t")):
        try:
            found.append(ip_network(item, strict=False))
        except ValueError:
            raise ValueError(f"not an address or network: {item!r}") from None
    return tuple(found)


def setting(
    parse: Callable[[str], T], default: T, doc: str, *, secret: bool = False, alias: str = "", changed: str = ""
) -> T:
    """`changed` is what an operator who comes from One API is told at the start if the variable is set."""
    facts = {"parse": parse, "doc": doc, "secret": secret, "alias": alias, "changed": changed}
    return field(default=default, repr=not secret, metadata=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings. `Config.variables()` lists them with their explanations."""

    port: int | None = setting(whole(0, 65535), None, "Port to listen on; wins over --port")
    host: str = setting(word, "0.0.0.0", "Address to listen on")  # noqa: S104 - One API listens everywhere
    workers: int = setting(whole(1, 1024), 1, "Processes that serve; more than one needs PostgreSQL or MySQL")
    trusted_proxies: tuple[Network, ...] = setting(
        networks, (), "Networks whose X-Forwarded-For and X-Real-IP are believed; `*` believes everyone"
    )
    shutdown_grace: int = setting(
        whole(0), 0, "Seconds to go on serving after SIGTERM while /readyz says no, so that proxies look elsewhere"
    )
    shutdown_timeout: int = setting(
        whole(0), 30, "Seconds that running calls then have to end; what is left is broken off and settled"
    )
    node_type: str = setting(word, "", "`slave`: no migration, no jobs that run once; anything else is a master")
    frontend_base_url: str = setting(word, "", "Where a slave sends visitors of the console")
    session_secret: str = setting(
        secret_word,
        "",
        "One API's cookie key; sessions are rows here, so it may stay empty",
        secret=True,
        changed="sessions are rows of the database, for all nodes; it has no effect",
    )
    theme: str = setting(
        one_of("default", "berry", "air"), "default", "Theme of the console until an option says otherwise"
    )

    sql_dsn: str = setting(word, "", "Main database; empty is SQLite", secret=True)
    log_sql_dsn: str = setting(word, "", "Database of the table logs; empty is the main one", secret=True)
    sqlite_path: str = setting(word, "one-api.db", "SQLite file")
    sqlite_busy_timeout: int = setting(whole(0), 3000, "Milliseconds to wait for a locked SQLite file")
    sql_max_idle_conns: int = setting(whole(0), 100, "Connections kept open; the pool is never larger than 20")
    sql_max_open_conns: int = setting(
        whole(0),
        1000,
        "Connections at most; 0 sets no limit of its own, the pool has at most 20",
        changed="the pool of a process has at most 20 connections, because calls need none while they run",
    )
    sql_max_lifetime: int = setting(
        whole(0), 60, "Seconds until a connection is replaced; 0 never", alias="SQL_CONN_MAX_LIFETIME"
    )

    redis_conn_string: str = setting(
        word,
        "",
        "Redis URL, or a list of host:port: sentinels with REDIS_MASTER_NAME, else nodes of a cluster; used only if "
        "SYNC_FREQUENCY is set too",
        secret=True,
    )
    redis_master_name: str = setting(word, "", "Name of the sentinel's master")
    redis_password: str = setting(word, "", "Password of the servers behind sentinels, or of a cluster", secret=True)
    sync_frequency: int | None = setting(
        whole(1),
        None,
        "One API's cache period in seconds (600); changes are seen within a second here",
        changed="changes are seen by all processes within a second, whatever it is",
    )
    memory_cache_enabled: bool = setting(
        true_in_any_case,
        False,
        "One API's channel cache; always on here",
        changed="channels are always kept in memory, and a change of one is seen within a second",
    )
    batch_update_enabled: bool = setting(
        true,
        False,
        "Move rows to `logs`, and what channels used, less often; balances are never batched",
        changed="balances change with each call; only log rows and the totals of channels wait for the interval",
    )
    batch_update_interval: int = setting(whole(1), 5, "Seconds that log rows and totals of channels then wait")

    channel_test_frequency: int | None = setting(whole(0), None, "Minutes between tests of all channels; 0 never")
    channel_update_frequency: int | None = setting(
        whole(0), None, "Minutes between updates of all channel balances; 0 never"
    )
    polling_interval: int = setting(whole(0), 0, "Seconds between two channels while testing")
    test_prompt: str = setting(
        word, "Output only your specific model name with no additional text.", "Prompt of a channel test"
    )

    global_api_rate_limit: int = setting(whole(0), 480, "API requests of one address in 180 s; 0 is unlimited")
    global_web_rate_limit: int = setting(whole(0), 240, "Console requests of one address in 180 s; 0 is unlimited")
    critical_rate_limit: int = setting(
        whole(0), 20, "Sign-ins, registrations and code requests of one address in 20 minutes; 0 is unlimited"
    )
    metrics_token: str = setting(
        word,
        "",
        "Bearer token of who may read /metrics; empty counts nothing and answers nobody",
        secret=True,
    )
    debug: bool = setting(
        true_in_any_case,
        False,
        "Debug log; unlike in One API the rate limits stay on",
        changed="the log says more, but the rate limits stay on and no body is logged",
    )
    debug_sql: bool = setting(true_in_any_case, False, "Log every SQL statement")
    gin_mode: str = setting(one_of("debug", "release", "test"), "", "`debug` lists the routes at start")
    otel_exporter_otlp_endpoint: str = setting(
        word, "", "Where spans of calls are sent (OTLP over HTTP), with the extra `otel` installed; empty makes none"
    )
    log_format: str = setting(
        one_of("logfmt", "json", "one-api"), "logfmt", "Form of log lines; `one-api` is that of One API"
    )
    log_calls: bool = setting(true, True, "Write a line of the log for each relayed call")
    only_one_log_file: bool = setting(true, False, "Log to oneapi.log instead of a dated file")

    initial_root_token: str = setting(word, "", "Key of a token for root, made with the first user", secret=True)
    initial_root_access_token: str = setting(word, "", "Access token of root, made with the first user", secret=True)

    enable_metric: bool = setting(true, False, "Disable channels whose success rate is low")
    metric_queue_size: int = setting(whole(1), 10, "Calls of a channel that its rate is taken from")
    metric_success_rate_threshold: float = setting(number, 0.8, "Rate below which a channel is disabled")
    metric_success_chan_size: int = setting(
        whole(0), 1024, "Size of a buffer in One API; no effect here", changed=NO_BUFFER
    )
    metric_fail_chan_size: int = setting(
        whole(0), 128, "Size of a buffer in One API; no effect here", changed=NO_BUFFER
    )

    relay_timeout: int = setting(whole(0), 0, "Seconds for a whole exchange with an upstream; 0 is unlimited")
    relay_proxy: str = setting(word, "", "Proxy towards upstreams", secret=True)
    user_content_request_proxy: str = setting(word, "", "Proxy for images that a request names by address", secret=True)
    user_content_request_timeout: int = setting(whole(0), 30, "Seconds to fetch such an image")
    user_content_networks: tuple[Network, ...] = setting(
        networks, (), "Networks such an image may be fetched from though they are not public"
    )
    gemini_safety_setting: str = setting(word, "BLOCK_NONE", "Threshold of all safety settings towards Gemini")
    gemini_version: str = setting(word, "v1", "API version of Gemini models that need no newer one")
    enforce_include_usage: bool = setting(true, False, "Ask upstreams for usage in every stream")
    tiktoken_cache_dir: str = setting(
        word, "", "Folder of tokenizer files in One API; no effect here", changed=NO_TOKENIZERS
    )
    data_gym_cache_dir: str = setting(
        word, "", "The same, if TIKTOKEN_CACHE_DIR is unset; no effect here", changed=NO_TOKENIZERS
    )

    http_proxy: str = setting(
        word, "", "Proxy of plain requests, to upstreams too if RELAY_PROXY is unset", secret=True
    )
    https_proxy: str = setting(word, "", "The same for requests by TLS", secret=True)
    no_proxy: str = setting(
        word, "", "Hosts, domains, addresses and networks that those two are not used for; `*` is all"
    )
    tz: str = setting(word, "", "Time zone of logs, request ids and `today`")

    @classmethod
    def load(cls, environ: Mapping[str, str], directory: Path | None = None) -> "Config":
        """Read the environment, and what it leaves unset from `.env` in `directory` (the working directory).

        Raises ConfigError.
        """
        known = dotenv((directory or Path()) / ".env") | dict(environ)
        config = cls(**dict(read_all(known)))
        if config.workers > 1 and (not config.sql_dsn or config.sql_dsn.startswith("sqlite")):
            raise ConfigError(
                f"WORKERS: {config.workers} processes cannot share SQLite; set SQL_DSN to PostgreSQL or MySQL"
            )
        return config

    @staticmethod
    def variables() -> tuple[tuple[str, str, str], ...]:
        """Name, default and explanation of each variable."""
        return tuple((f.name.upper(), shown(f.default), f.metadata["doc"]) for f in fields(Config))

    def remarks(self) -> list[str]:
        """What means something else here than in One API, one line for each variable that is set."""
        set_here = [f for f in fields(self) if f.metadata["changed"] and getattr(self, f.name) != f.default]
        found = [f"{f.name.upper()}: {f.metadata['changed']}" for f in set_here]
        if self.redis_conn_string and not self.redis_enabled:
            found.append("SYNC_FREQUENCY not set, Redis is disabled")
        if self.frontend_base_url and not self.slave:
            found.append("FRONTEND_BASE_URL is ignored on master node")
        return found

    def exported(self) -> dict[str, str]:
        """What libraries read from the environment themselves, and have to find there if only `.env` says it."""
        names = ("TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "OTEL_EXPORTER_OTLP_ENDPOINT")
        return {name: value for name in names if (value := getattr(self, name.lower()))}

    @property
    def slave(self) -> bool:
        return self.node_type == "slave"

    @property
    def redis_enabled(self) -> bool:
        """One API uses Redis only if both variables are set."""
        return bool(self.redis_conn_string) and self.sync_frequency is not None

    def listen_port(self, flag: int | None = None) -> int:
        """PORT, else --port, else 3000."""
        if self.port is not None:
            return self.port
        return 3000 if flag is None else flag


def shown(default: object) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    return "" if default is None or default == () else str(default)


def read_all(known: Mapping[str, str]) -> list[tuple[str, Any]]:
    """The settings that are set, parsed."""
    found = []
    for f in fields(Config):
        name = f.name.upper()
        if not known.get(name) and f.metadata["alias"]:
            name = f.metadata["alias"]
        # The proxies' names are lower-case on most machines.
        text = known.get(name) or (known.get(f.name) if name.endswith("_PROXY") else None)
        if not text:
            continue
        try:
            found.append((f.name, f.metadata["parse"](text)))
        except ValueError as error:
            raise ConfigError(f"{name}: {error}") from None
    return found


PAIR = re.compile(
    r"""(?:export\s+)? (?P<name>[A-Za-z_][A-Za-z0-9_.]*) \s*[=:]\s*
    (?: '(?P<verbatim>[^']*)' | "(?P<quoted>(?:[^"\\]|\\.)*)" | (?P<plain>(?:(?<!\s)\#|[^#"'])(?:(?<!\s)\#|[^#])*)? )
    \s*(?:\#.*)?""",
    re.VERBOSE,
)
ESCAPES = {"n": "\n", "r": "\r"}


def dotenv(path: Path) -> dict[str, str]:
    """The variables of a `.env` file, written as One API's library reads them; {} without a file."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    found: dict[str, str] = {}
    for at, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pair = PAIR.fullmatch(line.strip())
        if pair is None:
            raise ConfigError(f"{path}: line {at} is not NAME=value")
        found[pair["name"]] = value_of(pair, found)
    return found


def value_of(pair: re.Match[str], known: Mapping[str, str]) -> str:
    """Single quotes keep all; elsewhere `$NAME` and `${NAME}` stand for earlier lines; double quotes know escapes."""
    if pair["verbatim"] is not None:
        return pair["verbatim"]
    text = pair["plain"].rstrip() if pair["plain"] else pair["quoted"] or ""

    def replaced(found: re.Match[str]) -> str:
        if found["escape"]:
            return ESCAPES.get(found["escape"], found["escape"])
        return known.get(found["name"] or found["braced"], "")

    names = r"\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})"
    escape = r"\\(?P<escape>.)" if pair["quoted"] else r"\\(?P<escape>\$)"
    return re.sub(f"{escape}|{names}", replaced, text)
