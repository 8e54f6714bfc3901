"""Steps: which multiple of a share was reached last, so that each is told once, over restarts too."""

from __future__ import annotations

from pumpswap.alerts.rules.rule import RuleContext
from pumpswap.units import BPS

__all__ = ["Steps", "reached_bps"]


def reached_bps(part: int, whole: int, step_bps: int) -> int:
    """The highest multiple of ``step_bps`` of ``whole`` that ``part`` reaches, in basis points; 0 for none, and when
    ``step_bps`` is 0.
    """
    if part <= 0 or whole <= 0 or step_bps <= 0:
        return 0
    return part * BPS // (whole * step_bps) * step_bps


class Steps:
    """The highest step that was told since the last new beginning, in basis points: so it stays what it is when the
    settings name other steps. ``name`` is what it is kept under; ``epoch`` says which beginning that was: a day.
    """

    def __init__(self, context: RuleContext, name: str) -> None:
        self._context, self._name = context, f"alerts/{name}"
        kept = context.recall(self._name) or {}
        self._told_bps = int(str(kept.get("told_bps", 0)))
        self._epoch = int(str(kept.get("epoch", 0)))

    def reach(self, bps: int, epoch: int = 0) -> bool:
        """Whether this is to be told now: it is higher than all that was told in this epoch."""
        told = self._told_bps if epoch == self._epoch else 0
        if bps <= told:
            return False
        self._keep(bps, epoch)
        return True

    def begin(self) -> None:
        """From here on every step is new."""
        if self._told_bps:
            self._keep(0, self._epoch)

    def _keep(self, told_bps: int, epoch: int) -> None:
        self._told_bps, self._epoch = told_bps, epoch
        self._context.keep(self._name, {"told_bps": str(told_bps), "epoch": str(epoch)})
