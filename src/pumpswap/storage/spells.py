"""Spells: when the engine of a run was able to buy."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from pumpswap.model import Spell
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import clean_text
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import SPELLS, StoredRow

__all__ = ["Spells"]

_INTEGERS = ("started_ns", "began_ns", "ended_ns")


class Spells:
    """Of one run; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def save(self, spell: Spell) -> None:
        """Store a spell, or how long the newest one of this process has lasted so far."""
        integers = {name: getattr(spell, name) for name in _INTEGERS}
        check_integers(integers, "the spell")
        this = (
            SPELLS.c.run_id == self._run_id,
            SPELLS.c.started_ns == spell.started_ns,
            SPELLS.c.began_ns == spell.began_ns,
        )
        values = {"run_id": self._run_id, "is_able": spell.is_able, "reason": clean_text(spell.reason)}
        with self._connections.writing("the spell") as connection:
            if connection.execute(update(SPELLS).where(*this).values(ended_ns=spell.ended_ns)).rowcount == 0:
                connection.execute(insert(SPELLS).values(values | integers))

    def since(self, since_ns: int) -> Sequence[Spell]:
        """Those that ended since then, oldest first."""
        these = (SPELLS.c.run_id == self._run_id, SPELLS.c.ended_ns >= since_ns)
        query = select(SPELLS).where(*these).order_by(SPELLS.c.began_ns, SPELLS.c.id)
        return self._connections.all_rows(query, _spell_of)


def _spell_of(row: StoredRow) -> Spell:
    return Spell(row.started_ns, row.began_ns, row.ended_ns, row.is_able, row.reason)
