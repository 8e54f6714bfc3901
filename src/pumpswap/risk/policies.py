"""The first policies: each answers one question with its numbers. All are asked; a refusal carries every failed one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from pumpswap.amm import FeeSchedule, PoolState, buy_exact_quote, sell_exact_base
from pumpswap.amm.pool import KNOWN_POOL_LENGTHS
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import TradeRefused
from pumpswap.model import Intent, Position, ScreenReport, Side, Verdict
from pumpswap.risk.sizing import round_trip_loss
from pumpswap.risk.tracker import RiskFigures
from pumpswap.settings import RiskLimits, SignalSettings
from pumpswap.units import BPS, format_units

__all__ = ["BUY_POLICIES", "SELL_POLICIES", "BookView", "Candidate", "Policy"]


@dataclass(frozen=True, slots=True)
class BookView:
    """What the gate knows of our books at this moment, in lamports."""

    balance: int
    equity: int
    exposure: int  # cost of all open positions and of the buys on their way
    open_positions: int  # rounds that are open or about to open
    position: Position | None  # the open round in this pool
    has_open_order: bool  # on the way, unresolved, or waiting for a person: on this token
    closed_ns: int | None  # when the last round in this pool ended
    token_exposure: int = 0  # of ``exposure``, the part of this token, in all its pools
    risk: RiskFigures = field(default_factory=RiskFigures)
    mode_obstacle: str = ""  # why nothing at all is ordered, as in analysis mode
    books_obstacle: str = ""  # why nothing of this token may be bought
    screen: ScreenReport | None = None  # the newest report on this token


@dataclass(frozen=True, slots=True)
class Candidate:
    """One intent with all that the policies look at."""

    intent: Intent
    book: BookView
    limits: RiskLimits
    signals: SignalSettings
    schedule: FeeSchedule
    state: PoolState | None
    observed_ns: int | None
    obstacle: str
    budget: int = 0
    is_sized: bool = False  # whether sizing was asked at all; a refused signal needs no size


Policy = Callable[[Candidate], Verdict | None]


def _sol(lamports: int) -> str:
    return format_units(lamports, 9)


def _percent(share: Fraction) -> str:
    return f"{float(share) * 100:.2f} %"


def signal(ask: Candidate) -> Verdict | None:
    """The score reaches the threshold and points up."""
    found, least = ask.intent.signal, ask.signals.min_score
    if found is None and ask.intent.is_by_hand:
        return Verdict("signal", True, "asked for by hand: no signal needed")
    if found is None:
        return Verdict("signal", False, "there is no signal")
    numbers = {"score": f"{found.score:.4f}", "min_score": f"{least}"}
    if not found.score >= least:  # also refuses a score that is no number
        return Verdict("signal", False, f"score {found.score:.1f} is below {least:g}", numbers)
    if found.side is not Side.LONG:
        return Verdict("signal", False, f"the signal says {found.side.value}, not long", numbers)
    return Verdict("signal", True, f"score {found.score:.1f} reaches {least:g}", numbers)


def venue(ask: Candidate) -> Verdict | None:
    """The pool is one we can trade at all."""
    if ask.state is None or ask.obstacle:
        return Verdict("venue", False, ask.obstacle or "no state of this pool is known")
    if ask.state.pool.account_len not in KNOWN_POOL_LENGTHS or any(ask.state.pool.tail):
        return Verdict("venue", False, "the pool account has a layout that this version does not know: upgrade")
    if not ask.state.pool.is_canonical and not ask.limits.allow_permissionless_pools:
        return Verdict("venue", False, "not the coin's canonical pool: anyone can make one and pull its liquidity")
    return Verdict("venue", True, "a canonical PumpSwap pool")


def freshness(ask: Candidate) -> Verdict | None:
    """The state is recent enough to trade on."""
    if ask.state is None:
        return None
    age = (ask.intent.at_ns - (ask.observed_ns or 0)) // NS_PER_SECOND
    most = ask.limits.max_state_age_seconds
    numbers = {"age_seconds": str(age), "max_state_age_seconds": str(most)}
    return Verdict("fresh state", age <= most, f"the pool's state is {age} s old, at most {most} s", numbers)


def one_position(ask: Candidate) -> Verdict | None:
    """One round per pool at a time, and no buy while an order there is open. A person may add to what is held."""
    if ask.book.position is not None and not ask.intent.is_by_hand:
        return Verdict("one position", False, "this pool is held already")
    if ask.book.has_open_order:
        return Verdict("one position", False, "an order on this token is not finished")
    if ask.book.position is not None:
        return Verdict("one position", True, "adds to what is held, as asked by hand")
    return Verdict("one position", True, "nothing of it is held")


def cooldown(ask: Candidate) -> Verdict | None:
    """After a closed round the pool rests."""
    if ask.book.closed_ns is None or ask.intent.is_by_hand:
        return None
    since, rest = (ask.intent.at_ns - ask.book.closed_ns) // NS_PER_SECOND, ask.limits.cooldown_seconds
    numbers = {"seconds_since": str(since), "cooldown_seconds": str(rest)}
    return Verdict("cool-down", since >= rest, f"{since} s since the last round here, at least {rest} s", numbers)


def open_positions(ask: Candidate) -> Verdict | None:
    """Not too many rounds at once; adding to one makes no new one."""
    if ask.book.position is not None and ask.intent.is_by_hand:
        return None
    held, most = ask.book.open_positions, ask.limits.max_open_positions
    numbers = {"open_positions": str(held), "max_open_positions": str(most)}
    return Verdict("open positions", held < most, f"{held} open, at most {most}", numbers)


def size(ask: Candidate) -> Verdict | None:
    """Sizing left something to trade."""
    if not ask.is_sized:
        return None
    least, most = ask.limits.lamports("min_position_sol"), ask.limits.lamports("max_position_sol")
    numbers = {"budget_lamports": str(ask.budget), "min_lamports": str(least), "max_lamports": str(most)}
    asked = ask.intent.quote_lamports
    if asked is not None and ask.budget < asked:
        numbers["asked_lamports"] = str(asked)
        return Verdict("size", False, f"{_sol(asked)} SOL asked for, the limits allow {_sol(ask.budget)}", numbers)
    if ask.budget < max(least, 1):
        return Verdict("size", False, f"no size of at least {_sol(least)} SOL fits the limits", numbers)
    return Verdict("size", ask.budget <= most, f"{_sol(ask.budget)} SOL, at most {_sol(most)}", numbers)


def exposure(ask: Candidate) -> Verdict | None:
    """All positions together stay below a share of equity."""
    if ask.budget == 0:
        return None
    total, most = ask.book.exposure + ask.budget, int(ask.book.equity * ask.limits.max_exposure_fraction)
    numbers = {"exposure_lamports": str(total), "max_lamports": str(most)}
    return Verdict("total exposure", total <= most, f"{_sol(total)} SOL with this trade, at most {_sol(most)}", numbers)


def native_reserve(ask: Candidate) -> Verdict | None:
    """Fees, rent and exits stay payable."""
    if ask.budget == 0:
        return None
    left, least = ask.book.balance - ask.budget, ask.limits.lamports("native_reserve_sol")
    numbers = {"left_lamports": str(left), "native_reserve_lamports": str(least)}
    return Verdict("native reserve", left >= least, f"{_sol(left)} SOL would stay, at least {_sol(least)}", numbers)


def liquidity(ask: Candidate) -> Verdict | None:
    """The pool really holds enough, in itself and for this size."""
    if ask.state is None:
        return None
    real = ask.state.real_quote_reserve
    least = max(ask.limits.lamports("min_liquidity_sol"), ask.budget * ask.limits.liquidity_multiple)
    numbers = {"real_quote_lamports": str(real), "min_lamports": str(least)}
    return Verdict("liquidity", real >= least, f"the pool holds {_sol(real)} SOL, at least {_sol(least)}", numbers)


def impact(ask: Candidate) -> Verdict | None:
    """The exact price impact of this size."""
    if ask.state is None or ask.budget == 0:
        return None
    most = ask.limits.max_impact_bps
    try:
        found = buy_exact_quote(ask.state, ask.schedule, ask.budget).impact
    except TradeRefused as refused:
        return Verdict("price impact", False, refused.what)
    numbers = {"impact": str(found), "max_impact_bps": str(most)}
    return Verdict("price impact", found * BPS <= most, f"{_percent(found)}, at most {most / 100:g} %", numbers)


def way_out(ask: Candidate) -> Verdict | None:
    """It could be sold again at once at an acceptable loss."""
    if ask.state is None or ask.budget == 0:
        return None
    most = ask.limits.max_round_trip_loss_bps
    try:
        loss = round_trip_loss(ask.state, ask.schedule, ask.budget)
    except TradeRefused as refused:
        return Verdict("way out", False, f"could not be sold again: {refused.what}")
    numbers = {"round_trip_loss": str(loss), "max_round_trip_loss_bps": str(most)}
    text = f"buying and selling at once loses {_percent(loss)}, at most {most / 100:g} %"
    return Verdict("way out", loss * BPS <= most, text, numbers)


def known(ask: Candidate) -> Verdict | None:
    """A pool whose state we know; what is held may always be sold, whatever kind of pool it is."""
    if ask.state is None or ask.obstacle:
        return Verdict("venue", False, ask.obstacle or "no state of this pool is known")
    return Verdict("venue", True, "the pool's state is known")


def holding(ask: Candidate) -> Verdict | None:
    """A sale gives what is held, no more."""
    held = ask.book.position.base_units if ask.book.position else 0
    units = ask.intent.base_units or 0
    numbers = {"held_base_units": str(held), "base_units": str(units)}
    if ask.book.has_open_order:
        return Verdict("holding", False, "an order on this token is not finished", numbers)
    return Verdict("holding", 0 < units <= held, f"{units} of {held} base units", numbers)


def sellable(ask: Candidate) -> Verdict | None:
    """The pool can pay this sale."""
    if ask.state is None or not ask.intent.base_units:
        return None
    try:
        quote = sell_exact_base(ask.state, ask.schedule, ask.intent.base_units)
    except TradeRefused as refused:
        return Verdict("sellable", False, refused.what)
    numbers = {"user_quote_out": str(quote.user_quote_out)}
    return Verdict("sellable", quote.user_quote_out > 0, f"pays {_sol(quote.user_quote_out)} SOL", numbers)


BUY_POLICIES: tuple[Policy, ...] = (
    signal, venue, freshness, one_position, cooldown, open_positions, size, exposure, native_reserve, liquidity,
    impact, way_out,
)  # fmt: skip
SELL_POLICIES: tuple[Policy, ...] = (known, freshness, holding, sellable)
