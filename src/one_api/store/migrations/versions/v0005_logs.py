"""Indexes on `logs` for what consoles look for: the types that are not calls."""

from alembic import op

from one_api.store.adopt import complete
from one_api.store.schema import logs

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    complete(op.get_bind(), (logs,))
