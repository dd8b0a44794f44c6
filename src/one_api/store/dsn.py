"""Where a database is: One API's three notations of SQL_DSN, and SQLAlchemy's, as one Address.

- empty: the SQLite file of SQLITE_PATH
- `postgres://` or `postgresql://`: read by asyncpg itself (sslmode, several hosts, sockets, server settings)
- `[user[:password]@][net[(addr)]]/name[?params]`: go-sql-driver's for MySQL; the password is taken verbatim
- `sqlite:///path`, `mysql://`, `mariadb://`, each also with `+driver`

A message of a wrong one names no part of it: it holds a password.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlencode, urlsplit, urlunsplit
from uuid import uuid4

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

Kind = Literal["sqlite", "postgresql", "mysql"]

CONNECT_TIMEOUT = 5.0  # seconds, unless the address says otherwise

# Of pgx, Go's driver, and unknown to asyncpg, which would send them to the server.
PGX_ONLY = {"default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity", "min_read_buffer_size"}

# What go-sql-driver knows beyond session variables and has no meaning here.
GO_ONLY = {
    "allowAllFiles", "allowCleartextPasswords", "allowFallbackToPlaintext", "allowNativePasswords", "allowOldPasswords",
    "charset", "checkConnLiveness", "clientFoundRows", "collation", "columnsWithAlias", "compress",
    "connectionAttributes",
    "interpolateParams", "loc", "maxAllowedPacket", "multiStatements", "parseTime", "readTimeout", "rejectReadOnly",
    "serverPubKey", "timeTruncate", "writeTimeout",
}  # fmt: skip


class WrongAddress(ValueError):
    """The address cannot be read; the text is one line without secrets."""


@dataclass(frozen=True, slots=True)
class Address:
    """A SQLAlchemy URL (async driver) and what its driver's `connect` takes besides.

    `session` are MySQL's session variables, as SQL, to be set on each connection.
    """

    url: URL
    connect_args: Mapping[str, Any] = field(default_factory=dict, repr=False)
    session: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        kind = self.url.get_backend_name()
        if kind == "sqlite":
            return "sqlite"
        return "postgresql" if kind == "postgresql" else "mysql"


def parse(dsn: str, *, sqlite_path: str = "one-api.db") -> Address:
    """Raises WrongAddress."""
    if not dsn:
        return sqlite(sqlite_path)
    scheme = re.match(r"(sqlite|postgres|postgresql|mysql|mariadb)(?:\+\w+)?://", dsn)
    try:
        match scheme and scheme[1]:
            case "sqlite":
                return sqlite(make_url(dsn).database or "")
            case "postgres" | "postgresql":
                return postgres(dsn)
            case "mysql" | "mariadb":
                return mysql_url(dsn)
            case _:
                return mysql(dsn)
    except WrongAddress:
        raise
    except (ValueError, ArgumentError) as error:
        raise WrongAddress("not a database address") from error


def sqlite(path: str) -> Address:
    """One API appends its own parameters after a `?`, so none of ours may be read into the name."""
    path = path.partition("?")[0].removeprefix("file:")
    if path in ("", ":memory:"):
        raise WrongAddress("SQLite needs a file: every connection would have a database of its own in memory")
    return Address(URL.create("sqlite+aiosqlite", database=path))


def postgres(dsn: str) -> Address:
    """What asyncpg reads itself; the URL says the same for readers and logs.

    No statement outlives its use and each has a name of its own, so that pgbouncer may hand every transaction another
    server.
    """
    parts = urlsplit(re.sub(r"^postgres\w*(\+\w+)?://", "postgresql://", dsn))
    params = [
        (k, v)
        for k, v in parse_qsl(parts.query, keep_blank_values=True)
        if k not in PGX_ONLY and not k.startswith("pool_")
    ]
    timeout = next((float(v) for k, v in params if k == "connect_timeout" and float(v) > 0), CONNECT_TIMEOUT)
    query = urlencode(
        [(k, v) for k, v in params if k not in ("connect_timeout", "prepared_statement_cache_size")], quote_via=quote
    )
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    places = [re.fullmatch(r"(\[[^]]*\]|[^:]*)(?::(\d+))?", place) for place in hosts.split(",")]
    if places[0] is None or None in places:
        raise WrongAddress("not a database address: hosts must be host:port")
    host, port = places[0].groups()
    url = URL.create(
        "postgresql+asyncpg",
        username=unquote(user) or None,
        password=unquote(password) or None,
        host=unquote(host).strip("[]") or next((v for k, v in params if k == "host"), None),
        port=int(port) if port else None,
        database=unquote(parts.path.lstrip("/")) or None,
    )
    return Address(
        url,
        {
            "dsn": urlunsplit(parts._replace(query=query)),
            "timeout": timeout,
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__one_api_{uuid4().hex}__",
        },
    )


def mysql(dsn: str) -> Address:
    """go-sql-driver's notation. The last `/` starts the name, the last `@` before it ends the credentials."""
    before, slash, after = dsn.rpartition("/")
    if not slash:
        raise WrongAddress("not a database address: no `/` before the database's name")
    credentials, _, place = before.rpartition("@")
    user, _, password = credentials.partition(":")
    found = re.fullmatch(r"(?P<net>[a-z0-9]*)(?:\((?P<addr>.*)\))?", place)
    if found is None or found["net"] not in ("", "tcp", "tcp4", "tcp6", "unix"):
        raise WrongAddress("not a database address: the network must be tcp(host:port) or unix(path)")
    name, _, query = after.partition("?")
    args, session = mysql_params(query)
    host: str | None = None
    port: int | None = None
    if found["net"] == "unix":
        args["unix_socket"] = found["addr"] or "/tmp/mysql.sock"  # noqa: S108 - the driver's default
    else:
        host, port = host_and_port(found["addr"] or "")
    url = URL.create(
        "mysql+asyncmy",
        username=user or None,
        password=password or None,
        host=host,
        port=port,
        database=unquote(name) or None,
    )
    return Address(url, args, session)


