"""Strategies that come with the package: honest examples, and the plan's own loop."""

from pumpswap.engine.strategies.follow_signals import FollowSignals
from pumpswap.engine.strategies.momentum import Momentum
from pumpswap.engine.strategies.named import STRATEGIES, strategy_named
from pumpswap.engine.strategies.plan_loop import PlanLoop
from pumpswap.engine.strategies.q50 import Q50Strategy

__all__ = ["STRATEGIES", "FollowSignals", "Momentum", "PlanLoop", "Q50Strategy", "strategy_named"]
