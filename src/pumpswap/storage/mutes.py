"""Mutes: topics that nobody wants to hear of for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import insert, select, update

from pumpswap.model import Mute
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import clean_text
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import MUTES, StoredRow

__all__ = ["Mutes"]


class Mutes:
    """All of a database; errors as of ``Run``."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def add(self, mute: Mute) -> Mute:
        """Store one, with its number."""
        check_integers({"until_ns": mute.until_ns, "at_ns": mute.at_ns}, "the mute")
        words = {name: clean_text(getattr(mute, name)) for name in ("topic", "subject", "origin")}
        with self._connections.writing("the mute") as connection:
            values = words | {"until_ns": mute.until_ns, "at_ns": mute.at_ns}
            key = connection.execute(insert(MUTES).values(values)).inserted_primary_key
        return replace(mute, number=int(key[0]) if key else 0)

    def end(self, topic: str, subject: str, at_ns: int) -> int:
        """What is muted so is heard again; returns how many ended."""
        check_integers({"until_ns": at_ns}, "the mute")
        these = (MUTES.c.topic == topic, MUTES.c.subject == subject, MUTES.c.until_ns > at_ns)
        with self._connections.writing("the mute") as connection:
            return int(connection.execute(update(MUTES).where(*these).values(until_ns=at_ns)).rowcount)

    def holding(self, at_ns: int) -> Sequence[Mute]:
        """Those that hold at a moment, oldest first."""
        query = select(MUTES).where(MUTES.c.until_ns > at_ns).order_by(MUTES.c.id)
        return self._connections.all_rows(query, _mute_of)


def _mute_of(row: StoredRow) -> Mute:
    return Mute(row.topic, row.subject, row.until_ns, row.at_ns, row.origin, row.id)
