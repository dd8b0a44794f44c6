"""Verification codes that all nodes share."""

from alembic import op

from one_api.store.adopt import complete
from one_api.store.schema import verification_codes

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    complete(op.get_bind(), (verification_codes,))
