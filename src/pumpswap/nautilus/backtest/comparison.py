"""Two back-tests of one strategy on one market, ours and Nautilus': what differs, and why, to the lamport.

Our books are compared entry by entry. Nautilus' own figures differ from ours by what its numbers cannot hold, and each
such difference has a name: prices are rounded to their last digit and profits are computed in floating point; fees of
what is still held count at once there, and when it is sold here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from nautilus_trader.model.position import Position as NautilusPosition

from pumpswap.amm.quote import amounts_of
from pumpswap.analytics.record import RunRecord, Trade
from pumpswap.model import TradeSide
from pumpswap.nautilus.backtest.venue import CurveBacktest
from pumpswap.nautilus.constants import PRICE_PRECISION, PUMPSWAP_VENUE, SOL, SOL_DECIMALS
from pumpswap.nautilus.instruments import base_decimals_of, instrument_id, mint_of
from pumpswap.nautilus.money import lamports_of, units_of
from pumpswap.portfolio.ledger import ledger_line, ledger_sha256

__all__ = ["Comparison", "Figure", "PoolGain", "compare_with_ours"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of both sides."""

    name: str
    ours: int | str
    nautilus: int | str

    @property
    def is_equal(self) -> bool:
        return self.ours == self.nautilus


@dataclass(frozen=True, slots=True)
class PoolGain:
    """Realised gain in one pool over all rounds, in lamports.

    ``nautilus`` is what its positions say. ``held_fees`` is what Nautilus has counted of fees that belong to units
    still held; ``rounding`` is the rest, of rounded prices and floating point: ``ours`` minus ``held_fees`` plus
    ``rounding`` is ``nautilus``. ``most_rounding`` is what the number of fills and their sizes allow.
    """

    pool: str
    ours: int
    nautilus: int
    held_fees: Fraction
    rounding: Fraction
    most_rounding: int
    fills: int

    @property
    def is_explained(self) -> bool:
        return abs(self.rounding) <= self.most_rounding


@dataclass(frozen=True, slots=True)
class Comparison:
    """``figures`` must be equal, ``gains`` explained. ``first_difference`` shows both ledgers where they part."""

    figures: tuple[Figure, ...]
    gains: tuple[PoolGain, ...]
    first_difference: tuple[str, str] | None

    @property
    def is_equal(self) -> bool:
        """Whether both are the same run, and nothing is left unexplained."""
        return self.first_difference is None and all(one.is_equal for one in self.figures) and self.is_explained

    @property
    def is_explained(self) -> bool:
        return all(one.is_explained for one in self.gains)

    def lines(self) -> list[str]:
        """For people: one line per figure, then one per pool."""
        told = [f"{one.name}: {one.ours}" + _beside(one) for one in self.figures]
        if self.first_difference is not None:
            told += ["the ledgers part here:", f"  ours     {self.first_difference[0]}"]
            told.append(f"  nautilus {self.first_difference[1]}")
        for gain in self.gains:
            told.append(
                f"{gain.pool}: {gain.ours} lamports realised, Nautilus says {gain.nautilus}:"
                f" fees of what is held {float(-gain.held_fees):.3f}, rounding {float(gain.rounding):.3f}"
                f" of at most {gain.most_rounding} in {gain.fills} fills"
            )
        return told


def compare_with_ours(ours: RunRecord, theirs: CurveBacktest) -> Comparison:
    """``ours`` is what our own engine recorded of the same strategy on the same market."""
    curve, record = theirs.curve, theirs.curve.record
    account = theirs.engine.cache.account_for_venue(PUMPSWAP_VENUE)
    figures = [
        Figure("ledger entries", len(ours.entries), len(record.entries)),
        Figure("ledger", ledger_sha256(ours.entries), ledger_sha256(record.entries)),
        Figure("decisions", ours.decisions, record.decisions),
        Figure("buys and sales accepted", len(ours.accepted), len(record.accepted)),
        Figure("fills", len(ours.trades), len(record.trades)),
        Figure("rejected", len(ours.rejections), len(record.rejections)),
        Figure("updates", ours.updates, record.updates),
        Figure("quotes told and handled", theirs.market.quotes, theirs.module.quotes),
        Figure("cash, lamports", curve.wallet_lamports, lamports_of(account.balance_total(SOL))),
        *_held(theirs),
    ]
    return Comparison(tuple(figures), _gains(theirs), _first_difference(ours, record))


