"""TriggerRule: an exit rule of a position was reached, and its sale has begun."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pumpswap.alerts.rules.rule import Rule, RuleContext
from pumpswap.alerts.texts import one_line
from pumpswap.model import AlertLevel, ExitKind, ExitState, Position

__all__ = ["TriggerRule"]

# A pool that was robbed is told by the exits themselves; what people and strategies ask for, by whoever heard it.
_LEVELS = {
    ExitKind.STOP_LOSS: AlertLevel.WARNING,
    ExitKind.TAKE_PROFIT: AlertLevel.INFO,
    ExitKind.LADDER: AlertLevel.INFO,
    ExitKind.TRAILING_STOP: AlertLevel.INFO,
    ExitKind.TIME_OUT: AlertLevel.INFO,
}


class TriggerRule(Rule):
    """``known`` are the exits of an earlier process: what has begun then was told then. ``position_of`` gives the open
    position of a pool.
    """

    def __init__(
        self, context: RuleContext, known: Iterable[ExitState], position_of: Callable[[str], Position | None]
    ) -> None:
        self._context = context
        self._wanted = {state.pool: (state.round, state.wanted) for state in known}
        self._position_of = position_of

    def on_exits(self, state: ExitState) -> None:
        before = self._wanted.get(state.pool)
        if state.is_over:
            self._wanted.pop(state.pool, None)
            return
        now = (state.round, state.wanted)
        self._wanted[state.pool] = now
        level = None if state.wanted is None else _LEVELS.get(state.wanted)
        if level is not None and now != before:
            self._tell(level, state)

    def _tell(self, level: AlertLevel, state: ExitState) -> None:
        assert state.wanted is not None
        position = self._position_of(state.pool)
        mint, name = (state.pool, "") if position is None else (position.mint, position.name)
        coin = self._context.coin(state.pool, mint, name)
        part = "a part" if state.wanted is ExitKind.LADDER else "all of it"
        text = f"{coin}: {one_line(state.wanted_reason, 300)}; selling {part} until it is done"
        self._context.tell(level, state.wanted.value, state.pool, text)
