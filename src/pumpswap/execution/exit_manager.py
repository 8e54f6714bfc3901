"""ExitManager: the exits of all open rounds: what they remember and want now, how a failed sale is tried again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pumpswap.amm import PoolState
from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.exits import exit_intent
from pumpswap.model import ExitKind, ExitState, Filled, Intent, Mark, Outcome, Position, TradeSide
from pumpswap.settings import ExitRules

__all__ = ["ExitManager"]


class ExitManager:
    """One ExitState per open round. Every call that changes one puts it into ``changed``, which its owner takes and
    stores; ``states`` are those of before a restart.
    """

    def __init__(self, rules: ExitRules, states: Iterable[ExitState] = ()) -> None:
        self.rules = rules
        self._states = {state.pool: state for state in states}
        self._changed: dict[str, ExitState] = {}

    def state(self, pool: str) -> ExitState | None:
        """What is remembered of a pool's round."""
        return self._states.get(pool)

    def take_changed(self) -> list[ExitState]:
        """What has changed since the last call."""
        changed = list(self._changed.values())
        self._changed.clear()
        return changed

    def opened(self, position: Position, state: PoolState | None) -> None:
        """A buy was filled: a round has begun, or has grown."""
        known = self._states.get(position.pool)
        if known is None or known.round != position.round:
            product = 0 if state is None else state.base_reserve * state.effective_quote_reserve
            fresh = ExitState(
                position.pool,
                position.round,
                entry_quote_lamports=0 if state is None else state.real_quote_reserve,
                entry_product=product,
                entry_supply=0 if state is None else state.base_supply,
            )
            self._put(fresh)

    def look(self, position: Position, mark: Mark, state: PoolState | None) -> Intent | None:
        """The sale that is wanted now, or None. One that has begun goes on until it is done."""
        known = self._states.get(position.pool)
        if known is not None and known.wanted is not None:
            return self._going_on(known, position, mark.at_ns)
        return exit_intent(position, mark, self.rules)

    def want(self, position: Position, kind: ExitKind, units: int, reason: str) -> None:
        """Begin an exit that somebody else has decided: a signal, a person, panic. ``look`` then gives its sales."""
        known = self._states.get(position.pool) or ExitState(position.pool, position.round)
        self._put(replace(known, wanted=kind, wanted_units=min(units, position.base_units), wanted_reason=reason))

    def ended(self, position: Position | None, outcome: Outcome, pool: str) -> None:
        """A sale has ended; ``position`` is what it left, None when it changed nothing."""
        known = self._states.get(pool)
        if known is None:
            return
        if position is not None and not position.is_open:
            self._states.pop(pool, None)
            self._changed[pool] = replace(known, wanted=None, wanted_units=0)
            return
        if isinstance(outcome, Filled):
            self._put(replace(known, failures=0, retry_ns=0))
            return
        retry_ns = outcome.at_ns + self.rules.retry_seconds * NS_PER_SECOND
        self._put(replace(known, failures=known.failures + 1, retry_ns=retry_ns))

    def _going_on(self, known: ExitState, position: Position, at_ns: int) -> Intent | None:
        if at_ns < known.retry_ns:
            return None
        units = min(known.wanted_units, position.base_units)
        slippage = min(
            self.rules.slippage_bps + known.failures * self.rules.slippage_step_bps, self.rules.max_slippage_bps
        )
        return Intent(
            TradeSide.SELL,
            position.pool,
            position.mint,
            at_ns,
            known.wanted_reason,
            base_units=units,
            exit=known.wanted,
            slippage_bps=slippage,
        )

    def _put(self, state: ExitState) -> None:
        self._states[state.pool] = state
        self._changed[state.pool] = state
