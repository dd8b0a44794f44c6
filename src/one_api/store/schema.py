"""Every table: One API's seven with its exact names, types and defaults, and ours beside them.

One API's tables are adopted, never changed: nothing is renamed or dropped, and what we add must leave its program able
to open the database again. Columns are nullable as it made them; old rows hold NULL where an upgrade added a column.
Times are Unix seconds.
"""

from typing import Any

from sqlalchemy import CHAR, Column, Index, MetaData, String, Table, Text, TextClause, UniqueConstraint, text

from one_api.store.types import Char, Flag, Long, Real, Short, Unsigned, Whole

metadata = MetaData()

EMPTY = text("''")

# Ids of ours are compared byte for byte; the names on MySQL, where the default collation ignores case.
OURS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}

# Of a partial index. As options of the dialects they would load PostgreSQL's in every process: 4 MiB.
NOT_CALLS: dict[str, Any] = {"where": "type <> 2"}


def identity() -> Column[Any]:
    return Column("id", Whole, primary_key=True, autoincrement=True)


def whole(name: str, default: int | None = None) -> Column[Any]:
    return Column(name, Whole, server_default=None if default is None else text(str(default)))


def short(name: str, default: TextClause | None = None) -> Column[Any]:
    return Column(name, Short, server_default=default)


def flag(name: str) -> Column[Any]:
    return Column(name, Flag, server_default=text("false"))


def count(name: str) -> Column[Any]:
    return Column(name, Whole, nullable=False, server_default=text("0"))


def word(name: str, length: int) -> Column[Any]:
    return Column(name, String(length), nullable=False, server_default=EMPTY)


users = Table(
    "users",
    metadata,
    identity(),
    short("username"),
    Column("password", Long, nullable=False),
    short("display_name"),
    whole("role", 1),
    whole("status", 1),
    short("email"),
    short("github_id"),
    short("wechat_id"),
    short("lark_id"),
    short("oidc_id"),
    Column("access_token", Char(32)),
    whole("quota", 0),
    whole("used_quota", 0),
    whole("request_count", 0),
    Column("group", String(32), server_default="default"),
    Column("aff_code", String(32)),
    whole("inviter_id"),
    UniqueConstraint("username", name="uni_users_username"),
    Index("idx_users_username", "username"),
    Index("idx_users_display_name", "display_name"),
    Index("idx_users_email", "email"),
    Index("idx_users_git_hub_id", "github_id"),
    Index("idx_users_we_chat_id", "wechat_id"),
    Index("idx_users_lark_id", "lark_id"),
    Index("idx_users_oidc_id", "oidc_id"),
    Index("idx_users_access_token", "access_token", unique=True),
    Index("idx_users_aff_code", "aff_code", unique=True),
    Index("idx_users_inviter_id", "inviter_id"),
)

tokens = Table(
    "tokens",
    metadata,
    identity(),
    whole("user_id"),
    Column("key", Char(48)),
    whole("status", 1),
    short("name"),
    whole("created_time"),
    whole("accessed_time"),
    whole("expired_time", -1),
    whole("remain_quota", 0),
    flag("unlimited_quota"),
    whole("used_quota", 0),
    Column("models", Text),
    short("subnet", EMPTY),
    Index("idx_tokens_key", "key", unique=True),
    Index("idx_tokens_name", "name"),
)

channels = Table(
    "channels",
    metadata,
    identity(),
    whole("type", 0),
    Column("key", Text),
    whole("status", 1),
    short("name"),
    Column("weight", Unsigned, server_default=text("0")),
    whole("created_time"),
    whole("test_time"),
    whole("response_time"),
    short("base_url", EMPTY),
    Column("other", Long),
    Column("balance", Real),
    whole("balance_updated_time"),
    Column("models", Long),
    Column("group", String(32), server_default="default"),
    whole("used_quota", 0),
    Column("model_mapping", String(1024), server_default=EMPTY),
    whole("priority", 0),
    Column("config", Long),
    Column("system_prompt", Text),
    Index("idx_channels_name", "name"),
)

