"""What a desk would do, and what its exit rules want now: questions that change nothing by themselves."""

from __future__ import annotations

from collections.abc import Sequence

from pumpswap.errors import PumpSwapError
from pumpswap.model import Decision, Intent, Mark, Position, TradeSide
from pumpswap.portfolio.valuation import mark_position
from pumpswap.risk.gate import PoolView, RiskGate
from pumpswap.sdk.executor.answers import Done
from pumpswap.sdk.executor.room import Room

__all__ = ["close_positions", "mark_now", "preview"]


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


async def close_positions(room: Room, at_ns: int) -> Sequence[tuple[Position, Done | PumpSwapError]]:
    """Read the pool of everything that is held, value it, and sell where an exit rule says so.

    Returns the sales that were wanted, and the pools that could not be read: nothing is known of their exits.
    """
    found: list[tuple[Position, Done | PumpSwapError]] = []
    parts = room.desk.parts
    for position in parts.keeper.portfolio.positions.open_positions():
        try:
            state = await room.refresh(position.pool)
        except PumpSwapError as failed:
            found.append((position, failed))
            continue
        mark = mark_now(room, position, at_ns)
        parts.keeper.portfolio.mark(mark)
        wanted = None if room.desk.has_open_order(position.mint) else parts.exits.look(position, mark, state)
        if wanted is None:
            continue
        done = await room.trade(wanted, "")
        if done.order is None:
            reason = "; ".join(verdict.text for verdict in done.decision.refusals) or "it could not be ordered"
            parts.exits.refused(position, reason, at_ns)
        found.append((position, done))
    return found
