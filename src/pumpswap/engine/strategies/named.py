"""Strategies by name, as ``run.strategy`` chooses them."""

from __future__ import annotations

from collections.abc import Callable

from pumpswap.engine.strategies.follow_signals import FollowSignals
from pumpswap.engine.strategies.momentum import Momentum
from pumpswap.engine.strategies.plan_loop import PLANNED_SHARE_BPS, PlanLoop
from pumpswap.engine.strategies.q50 import Q50Strategy
from pumpswap.engine.strategy import Strategy
from pumpswap.errors import UsageError
from pumpswap.settings import Settings

__all__ = ["STRATEGIES", "strategy_named"]


def _follow_signals(settings: Settings) -> Strategy:
    return FollowSignals(settings.exits.short_signal_bps)


def _plan_loop(settings: Settings) -> Strategy:
    # The plan sells half on a sell signal; whoever has written another share into the settings means that one.
    is_chosen = "short_signal_bps" in settings.exits.model_fields_set
    return PlanLoop(
        check_seconds=settings.run.check_seconds,
        max_entries=settings.run.max_entries_per_check,
        max_positions=settings.risk.max_open_positions,
        short_signal_bps=settings.exits.short_signal_bps if is_chosen else PLANNED_SHARE_BPS,
        max_signal_age_seconds=settings.risk.max_signal_age_seconds,
        min_score=float(settings.signals.min_score),
    )


def _momentum(settings: Settings) -> Strategy:
    return Momentum()


STRATEGIES: dict[str, Callable[[Settings], Strategy]] = {
    FollowSignals.name: _follow_signals,
    PlanLoop.name: _plan_loop,
    Momentum.name: _momentum,
    Q50Strategy.name: Q50Strategy.of_settings,
}


def strategy_named(name: str, settings: Settings) -> Strategy:
    """A new strategy of this name, set up by the settings. Raises UsageError for a name that does not exist, and for
    `q50` ConfigError where its frame cannot be read.
    """
    made = STRATEGIES.get(name)
    if made is None:
        known = ", ".join(STRATEGIES)
        raise UsageError("there is no strategy of that name", hint=f"run.strategy is one of: {known}")
    return made(settings)
