"""Listings: what one run has traded and decided, as lists and charts need it: exact columns, no documents.

A day of trades or the decisions of a token cost milliseconds here; ``History`` has the same with every document.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Select, select

from pumpswap.model import TradeSide
from pumpswap.storage.connections import Connections
from pumpswap.storage.fills import Fills
from pumpswap.storage.tables import DECISIONS, TRADES, StoredRow
from pumpswap.storage.wishes import Wishes

__all__ = ["DecisionRow", "Listings", "TradeRow"]


# Rows come in thousands and refer to nothing that refers to them: the garbage collector need not look at them.
class TradeRow(msgspec.Struct, frozen=True, gc=False):
    """A trade as its columns tell it: raw units, lamports, nanoseconds. ``signature`` is None on paper.

    ``quote_lamports`` is all that a buy has paid or a sell has received, venue fees in; transaction costs and rent come
    on top.
    """

    order_id: str
    at_ns: int
    slot: int
    pool: str
    mint: str
    side: TradeSide
    base_units: int
    quote_lamports: int
    gross_quote_lamports: int
    lp_fee_lamports: int
    protocol_fee_lamports: int
    creator_fee_lamports: int
    cashback_lamports: int
    network_fee_lamports: int
    priority_fee_lamports: int
    tip_lamports: int
    rent_paid_lamports: int
    rent_returned_lamports: int
    signature: str | None


class DecisionRow(msgspec.Struct, frozen=True, gc=False):
    """A decision without its documents. ``quote_lamports`` and ``base_units`` are 0 when it was refused."""

    decision_id: str
    at_ns: int
    pool: str
    mint: str
    side: TradeSide
    accepted: bool
    reason: str
    quote_lamports: int
    base_units: int
    signal_score: float | None
    signal_strength: float | None


_COLUMNS = {"pool": "pair_address", "mint": "mint_address", "side": "action", "signature": "transaction_hash"}
_TRADES = select(*(TRADES.c[_COLUMNS.get(name, name)] for name in TradeRow.__struct_fields__))
_DECISIONS = select(*(DECISIONS.c[name] for name in DecisionRow.__struct_fields__))
_SIDES = {side.value: side for side in TradeSide}


class Listings:
    """Readers of one run; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    @property
    def fills(self) -> Fills:
        """What became of its orders, beside their quotes."""
        return Fills(self._connections, self._run_id)

    @property
    def wishes(self) -> Wishes:
        """What became of every buy that was wished."""
        return Wishes(self._connections, self._run_id)

    def trades(self, since_ns: int, until_ns: int) -> list[TradeRow]:
        """Trades of a time in order of time, the end not included."""
        this = (TRADES.c.run_id == self._run_id, TRADES.c.at_ns >= since_ns, TRADES.c.at_ns < until_ns)
        query: Select[Any] = _TRADES.where(*this).order_by(TRADES.c.at_ns, TRADES.c.id)
        return self._connections.all_rows(query, _trade_of)

    def decisions(self, mint: str, since_ns: int = 0, newest: int | None = None) -> list[DecisionRow]:
        """Decisions about a token since then, accepted and refused, in order of time; or only the ``newest`` of them.

        A token that is looked at every few seconds has many thousands: for a page of a list name a number.
        """
        this = (DECISIONS.c.run_id == self._run_id, DECISIONS.c.mint == mint, DECISIONS.c.at_ns >= since_ns)
        query: Select[Any] = _DECISIONS.where(*this).order_by(DECISIONS.c.at_ns.desc(), DECISIONS.c.id.desc())
        return self._connections.all_rows(query.limit(newest), _decision_of)[::-1]


def _trade_of(row: StoredRow) -> TradeRow:
    order_id, at_ns, slot, pool, mint, side, *amounts = row
    return TradeRow(order_id, at_ns, slot, pool, mint, _SIDES[side], *amounts)


def _decision_of(row: StoredRow) -> DecisionRow:
    decision_id, at_ns, pool, mint, side, *rest = row
    return DecisionRow(decision_id, at_ns, pool, mint, _SIDES[side], *rest)
