"""Owned: what the owner of a wallet has said about its tokens: adopted as positions, or ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import ColumnElement, delete, insert, select

from pumpswap.errors import NotFound
from pumpswap.model import Adoption
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import clean_text
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import ADOPTIONS, IGNORED, StoredRow

__all__ = ["Owned"]

_INTEGERS = ("at_ns", "after_sequence", "base_units", "cost_lamports")


class Owned:
    """Adoptions and ignored tokens of one run; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def adopt(self, adoption: Adoption) -> None:
        """Store an adoption. Its position is saved beside it, in the same batch."""
        integers = {name: getattr(adoption, name) for name in _INTEGERS}
        check_integers(integers, f"the adoption of {adoption.mint}")
        words = {"pool": adoption.pool, "mint": adoption.mint, "name": clean_text(adoption.name)}
        with self._connections.writing(f"the adoption of {adoption.mint}") as connection:
            connection.execute(insert(ADOPTIONS), {"run_id": self._run_id} | integers | words)

    def adoptions(self) -> Iterator[Adoption]:
        """In the order in which they were made."""
        query = select(ADOPTIONS).where(ADOPTIONS.c.run_id == self._run_id).order_by(ADOPTIONS.c.id)
        return self._connections.rows(query, _adoption_of)

    def ignore(self, mint: str, since_ns: int, reason: str) -> None:
        """Ignore a token; doing it again changes nothing."""
        check_integers({"since_ns": since_ns}, f"ignoring {mint}")
        values = {"run_id": self._run_id, "mint": mint, "since_ns": since_ns, "reason": clean_text(reason)}
        with self._connections.writing(f"ignoring {mint}") as connection:
            if connection.execute(select(IGNORED.c.mint).where(*self._this(mint))).scalar() is None:
                connection.execute(insert(IGNORED), values)

    def heed(self, mint: str) -> None:
        """Stop ignoring a token. Raises NotFound when it was not ignored."""
        with self._connections.writing(f"heeding {mint}") as connection:
            if connection.execute(delete(IGNORED).where(*self._this(mint))).rowcount == 0:
                raise NotFound(f"{mint} is not ignored", hint="there is nothing to undo")

    def ignored(self) -> Mapping[str, str]:
        """Ignored mints and why."""
        query = select(IGNORED).where(IGNORED.c.run_id == self._run_id).order_by(IGNORED.c.since_ns, IGNORED.c.mint)
        return dict(self._connections.rows(query, lambda row: (row.mint, row.reason)))

    def _this(self, mint: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return IGNORED.c.run_id == self._run_id, IGNORED.c.mint == mint


def _adoption_of(row: StoredRow) -> Adoption:
    integers = {name: getattr(row, name) for name in _INTEGERS}
    return Adoption(pool=row.pool, mint=row.mint, name=row.name, **integers)
