"""What a position would bring: a question that changes nothing by itself."""

from __future__ import annotations

from pumpswap.model import Mark, Position
from pumpswap.portfolio.valuation import mark_position
from pumpswap.sdk.executor.room import Room

__all__ = ["mark_now"]


def mark_now(room: Room, position: Position, at_ns: int) -> Mark:
    """What a position would bring at the newest known state of its pool."""
    book = room.desk.parts.book
    return mark_position(
        position, book.state(position.pool), room.schedule, at_ns=at_ns, state_ns=book.observed_ns(position.pool)
    )
