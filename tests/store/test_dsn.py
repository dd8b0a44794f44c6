import ssl
from typing import Any

import pytest

from one_api.store.dsn import WrongAddress, parse


def place(dsn: str) -> tuple[Any, ...]:
    url = parse(dsn).url
    return url.drivername, url.username, url.password, url.host, url.port, url.database


@pytest.mark.parametrize(
    "dsn, path",
    [
        ("", "one-api.db"),
        ("sqlite:///data/a.db", "data/a.db"),
        ("sqlite:////data/a.db", "/data/a.db"),
        ("sqlite+aiosqlite:////data/a.db?cache=shared", "/data/a.db"),
    ],
)
def test_sqlite(dsn: str, path: str) -> None:
    assert place(dsn) == ("sqlite+aiosqlite", None, None, None, None, path)


def test_one_apis_parameters_are_no_part_of_the_file_name() -> None:
    assert parse("", sqlite_path="/data/one-api.db?_busy_timeout=1").url.database == "/data/one-api.db"


PG = "postgresql+asyncpg"


@pytest.mark.parametrize(
    "dsn, expected, sent",
    [
        ("postgres://u:p@h:6432/d", (PG, "u", "p", "h", 6432, "d"), "postgresql://u:p@h:6432/d"),
        ("postgresql://u@h/d?sslmode=disable", (PG, "u", None, "h", None, "d"), "postgresql://u@h/d?sslmode=disable"),
        ("postgresql+psycopg://u:p%40x@h/d", (PG, "u", "p@x", "h", None, "d"), "postgresql://u:p%40x@h/d"),
        ("postgres://u@[::1]:1/d", (PG, "u", None, "::1", 1, "d"), "postgresql://u@[::1]:1/d"),
        ("postgres://u@/d?host=/run/pg", (PG, "u", None, "/run/pg", None, "d"), "postgresql://u@/d?host=%2Frun%2Fpg"),
        (
            "postgres://u@a:1,b:2/d?target_session_attrs=read-write",
            (PG, "u", None, "a", 1, "d"),
            "postgresql://u@a:1,b:2/d?target_session_attrs=read-write",
        ),
        (
            "postgres://u@h/d?pool_max_conns=9&default_query_exec_mode=simple_protocol&TimeZone=Asia/Shanghai",
            (PG, "u", None, "h", None, "d"),
            "postgresql://u@h/d?TimeZone=Asia%2FShanghai",
        ),
    ],
)
def test_postgresql(dsn: str, expected: tuple[Any, ...], sent: str) -> None:
    assert place(dsn) == expected
    assert parse(dsn).connect_args["dsn"] == sent


def test_postgresql_behind_pgbouncer_shares_no_statement() -> None:
    args = parse("postgres://u@h/d?connect_timeout=3").connect_args
    assert (args["statement_cache_size"], args["prepared_statement_cache_size"], args["timeout"]) == (0, 0, 3.0)
    name = args["prepared_statement_name_func"]
    assert name() != name()


MY = "mysql+asyncmy"


@pytest.mark.parametrize(
    "dsn, expected",
    [
        ("root:123456@tcp(localhost:3306)/oneapi", (MY, "root", "123456", "localhost", 3306, "oneapi")),
        ("root:p@ss:w/rd%40@tcp(db)/oneapi", (MY, "root", "p@ss:w/rd%40", "db", 3306, "oneapi")),
        ("root@tcp([::1]:3307)/d?parseTime=true", (MY, "root", None, "::1", 3307, "d")),
        ("u:p@/d", (MY, "u", "p", "127.0.0.1", 3306, "d")),
        ("u:p@tcp/d", (MY, "u", "p", "127.0.0.1", 3306, "d")),
        ("/d", (MY, None, None, "127.0.0.1", 3306, "d")),
        ("u:p@unix(/run/my.sock)/d", (MY, "u", "p", None, None, "d")),
        ("mysql://u:p%40x@h:1/d", (MY, "u", "p@x", "h", 1, "d")),
        ("mysql+pymysql://u@h/d?charset=utf8mb4", (MY, "u", None, "h", 3306, "d")),
        ("mariadb://u@/d?unix_socket=/run/my.sock", (MY, "u", None, None, None, "d")),
    ],
)
def test_mysql(dsn: str, expected: tuple[Any, ...]) -> None:
    assert place(dsn) == expected
    assert parse(dsn).connect_args.get("unix_socket") == ("/run/my.sock" if "my.sock" in dsn else None)


def test_mysql_parameters_are_the_drivers_or_session_variables() -> None:
    where = parse("u@tcp(h)/d?charset=utf8&parseTime=True&loc=Local&timeout=1m30s&sql_mode=%27ANSI%27&readTimeout=1s")
    assert where.connect_args == {"charset": "utf8mb4", "connect_timeout": 90.0}
    assert where.session == {"sql_mode": "'ANSI'"}


@pytest.mark.parametrize(
    "word, checked",
    [("true", ssl.CERT_REQUIRED), ("skip-verify", ssl.CERT_NONE), ("preferred", ssl.CERT_NONE), ("false", None)],
)
def test_mysql_over_tls(word: str, checked: ssl.VerifyMode | None) -> None:
    context = parse(f"u@tcp(h)/d?tls={word}").connect_args.get("ssl")
    assert (context and context.verify_mode) == checked


@pytest.mark.parametrize(
    "dsn",
    [
        "secret", "sqlite://", "sqlite:///:memory:", "root:secret@http(h)/d", "root:secret@tcp(h:secret)/d",
        "root:secret@tcp(h)/d?tls=secret", "root:secret@tcp(h)/d?timeout=secret", "postgres://u:secret@h:port/d",
        "postgres://u:secret@h/d?connect_timeout=secret", "mysql://u:secret@h:port/d", "u@tcp(h)/d?a;b=secret",
    ],
)  # fmt: skip
def test_a_wrong_address_is_refused_without_being_shown(dsn: str) -> None:
    with pytest.raises(WrongAddress) as failure:
        parse(dsn)
    assert "secret" not in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_password_is_not_shown() -> None:
    for dsn in ("postgres://u:canary@h/d", "u:canary@tcp(h)/d", "mysql://u:canary@h/d"):
        assert "canary" not in repr(parse(dsn))
