"""RiskTracker: what risk remembers: the circuit breaker, the day's loss, the drawdown, streaks, entries, faults.

A pure state machine over ``RiskState``: whoever owns it stores the state when it has changed, and gives it back at the
next start. Times only come in as arguments.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import BreakerState, Filled, Order, Outcome, Position, RiskState, TradeSide, TradingState
from pumpswap.settings import RiskLimits

__all__ = ["RiskFigures", "RiskTracker"]

_MINUTE_NS, _HOUR_NS, _DAY_NS = 60 * NS_PER_SECOND, 3_600 * NS_PER_SECOND, 86_400 * NS_PER_SECOND
_WINDOWS_NS = (_MINUTE_NS, _HOUR_NS, _DAY_NS)


@dataclass(frozen=True, slots=True)
class RiskFigures:
    """What the policies see of a RiskState at one moment.

    ``entries`` counts accepted buys of the last minute, hour and day; ``entries_until_ns`` is, for each of them, when
    its oldest falls out. ``trial_is_out``: half-open, and an entry is on its way already.
    """

    trading: TradingState = TradingState.ACTIVE
    trading_reason: str = ""
    breaker: BreakerState = BreakerState.CLOSED
    breaker_until_ns: int = 0
    failures_in_a_row: int = 0
    trial_is_out: bool = False
    entries: tuple[int, int, int] = (0, 0, 0)
    entries_until_ns: tuple[int, int, int] = (0, 0, 0)
    day_start_lamports: int = 0
    day_loss_lamports: int = 0
    day_is_lost: bool = False
    day_until_ns: int = 0
    peak_lamports: int = 0
    drawdown_lamports: int = 0
    is_drawn_down: bool = False
    losses_in_a_row: int = 0
    losses_until_ns: int = 0


class RiskTracker:
    """``told`` is called with every new state; the state of before can be passed on a restart."""

    def __init__(
        self, limits: RiskLimits, state: RiskState | None = None, told: Callable[[RiskState], None] | None = None
    ) -> None:
        self._limits = limits
        self._state = state or RiskState()
        self._told = told
        self._equity: int | None = None
        self._trials: set[str] = set()  # orders on their way while half-open

    @property
    def state(self) -> RiskState:
        """What is to be kept."""
        return self._state

    @property
    def trading(self) -> tuple[TradingState, str]:
        """The state that counts, and why it is not ``ACTIVE``: faults lower what a person has set, never raise it."""
        state = self._state
        if state.trading is TradingState.ACTIVE and state.faults:
            return TradingState.EXITS_ONLY, "; ".join(f"{name}: {reason}" for name, reason in state.faults)
        return state.trading, state.trading_reason

    # ------------------------------------------------------------------------------------------ what happens

    def entered(self, order: Order) -> None:
        """A buy was accepted and is on its way."""
        at_ns = order.created_ns
        kept = self._state.entries_ns[bisect_left(self._state.entries_ns, at_ns - _DAY_NS) :]
        self._change(entries_ns=(*kept, at_ns))
        if self._state.breaker is not BreakerState.CLOSED:
            self._trials.add(order.order_id)

    def ended(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        """An order has ended; ``position`` is what it left."""
        is_trial = order.order_id in self._trials
        self._trials.discard(order.order_id)
        if isinstance(outcome, Filled):
            self._succeeded(is_trial)
        else:
            self._failed(outcome.at_ns)
        is_closed = order.side is TradeSide.SELL and position is not None and not position.is_open
        if is_closed and position is not None:
            self._round_closed(position.realised_lamports, outcome.at_ns)

    def measured(self, equity_lamports: int, at_ns: int) -> None:
        """Equity was measured: the day and the peak follow."""
        self._equity = equity_lamports
        state, limits, day = self._state, self._limits, at_ns // _DAY_NS
        changes: dict[str, object] = {}
        if day != state.day:
            changes |= {"day": day, "day_start_lamports": equity_lamports, "day_is_lost": False}
        else:
            loss = state.day_start_lamports - equity_lamports
            if not state.day_is_lost and loss > 0 and loss >= state.day_start_lamports * limits.max_daily_loss_fraction:
                changes["day_is_lost"] = True
        if equity_lamports > state.peak_lamports:
            changes["peak_lamports"] = equity_lamports
        elif not state.is_drawn_down:
            drawdown = state.peak_lamports - equity_lamports
            if drawdown > 0 and drawdown >= state.peak_lamports * limits.max_drawdown_fraction:
                changes["is_drawn_down"] = True
        if changes:
            self._change(**changes)

    def moved(self, lamports: int) -> None:
        """The owner has put in or taken out money: neither gain nor loss."""
        state = self._state
        self._change(
            day_start_lamports=max(state.day_start_lamports + lamports, 0),
            peak_lamports=max(state.peak_lamports + lamports, 0),
        )

    def refresh(self, at_ns: int) -> None:
        """What time alone changes: an open breaker lets a trial through after its pause."""
        state = self._state
        if state.breaker is BreakerState.OPEN and at_ns >= self._breaker_until_ns:
            self._change(breaker=BreakerState.HALF_OPEN, trial_successes=0)

    # ------------------------------------------------------------------------------------------ who may change it

    def set_trading(self, trading: TradingState, reason: str) -> None:
        """A person sets the state."""
        self._change(trading=trading, trading_reason=reason)

    def resume(self, reason: str) -> None:
        """A person raises the state: all locks go, and the drawdown is measured from the equity of now."""
        self._trials.clear()
        peak = self._state.peak_lamports if self._equity is None else self._equity
        self._change(
            trading=TradingState.ACTIVE, trading_reason=reason, breaker=BreakerState.CLOSED, failures_in_a_row=0,
            trial_successes=0, losses_in_a_row=0, losses_until_ns=0, is_drawn_down=False, peak_lamports=peak,
            day_is_lost=False, day_start_lamports=peak if self._state.day_is_lost else self._state.day_start_lamports,
        )  # fmt: skip

    def fault(self, name: str, reason: str) -> bool:
        """Something does not work: entries stop until it is lifted. Returns whether that is new."""
        faults = dict(self._state.faults)
        if faults.get(name) == reason:
            return False
        is_new = name not in faults
        self._change(faults=tuple(sorted((faults | {name: reason}).items())))
        return is_new

    def lift(self, name: str) -> bool:
        """It works again. Returns whether it had been faulty."""
        faults = dict(self._state.faults)
        if faults.pop(name, None) is None:
            return False
        self._change(faults=tuple(sorted(faults.items())))
        return True

    # ------------------------------------------------------------------------------------------ what policies see

    def figures(self, at_ns: int) -> RiskFigures:
        """Everything at one moment."""
        self.refresh(at_ns)
        state, (trading, reason) = self._state, self.trading
        times = state.entries_ns
        begins = [bisect_left(times, at_ns - window + 1) for window in _WINDOWS_NS]
        counts = [len(times) - begin for begin in begins]
        until = [
            times[begin] + window if begin < len(times) else 0
            for begin, window in zip(begins, _WINDOWS_NS, strict=True)
        ]
        equity = state.day_start_lamports if self._equity is None else self._equity
        return RiskFigures(
            trading=trading,
            trading_reason=reason,
            breaker=state.breaker,
            breaker_until_ns=self._breaker_until_ns if state.breaker is BreakerState.OPEN else 0,
            failures_in_a_row=state.failures_in_a_row,
            trial_is_out=bool(self._trials),
            entries=(counts[0], counts[1], counts[2]),
            entries_until_ns=(until[0], until[1], until[2]),
            day_start_lamports=state.day_start_lamports,
            day_loss_lamports=max(state.day_start_lamports - equity, 0),
            day_is_lost=state.day_is_lost,
            day_until_ns=(at_ns // _DAY_NS + 1) * _DAY_NS,
            peak_lamports=state.peak_lamports,
            drawdown_lamports=max(state.peak_lamports - equity, 0),
            is_drawn_down=state.is_drawn_down,
            losses_in_a_row=state.losses_in_a_row,
            losses_until_ns=state.losses_until_ns,
        )

    # ------------------------------------------------------------------------------------------ helpers

    @property
    def _breaker_until_ns(self) -> int:
        return self._state.opened_ns + self._limits.breaker_seconds * NS_PER_SECOND

    def _succeeded(self, is_trial: bool) -> None:
        state = self._state
        if state.breaker is BreakerState.CLOSED:
            if state.failures_in_a_row:
                self._change(failures_in_a_row=0)
        elif state.breaker is BreakerState.HALF_OPEN and is_trial:
            successes = state.trial_successes + 1
            if successes >= self._limits.breaker_successes:
                self._change(breaker=BreakerState.CLOSED, failures_in_a_row=0, trial_successes=0)
            else:
                self._change(trial_successes=successes)

    def _failed(self, at_ns: int) -> None:
        failures = self._state.failures_in_a_row + 1
        is_open = self._state.breaker is BreakerState.HALF_OPEN or failures >= self._limits.breaker_failures
        if is_open and self._state.breaker is not BreakerState.OPEN:
            self._change(breaker=BreakerState.OPEN, failures_in_a_row=failures, trial_successes=0, opened_ns=at_ns)
        else:
            self._change(failures_in_a_row=failures)

    def _round_closed(self, realised_lamports: int, at_ns: int) -> None:
        if realised_lamports >= 0:
            if self._state.losses_in_a_row:
                self._change(losses_in_a_row=0)
            return
        losses = self._state.losses_in_a_row + 1
        if losses >= self._limits.max_losses_in_a_row:
            until = at_ns + self._limits.losses_pause_seconds * NS_PER_SECOND
            self._change(losses_in_a_row=0, losses_until_ns=until)
        else:
            self._change(losses_in_a_row=losses)

    def _change(self, **changes: object) -> None:
        self._state = replace(self._state, **changes)  # type: ignore[arg-type]
        if self._told is not None:
            self._told(self._state)
