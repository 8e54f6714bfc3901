"""Alembic, driven from code: the migrations travel inside the package and need no configuration file.

Our version table has a name of its own, so that our tables can live in a database that another program migrates.
Alembic itself is imported only when there is something to migrate.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, inspect, select

from pumpswap.errors import StorageError
from pumpswap.storage.engines import write_options

__all__ = ["HEAD", "REVISIONS", "VERSION_TABLE", "current", "current_within", "downgrade", "upgrade", "upgrade_within"]

VERSION_TABLE = "pumpswap_alembic_version"
REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
)  # oldest first; a test compares them with migrations/versions
HEAD = REVISIONS[-1]

_SCRIPTS = Path(__file__).parent / "migrations"
_VERSION = Table(VERSION_TABLE, MetaData(), Column("version_num", String))
# Alembic's scripts talk to it through module globals: one migration at a time in a process.
_one_at_a_time = threading.Lock()


def current(engine: Engine) -> str | None:
    """Revision of the database; None when our tables are not there. Raises StorageError for a newer one."""
    with engine.connect() as connection:
        return current_within(connection)


def current_within(connection: Connection) -> str | None:
    """As ``current``, as an open transaction sees it."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    revision: str | None = connection.execute(select(_VERSION.c.version_num)).scalar()
    if revision is not None and revision not in REVISIONS:
        raise StorageError(
            f"the database has revision {revision}, this version of pumpswap knows it up to {HEAD}",
            hint="a newer pumpswap has written it: upgrade pumpswap, or use another database",
        )
    return revision


def upgrade(engine: Engine, revision: str = HEAD) -> None:
    """Bring the database forward to ``revision``, all or nothing. Does nothing when it is there already.

    Raises StorageError when a newer version of this package has written the database.
    """
    if current(engine) != revision:
        _migrate(engine, "upgrade", revision)


def upgrade_within(connection: Connection) -> None:
    """As ``upgrade``, in the write transaction of ``connection``: its owner decides whether anything is kept."""
    with _one_at_a_time, _quiet():
        if current_within(connection) != HEAD:
            _run_scripts(connection, "upgrade", HEAD)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Take the database back to ``revision``; ``base`` drops all our tables and what is in them."""
    _migrate(engine, "downgrade", revision)


def _migrate(engine: Engine, direction: Literal["upgrade", "downgrade"], revision: str) -> None:
    # Two processes may open a new database at once: the second waits, and must then see what the first has done.
    with (
        _one_at_a_time,
        _quiet(),
        engine.connect().execution_options(**write_options(engine)) as connection,
        connection.begin(),
    ):
        current_within(connection)
        _run_scripts(connection, direction, revision)
        if revision == "base":
            _VERSION.drop(connection, checkfirst=True)


def _run_scripts(connection: Connection, direction: Literal["upgrade", "downgrade"], revision: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if direction == "upgrade":
        command.upgrade(config, revision)
    else:
        command.downgrade(config, revision)


@contextmanager
def _quiet() -> Iterator[None]:
    """Opening a database is no event for a log; errors still are."""
    logger = logging.getLogger("alembic")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
