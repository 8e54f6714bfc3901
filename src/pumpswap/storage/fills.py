"""Fills: what became of the orders of one run, beside what they were quoted: for figures and charts of execution.

``Listings`` has what was traded, ``History`` the same with every document; here of each document only what a figure of
execution needs is read.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ScalarSelect, Select, and_, func, select

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import AttemptState, TradeSide
from pumpswap.storage.connections import Connections
from pumpswap.storage.tables import ATTEMPTS, DECISIONS, ORDERS, TRADES, StoredRow

__all__ = ["FillRow", "Fills", "UnfilledRow", "confirmed_at", "execution_ns"]


# Rows come in thousands and refer to nothing that refers to them: the garbage collector need not look at them.
class FillRow(msgspec.Struct, frozen=True, gc=False):
    """A filled order. Raw units, lamports, nanoseconds of the market's time.

    ``quoted_units`` and ``quoted_lamports`` are what its quote has said, ``base_units`` and ``quote_lamports`` what
    changed hands, both with the venue's fees in. ``gross_lamports`` is what priced the swap, between the reserves of
    its pool as they were. ``score``, ``strategy`` and ``exit_kind`` are those of its decision, None where it had none.
    ``confirmed_ns`` is when we saw its transaction confirmed, None on paper.
    """

    order_id: str
    decision_id: str
    side: TradeSide
    pool: str
    mint: str
    ordered_ns: int
    at_ns: int
    quoted_units: int
    quoted_lamports: int
    base_units: int
    quote_lamports: int
    gross_lamports: int
    base_reserve: int
    effective_quote_reserve: int
    score: float | None
    strategy: str | None
    exit_kind: str | None
    confirmed_ns: int | None = None

    @property
    def slippage(self) -> float:
        """Executed against quoted price, both after fees; positive is worse than quoted."""
        if self.side is TradeSide.BUY:
            paid, quoted = self.quote_lamports * self.quoted_units, self.quoted_lamports * self.base_units
            return paid / quoted - 1 if quoted else 0.0
        return 1 - self.quote_lamports / self.quoted_lamports if self.quoted_lamports else 0.0

    @property
    def impact(self) -> float:
        """By how much its own size has moved the average price before fees away from the spot price."""
        spot = self.base_units * self.effective_quote_reserve
        if not spot:
            return 0.0
        ratio = self.gross_lamports * self.base_reserve / spot
        return ratio - 1 if self.side is TradeSide.BUY else 1 - ratio

    @property
    def landing_ns(self) -> int:
        """From the decision to its confirmation; see ``execution_ns``."""
        return execution_ns(self.ordered_ns, self.at_ns, self.confirmed_ns)


class UnfilledRow(msgspec.Struct, frozen=True, gc=False):
    """An order that has traded nothing. ``status`` is ``rejected``, ``denied``, ``unknown`` or ``pending``; ``reason``
    is the program's name of the error, or the rule; ``ended_ns`` is None while it may still land.
    """

    order_id: str
    side: TradeSide
    pool: str
    ordered_ns: int
    ended_ns: int | None
    status: str
    reason: str


# What is read of a document; the rest of it is skipped. Integers stand there as text.
class _Quoted(msgspec.Struct, gc=False):
    base_out: int = 0
    base_in: int = 0
    total_quote: int = 0
    user_quote_out: int = 0


class _Executed(msgspec.Struct, gc=False):
    gross_quote: int
    base_reserve: int
    effective_quote_reserve: int


class _Ended(msgspec.Struct, gc=False):
    name: str = ""
    rule: str = ""


def confirmed_at() -> ScalarSelect[int]:
    """A column beside ``ORDERS``: when the transaction of the order was seen confirmed; NULL where none was."""
    landed = (ATTEMPTS.c.order_id == ORDERS.c.order_id, ATTEMPTS.c.state == AttemptState.LANDED.value)
    query = select(func.max(ATTEMPTS.c.resolved_ns)).where(ATTEMPTS.c.run_id == ORDERS.c.run_id, *landed)
    return query.correlate(ORDERS).scalar_subquery()


# A confirmed transaction is seen within moments, and a block hash lives for about a minute: who sees it later has not
# looked, since its process had ended.
_LONGEST_SIGHT_NS = 120 * NS_PER_SECOND


def execution_ns(ordered_ns: int, ended_ns: int, confirmed_ns: int | None) -> int:
    """From the decision, which is when its order was made, to its end: by our own clock, when we saw it confirmed.

    The chain's time, ``ended_ns``, is of whole seconds and of another clock, and before the confirmation: it is taken
    where nobody has seen one, or only a process that was begun much later. Below zero where clocks disagree.
    """
    if confirmed_ns is None or confirmed_ns - ended_ns > _LONGEST_SIGHT_NS:
        return ended_ns - ordered_ns
    return confirmed_ns - ordered_ns


_SIDES = {side.value: side for side in TradeSide}
_SAME_ORDER = and_(ORDERS.c.run_id == TRADES.c.run_id, ORDERS.c.order_id == TRADES.c.order_id)
_ITS_DECISION = and_(DECISIONS.c.run_id == ORDERS.c.run_id, DECISIONS.c.decision_id == ORDERS.c.decision_id)
_FILLS: Select[Any] = select(
    *(ORDERS.c.order_id, ORDERS.c.decision_id, ORDERS.c.side, ORDERS.c.pool, ORDERS.c.mint, ORDERS.c.created_ns),
    *(TRADES.c.at_ns, ORDERS.c.quote, TRADES.c.base_units, TRADES.c.quote_lamports, TRADES.c.executed),
    *(DECISIONS.c.signal_score, DECISIONS.c.strategy, DECISIONS.c.exit_kind),
    confirmed_at().label("confirmed_ns"),
).select_from(TRADES.join(ORDERS, _SAME_ORDER).outerjoin(DECISIONS, _ITS_DECISION))
_UNFILLED: Select[Any] = select(
    *(ORDERS.c.order_id, ORDERS.c.side, ORDERS.c.pool, ORDERS.c.created_ns, ORDERS.c.outcome_ns),
    *(ORDERS.c.status, ORDERS.c.outcome),
)


class Fills:
    """Readers of one run; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def between(self, since_ns: int, until_ns: int) -> list[FillRow]:
        """Fills of a time in order of time, the end not included."""
        this = (TRADES.c.run_id == self._run_id, TRADES.c.at_ns >= since_ns, TRADES.c.at_ns < until_ns)
        return self._connections.all_rows(_FILLS.where(*this).order_by(TRADES.c.at_ns, TRADES.c.id), _fill_of)

    def unfilled(self, since_ns: int, until_ns: int) -> list[UnfilledRow]:
        """Orders that were made in a time and have traded nothing, in their order, the end not included."""
        this = (
            *(ORDERS.c.run_id == self._run_id, ORDERS.c.created_ns >= since_ns, ORDERS.c.created_ns < until_ns),
            ORDERS.c.status != "filled",
        )
        return self._connections.all_rows(_UNFILLED.where(*this).order_by(ORDERS.c.id), _unfilled_of)


def _fill_of(row: StoredRow) -> FillRow:
    order_id, decision_id, side, pool, mint, ordered_ns, at_ns, quote, units, lamports, executed, *of_decision = row
    quoted = msgspec.json.decode(quote, type=_Quoted, strict=False)
    priced = msgspec.json.decode(executed, type=_Executed, strict=False)
    return FillRow(
        *(order_id, decision_id, _SIDES[side], pool, mint, ordered_ns, at_ns),
        *(quoted.base_out or quoted.base_in, quoted.total_quote or quoted.user_quote_out, units, lamports),
        *(priced.gross_quote, priced.base_reserve, priced.effective_quote_reserve),
        *of_decision,
    )


def _unfilled_of(row: StoredRow) -> UnfilledRow:
    order_id, side, pool, ordered_ns, ended_ns, status, outcome = row
    ended = _Ended() if outcome is None else msgspec.json.decode(outcome, type=_Ended, strict=False)
    return UnfilledRow(order_id, _SIDES[side], pool, ordered_ns, ended_ns, status, ended.name or ended.rule)
