"""What the console shows besides: the time to the first token of a call, and why a channel is out of use."""

from alembic import op

from one_api.store.adopt import complete
from one_api.store.schema import channel_causes, ledger, logs

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    complete(op.get_bind(), (ledger, logs, channel_causes))
