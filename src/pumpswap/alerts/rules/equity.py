"""What equity says: drawdown and the day's loss in steps, until entries are locked; milestones; a low wallet."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from pumpswap.alerts.rules.rule import Rule, RuleContext
from pumpswap.alerts.rules.steps import Steps, reached_bps
from pumpswap.alerts.texts import share_text, signed_sol, sol_text, time_text
from pumpswap.model import AlertLevel, EquityPoint, RiskState
from pumpswap.risk.tracker import RiskFigures
from pumpswap.settings import RiskLimits
from pumpswap.units import BPS

__all__ = ["DailyLossRule", "DrawdownRule", "MilestoneRule", "WalletLowRule"]

Figures = Callable[[int], RiskFigures]
Limits = Callable[[], RiskLimits]

_RESUME = "`pumpswap resume` lifts it"
_ENOUGH_BPS = 11_000  # of what is too little: then a wallet is not low any more


class DrawdownRule(Rule):
    """Equity below its highest, by the same figures as the lock of risk: what the owner puts in or takes out is neither
    gain nor loss. Steps begin anew with each new highest. ``before`` is what risk remembered at the start.
    """

    def __init__(self, context: RuleContext, figures: Figures, limits: Limits, before: RiskState) -> None:
        self._context, self._figures, self._limits = context, figures, limits
        self._steps = Steps(context, "drawdown")
        self._is_locked = before.is_drawn_down

    def on_risk(self, state: RiskState) -> None:
        was_locked, self._is_locked = self._is_locked, state.is_drawn_down
        if was_locked or not state.is_drawn_down:
            return
        figures, limit = self._figures(self._context.now()), _percent(self._limits().max_drawdown_fraction)
        self._steps.reach(self._reached_bps(figures))  # it is said with the lock
        text = (
            f"entries are locked: {_fallen(figures)}, limit {limit}. Exits go on. It lasts until a person "
            f"resumes: {_RESUME}, and measures from what equity is then"
        )
        self._context.tell(AlertLevel.CRITICAL, "drawdown", "lock", text)

    def on_equity(self, point: EquityPoint) -> None:
        figures = self._figures(point.at_ns)
        if figures.drawdown_lamports <= 0:
            self._steps.begin()
            return
        if not self._steps.reach(self._reached_bps(figures)):
            return
        limit = _percent(self._limits().max_drawdown_fraction)
        after = "entries are locked" if figures.is_drawn_down else f"at {limit} entries are locked"
        self._context.tell(AlertLevel.WARNING, "drawdown", "", f"{_fallen(figures)}; {after}, exits go on")

    def _reached_bps(self, figures: RiskFigures) -> int:
        return reached_bps(figures.drawdown_lamports, figures.peak_lamports, self._context.rules.drawdown_bps)


class DailyLossRule(Rule):
    """What the day (UTC) has lost of the equity at its start, by the same figures as the lock of risk."""

    def __init__(self, context: RuleContext, figures: Figures, limits: Limits, before: RiskState) -> None:
        self._context, self._figures, self._limits = context, figures, limits
        self._steps = Steps(context, "daily loss")
        self._day = before.day
        self._is_locked = before.day_is_lost

    def on_risk(self, state: RiskState) -> None:
        was_locked, self._is_locked, self._day = self._is_locked, state.day_is_lost, state.day
        if was_locked or not state.day_is_lost:
            return
        figures, limit = self._figures(self._context.now()), _percent(self._limits().max_daily_loss_fraction)
        self._steps.reach(self._reached_bps(figures), self._day)  # it is said with the lock
        text = (
            f"entries are locked until {time_text(figures.day_until_ns)}: {_lost(figures)}, limit {limit}. Exits go "
            f"on; {_RESUME} before"
        )
        self._context.tell(AlertLevel.CRITICAL, "daily loss", "lock", text)

    def on_equity(self, point: EquityPoint) -> None:
        figures = self._figures(point.at_ns)
        if not self._steps.reach(self._reached_bps(figures), self._day):
            return
        limit = _percent(self._limits().max_daily_loss_fraction)
        after = "entries are locked for the day" if figures.day_is_lost else f"at {limit} entries stop for the day"
        self._context.tell(AlertLevel.WARNING, "daily loss", "", f"{_lost(figures)}; {after}, exits go on")

    def _reached_bps(self, figures: RiskFigures) -> int:
        return reached_bps(figures.day_loss_lamports, figures.day_start_lamports, self._context.rules.daily_loss_bps)


class MilestoneRule:
    """Equity above what its owner has put in, less what he has taken out, in steps. A step that was told is not told
    again, even when equity falls below it and comes back.

    No observer: whoever calls ``measured`` asks the books for both.
    """

    def __init__(self, context: RuleContext) -> None:
        self._context = context
        self._steps = Steps(context, "milestone")

    def measured(self, equity_lamports: int, put_in_lamports: int) -> None:
        """Both of one moment."""
        gain, step_bps = equity_lamports - put_in_lamports, self._context.rules.milestone_bps
        reached = reached_bps(gain, put_in_lamports, step_bps)
        if not self._steps.reach(reached):
            return
        text = (
            f"equity is {sol_text(equity_lamports)}, {share_text(gain, put_in_lamports)} above the "
            f"{sol_text(put_in_lamports)} that were put in ({signed_sol(gain)}); the next one is told at "
            f"+{share_text(reached + step_bps, BPS)}"
        )
        self._context.tell(AlertLevel.INFO, "milestone", "", text)


class WalletLowRule(Rule):
    """Free SOL below a limit, and below the reserve that risk keeps; each told again after there was clearly enough."""

    def __init__(self, context: RuleContext, limits: Limits) -> None:
        self._context, self._limits = context, limits
        self._told: set[str] = set()

    def on_equity(self, point: EquityPoint) -> None:
        free, least = point.cash_lamports, self._context.rules.lamports("wallet_low_sol")
        reserve = self._limits().lamports("native_reserve_sol")
        invested = f"{sol_text(point.marks_lamports)} are in positions. Put in SOL, or let positions be sold"
        if self._falls_below("reserve", free, reserve):
            text = (
                f"the reserve of {sol_text(reserve)} for fees, rent and exits is not covered: {sol_text(free)} are "
                f"free. Nothing is bought, and sales may fail for want of fees; {invested}"
            )
            self._context.tell(AlertLevel.WARNING, "wallet low", "reserve", text)
        elif self._falls_below("", free, least):
            text = f"{sol_text(free)} are free, less than {sol_text(least)}: buys will be refused; {invested}"
            self._context.tell(AlertLevel.WARNING, "wallet low", "", text)

    def _falls_below(self, subject: str, free: int, least: int) -> bool:
        """Whether it is to be told now."""
        if free * BPS >= least * _ENOUGH_BPS:
            self._told.discard(subject)
        if free >= least or subject in self._told:
            return False
        self._told.add(subject)
        return True


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"


def _fallen(figures: RiskFigures) -> str:
    peak, fallen = figures.peak_lamports, figures.drawdown_lamports
    return f"equity of {sol_text(peak - fallen)} is {share_text(fallen, peak)} below its highest of {sol_text(peak)}"


def _lost(figures: RiskFigures) -> str:
    start, lost = figures.day_start_lamports, figures.day_loss_lamports
    return f"the day has lost {sol_text(lost)}, {share_text(lost, start)} of the {sol_text(start)} at its start"
