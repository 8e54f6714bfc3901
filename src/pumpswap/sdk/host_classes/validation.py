"""TradeValidation: what a risk manager answers. Falsy when refused, with every reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pumpswap.model import Verdict
from pumpswap.sdk.host_classes.host_result import HostResult

__all__ = ["TradeValidation", "refused", "risk_level", "what_to_do"]

_CRITICAL = frozenset(
    {"trading state", "circuit breaker", "daily loss", "drawdown", "balance", "native reserve", "books", "input"}
)
_WAITING = frozenset(
    {"open order", "cool-down", "declined", "trade rate", "circuit breaker", "fresh state", "signal age"}
)
_SIZES = frozenset({"size", "per token", "concentration", "total exposure", "price impact", "price after fees",
                    "way out", "liquidity", "native reserve", "balance"})  # fmt: skip


@dataclass(frozen=True)
class TradeValidation(HostResult):
    """``approved`` (also ``is_valid``, and the truth of the whole). Sizes in SOL; ``max_position_size`` is the largest
    that the limits allow now. ``numbers`` are the figures that the policies compared, exact, by policy.

    An approved trade is reserved under ``reservation``: report what became of it with ``record_trade_success`` or
    ``record_trade_failure``, or ``release`` it. Until then it counts against every limit.
    """

    approved: bool
    risk_level: str
    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    recommended_action: str = "reject"
    position_size: float = 0.0
    max_position_size: float = 0.0
    numbers: dict[str, dict[str, str]] = field(default_factory=dict)
    reservation: str = ""
    is_valid: bool = False
    reason: str = ""

    def __bool__(self) -> bool:
        return self.approved


def refused(reasons: Sequence[str], **more: Any) -> TradeValidation:
    """A refusal that did not come from the gate."""
    return TradeValidation(False, "CRITICAL", list(reasons), reason="; ".join(reasons), **more)


def risk_level(failed: Sequence[Verdict], warnings: Sequence[str]) -> str:
    """LOW, MEDIUM (approved with warnings, or no reason to trade), HIGH, CRITICAL."""
    policies = {verdict.policy for verdict in failed}
    if policies & _CRITICAL:
        return "CRITICAL"
    if policies - {"signal", "executor"}:
        return "HIGH"
    return "MEDIUM" if policies or warnings else "LOW"


def what_to_do(failed: Sequence[Verdict], warnings: Sequence[str], asked: int, most: int) -> str:
    """proceed, proceed_with_caution, reduce_size, wait or reject."""
    if not failed:
        return "proceed_with_caution" if warnings else "proceed"
    policies = {verdict.policy for verdict in failed}
    if policies <= _WAITING or all(verdict.until_ns is not None for verdict in failed):
        return "wait"
    return "reduce_size" if policies <= _SIZES and 0 < most < asked else "reject"
