"""Counts of calls for the limits of CallLimits, and what was used by the hour."""

from alembic import op

from one_api.store.adopt import complete
from one_api.store.schema import call_counts, call_slots, usage_hours

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    complete(op.get_bind(), (call_counts, call_slots, usage_hours))
