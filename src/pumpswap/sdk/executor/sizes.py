"""PositionSize: how much a signal would buy now, and how that came about."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.model import Decision, SizingStep
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["PositionSize"]


@dataclass(frozen=True, slots=True)
class PositionSize:
    """0 when nothing may be bought: ``reasons`` say why. ``steps`` are those of the calculation, in their order."""

    lamports: int
    steps: tuple[SizingStep, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def sol(self) -> float:
        """The same in SOL."""
        return self.lamports / LAMPORTS_PER_SOL

    @classmethod
    def of(cls, decision: Decision) -> PositionSize:
        """Of the gate's answer."""
        reasons = tuple(f"{verdict.policy}: {verdict.text}" for verdict in decision.refusals)
        return cls(decision.quote_lamports, decision.sizing, reasons)
