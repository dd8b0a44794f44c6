from ipaddress import ip_network
from pathlib import Path

import pytest

from one_api.config import Config, ConfigError, Network

EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))

# Every variable of One API, with its default.
ONE_API = {
    "PORT": "", "SQL_DSN": "", "LOG_SQL_DSN": "", "SQLITE_PATH": "one-api.db", "SQLITE_BUSY_TIMEOUT": "3000",
    "SQL_MAX_IDLE_CONNS": "100", "SQL_MAX_OPEN_CONNS": "1000", "SQL_MAX_LIFETIME": "60", "SESSION_SECRET": "",
    "REDIS_CONN_STRING": "", "REDIS_MASTER_NAME": "", "REDIS_PASSWORD": "", "SYNC_FREQUENCY": "",
    "MEMORY_CACHE_ENABLED": "false", "NODE_TYPE": "", "FRONTEND_BASE_URL": "", "BATCH_UPDATE_ENABLED": "false",
    "BATCH_UPDATE_INTERVAL": "5", "CHANNEL_TEST_FREQUENCY": "", "POLLING_INTERVAL": "0",
    "GLOBAL_API_RATE_LIMIT": "480", "GLOBAL_WEB_RATE_LIMIT": "240", "DEBUG": "false", "DEBUG_SQL": "false",
    "GIN_MODE": "", "THEME": "default", "ONLY_ONE_LOG_FILE": "false", "INITIAL_ROOT_TOKEN": "",
    "INITIAL_ROOT_ACCESS_TOKEN": "", "ENABLE_METRIC": "false", "METRIC_QUEUE_SIZE": "10",
    "METRIC_SUCCESS_RATE_THRESHOLD": "0.8", "METRIC_SUCCESS_CHAN_SIZE": "1024", "METRIC_FAIL_CHAN_SIZE": "128",
    "RELAY_TIMEOUT": "0", "RELAY_PROXY": "", "USER_CONTENT_REQUEST_PROXY": "", "USER_CONTENT_REQUEST_TIMEOUT": "30",
    "GEMINI_SAFETY_SETTING": "BLOCK_NONE", "GEMINI_VERSION": "v1", "ENFORCE_INCLUDE_USAGE": "false",
    "TEST_PROMPT": "Output only your specific model name with no additional text.", "TIKTOKEN_CACHE_DIR": "",
    "DATA_GYM_CACHE_DIR": "", "HTTP_PROXY": "", "HTTPS_PROXY": "", "NO_PROXY": "", "TZ": "",
    "CHANNEL_UPDATE_FREQUENCY": "",
}  # fmt: skip
OURS = {
    "METRICS_TOKEN": "",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "",
    "LOG_FORMAT": "logfmt",
    "LOG_CALLS": "true",
    "HOST": "0.0.0.0",
    "WORKERS": "1",
    "SHUTDOWN_GRACE": "0",
    "SHUTDOWN_TIMEOUT": "30",
    "TRUSTED_PROXIES": "",
    "CRITICAL_RATE_LIMIT": "20",
    "USER_CONTENT_NETWORKS": "",
}


def test_the_variables_are_one_apis_and_a_few_of_ours() -> None:
    assert {name: default for name, default, _ in Config.variables()} == ONE_API | OURS


def test_an_empty_environment_gives_the_defaults(tmp_path: Path) -> None:
    assert Config.load({}, tmp_path) == Config()


def test_an_empty_variable_is_an_unset_one(tmp_path: Path) -> None:
    assert Config.load(dict.fromkeys(ONE_API | OURS, ""), tmp_path) == Config()


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("PORT", "8080", 8080),
        ("DEBUG", "TRUE", True),
        ("MEMORY_CACHE_ENABLED", "True", True),
        ("BATCH_UPDATE_ENABLED", "true", True),
        ("BATCH_UPDATE_ENABLED", "True", False),
        ("ENABLE_METRIC", "1", False),
        ("METRIC_SUCCESS_RATE_THRESHOLD", ".5", 0.5),
        ("SYNC_FREQUENCY", "60", 60),
        ("SESSION_SECRET", "random_string", ""),
        ("THEME", "berry", "berry"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1 192.0.2.7", tuple(map(ip_network, ("10.0.0.0/8", "::1", "192.0.2.7")))),
        ("TRUSTED_PROXIES", "10.1.2.3/8", (ip_network("10.0.0.0/8"),)),
        ("TRUSTED_PROXIES", "*", EVERYWHERE),
    ],
)
def test_a_variable_is_read(tmp_path: Path, name: str, text: str, value: str | float | tuple[Network, ...]) -> None:
    assert getattr(Config.load({name: text}, tmp_path), name.lower()) == value


