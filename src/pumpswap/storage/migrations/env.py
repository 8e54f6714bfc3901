"""Alembic runs this file, on the connection and in the transaction that ``pumpswap.storage.migrate`` hands over."""

from __future__ import annotations

from alembic import context

from pumpswap.storage.migrate import VERSION_TABLE
from pumpswap.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
