"""Runs migrations in the transaction that whoever runs them has begun."""

from alembic import context

from simulator.adapters.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
