"""Check: is the database sound, and do the books in it agree with themselves? Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sqlalchemy import Connection, text

from pumpswap.errors import NotFound
from pumpswap.storage import migrate
from pumpswap.storage.maintenance.invariants import INVARIANTS
from pumpswap.storage.maintenance.opening import as_it_is, our_tables, place_of

__all__ = ["Finding", "Status", "check"]

_MOST_NAMED = 5
_RESTORE = "stop trading, keep a copy of the database, and restore the last good backup: pumpswap db restore"
# What must be on for a commit to survive a power cut, and what its absence means.
_SERVER = {
    "fsync": "a power cut can destroy this server's databases",
    "full_page_writes": "a power cut can tear pages of this server's databases",
    "synchronous_commit": "pumpswap switches it on for itself; what other programs commit can be lost in a power cut",
}


class Status(Enum):
    """How a question of the check was answered."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One question, its answer, and what to do about it."""

    name: str
    status: Status
    text: str
    hint: str = ""


def check(target: str | Path) -> Iterator[Finding]:
    """Look at everything, at one moment of the database, and tell each finding as soon as it is known.

    Raises NotFound when there are no books, StorageError when the database cannot be read at all.
    """
    with as_it_is(target, "checking") as engine, engine.connect() as connection, connection.begin():
        revision = migrate.current_within(connection)
        if revision is None:
            raise NotFound(f"there are no books in {place_of(engine)}", hint="is it the right database?")
        yield _revision(revision)
        yield from _sqlite(connection) if engine.dialect.name == "sqlite" else _postgresql(connection)
        if revision != migrate.HEAD:
            return
        for name, right, hint, search in INVARIANTS:
            wrong = search(connection)
            yield _answer(name, wrong, right, hint or _RESTORE)


def _revision(revision: str) -> Finding:
    if revision == migrate.HEAD:
        return Finding("revision", Status.OK, f"{revision}, the newest")
    older = f"{revision} of {migrate.HEAD}: the books are not looked at before they are brought forward"
    return Finding("revision", Status.WARNING, older, "bring it forward: pumpswap db upgrade")


def _answer(name: str, wrong: list[str], right: str, hint: str) -> Finding:
    if not wrong:
        return Finding(name, Status.OK, right)
    more = f" and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
    return Finding(name, Status.FAILED, "; ".join(wrong[:_MOST_NAMED]) + more, hint)


def _sqlite(connection: Connection) -> Iterator[Finding]:
    said = [str(line) for line in connection.execute(text("PRAGMA integrity_check")).scalars()]
    damage = [] if said == ["ok"] else said
    yield _answer("file", damage, "every page and index is sound", _RESTORE)
    broken = [
        f"row {row[1]} of {row[0]} belongs to nothing in {row[2]}"
        for name in our_tables(connection)
        for row in connection.execute(text(f"PRAGMA foreign_key_check({name})"))
    ]
    yield _answer("keys", broken, "every row belongs to something that is there", _RESTORE)


def _postgresql(connection: Connection) -> Iterator[Finding]:
    query = text(
        "SELECT name, reset_val FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')"
    )
    for name, value in sorted(map(tuple, connection.execute(query))):
        if value in ("on", "remote_apply"):
            yield Finding(name, Status.OK, str(value))
        else:
            yield Finding(name, Status.WARNING, f"{value}: {_SERVER[name]}", "set it to on in postgresql.conf")
    query = text("SELECT conname FROM pg_constraint WHERE NOT convalidated AND conrelid::regclass::text = ANY(:names)")
    unproven = [str(name) for name in connection.execute(query, {"names": [*our_tables(connection)]}).scalars()]
    yield _answer("keys", unproven, "every constraint is proven", "ALTER TABLE … VALIDATE CONSTRAINT, for each")