abilities = Table(
    "abilities",
    metadata,
    Column("group", String(32), primary_key=True),
    Column("model", Short, primary_key=True),
    Column("channel_id", Whole, primary_key=True, autoincrement=False),
    Column("enabled", Flag),
    whole("priority", 0),
    Index("idx_abilities_channel_id", "channel_id"),
    Index("idx_abilities_priority", "priority"),
)

options = Table(
    "options",
    metadata,
    Column("key", Short, primary_key=True),
    Column("value", Long),
)

redemptions = Table(
    "redemptions",
    metadata,
    identity(),
    whole("user_id"),
    Column("key", Char(32)),
    whole("status", 1),
    short("name"),
    whole("quota", 100),
    whole("created_time"),
    whole("redeemed_time"),
    Index("idx_redemptions_key", "key", unique=True),
    Index("idx_redemptions_name", "name"),
)

logs = Table(
    "logs",
    metadata,
    identity(),
    whole("user_id"),
    whole("created_at"),
    whole("type"),
    Column("content", Long),
    short("username", EMPTY),
    short("token_name", EMPTY),
    short("model_name", EMPTY),
    whole("quota", 0),
    whole("prompt_tokens", 0),
    whole("completion_tokens", 0),
    whole("channel_id"),
    short("request_id", EMPTY),
    whole("elapsed_time", 0),
    flag("is_stream"),
    flag("system_prompt_reset"),
    whole("first_token_time", 0),  # ours, in milliseconds like elapsed_time; 0 where it is not known
    Index("idx_logs_user_id", "user_id"),
    Index("idx_created_at_type", "created_at", "type"),
    Index("index_username_model_name", "model_name", "username"),
    Index("idx_logs_token_name", "token_name"),
    Index("idx_logs_model_name", "model_name"),
    Index("idx_logs_channel_id", "channel_id"),
    # Ours, for lists of a type that few rows have, in the order of ids. No call is in them, except on MySQL, which has
    # no partial indexes. Each call pays for any other one: docs/decisions/0007.
    Index("idx_logs_others", "type", "id", info=NOT_CALLS),
    Index("idx_logs_own_others", "user_id", "type", "id", info=NOT_CALLS),
)

ONE_API = (users, tokens, channels, abilities, options, redemptions, logs)

# One row for each hold that is still open; settling deletes it in the transaction that writes the final.
holds = Table(
    "holds",
    metadata,
    Column("request_id", String(64), primary_key=True),
    count("user_id"),
    count("token_id"),
    Column("unlimited", Flag, nullable=False, server_default=text("false")),
    count("quota"),
    count("checkpoint"),
    word("instance", 64),
    count("created_at"),
    sqlite_with_rowid=False,
    **OURS,
)

# Append-only; one final for each request. From `content` on it is the row of `logs` that a job moves there.
ledger = Table(
    "ledger",
    metadata,
    identity(),
    Column("request_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    word("instance", 64),
    count("slot"),
    count("user_id"),
    count("token_id"),
    count("channel_id"),
    count("quota"),
    count("held"),
    count("short"),
    word("source", 16),
    count("created_at"),
    word("username", 191),
    word("token_name", 191),
    word("model_name", 191),
    count("prompt_tokens"),
    count("completion_tokens"),
    Column("content", Long),
    count("elapsed_time"),
    Column("is_stream", Flag, nullable=False, server_default=text("false")),
    Column("system_prompt_reset", Flag, nullable=False, server_default=text("false")),
    Column("logged", Flag, nullable=False, server_default=text("true")),
    Column("details", Long),
    count("first_token_time"),
    UniqueConstraint("request_id", "kind", name="uni_ledger_request_id_kind"),
    **OURS,
)

# How far a job has come in the ledger or elsewhere, and what users were told of their balance.
marks = Table("marks", metadata, Column("name", String(64), primary_key=True), count("value"), **OURS)

# What changed, for every process to notice: n counts the changes of a topic, `at` says when the last one was.
generations = Table(
    "generations",
    metadata,
    Column("topic", String(128), primary_key=True),
    count("n"),
    count("at"),
    Index("idx_generations_at", "at"),
    **OURS,
)

# Who may run a job that must run once: `until` is the end of the right.
leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    word("holder", 64),
    count("until"),
    **OURS,
)

