"""Performance: what ``measure`` says. Lamports are exact; what is a float is a statistic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from pumpswap.analytics.performance.estimate import NO_ROUNDS, Estimate
from pumpswap.analytics.performance.given import Sale
from pumpswap.analytics.performance.intervals import share_of
from pumpswap.model import EntryKind
from pumpswap.model.booked import BookedFill, BookedMove, BookedRound

__all__ = [
    "Activity",
    "CurvePoint",
    "Day",
    "DrawdownFigures",
    "Money",
    "Performance",
    "PositionGain",
    "Returns",
    "RoundFigures",
    "Slice",
]


@dataclass(frozen=True, slots=True)
class Money:
    """From the ledger to the profit, lamports. ``net_lamports`` is what was earned after every cost, sales only.

    ``realised_lamports``: sales over the cost of what they sold. ``failed_lamports`` (refused by the program) and
    ``upkeep_lamports`` (of the wallet, also by hand): costs of transactions of no trade, zero or negative.
    ``outside_lamports``: SOL that others moved, beside capital. ``capital_lamports``: deposits less withdrawals, and
    the SOL of what the owner traded by hand with tokens of no position. ``adopted_lamports``: what he put in in kind,
    at the cost that he named. ``rent_lamports``: put into deposits less what came back.
    ``unexplained_lamports`` is what the ledger has beyond all of this: 0, or the books contradict themselves; None
    where the ledger's sum of that moment is not known. ``unrealised_lamports`` is what open positions are worth over
    their cost; None where nobody could value any. ``equity_change_lamports`` is without capital and what was adopted;
    None where equity was never measured.
    """

    realised_lamports: int
    failed_lamports: int
    upkeep_lamports: int
    outside_lamports: int
    capital_lamports: int
    rent_lamports: int
    adopted_lamports: int
    open_cost_lamports: int
    unrealised_lamports: int | None
    unvalued: int
    equity_lamports: int | None
    equity_change_lamports: int | None
    unexplained_lamports: int | None

    @property
    def net_lamports(self) -> int:
        """What sales have earned, less what traded nothing cost, and what came from outside."""
        return self.realised_lamports + self.failed_lamports + self.upkeep_lamports + self.outside_lamports


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """Of rounds that were closed in this time, each by all it has realised. A trade of traders' books is one of these.

    ``expectancy`` is the mean gain in lamports, ``expectancy_share`` the mean gain over what was paid in,
    ``profit_factor`` gains over losses, ``payoff`` mean gain over mean loss. ``break_even`` rounds neither won nor
    lost. ``best`` and ``worst`` are None without any.
    """

    closed: int
    won: int
    lost: int
    break_even: int
    gains_lamports: int
    losses_lamports: int
    win_rate: Estimate
    profit_factor: Estimate
    payoff: Estimate
    expectancy: Estimate
    expectancy_share: Estimate
    mean_win_lamports: float | None
    mean_loss_lamports: float | None
    median_lamports: float | None
    best: BookedRound | None
    worst: BookedRound | None
    longest_winning_run: int
    longest_losing_run: int


@dataclass(frozen=True, slots=True)
class DrawdownFigures:
    """Deepest fall of equity from a peak, capital moved with it. ``lamports`` is the deepest in money, ``share`` the
    deepest of the time-weighted index; the two need not be the same fall. Times belong to the fall of the index;
    ``recovered_ns`` is None while it has not. ``longest_ns`` is the longest time below an earlier peak,
    ``current_share`` how far below it the curve ends.
    """

    lamports: int
    share: float
    peak_ns: int | None
    trough_ns: int | None
    recovered_ns: int | None
    longest_ns: int
    current_share: float


@dataclass(frozen=True, slots=True)
class Returns:
    """Of the equity curve, time-weighted: what was put in or taken out is no return. Per ``period_seconds`` where a
    series is meant; ratios are annualised by the calendar (365 days), without a riskless rate.
    """

    period_seconds: int
    returns: tuple[float, ...]
    total: Estimate
    annual: Estimate
    volatility: Estimate
    sharpe: Estimate
    sortino: Estimate
    calmar: Estimate
    drawdown: DrawdownFigures


@dataclass(frozen=True, slots=True)
class Activity:
    """``exposure`` is the mean share of equity that was in positions, ``time_in_market`` the share of the time with any
    position; ``turnover`` is half of all that was traded over the mean equity. Times in nanoseconds.
    """

    fills: int
    buys: int
    sells: int
    bought_lamports: int
    sold_lamports: int
    exposure: Estimate
    time_in_market: Estimate
    turnover: Estimate
    mean_holding_ns: Estimate
    median_holding_ns: int | None
    mean_slippage: Estimate


class Slice(msgspec.Struct, frozen=True, gc=False):
    """One strategy, exit or token. ``gain_lamports`` is of all its sales in this time, also of rounds still open;
    ``closed`` and ``won`` count its rounds that were closed. ``key`` is the mint of a token; ``label`` is for people
    and comes from strangers. ``cost_lamports`` is what was sold had cost; ``bought_lamports`` what was bought.
    """

    key: str
    label: str
    sales: int
    closed: int
    won: int
    gain_lamports: int
    cost_lamports: int
    bought_lamports: int

    @property
    def win_rate(self) -> Estimate:
        """Of its closed rounds."""
        return share_of(self.won, self.closed, NO_ROUNDS)

    @property
    def share(self) -> float | None:
        """Gain over the cost of what was sold; None where that was nothing."""
        return self.gain_lamports / self.cost_lamports if self.cost_lamports > 0 else None


class Day(msgspec.Struct, frozen=True, gc=False):
    """A UTC day with a fill, a sale or another move. ``net_lamports`` is the realised gain with all other costs in;
    ``equity_lamports`` is the last one measured in it.
    """

    start_ns: int
    fills: int
    sales: int
    gain_lamports: int
    other_lamports: int
    capital_lamports: int
    equity_lamports: int | None

    @property
    def net_lamports(self) -> int:
        """What the day has earned."""
        return self.gain_lamports + self.other_lamports


class PositionGain(msgspec.Struct, frozen=True, gc=False):
    """A round and what its sales of this time have earned; the round itself may be older."""

    round: BookedRound
    gain_lamports: int
    sales: int


class CurvePoint(msgspec.Struct, frozen=True, gc=False):
    """``net_lamports`` is equity less all that was put in; ``index`` is 1 at the start and grows by returns alone."""

    at_ns: int
    equity_lamports: int
    net_lamports: int
    index: float


@dataclass(frozen=True, slots=True)
class Performance:
    """Of one run from ``since_ns`` on, up to ``until_ns``, which is not part of it.

    ``costs`` are positive, by kind, all that was paid in this time. Slices begin with the largest gain; days are in
    order of time; ``rounds`` are all that were closed in this time or are open at its end, in order of opening.
    """

    since_ns: int
    until_ns: int
    money: Money
    rounds_closed: RoundFigures
    returns: Returns
    activity: Activity
    costs: Mapping[EntryKind, int]
    by_strategy: tuple[Slice, ...]
    by_exit: tuple[Slice, ...]
    by_token: tuple[Slice, ...]
    by_day: tuple[Day, ...]
    by_position: tuple[PositionGain, ...]
    fills: tuple[BookedFill, ...]
    sales: tuple[Sale, ...]
    moves: tuple[BookedMove, ...]
    curve: tuple[CurvePoint, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was traded."""
        return not self.fills and not self.sales
