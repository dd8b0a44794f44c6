"""Signing in at providers: states of browsers, and whose GitHub id is a number."""

from alembic import op

from one_api.store.adopt import complete
from one_api.store.schema import github_accounts, oauth_states

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    complete(op.get_bind(), (oauth_states, github_accounts))
