"""What One API does not have: the ledger and its holds, marks, generations, leases and sessions."""

from alembic import op

from one_api.store.adopt import complete
from one_api.store.schema import OWN

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    complete(op.get_bind(), OWN)
