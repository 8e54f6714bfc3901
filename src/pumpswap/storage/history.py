"""History: what people look up in a stored run: trades beside their orders, rounds by name, marks, decimals."""

from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from pumpswap.model import Decision, EntryKind, Filled, LedgerEntry, Mark, Order, Position
from pumpswap.storage import rows
from pumpswap.storage.connections import Connections
from pumpswap.storage.tables import DECISIONS, LEDGER, MARKS, ORDERS, POSITIONS, TRADES, StoredRow

__all__ = ["MINT_PREFIX", "History", "OrderRow", "StoredTrade", "decimals_of"]

_SIGNALS = 3  # the newest that are asked for a name
MINT_PREFIX = 8  # of a coin without a name, people are shown so many characters of its mint

# Columns of the order beside those of its trade; both tables have a run_id, an order_id and a base_units.
_ORDER = {f"ordered_{column.name}": column for column in ORDERS.columns}
# The order's part of a joined row, under the names that ``order_of`` reads.
OrderRow = namedtuple("OrderRow", ORDERS.columns.keys())  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class StoredTrade:
    """An order and its fill. ``decimals`` are those of the mint, None where nobody has told them."""

    order: Order
    filled: Filled
    decimals: int | None


class History:
    """Readers of one run, each an iterator over one moment of the database; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def trades(self, since_ns: int | None = None, until_ns: int | None = None) -> Iterator[StoredTrade]:
        """Trades in the order in which they were booked; ``until_ns`` itself is not included."""
        query = self._trades()
        if since_ns is not None:
            query = query.where(TRADES.c.at_ns >= since_ns)
        if until_ns is not None:
            query = query.where(TRADES.c.at_ns < until_ns)
        return self._connections.rows(query.order_by(TRADES.c.id), _trade_of)

    def trades_of(self, mint: str) -> Iterator[StoredTrade]:
        """Trades of one coin, in all its pools, in the order in which they were booked."""
        return self._connections.rows(self._of_mint(self._trades(), mint).order_by(TRADES.c.id), _trade_of)

    def trades_in(self, pool: str, newest: int) -> list[StoredTrade]:
        """The newest trades in a pool, in order of time."""
        query = self._trades().where(TRADES.c.pair_address == pool)
        query = query.order_by(TRADES.c.at_ns.desc(), TRADES.c.id.desc()).limit(newest)
        return self._connections.all_rows(query, _trade_of)[::-1]

    def trades_between(self, pool: str, since_ns: int, until_ns: int | None) -> list[StoredTrade]:
        """Trades in a pool of a time, both ends included, in the order in which they were booked."""
        query = self._trades().where(TRADES.c.pair_address == pool, TRADES.c.at_ns >= since_ns)
        if until_ns is not None:
            query = query.where(TRADES.c.at_ns <= until_ns)
        return self._connections.all_rows(query.order_by(TRADES.c.id), _trade_of)

    def decisions_of(self, mint: str, since_ns: int = 0) -> Iterator[Decision]:
        """Decisions about a coin since then, in order of time, with every verdict."""
        this = (DECISIONS.c.run_id == self._run_id, DECISIONS.c.mint == mint, DECISIONS.c.at_ns >= since_ns)
        query = select(DECISIONS).where(*this).order_by(DECISIONS.c.at_ns, DECISIONS.c.id)
        return self._connections.rows(query, rows.decision_of)

    def called(self, mint: str) -> str:
        """What the newest signals about a coin call it; empty where none does."""
        query = select(DECISIONS).where(
            DECISIONS.c.run_id == self._run_id, DECISIONS.c.mint == mint, DECISIONS.c.signal.is_not(None)
        )
        newest = query.order_by(DECISIONS.c.at_ns.desc(), DECISIONS.c.id.desc()).limit(_SIGNALS)
        told = [each.intent.signal for each in self._connections.rows(newest, rows.decision_of)]
        return next((signal.name for signal in told if signal is not None and signal.name), "")

    def decimals(self, mint: str) -> int | None:
        """Decimals of a mint, as its trades or positions tell them; None where none does. For display only."""
        # By way of the ledger, whose index knows the asset, and no further than to the first that tells it.
        same = and_(TRADES.c.run_id == LEDGER.c.run_id, TRADES.c.order_id == LEDGER.c.order_id)
        traded = select(TRADES.c.base_units, TRADES.c.token_amount).select_from(LEDGER.join(TRADES, same))
        traded = traded.where(
            LEDGER.c.run_id == self._run_id, LEDGER.c.asset == mint, LEDGER.c.kind == EntryKind.TRADE_BASE.value
        )
        held = select(POSITIONS.c.base_units, POSITIONS.c.token_amount).where(
            POSITIONS.c.run_id == self._run_id, POSITIONS.c.closed_ns.is_(None), POSITIONS.c.mint_address == mint
        )
        for query, units, amount in (
            (traded, TRADES.c.base_units, TRADES.c.token_amount),
            (held, POSITIONS.c.base_units, POSITIONS.c.token_amount),
        ):
            told = self._connections.rows(query.where(amount.is_not(None), units > 0).limit(1), decimals_of)
            decimals = next(told, None)
            if decimals is not None:
                return decimals
        return None

    def rounds(self, text: str) -> Iterator[Position]:
        """All rounds of the pool, the mint or the name ``text``, oldest first.

        Of a name the case does not matter, and the quote may be left out: TEST is TEST / SOL. Of a mint the first
        eight characters will do.
        """
        if not text:
            return iter(())  # a coin without a name is not called so
        named = or_(
            POSITIONS.c.pair_address == text,
            POSITIONS.c.mint_address == text,
            func.substr(POSITIONS.c.mint_address, 1, MINT_PREFIX) == text,
            POSITIONS.c.name == text,  # SQLite lowers ASCII only
            func.lower(POSITIONS.c.name).in_([text.lower(), f"{text.lower()} / sol"]),
        )
        query = select(POSITIONS).where(POSITIONS.c.run_id == self._run_id, named)
        return self._connections.rows(query.order_by(POSITIONS.c.id), rows.position_of)

    def round_at(self, pool: str, at_ns: int) -> Position | None:
        """The round of a pool that was open at a moment, both ends included: of several the first."""
        held = or_(POSITIONS.c.closed_ns.is_(None), POSITIONS.c.closed_ns >= at_ns)
        this = (POSITIONS.c.run_id == self._run_id, POSITIONS.c.pair_address == pool, POSITIONS.c.opened_ns <= at_ns)
        query = select(POSITIONS).where(*this, held).order_by(POSITIONS.c.round).limit(1)
        return next(iter(self._connections.all_rows(query, rows.position_of)), None)

    def marks_of(self, pool: str, newest: int) -> list[Mark]:
        """The newest marks of a pool, the newest first."""
        query = select(MARKS).where(MARKS.c.run_id == self._run_id, MARKS.c.pool == pool)
        query = query.order_by(MARKS.c.at_ns.desc(), MARKS.c.id.desc()).limit(newest)
        return list(self._connections.rows(query, rows.mark_of))

    def last_value(self, position: Position) -> Mark | None:
        """The newest mark that could value exactly what a position holds; None where none could."""
        # A position opens by the chain's time, and a mark has ours: only where there were rounds before, whose marks
        # could be mistaken for its own, the two are compared.
        since_ns = position.opened_ns if position.round > 1 else 0
        query = select(MARKS).where(
            MARKS.c.run_id == self._run_id,
            MARKS.c.pool == position.pool,
            MARKS.c.base_units == position.base_units,
            MARKS.c.at_ns >= since_ns,
            MARKS.c.obstacle == "",
        )
        newest = query.order_by(MARKS.c.at_ns.desc(), MARKS.c.id.desc()).limit(1)
        return next(self._connections.rows(newest, rows.mark_of), None)

    def latest_entries(self, newest: int, asset: str | None = None, kind: EntryKind | None = None) -> list[LedgerEntry]:
        """The end of the ledger, or of what of it moved an asset or is of a kind, in sequence."""
        query = select(LEDGER).where(LEDGER.c.run_id == self._run_id)
        if asset is not None:
            query = query.where(LEDGER.c.asset == asset)
        if kind is not None:
            query = query.where(LEDGER.c.kind == kind.value)
        found = list(self._connections.rows(query.order_by(LEDGER.c.sequence.desc()).limit(newest), rows.entry_of))
        return found[::-1]

    def _trades(self) -> Select[Any]:
        same = and_(ORDERS.c.run_id == TRADES.c.run_id, ORDERS.c.order_id == TRADES.c.order_id)
        beside = [column.label(label) for label, column in _ORDER.items()]
        return select(TRADES, *beside).select_from(TRADES.join(ORDERS, same)).where(TRADES.c.run_id == self._run_id)

    def _of_mint(self, query: Select[Any], mint: str) -> Select[Any]:
        """By way of the ledger, whose index knows the asset; trades have none for it."""
        moved = select(LEDGER.c.order_id).where(
            LEDGER.c.run_id == self._run_id, LEDGER.c.asset == mint, LEDGER.c.kind == EntryKind.TRADE_BASE.value
        )
        return query.where(TRADES.c.order_id.in_(moved))


def _trade_of(row: StoredRow) -> StoredTrade:
    order: Any = OrderRow._make(row[len(TRADES.columns) :])
    return StoredTrade(rows.order_of(order), rows.filled_of(row), decimals_of(row))


def decimals_of(row: StoredRow) -> int | None:
    """What makes whole tokens of the raw units beside them. The column for people is a float, the answer an integer."""
    if not row.token_amount or row.token_amount <= 0 or not row.base_units:
        return None
    decimals = round(math.log10(row.base_units / row.token_amount))
    close = math.isclose(row.token_amount * 10.0**decimals, row.base_units, rel_tol=1e-9)
    return decimals if decimals >= 0 and close else None
