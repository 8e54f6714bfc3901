"""Strategies that come with the package: honest examples, and the plan's own loop."""

from pumpswap.engine.strategies.follow_signals import FollowSignals

__all__ = ["FollowSignals"]