def host_and_port(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"(\[(?P<six>[^]]+)\]|(?P<host>[^:]*))(:(?P<port>\d+))?", text)
    if found is None:
        raise WrongAddress("not a database address: tcp(...) must hold host:port")
    return found["six"] or found["host"] or "127.0.0.1", int(found["port"] or 3306)


def mysql_url(dsn: str) -> Address:
    given = make_url(dsn)
    args, session = mysql_params(urlencode({k: v if isinstance(v, str) else v[-1] for k, v in given.query.items()}))
    if "unix_socket" in session:
        args["unix_socket"] = session.pop("unix_socket")
    url = given.set(drivername="mysql+asyncmy", query={})
    return Address(
        url if "unix_socket" in args else url.set(host=given.host or "127.0.0.1", port=given.port or 3306),
        args,
        session,
    )


def mysql_params(query: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What `connect` takes, and the session variables: as in Go, every name the driver does not know."""
    args: dict[str, Any] = {"charset": "utf8mb4", "connect_timeout": CONNECT_TIMEOUT}
    session: dict[str, str] = {}
    for pair in filter(None, query.split("&")):
        name, equals, value = pair.partition("=")
        if not equals:
            continue
        match name:
            case "tls" | "ssl":
                args["ssl"] = tls(unquote_plus(value))
            case "timeout":
                args["connect_timeout"] = seconds(value) or CONNECT_TIMEOUT
            case _ if name in GO_ONLY:
                continue
            case _ if re.fullmatch(r"\w+", name, re.ASCII):
                session[name] = unquote_plus(value)
            case _:
                raise WrongAddress("not a database address: a parameter's name holds other than letters")
    return {k: v for k, v in args.items() if v is not None}, session


def tls(value: str) -> ssl.SSLContext | None:
    """The driver's words. `preferred` falls back to plain text there; here it is TLS without a check of the name."""
    match value.lower():
        case "false" | "0":
            return None
        case "true" | "1":
            return ssl.create_default_context()
        case "skip-verify" | "preferred":
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        case _:
            raise WrongAddress("tls: not one of true, false, skip-verify, preferred")


def seconds(text: str) -> float:
    """A duration in Go's form, such as 5s, 1m30s or 500ms."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    found = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if "".join(a + b for a, b in found) != text:
        raise WrongAddress("timeout: not a duration such as 5s")
    return float(sum(float(a) * units[b] for a, b in found))
