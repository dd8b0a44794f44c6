"""One API's seven tables, with its exact names, types and defaults.

They are adopted, never changed: nothing is renamed or dropped, and what we add must leave its program able to open the
database again. Columns are nullable as it made them; old rows hold NULL where an upgrade added a column.
"""

from typing import Any

from sqlalchemy import Column, Index, String, Table, Text, UniqueConstraint, text

from one_api.store.schema.columns import EMPTY, flag, identity, metadata, short, whole
from one_api.store.types import Char, Flag, Long, Real, Short, Unsigned, Whole

# Of a partial index. As options of the dialects they would load PostgreSQL's in every process: 4 MiB.
NOT_CALLS: dict[str, Any] = {"where": "type <> 2"}

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
