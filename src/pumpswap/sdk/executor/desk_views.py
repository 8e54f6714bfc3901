"""What a desk would do, and what a position would bring: questions that change nothing by themselves."""

from __future__ import annotations

from pumpswap.model import Decision, Intent, Mark, Position, TradeSide
from pumpswap.portfolio.valuation import mark_position
from pumpswap.risk.gate import PoolView, RiskGate
from pumpswap.sdk.executor.room import Room

__all__ = ["mark_now", "preview"]


def preview(room: Room, intent: Intent) -> Decision:
    """The gate's answer to a wish, as of now: sized and judged, neither stored nor ordered."""
    desk = room.desk
    parts = desk.parts
    if intent.side is TradeSide.BUY:
        desk.measure()
    view = PoolView(
        parts.book.state(intent.pool), parts.book.observed_ns(intent.pool), parts.book.obstacle(intent.pool)
    )
    gate = RiskGate(parts.settings.risk, parts.settings.signals, lambda: "preview")
    return gate.decide(intent, view, desk.book_view(intent), room.schedule)


def mark_now(room: Room, position: Position, at_ns: int) -> Mark:
    """What a position would bring at the newest known state of its pool."""
    book = room.desk.parts.book
    return mark_position(
        position, book.state(position.pool), room.schedule, at_ns=at_ns, state_ns=book.observed_ns(position.pool)
    )