def _held(theirs: CurveBacktest) -> list[Figure]:
    """Units of every token: the wallet's, the account's and the positions'."""
    found: list[Figure] = []
    cache, wallet = theirs.engine.cache, theirs.curve.venue.wallet
    account = cache.account_for_venue(PUMPSWAP_VENUE)
    for instrument in theirs.market.instruments:
        mint, decimals = mint_of(instrument), base_decimals_of(instrument)
        if mint not in wallet.tokens:
            continue
        balance = account.balance_total(instrument.base_currency)
        open_units = sum(units_of(one.quantity, decimals) for one in cache.positions_open(instrument_id=instrument.id))
        found.append(Figure(f"account, units of {mint}", wallet.tokens[mint], _units(balance, decimals)))
        found.append(Figure(f"positions, units of {mint}", wallet.tokens[mint], open_units))
    return found


def _units(balance: Any, decimals: int) -> int:
    return int(balance.as_decimal().scaleb(decimals))


def _gains(theirs: CurveBacktest) -> tuple[PoolGain, ...]:
    record = theirs.curve.record
    trades: dict[str, list[Trade]] = {}
    for trade in record.trades:
        trades.setdefault(trade.order.pool, []).append(trade)
    ours: dict[str, int] = {}
    for (pool, _), position in record.positions.items():
        ours[pool] = ours.get(pool, 0) + position.realised_lamports
    cache = theirs.engine.cache
    positions: Sequence[NautilusPosition] = [*cache.positions(), *cache.position_snapshots()]
    found: list[PoolGain] = []
    for pool, done in trades.items():
        told = sum(
            lamports_of(one.realized_pnl)
            for one in positions
            if one.instrument_id == instrument_id(pool) and one.realized_pnl is not None
        )
        decimals = base_decimals_of(next(one for one in theirs.market.instruments if one.id == instrument_id(pool)))
        expected = _as_nautilus_counts(done)
        held_fees = ours[pool] - expected
        found.append(
            PoolGain(pool, ours[pool], told, held_fees, told - expected, _most_rounding(done, decimals), len(done))
        )
    return tuple(found)


def _as_nautilus_counts(trades: Iterable[Trade]) -> Fraction:
    """Realised gain by Nautilus' rule with exact numbers: every commission at once, each sale against the average price
    of its round, before fees.
    """
    gain, cost, units = Fraction(0), Fraction(0), 0
    for trade in trades:
        quote = trade.filled.executed
        base, _ = amounts_of(quote)
        gain -= quote.fees + trade.filled.costs.spent
        if trade.order.side is TradeSide.BUY:
            cost, units = cost + quote.gross_quote, units + base
            continue
        share = cost * Fraction(base, units)
        gain += quote.gross_quote - share
        cost, units = cost - share, units - base
    return gain


def _most_rounding(trades: Sequence[Trade], decimals: int) -> int:
    """Half a digit of a price over a fill's units, twice for each fill (the average price is rounded too), and what
    floating point of 53 bits loses of a sum: a lamport each, and more where amounts are large.
    """
    most = Fraction(0)
    for trade in trades:
        base, _ = amounts_of(trade.filled.executed)
        half_digits = Fraction(base * 10**SOL_DECIMALS, 10 ** (decimals + PRICE_PRECISION))
        most += half_digits + 1 + Fraction(4 * trade.filled.executed.gross_quote, 2**52)
    return int(most) + 1


def _first_difference(ours: RunRecord, theirs: RunRecord) -> tuple[str, str] | None:
    for mine, other in zip(ours.entries, theirs.entries, strict=False):
        if ledger_line(mine) != ledger_line(other):
            return ledger_line(mine), ledger_line(other)
    shared = min(len(ours.entries), len(theirs.entries))
    rest = [[ledger_line(one) for one in entries[shared : shared + 1]] for entries in (ours.entries, theirs.entries)]
    if not any(rest):
        return None
    return (rest[0] or ["the end"])[0], (rest[1] or ["the end"])[0]


def _beside(figure: Figure) -> str:
    return "" if figure.is_equal else f", Nautilus {figure.nautilus}"
