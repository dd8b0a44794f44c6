"""What One API's channels have no columns for: parameters, and several keys in one channel."""

from alembic import op

from one_api.store.adopt import complete
from one_api.store.schema import channel_keys, channel_parameters

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    complete(op.get_bind(), (channel_parameters, channel_keys))
