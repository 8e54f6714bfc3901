"""Recording: snapshots, trades and one-minute candles of many pools, replayed as one market in time order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction

from pumpswap.amm import PoolState
from pumpswap.market.candle_file import Candles, MinuteCandle
from pumpswap.market.data_row import SkippedRow, skip_counts
from pumpswap.market.rebuild import ASSUMPTIONS, BASE_DECIMALS, QUOTE_DECIMALS, anchored, rebuild
from pumpswap.market.trade_file import TRADE_ASSUMPTIONS, ObservedTrade, Trades
from pumpswap.model import MarketUpdate, PoolSnapshot

__all__ = ["Recording"]

_UNSEEN = "no snapshot of this pool has come before, so its depth is not known"
_NO_CURVE = "at this price the pool would be empty"

_Event = PoolSnapshot | ObservedTrade | MinuteCandle


class Recording:
    """What a collector has seen, whatever it was kept in.

    ``location`` names the source. Rows that could be read but not used are in ``skipped`` with their reasons;
    ``counts`` has the figures of all rows, ``assumptions`` what the rows do not say.
    """

    def __init__(
        self,
        location: str,
        snapshots: Sequence[PoolSnapshot],
        trades: Trades,
        candles: Candles,
        *,
        skipped: Sequence[SkippedRow] = (),
        notes: Sequence[str] = (),
    ) -> None:
        self.location = location
        self.skipped: tuple[SkippedRow, ...] = (*skipped, *trades.skipped, *candles.skipped)
        self.assumptions: tuple[str, ...] = (
            *ASSUMPTIONS,
            *TRADE_ASSUMPTIONS,
            "Between snapshots nobody adds or takes liquidity: trades and candles move the price along the curve.",
            "A candle is known at the end of its minute; its USD close counts at the SOL price of the pool's snapshot.",
            *notes,
        )
        self.counts = {
            "snapshots": len(snapshots),
            "trades": len(trades.trades),
            "candles": len(candles.candles),
            "candles_of_other_timeframes": candles.other_timeframes,
            "amounts_cut": trades.cut_amounts,
            **skip_counts(self.skipped),
        }
        self._events = _in_time_order(snapshots, trades.trades, candles.candles)

    def updates(self) -> Iterator[MarketUpdate]:
        """The market from its first to its last moment. Every call starts anew and yields the same."""
        replay = _Replay()
        for event in self._events:
            if isinstance(event, PoolSnapshot):
                yield replay.snapshot(event)
            elif isinstance(event, ObservedTrade):
                yield replay.trade(event)
            else:
                yield replay.candle(event)


class _Replay:
    """What is known of every pool so far."""

    def __init__(self) -> None:
        self._states: dict[str, PoolState] = {}
        self._obstacles: dict[str, str] = {}
        self._sol_usd: dict[str, Decimal] = {}

    def snapshot(self, snapshot: PoolSnapshot) -> MarketUpdate:
        pool, result = snapshot.pool, rebuild(snapshot)
        if isinstance(result, str):
            # What an earlier snapshot said of the depth no longer holds.
            self._states.pop(pool, None)
            self._obstacles[pool] = result
            return MarketUpdate(snapshot.at_ns, pool, snapshot=snapshot, obstacle=result)
        self._states[pool] = result
        if snapshot.quote_price_usd is not None:
            self._sol_usd[pool] = snapshot.quote_price_usd
        return MarketUpdate(snapshot.at_ns, pool, result, snapshot)

    def trade(self, trade: ObservedTrade) -> MarketUpdate:
        swap = trade.swap
        state, obstacle = self._anchor(swap.pool, trade.price, swap.slot)
        return MarketUpdate(swap.at_ns, swap.pool, state, swap=swap, obstacle=obstacle)

    def candle(self, candle: MinuteCandle) -> MarketUpdate:
        # A pool without a SOL price has no state either, and then the price is not asked for.
        sol_usd = self._sol_usd.get(candle.pool, Decimal(1))
        lamports = Fraction(candle.close_usd) / Fraction(sol_usd) * Fraction(10**QUOTE_DECIMALS, 10**BASE_DECIMALS)
        state, obstacle = self._anchor(candle.pool, lamports)
        return MarketUpdate(candle.known_ns, candle.pool, state, obstacle=obstacle)

    def _anchor(self, pool: str, price: Fraction, slot: int = 0) -> tuple[PoolState | None, str]:
        state = self._states.get(pool)
        if state is None:
            return None, self._obstacles.get(pool, _UNSEEN)
        moved = anchored(state, price, slot)
        if moved is None:
            return None, _NO_CURVE
        self._states[pool] = moved
        return moved, ""


def _in_time_order(
    snapshots: Sequence[PoolSnapshot], trades: Sequence[ObservedTrade], candles: Sequence[MinuteCandle]
) -> list[_Event]:
    """All events. At one moment candles come first (they tell of the minute before), then snapshots, then trades, each
    by pool or by block, so that the order of the rows decides nothing.
    """
    keyed: list[tuple[tuple[object, ...], _Event]] = [((one.at_ns, 1, one.pool), one) for one in snapshots]
    keyed += [((one.swap.at_ns, 2, *one.order), one) for one in trades]
    keyed += [((one.known_ns, 0, one.pool), one) for one in candles]
    keyed.sort(key=lambda pair: pair[0])
    return [event for _, event in keyed]
