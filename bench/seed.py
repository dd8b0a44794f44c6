"""Fills a database that the gateway has just made: one channel, users, tokens, and rows of the log and the ledger.

Plain SQL that SQLite and PostgreSQL both read. Balances are large enough for any run, and every token is limited, so
that each call moves two balances.
"""

import time
from dataclasses import dataclass

from bench.cases import MODEL
from bench.database import Database, Values

BALANCE = 1_000_000_000_000
MONTH_S = 30 * 86400

SERIES = "WITH RECURSIVE series(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM series WHERE i < :count) "
KEY = "'bench' || (100000000 + i) || '0123456789012345678901234567890123'"  # 48 characters
FIRST_USER = "(SELECT min(id) FROM users WHERE username LIKE 'bench%')"

CHANNEL = (
    'INSERT INTO channels (id, type, key, status, name, base_url, models, "group", created_time, priority, weight)'
    " VALUES (1, 1, 'sk-bench', 1, 'bench', :base_url, :model, 'default', :now, 0, 0)"
)
ABILITY = (
    "INSERT INTO abilities (\"group\", model, channel_id, enabled, priority) VALUES ('default', :model, 1, true, 0)"
)
USERS = SERIES + (
    'INSERT INTO users (username, password, display_name, role, status, access_token, quota, aff_code, "group")'
    " SELECT 'bench' || i, '', 'bench' || i, 1, 1, 'access' || (100000000 + i) || '01234567890123456',"
    " :balance, 'b' || i, 'default' FROM series"
)
TOKENS = SERIES + (
    "INSERT INTO tokens (user_id, key, status, name, created_time, accessed_time, expired_time, remain_quota,"
    f" unlimited_quota) SELECT {FIRST_USER} + i % :users, {KEY}, 1, 'bench' || i, :now, :now, -1, :balance, false"
    " FROM series"
)
LEDGER = SERIES + (
    "INSERT INTO ledger (request_id, kind, instance, user_id, token_id, channel_id, quota, held, source, created_at,"
    " username, token_name, model_name, prompt_tokens, completion_tokens, content, elapsed_time)"
    f" SELECT '20250101000000' || (100000000 + i) || '12345678', 'final', 'seed', {FIRST_USER} + (i * 7919) % :users,"
    " 1 + (i * 104729) % :tokens, 1, 35, 60, 'reported', :begin + i * :age / :count,"
    " 'bench' || (1 + (i * 7919) % :users), 'bench' || (1 + (i * 104729) % :tokens), :model, 210, 64,"
    " '倍率：0.07 × 1.00 × 4.00', 12 FROM series"
)
LOGS = (
    "INSERT INTO logs (user_id, created_at, type, content, username, token_name, model_name, quota, prompt_tokens,"
    " completion_tokens, channel_id, request_id, elapsed_time, is_stream, system_prompt_reset)"
    " SELECT user_id, created_at, 2, content, username, token_name, model_name, quota, prompt_tokens,"
    " completion_tokens, channel_id, request_id, elapsed_time, false, false FROM ledger ORDER BY id"
)
# The ledger's rows are in the log already: those of SQLite's only slot need not be moved again.
MARK = "INSERT INTO marks (name, value) SELECT 'moved:0', max(id) FROM ledger HAVING max(id) IS NOT NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    users: int
    tokens: int
    logs: int


def fill(database: Database, size: Size, *, upstream: int) -> None:
    begin = int(time.time()) - MONTH_S
    now: Values = {"now": begin}
    model: Values = {"model": MODEL}
    balance: Values = {"balance": BALANCE}
    sizes: Values = {"users": size.users, "tokens": size.tokens}
    address: Values = {"base_url": f"http://127.0.0.1:{upstream}"}
    database.change(
        (CHANNEL, now | model | address),
        (ABILITY, model),
        (USERS, balance | {"count": size.users}),
        (TOKENS, now | balance | {"users": size.users, "count": size.tokens}),
    )
    if size.logs:
        rows: Values = {"count": size.logs, "begin": begin, "age": MONTH_S}
        database.change((LEDGER, model | sizes | rows), (LOGS, {}), (MARK, {}))
    database.settle_down()


def keys(database: Database) -> str:
    """What the clients send, one a line."""
    found = database.rows("SELECT key FROM tokens WHERE name LIKE 'bench%' ORDER BY id")
    return "".join(f"sk-{key}\n" for (key,) in found)
