"""A person turns trading down and up, for risk that no stored word reaches."""

from __future__ import annotations

from pumpswap.model import TradingState, TradingSwitch
from pumpswap.risk.tracker import RiskTracker

__all__ = ["switched"]


def switched(risk: RiskTracker, trading: TradingState, reason: str) -> None:
    """Risk hears the next word of a person. It lifts no lock: it is no resume."""
    state = risk.state
    risk.obey(TradingSwitch(state.switch + 1, trading, reason, state.panic, state.resumed))
