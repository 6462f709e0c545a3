"""What Alembic runs for each upgrade: its steps, on the connection that it was given."""

from alembic import context

__all__: list[str] = []

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
