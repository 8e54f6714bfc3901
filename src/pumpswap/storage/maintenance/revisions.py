"""Revisions: bringing a database forward, and back, with what that would take away."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, column, func, inspect, select, table

from pumpswap.errors import StorageError, UsageError
from pumpswap.storage import migrate
from pumpswap.storage.engines import make_engine
from pumpswap.storage.maintenance.opening import as_it_is, our_tables, place_of, require_books, row_counts

__all__ = ["BASE", "DowngradePlan", "downgrade", "plan_downgrade", "upgrade"]

BASE = "base"
_ATTACHMENTS = "pumpswap_attachments"


@dataclass(frozen=True, slots=True)
class DowngradePlan:
    """What a downgrade would drop: tables with their rows, and columns of tables that stay with how many are filled."""

    place: str
    before: str
    after: str
    tables: Mapping[str, int]
    columns: Mapping[str, int]


def upgrade(target: str | Path) -> tuple[str, str | None]:
    """Bring a database forward to the newest revision, all or nothing; make our tables where there are none.

    Returns its place and the revision of before. Raises StorageError when a newer version has written it.
    """
    with as_it_is(target, "upgrading", may_create=True) as engine:
        before = migrate.current(engine)
        migrate.upgrade(engine)
        return place_of(engine), before


def plan_downgrade(target: str | Path, revision: str) -> DowngradePlan:
    """What taking a database back to ``revision`` (``base``: to nothing of ours) would drop. Changes nothing.

    Raises UsageError for a revision that is not below that of the database, StorageError for an attached one.
    """
    with as_it_is(target, "looking at") as engine, engine.connect() as connection:
        before = require_books(connection)
        _check_below(revision, before)
        if inspect(connection).has_table(_ATTACHMENTS):
            raise StorageError(
                f"{place_of(engine)} is attached to a host's tables", hint="take that back first: pumpswap db detach"
            )
        kept = _schema_of(revision)
        counts = row_counts(connection, our_tables(connection))
        gone = {name: count for name, count in counts.items() if name not in kept}
        return DowngradePlan(place_of(engine), before, revision, gone, _filled_columns(connection, kept))


def downgrade(target: str | Path, revision: str) -> DowngradePlan:
    """Do what ``plan_downgrade`` says, all or nothing; errors as there."""
    plan = plan_downgrade(target, revision)
    with as_it_is(target, "downgrading") as engine:
        migrate.downgrade(engine, revision)
    return plan


def _check_below(revision: str, before: str) -> None:
    if revision == before:
        raise UsageError(f"the database has revision {revision} already", hint="there is nothing to take back")
    lower = [BASE, *migrate.REVISIONS[: migrate.REVISIONS.index(before)]]
    if revision not in lower:
        raise UsageError(
            f"{revision} is no revision below {before}", hint=f"one of {', '.join(lower)}; forward: pumpswap db upgrade"
        )


def _schema_of(revision: str) -> dict[str, set[str]]:
    """Tables and columns of a revision, from a database that is made for the question."""
    if revision == BASE:
        return {}
    with tempfile.TemporaryDirectory(prefix="pumpswap-revision-") as folder:
        engine = make_engine(Path(folder, "empty.sqlite"))
        try:
            migrate.upgrade(engine, revision)
            found = inspect(engine)
            return {name: {each["name"] for each in found.get_columns(name)} for name in found.get_table_names()}
        finally:
            engine.dispose()


def _filled_columns(connection: Connection, kept: Mapping[str, set[str]]) -> dict[str, int]:
    """``table.column`` of what would go, and in how many rows it holds something."""
    found = {}
    for name in our_tables(connection):
        if name in kept:
            for each in inspect(connection).get_columns(name):
                if each["name"] not in kept[name]:
                    filled = select(func.count(column(each["name"]))).select_from(table(name))
                    found[f"{name}.{each['name']}"] = connection.execute(filled).scalar_one()
    return found
