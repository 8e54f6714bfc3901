"""Strategies that come with the package: honest examples, and the plan's own loop."""

from pumpswap.engine.strategies.follow_signals import FollowSignals
from pumpswap.engine.strategies.momentum import Momentum
from pumpswap.engine.strategies.named import STRATEGIES, strategy_named
from pumpswap.engine.strategies.plan_loop import PlanLoop

__all__ = ["STRATEGIES", "FollowSignals", "Momentum", "PlanLoop", "strategy_named"]
