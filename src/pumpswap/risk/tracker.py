"""RiskTracker: what risk remembers: the circuit breaker, the day's loss, the drawdown, streaks, entries, faults.

A pure state machine over ``RiskState``: whoever owns it stores the state when it has changed, and gives it back at the
next start. Times only come in as arguments.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import (
    BreakerState,
    Filled,
    Order,
    Outcome,
    Position,
    RiskState,
    TradeSide,
    TradingState,
    TradingSwitch,
    Unknown,
)
from pumpswap.settings import RiskLimits

__all__ = ["RiskFigures", "RiskTracker"]

_MINUTE_NS, _HOUR_NS, _DAY_NS = 60 * NS_PER_SECOND, 3_600 * NS_PER_SECOND, 86_400 * NS_PER_SECOND
_WINDOWS_NS = (_MINUTE_NS, _HOUR_NS, _DAY_NS)


@dataclass(frozen=True, slots=True)
class RiskFigures:
    """What the policies see of a RiskState at one moment.

    ``entries`` counts accepted buys of the last minute, hour and day; ``entries_until_ns`` is, for each of them, until
    when its limit is reached, 0 when it is not. ``trial_is_out``: a trial of the half-open breaker has not ended.
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
    """``told`` is called with every new state; the state of before can be passed on a restart, and then ``restored``
    tells which orders of before may still end.
    """

    def __init__(
        self, limits: RiskLimits, state: RiskState | None = None, told: Callable[[RiskState], None] | None = None
    ) -> None:
        self._limits = limits
        self._before = state or RiskState()
        # An order that nobody restores never ends: a trial of it would keep the breaker waiting for ever. Faults are
        # the process's that had them: nobody else could find out that they are over.
        self._state = replace(self._before, trials=(), unknown=(), faults=())
        self._told = told
        self._equity: int | None = None

    def use(self, limits: RiskLimits) -> None:
        """Other limits from now on; counters and locks stay."""
        self._limits = limits

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

    def restored(self, orders: Iterable[Order]) -> None:
        """Orders of an earlier process that may still end: those that were trials are trials again."""
        ids = {order.order_id for order in orders}
        trials = tuple(one for one in self._before.trials if one in ids and one not in self._state.trials)
        unknown = tuple(one for one in self._before.unknown if one in ids and one not in self._state.unknown)
        if trials or unknown:
            self._change(trials=(*self._state.trials, *trials), unknown=(*self._state.unknown, *unknown))

    def entered(self, order: Order) -> None:
        """A buy was accepted and is on its way."""
        self.refresh(order.created_ns)
        state = self._state
        at_ns = max((order.created_ns, *state.entries_ns[-1:]))  # they are searched, so they must be in order
        kept = state.entries_ns[bisect_left(state.entries_ns, at_ns - _DAY_NS + 1) :]
        is_trial = state.breaker is not BreakerState.CLOSED
        trials = (*state.trials, order.order_id) if is_trial else state.trials
        self._change(entries_ns=(*kept, at_ns), trials=trials)

    def ended(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        """An order has ended; ``position`` is what it left.

        An unknown outcome counts as a failure at once. What becomes of the order later is no second failure; a fill
        shows that there was none, and ends a row of them. As a trial it has failed, but no other may leave until its
        fate is known.
        """
        self.refresh(outcome.at_ns)
        was_unknown, is_trial = order.order_id in self._state.unknown, order.order_id in self._state.trials
        if isinstance(outcome, Unknown):
            if not was_unknown:
                self._failed(outcome.at_ns, unknown=(*self._state.unknown, order.order_id))
            return
        if was_unknown or is_trial:
            self._change(
                trials=tuple(one for one in self._state.trials if one != order.order_id),
                unknown=tuple(one for one in self._state.unknown if one != order.order_id),
            )
        if not isinstance(outcome, Filled):
            if not was_unknown:
                self._failed(outcome.at_ns)
            return
        self._succeeded(is_trial=is_trial and not was_unknown)
        # Only a fill ends a round: what else is told of a sale may carry a position that was closed before.
        if order.side is TradeSide.SELL and position is not None and not position.is_open:
            self._round_closed(position.realised_lamports, outcome.at_ns)

    def measured(self, equity_lamports: int, at_ns: int) -> None:
        """Equity was measured: the day and the peak follow. A clock that goes back begins no new day."""
        self._equity = equity_lamports
        state, limits, day = self._state, self._limits, at_ns // _DAY_NS
        changes: dict[str, object] = {}
        if day > state.day:
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

    def moved(self, lamports: int, equity_before_lamports: int | None = None) -> None:
        """The owner has put in or taken out money: neither gain nor loss, so the shares that the day has lost and that
        equity is below its highest stay what they are. Tell it before equity is measured with it.

        ``equity_before_lamports`` is the equity just before, without it; None: as it was measured last.
        """
        state = self._state
        equity = self._equity if equity_before_lamports is None else equity_before_lamports

        def after(figure: int) -> int:
            if equity is None or equity <= 0:
                return max(figure + lamports, 0)
            return max(-(-figure * (equity + lamports) // equity), 0)

        if equity is not None:
            self._equity = equity + lamports
        self._change(
            day_start_lamports=after(state.day_start_lamports),
            peak_lamports=after(state.peak_lamports),
        )

    def refresh(self, at_ns: int) -> None:
        """What time alone changes: an open breaker lets a trial through after its pause."""
        state = self._state
        if state.breaker is BreakerState.OPEN and at_ns >= self._breaker_until_ns:
            self._change(breaker=BreakerState.HALF_OPEN, trial_successes=0)

    # ------------------------------------------------------------------------------------------ who may change it

    def obey(self, switch: TradingSwitch) -> bool:
        """What a person has set. Returns whether somebody has resumed since the last one that was obeyed."""
        before = self._state
        after = before.obeying(switch, self._equity)
        if after is not before:
            self._take(after)
        return after.resumed > before.resumed

    def resume(self, reason: str) -> None:
        """A person raises the state: all locks go, see ``RiskState.unlocked``."""
        raised = self._state.unlocked(self._equity)
        self._take(replace(raised, trading=TradingState.ACTIVE, trading_reason=reason, panic=""))

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
        entries, until = self._entries(at_ns)
        is_today = at_ns // _DAY_NS <= state.day  # the next measurement begins the new one
        equity = self._equity
        lost = state.day_start_lamports - equity if is_today and equity is not None else 0
        return RiskFigures(
            trading=trading,
            trading_reason=reason,
            breaker=state.breaker,
            breaker_until_ns=self._breaker_until_ns if state.breaker is BreakerState.OPEN else 0,
            failures_in_a_row=state.failures_in_a_row,
            trial_is_out=bool(state.trials),
            entries=entries,
            entries_until_ns=until,
            day_start_lamports=state.day_start_lamports,
            day_loss_lamports=max(lost, 0),
            day_is_lost=is_today and state.day_is_lost,
            day_until_ns=(max(at_ns // _DAY_NS, state.day) + 1) * _DAY_NS,
            peak_lamports=state.peak_lamports,
            drawdown_lamports=0 if equity is None else max(state.peak_lamports - equity, 0),
            is_drawn_down=state.is_drawn_down,
            losses_in_a_row=state.losses_in_a_row,
            losses_until_ns=state.losses_until_ns,
        )

    # ------------------------------------------------------------------------------------------ helpers

    def _entries(self, at_ns: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        times, limits = self._state.entries_ns, self._limits
        most = (limits.max_trades_per_minute, limits.max_trades_per_hour, limits.max_trades_per_day)
        counts, until = [0, 0, 0], [0, 0, 0]
        for place, window in enumerate(_WINDOWS_NS):
            counts[place] = len(times) - bisect_left(times, at_ns - window + 1)
            if counts[place] >= most[place]:
                until[place] = times[-most[place]] + window  # the window has room again when this one has left it
        return (counts[0], counts[1], counts[2]), (until[0], until[1], until[2])

    @property
    def _breaker_until_ns(self) -> int:
        return self._state.opened_ns + self._limits.breaker_seconds * NS_PER_SECOND

    def _succeeded(self, *, is_trial: bool) -> None:
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

    def _failed(self, at_ns: int, **changes: object) -> None:
        """Whatever fails while half-open opens it again, sales too: orders do not get through. A success that is no
        trial does not close it: it may be of an order that left before.
        """
        failures = self._state.failures_in_a_row + 1
        is_open = self._state.breaker is BreakerState.HALF_OPEN or failures >= self._limits.breaker_failures
        if is_open and self._state.breaker is not BreakerState.OPEN:
            changes |= {"breaker": BreakerState.OPEN, "trial_successes": 0, "opened_ns": at_ns}
        self._change(failures_in_a_row=failures, **changes)

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
        self._take(replace(self._state, **changes))  # type: ignore[arg-type]

    def _take(self, state: RiskState) -> None:
        self._state = state
        if self._told is not None:
            self._told(self._state)