# Sessions by the SHA-256 of their id: a dump of this table opens none.
sessions = Table(
    "sessions",
    metadata,
    Column("id_hash", CHAR(64), primary_key=True),
    count("user_id"),
    count("created_at"),
    count("expires_at"),
    Column("data", Long),
    Index("idx_sessions_user_id", "user_id"),
    Index("idx_sessions_expires_at", "expires_at"),
    **OURS,
)

# Codes sent to addresses, one of a purpose for each; both are hashes. `user_id` is the account a code is for, or 0.
verification_codes = Table(
    "verification_codes",
    metadata,
    Column("purpose", String(16), primary_key=True),
    Column("address_hash", CHAR(64), primary_key=True),
    count("user_id"),
    Column("code_hash", String(64), nullable=False),
    count("tries"),
    count("created_at"),
    count("expires_at"),
    Index("idx_verification_codes_expires_at", "expires_at"),
    **OURS,
)

# Sign-ins at providers that a browser began, by the SHA-256 of their state; `browser` is that of its cookie.
oauth_states = Table(
    "oauth_states",
    metadata,
    Column("state_hash", CHAR(64), primary_key=True),
    Column("browser", CHAR(64), nullable=False),
    word("provider", 16),
    Column("pkce", Flag, nullable=False, server_default=text("false")),
    count("expires_at"),
    Index("idx_oauth_states_expires_at", "expires_at"),
    **OURS,
)

# Whose users.github_id is GitHub's number: One API stored login names there, and one of those may be all digits.
github_accounts = Table(
    "github_accounts",
    metadata,
    Column("github_id", Whole, primary_key=True, autoincrement=False),
    count("user_id"),
    Index("idx_github_accounts_user_id", "user_id"),
    **OURS,
)

# What One API's channels have no columns for, beside them: docs/decisions/0008. `created_time` is that of the channel,
# whose number may be another one's once One API's program has deleted it.
channel_parameters = Table(
    "channel_parameters",
    metadata,
    Column("channel_id", Whole, primary_key=True, autoincrement=False),
    count("created_time"),
    word("key_choice", 16),
    Column("parameters", Long),
    **OURS,
)

# All keys of a channel that has several; the one in channels.key is among them, or these count for nothing.
channel_keys = Table(
    "channel_keys",
    metadata,
    Column("channel_id", Whole, primary_key=True, autoincrement=False),
    Column("number", Whole, primary_key=True, autoincrement=False),
    Column("key", Long, nullable=False),
    count("status"),
    word("cause", 191),
    count("changed_at"),
    **OURS,
)

# Why the gateway took a channel out of use; of this channel if the time of its creation is the same.
channel_causes = Table(
    "channel_causes",
    metadata,
    Column("channel_id", Whole, primary_key=True, autoincrement=False),
    count("created_time"),
    word("cause", 191),
    count("disabled_time"),
    **OURS,
)

# What calls counted under a rule of CallLimits in a minute, and which of them run now, each until its slot ends.
call_counts = Table(
    "call_counts",
    metadata,
    Column("name", String(64), primary_key=True),
    count("minute"),
    count("requests"),
    count("tokens"),
    **OURS,
)
call_slots = Table(
    "call_slots",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("request_id", String(64), primary_key=True),
    count("until"),
    Index("idx_call_slots_until", "until"),
    **OURS,
)

# What was used in each hour, by user, channel and model: sums of the calls in `logs`, where the operator wants them.
usage_hours = Table(
    "usage_hours",
    metadata,
    Column("hour", Whole, primary_key=True, autoincrement=False),
    Column("user_id", Whole, primary_key=True, autoincrement=False),
    Column("channel_id", Whole, primary_key=True, autoincrement=False),
    Column("model_name", String(191), primary_key=True),
    count("requests"),
    count("quota"),
    count("prompt_tokens"),
    count("completion_tokens"),
    Index("idx_usage_hours_user_id", "user_id", "hour"),
    **OURS,
)

OWN = (
    holds,
    ledger,
    marks,
    generations,
    leases,
    sessions,
    verification_codes,
    oauth_states,
    github_accounts,
    channel_parameters,
    channel_keys,
    channel_causes,
    call_counts,
    call_slots,
    usage_hours,
)
