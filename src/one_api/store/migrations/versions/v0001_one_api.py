"""One API's tables: created in an empty database, completed in one of an older version."""

from alembic import op

from one_api.store.adopt import advance_sequences, complete
from one_api.store.schema import ONE_API

revision = "0001"
down_revision = None


def upgrade() -> None:
    complete(op.get_bind(), ONE_API)
    advance_sequences(op.get_bind(), ONE_API)
