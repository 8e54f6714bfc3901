"""From a signal that was read to what the desk is asked for."""

from __future__ import annotations

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.amm.largest import largest_sale
from pumpswap.model import ExitKind, Intent, Position, Signal, TradeSide
from pumpswap.sdk.executor.signal_reader import ReadSignal, Told
from pumpswap.settings import Settings
from pumpswap.units import BPS

__all__ = ["buy_of", "sale_of", "signal_of"]

STRATEGY = "executor"


def signal_of(read: ReadSignal, pool: str, mint: str, settings: Settings) -> Signal:
    """The signal as the gate knows it. The size follows the regime by our own multipliers, never the caller's: in his
    world a larger one may mean a higher threshold.
    """
    told = "" if read.q50 is None else f", q50 {read.q50:+.4g}"
    return Signal(
        pool=pool,
        at_ns=read.at_ns,
        side=read.side,
        score=read.score or 0.0,
        strength=read.strength,
        source=read.source,
        reasons=(f"told to the executor{told}",),
        mint=mint,
        name=read.name,
        q50=read.q50,
        regime="" if read.regime is None else read.regime.value,
        size_multiplier=1.0 if read.regime is None else settings.regimes.multiplier(read.regime.value),
        win_probability=read.win_probability,
        win_loss_ratio=read.win_loss_ratio,
        vol_risk=read.vol_risk,
    )


def buy_of(signal: Signal, mint: str, at_ns: int) -> Intent:
    """The wish to buy; risk finds the size."""
    reason = f"{signal.source} {signal.score:.1f}"
    return Intent(TradeSide.BUY, signal.pool, mint, at_ns, reason, signal, strategy=STRATEGY)


def sale_of(
    signal: Signal, position: Position, share_bps: int, at_ns: int, market: tuple[PoolState, FeeSchedule]
) -> Intent:
    """The wish to sell a share of a position, as far as the pool can pay it. Raises Told for nothing to sell."""
    if not share_bps:
        raise Told("side_is_hold", "short signals sell nothing: exits.short_signal_bps is 0")
    wanted = position.base_units * share_bps // BPS
    if wanted <= 0:
        raise Told("invalid_sell_amount", f"{share_bps / 100:g} % of {position.base_units} base units is nothing")
    units = largest_sale(*market, most=wanted) or wanted  # the gate says why nothing can be sold
    reason = f"{signal.source} says short"
    return Intent(
        TradeSide.SELL, position.pool, position.mint, at_ns, reason, signal, base_units=units, exit=ExitKind.SIGNAL,
        strategy=STRATEGY,
    )  # fmt: skip
