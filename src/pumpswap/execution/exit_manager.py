"""ExitManager: the exits of all open rounds: what they remember and want now, how a failed sale is tried again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pumpswap.amm import BuyQuote, PoolState, SellQuote
from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.exit_alerts import (
    begun_alert,
    blocked_alert,
    failed_alert,
    freed_alert,
    is_told,
    is_told_rarely,
    put_off_alert,
    refused_alert,
)
from pumpswap.execution.exit_failures import is_of_price
from pumpswap.execution.exit_pool import begun, grown, reduced, watched
from pumpswap.execution.exit_urgency import is_at_any_price, urgency, wished
from pumpswap.execution.exits import due_exit
from pumpswap.model import (
    Alert,
    Denied,
    ExitKind,
    ExitState,
    Filled,
    Intent,
    Mark,
    Outcome,
    Position,
    Rejected,
    TradeSide,
)
from pumpswap.settings import ExitRules
from pumpswap.units import format_units

__all__ = ["ExitManager"]

_MOST_REFUSED_SECONDS = 30  # what the gate refuses is asked less and less often, up to this: a loss does not wait


class ExitManager:
    """One ExitState per open round. Every call that changes one puts it into what its owner takes and stores
    (``take_changed``), as what people should know goes into ``take_alerts``. ``states`` are those of before a restart;
    nothing else is remembered.

    ``max_state_age_seconds``: older states are not sold on, as the gate would refuse; the exit waits for a newer one.
    """

    def __init__(
        self, rules: ExitRules, states: Iterable[ExitState] = (), *, max_state_age_seconds: int | None = None
    ) -> None:
        self.rules = rules
        self._max_age_seconds = max_state_age_seconds
        self._states = {state.pool: state for state in states if not state.is_over}
        self._changed: dict[str, ExitState] = {}
        self._alerts: list[Alert] = []

    def use(self, rules: ExitRules) -> None:
        """Other rules from now on; what is remembered of open rounds stays."""
        self.rules = rules

    def state(self, pool: str) -> ExitState | None:
        """What is remembered of a pool's round."""
        return self._states.get(pool)

    def take_changed(self) -> list[ExitState]:
        """What has changed since the last call. One that ``is_over`` need not be kept."""
        changed = list(self._changed.values())
        self._changed.clear()
        return changed

    def take_alerts(self) -> list[Alert]:
        """What happened since the last call and somebody should know."""
        alerts, self._alerts = self._alerts, []
        return alerts

    # ------------------------------------------------------------------------------------------ what happens

    def opened(self, position: Position, state: PoolState | None, executed: BuyQuote | None = None) -> None:
        """A buy was filled, as ``executed``: a round has begun, or has grown."""
        known = self._of_round(position)
        self._put(begun(position, state, executed) if known is None else grown(known, position, state, executed))

    def look(
        self, position: Position, mark: Mark, state: PoolState | None, obstacle: str = "", there: int | None = None
    ) -> Intent | None:
        """The sale that is wanted now, or None. One that has begun goes on until it is done; one that sells a part
        makes way for a rule that sells all, and any for a more urgent one.

        ``obstacle`` is why nothing could be ordered now, such as a halt: no sale is wished then, and the next look
        without it does not wait. ``there`` is how many units of the position the wallet has, None: all of them.
        """
        known = watched(self._of_round(position) or begun(position, state), state)
        known = self._begin(self._peak(known, mark), position, mark, state)
        there = position.base_units if there is None else min(there, position.base_units)
        if there <= 0:
            obstacle = obstacle or "the wallet has none of it any more: pumpswap reconcile says more"
        sale, known = self._sale(known, position, mark, (obstacle, there))
        self._put(known)
        return sale

    def want(self, position: Position, kind: ExitKind, units: int, reason: str) -> None:
        """Begin an exit that somebody else has decided: a signal, a person, panic. ``look`` then gives its sales. What
        goes on already is never made smaller or less urgent by it: see ``wished``.
        """
        if min(units, position.base_units) <= 0:
            return
        self._put(wished(self._of_round(position) or begun(position, None), position.base_units, kind, units, reason))

    def ended(self, position: Position | None, outcome: Outcome, pool: str, held: Position | None = None) -> None:
        """A sale has ended; ``position`` is what it left, None when it changed nothing: ``held`` is what is open then,
        so that alerts can say which coin it is.
        """
        known = self._states.get(pool) if position is None else self._of_round(position)
        if position is not None and not position.is_open:
            self._states.pop(pool, None)
            self._changed[pool] = ExitState(pool, position.round, is_over=True)
            return
        if known is None:
            if position is None:
                return
            known = begun(position, None)
        if isinstance(outcome, Filled):
            self._put(_sold(known, outcome))
        elif isinstance(outcome, (Rejected, Denied)):
            self._failed(known, outcome, position or held)

    def refused(self, position: Position, reason: str, at_ns: int) -> None:
        """The gate, or the planner, did not let the sale through that ``look`` gave."""
        known, seconds = self._put_off(self._of_round(position) or begun(position, None), at_ns)
        if is_told(known.refusals):
            self._alerts.append(refused_alert(position, known, reason, at_ns, seconds))

    # ------------------------------------------------------------------------------------------ helpers

    def _failed(self, known: ExitState, outcome: Rejected | Denied, held: Position | None) -> None:
        """What failed by its price accepts more the next time. Whatever else was in the way, an endpoint above all,
        says nothing about the price: that is tried again at the same limit, less and less often.
        """
        if is_of_price(outcome):
            failures = known.failures + 1
            retry_ns = outcome.at_ns + self.rules.retry_seconds * NS_PER_SECOND
            known = replace(known, failures=failures, refusals=0, retry_ns=retry_ns)
            self._put(known)
            if is_told(failures):
                self._alerts.append(failed_alert(held, known, outcome, self.rules, self._slippage_bps(known)))
            return
        known, seconds = self._put_off(known, outcome.at_ns)
        if is_told_rarely(known.refusals):
            self._alerts.append(put_off_alert(held, known, outcome, seconds, self._slippage_bps(known)))

    def _put_off(self, known: ExitState, at_ns: int) -> tuple[ExitState, int]:
        """Something that is not the price was in the way once more: wait longer. Returns the seconds too."""
        refusals, first = known.refusals + 1, max(self.rules.retry_seconds, 1)
        seconds = min(first << min(refusals - 1, 16), max(_MOST_REFUSED_SECONDS, first))
        known = replace(known, refusals=refusals, retry_ns=at_ns + seconds * NS_PER_SECOND)
        self._put(known)
        return known, seconds

    def _of_round(self, position: Position) -> ExitState | None:
        known = self._states.get(position.pool)
        return known if known is not None and known.round == position.round else None

    def _peak(self, known: ExitState, mark: Mark) -> ExitState:
        """The highest value per unit. Not kept while nobody asks for it: each new one is a row to store."""
        if not self.rules.trailing_stop_bps or mark.obstacle or not mark.base_units:
            return known
        if mark.value_lamports * known.peak_units <= known.peak_lamports * mark.base_units and known.peak_units:
            return known
        return replace(known, peak_lamports=mark.value_lamports, peak_units=mark.base_units)

    def _begin(self, known: ExitState, position: Position, mark: Mark, state: PoolState | None) -> ExitState:
        due = due_exit(position, mark, self.rules, known, state)
        if due is None:
            return known
        if known.wanted is not None:
            is_all = known.wanted_units >= position.base_units
            if due.kind is ExitKind.LADDER or (is_all and urgency(due.kind) <= urgency(known.wanted)):
                return known
        if due.units == 0:  # a rung of less than one base unit: done, with nothing to sell
            return replace(known, rungs=due.rungs)
        begins = wished(known, position.base_units, due.kind, due.units, due.reason)
        alert = begun_alert(due, position, mark.at_ns) if begins.wanted is not known.wanted else None
        if alert is not None:
            self._alerts.append(alert)
        return replace(begins, rungs=due.rungs)

    def _sale(
        self, known: ExitState, position: Position, mark: Mark, limits: tuple[str, int]
    ) -> tuple[Intent | None, ExitState]:
        """What can be sold of what is wanted, and what is remembered then."""
        obstacle, there = limits
        # What cannot be valued has no profit and no loss: somebody must know of it all the same.
        if known.wanted is None:
            if mark.obstacle:
                return None, self._blocked(position, known, mark.at_ns, mark.obstacle)
            return None, self._unblocked(position, known, mark.at_ns)
        units = min(known.wanted_units, there)
        obstacle = obstacle or self._obstacle(units, mark)
        if obstacle:
            return None, self._blocked(position, known, mark.at_ns, obstacle)
        known = self._unblocked(position, known, mark.at_ns)
        if mark.at_ns < known.retry_ns:
            return None, known
        intent = Intent(
            TradeSide.SELL,
            position.pool,
            position.mint,
            mark.at_ns,
            known.wanted_reason,
            base_units=units if mark.sellable_units is None else min(units, mark.sellable_units),
            exit=known.wanted,
            slippage_bps=self._slippage_bps(known),
        )
        return intent, known

    def _obstacle(self, units: int, mark: Mark) -> str:
        """Why nothing can be sold now; empty when something can."""
        if mark.obstacle:
            return mark.obstacle
        age = mark.age_ns // NS_PER_SECOND
        if self._max_age_seconds is not None and age > self._max_age_seconds:
            return f"the pool was last seen {age} s ago, at most {self._max_age_seconds} s"
        if not mark.value_lamports:
            return "a sale would pay nothing"
        least = self.rules.lamports("min_part_sol")
        if mark.sellable_units is not None and units > mark.sellable_units and mark.value_lamports < least:
            return f"the pool can pay only {format_units(mark.value_lamports, 9)} SOL now"
        return ""

    def _blocked(self, position: Position, known: ExitState, at_ns: int, obstacle: str) -> ExitState:
        since = known.blocked_ns or at_ns
        seconds = (at_ns - since) // NS_PER_SECOND
        is_due = bool(self.rules.blocked_alert_seconds) and seconds >= self.rules.blocked_alert_seconds
        if is_due and not known.blocked_told:
            self._alerts.append(blocked_alert(position, known, obstacle, at_ns, seconds))
        return replace(known, blocked_ns=since, blocked_told=known.blocked_told or is_due)

    def _unblocked(self, position: Position, known: ExitState, at_ns: int) -> ExitState:
        """What was refused while something else was in the way too is asked again at once."""
        if not known.blocked_ns:
            return known
        if known.blocked_told:
            self._alerts.append(freed_alert(position, known, at_ns))
        known = replace(known, blocked_ns=0, blocked_told=False)
        return replace(known, refusals=0, retry_ns=0) if known.refusals else known

    def _slippage_bps(self, known: ExitState) -> int:
        if is_at_any_price(known.wanted):
            return self.rules.max_slippage_bps
        wider = self.rules.slippage_bps + known.failures * self.rules.slippage_step_bps
        return min(wider, self.rules.max_slippage_bps)

    def _put(self, state: ExitState) -> None:
        if self._states.get(state.pool) != state:
            self._states[state.pool] = state
            self._changed[state.pool] = state


def _sold(known: ExitState, outcome: Filled) -> ExitState:
    """After a sale: what the exit still wants, and nothing that speaks of trouble any more."""
    known = replace(known, failures=0, refusals=0, retry_ns=0)
    if not isinstance(outcome.executed, SellQuote):
        return known
    known = reduced(known, outcome.executed)
    if known.wanted is None:
        return known
    left = known.wanted_units - outcome.executed.base_in
    if left > 0:
        return replace(known, wanted_units=left)
    return replace(known, wanted=None, wanted_units=0, wanted_reason="")
