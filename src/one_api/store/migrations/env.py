"""Alembic's entry: the connection, its transaction and its lock come from `migrate`."""

from alembic import context

from one_api.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
