"""The journal of an attachment: what attach has made, so that detach takes away that and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    delete,
    insert,
    inspect,
    select,
)

from pumpswap.storage.columns import ID
from pumpswap.storage.migrate import VERSION_TABLE
from pumpswap.storage.tables import METADATA

__all__ = ["ATTACHMENTS", "Attachment", "HostFacts", "Journal", "JournalKind", "our_tables"]

ATTACHMENTS = Table(
    "pumpswap_attachments",
    MetaData(naming_convention={"pk": "pk_%(table_name)s", "uq": "uq_%(table_name)s"}),
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("host_table", String, nullable=False),
    Column("name", String, nullable=False),
    Column("detail", String, nullable=False),
    UniqueConstraint("kind", "host_table", "name"),
)


def our_tables(connection: Connection) -> list[str]:
    """Tables of ours that are there, with the journal and the version table."""
    inspector = inspect(connection)
    return [name for name in (*METADATA.tables, ATTACHMENTS.name, VERSION_TABLE) if inspector.has_table(name)]


class JournalKind:
    """What an entry is about."""

    HOST = "host"  # the facts that booking and detach need
    COLUMN = "column"  # a column of the host's table that attach has added
    KEY = "key"  # a key of ours to the host's table
    VALUE = "value"  # a pair address that attach has written into a column that was there before
    BLANK = "blank"  # as VALUE, where an empty text was
    REFUSED = "refused"  # a pool whose pair address the chain does not know: not filled again


@dataclass(frozen=True, slots=True)
class Attachment:
    """One entry."""

    kind: str
    table: str
    name: str
    detail: str = ""


class HostFacts(msgspec.Struct, frozen=True):
    """Where the host's tables are, whether its pool ids are texts, and how its file was before (SQLite only)."""

    schema: str | None = None
    has_text_ids: bool = False
    journal_mode: str = ""


class Journal:
    """The journal in one transaction."""

    def __init__(self, connection: Connection, at_ns: int = 0) -> None:
        self._connection = connection
        self._at_ns = at_ns

    def exists(self) -> bool:
        """Whether this database is attached."""
        return inspect(self._connection).has_table(ATTACHMENTS.name)

    def create(self) -> None:
        """Make the table."""
        ATTACHMENTS.create(self._connection)

    def entries(self, *kinds: str) -> list[Attachment]:
        """Entries of these kinds, oldest first."""
        query = select(ATTACHMENTS).where(ATTACHMENTS.c.kind.in_(kinds)).order_by(ATTACHMENTS.c.id)
        return [Attachment(row.kind, row.host_table, row.name, row.detail) for row in self._connection.execute(query)]

    def has(self, entry: Attachment) -> bool:
        """Whether it is written down, with whatever detail."""
        return any((one.table, one.name) == (entry.table, entry.name) for one in self.entries(entry.kind))

    def add(self, *entries: Attachment) -> None:
        """Write down what is not yet."""
        known = {(one.kind, one.table, one.name) for one in self.entries(*{entry.kind for entry in entries})}
        rows: list[dict[str, Any]] = [
            {"at_ns": self._at_ns, "kind": one.kind, "host_table": one.table, "name": one.name, "detail": one.detail}
            for one in entries
            if (one.kind, one.table, one.name) not in known
        ]
        if rows:
            self._connection.execute(insert(ATTACHMENTS).inline(), rows)

    def facts(self) -> HostFacts | None:
        """What was found when it was attached."""
        found = self.entries(JournalKind.HOST)
        return msgspec.json.decode(found[0].detail, type=HostFacts) if found else None

    def set_facts(self, facts: HostFacts, table: str) -> None:
        """Write them down; those of an earlier attach are replaced, but how the file was before it stays known."""
        known = self.facts()
        if known is not None:
            facts = msgspec.structs.replace(facts, journal_mode=known.journal_mode)
        if known == facts:
            return
        if known is not None:
            self._connection.execute(delete(ATTACHMENTS).where(ATTACHMENTS.c.kind == JournalKind.HOST))
        self.add(Attachment(JournalKind.HOST, table, "facts", msgspec.json.encode(facts).decode()))
