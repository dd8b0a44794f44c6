"""The tables beside One API's that are ours."""

from typing import Any

from sqlalchemy import CHAR, Column, Index, String, Table, UniqueConstraint, text

from one_api.store.schema.columns import count, identity, metadata, word
from one_api.store.types import Flag, Long, Whole

# Ids of ours are compared byte for byte; the names on MySQL, where the default collation ignores case.
OURS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}

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