def test_an_old_name_and_a_lower_case_proxy_are_read(tmp_path: Path) -> None:
    config = Config.load({"SQL_CONN_MAX_LIFETIME": "7", "https_proxy": "http://proxy.example"}, tmp_path)
    assert (config.sql_max_lifetime, config.https_proxy) == (7, "http://proxy.example")


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("PORT", "abc", "PORT: not a number: 'abc'"),
        ("PORT", "65536", "PORT: not between 0 and 65535: '65536'"),
        ("PORT", "1_0", "PORT: not a number: '1_0'"),
        ("PORT", "٣", "PORT: not a number: '٣'"),
        ("PORT", " 3000", "PORT: not a number: ' 3000'"),
        ("SQLITE_BUSY_TIMEOUT", "-1", "SQLITE_BUSY_TIMEOUT: not between 0 and 2147483647: '-1'"),
        ("CHANNEL_TEST_FREQUENCY", "1.5", "CHANNEL_TEST_FREQUENCY: not a number: '1.5'"),
        ("METRIC_SUCCESS_RATE_THRESHOLD", "nan", "METRIC_SUCCESS_RATE_THRESHOLD: not a number: 'nan'"),
        ("SQL_CONN_MAX_LIFETIME", "1m", "SQL_CONN_MAX_LIFETIME: not a number: '1m'"),
        ("THEME", "dark", "THEME: not one of default, berry, air: 'dark'"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy", "TRUSTED_PROXIES: not an address or network: 'proxy'"),
        ("WORKERS", "0", "WORKERS: not between 1 and 1024: '0'"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_its_variable(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as failure:
        Config.load({name: text}, tmp_path)
    assert str(failure.value) == message


@pytest.mark.parametrize("dsn", ["", "sqlite:///x.db"])
def test_several_workers_need_a_database_server(tmp_path: Path, dsn: str) -> None:
    with pytest.raises(ConfigError, match=r"^WORKERS: 2 .* PostgreSQL or MySQL$"):
        Config.load({"WORKERS": "2", "SQL_DSN": dsn}, tmp_path)
    assert Config.load({"WORKERS": "2", "SQL_DSN": "postgres://h/d"}, tmp_path).workers == 2


def test_port_wins_over_the_flag_and_the_flag_over_the_default() -> None:
    assert [Config(port=1).listen_port(2), Config().listen_port(2), Config().listen_port()] == [1, 2, 3000]


def test_redis_needs_both_variables() -> None:
    assert not Config(redis_conn_string="redis://h").redis_enabled
    assert Config(redis_conn_string="redis://h", sync_frequency=60).redis_enabled


@pytest.mark.parametrize("node, slave", [("slave", True), ("Slave", False), ("", False), ("master", False)])
def test_only_the_exact_word_makes_a_slave(node: str, slave: bool) -> None:  # noqa: FBT001 - a column of the table
    assert Config(node_type=node).slave is slave


def test_nothing_secret_is_shown(tmp_path: Path) -> None:
    names = [
        "SQL_DSN", "LOG_SQL_DSN", "SESSION_SECRET", "REDIS_CONN_STRING", "REDIS_PASSWORD", "INITIAL_ROOT_TOKEN",
        "INITIAL_ROOT_ACCESS_TOKEN", "RELAY_PROXY", "USER_CONTENT_REQUEST_PROXY", "HTTP_PROXY", "HTTPS_PROXY",
    ]  # fmt: skip
    assert "canary" not in repr(Config.load(dict.fromkeys(names, "canary"), tmp_path))


# --- .env -------------------------------------------------------------------------------------------------------------


def loaded(tmp_path: Path, text: str, **environ: str) -> Config:
    (tmp_path / ".env").write_text(text)
    return Config.load(environ, tmp_path)


def test_the_environment_wins_over_the_file_even_when_empty(tmp_path: Path) -> None:
    text = "PORT=1\nTZ=UTC\nSQLITE_PATH=file.db\n"
    config = loaded(tmp_path, text, PORT="2", TZ="")
    assert (config.port, config.tz, config.sqlite_path) == (2, "", "file.db")


@pytest.mark.parametrize(
    "line, value",
    [
        ("TEST_PROMPT=plain words", "plain words"),
        ("  export TEST_PROMPT = a  # comment", "a"),
        ("TEST_PROMPT: yaml", "yaml"),
        ("TEST_PROMPT=a#b", "a#b"),
        ("TEST_PROMPT=it's", "it's"),
        ("TEST_PROMPT='a $TZ \\n # b' # comment", "a $TZ \\n # b"),
        ('TEST_PROMPT="a $TZ ${TZ}\\n\\"# b"', 'a UTC UTC\n"# b'),
        ("TEST_PROMPT=a${TZ}b$UNKNOWN", "aUTCb"),
        ("TEST_PROMPT=\\$TZ", "$TZ"),
        ('TEST_PROMPT="\\$TZ"', "$TZ"),
    ],
)
def test_a_line_of_the_file_is_read_as_one_api_reads_it(tmp_path: Path, line: str, value: str) -> None:
    assert loaded(tmp_path, f"\n# comment\nTZ=UTC\r\n{line}\n").test_prompt == value


def test_a_broken_line_is_named_without_its_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.env: line 2 is not NAME=value$"):
        loaded(tmp_path, "PORT=1\nsecret words\n")
