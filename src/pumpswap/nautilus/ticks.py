"""What Nautilus sees of a market update: a quote tick of the curve, a trade tick, custom data, the instrument's status.

Prices are before fees, because fees are the commission of a fill: the bid is below and the ask above what a smaller
order is filled at.
"""

from __future__ import annotations

from dataclasses import dataclass

from nautilus_trader.core.data import Data
from nautilus_trader.model.data import InstrumentStatus, QuoteTick, TradeTick
from nautilus_trader.model.enums import AggressorSide, MarketStatusAction
from nautilus_trader.model.identifiers import InstrumentId, TradeId

from pumpswap.amm import FeeSchedule, PoolState, buy_exact_quote, sell_exact_base
from pumpswap.errors import BadInput, TradeRefused
from pumpswap.model import MarketUpdate, RiskState, Swap, TradingState
from pumpswap.nautilus.data_types import PumpSwapPoolState, PumpSwapSwap, wrapped
from pumpswap.nautilus.instruments import instrument_id
from pumpswap.nautilus.money import price, qty

__all__ = ["Standing", "Tape", "quote_tick", "standing_of", "status_tick", "ticks_of", "trade_tick"]

_SIGNATURE_CHARS = 30  # a trade id has 36 characters at most, a signature 88
_THIN = 100  # the reference size is at most this part of the quote reserve


@dataclass(frozen=True, slots=True)
class Tape:
    """How ticks are made. ``quote_lamports`` is the size that bid and ask are prices of; ``custom`` whether custom
    data comes along.
    """

    quote_lamports: int
    custom: bool = True


def quote_tick(
    state: PoolState, schedule: FeeSchedule, quote_lamports: int, *, ts_event: int, ts_init: int
) -> QuoteTick | None:
    """Bid and ask for ``quote_lamports``, or for a hundredth of a thin pool; both sizes are that amount of base.

    None where there is no price to quote: the pool is empty, cannot pay a sale, or is too thin for one base unit.
    """
    try:
        reference = min(quote_lamports, state.effective_quote_reserve // _THIN)
        bought = buy_exact_quote(state, schedule, max(reference, 1))
        sold = sell_exact_base(state, schedule, bought.base_out)
        bid = price(sold.gross_quote, sold.base_in, state.base_decimals)
        ask = price(bought.gross_quote, bought.base_out, state.base_decimals)
        size = qty(bought.base_out, state.base_decimals)
    except (TradeRefused, BadInput):
        return None
    if bid.raw <= 0:
        return None
    return QuoteTick(instrument_id(str(state.address)), bid, ask, size, size, min(ts_event, ts_init), ts_init)


def trade_tick(swap: Swap, base_decimals: int, *, ts_init: int) -> TradeTick | None:
    """A swap as a trade: before fees where the program told its event, else what the trader paid or got.

    None for one without a price, as a sale of dust for nothing.
    """
    quote = swap.quote_units if swap.event is None else swap.event.gross_quote
    if swap.base_units <= 0 or quote <= 0:
        return None
    try:
        at, size = price(quote, swap.base_units, base_decimals), qty(swap.base_units, base_decimals)
    except BadInput:
        return None
    if at.raw <= 0:
        return None
    name = swap.signature[:_SIGNATURE_CHARS] or str(swap.at_ns)
    side = AggressorSide.BUYER if swap.is_buy else AggressorSide.SELLER
    trade_id = TradeId(f"{name}-{swap.index}")
    return TradeTick(instrument_id(swap.pool), at, size, side, trade_id, min(swap.at_ns, ts_init), ts_init)


def ticks_of(
    update: MarketUpdate, schedule: FeeSchedule, base_decimals: int, tape: Tape, *, ts_init: int, sequence: int = 0
) -> list[Data]:
    """All that an update becomes, in this order: quote, trade, swap, state; all of one ``ts_init``."""
    made: list[Data] = []
    state, swap = update.state, update.swap
    known_ns = min(update.at_ns if update.state_ns is None else update.state_ns, ts_init)
    if state is not None:
        quote = quote_tick(state, schedule, tape.quote_lamports, ts_event=known_ns, ts_init=ts_init)
        if quote is not None:
            made.append(quote)
    if swap is not None:
        trade = trade_tick(swap, base_decimals, ts_init=ts_init)
        if trade is not None:
            made.append(trade)
    if tape.custom:
        if swap is not None:
            made.append(wrapped(PumpSwapSwap.of(swap, ts_event=min(swap.at_ns, ts_init), ts_init=ts_init)))
        if state is not None:
            made.append(wrapped(PumpSwapPoolState.of(state, ts_event=known_ns, ts_init=ts_init, sequence=sequence)))
        elif update.obstacle:
            blocked = PumpSwapPoolState.blocked(update.pool, update.obstacle, ts_init=ts_init, sequence=sequence)
            made.append(wrapped(blocked))
    return made


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a pool can be traded now: ``TRADING``, ``PAUSE`` (nothing is bought), ``HALT`` (nothing is ordered)."""

    action: MarketStatusAction
    reason: str = ""


def standing_of(obstacle: str, schedule: FeeSchedule | None, risk: RiskState | None) -> Standing:
    """The worst of what the pool, the program and our own risk say.

    Faults of ours (a feed that is late, a database that refuses) pause, as does a person's ``exits-only``; the
    program's switch for buys pauses, that for sells halts.
    """
    if obstacle:
        return Standing(MarketStatusAction.HALT, obstacle)
    if schedule is not None and schedule.global_config.sells_disabled:
        return Standing(MarketStatusAction.HALT, "the program takes no sales at the moment")
    if risk is not None and risk.trading is TradingState.HALTED:
        return Standing(MarketStatusAction.HALT, risk.trading_reason or "somebody has halted trading")
    if schedule is not None and schedule.global_config.buys_disabled:
        return Standing(MarketStatusAction.PAUSE, "the program takes no purchases at the moment")
    if risk is not None and risk.trading is TradingState.EXITS_ONLY:
        return Standing(MarketStatusAction.PAUSE, risk.trading_reason or "only exits are made")
    if risk is not None and risk.faults:
        return Standing(MarketStatusAction.PAUSE, "; ".join(f"{name}: {reason}" for name, reason in risk.faults))
    return Standing(MarketStatusAction.TRADING)


def status_tick(of: InstrumentId, standing: Standing, ts_init: int) -> InstrumentStatus:
    """A standing as Nautilus tells it."""
    is_trading = standing.action is MarketStatusAction.TRADING
    return InstrumentStatus(
        of,
        standing.action,
        ts_init,
        ts_init,
        reason=standing.reason or None,
        is_trading=standing.action is not MarketStatusAction.HALT,
        is_quoting=is_trading,
        is_short_sell_restricted=True,
    )
