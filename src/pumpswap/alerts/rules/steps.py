"""Steps: which multiple of a share was reached last, so that each is told once, over restarts too."""

from __future__ import annotations

from pumpswap.alerts.rules.rule import RuleContext
from pumpswap.units import BPS

__all__ = ["Steps", "step_of"]


def step_of(part: int, whole: int, step_bps: int) -> int:
    """How many whole steps of ``step_bps`` of ``whole`` are in ``part``; 0 for nothing, and when ``step_bps`` is 0."""
    if part <= 0 or whole <= 0 or step_bps <= 0:
        return 0
    return part * BPS // (whole * step_bps)


class Steps:
    """The highest step that was told since the last new beginning. ``name`` is what it is kept under; ``epoch`` says
    which beginning that was: a day, a peak.
    """

    def __init__(self, context: RuleContext, name: str) -> None:
        self._context, self._name = context, f"alerts/{name}"
        kept = context.recall(self._name) or {}
        self.told = int(str(kept.get("told", 0)))
        self.epoch = int(str(kept.get("epoch", 0)))

    def reach(self, step: int, epoch: int = 0) -> bool:
        """Whether ``step`` is to be told now: it is higher than all that were told in this epoch."""
        told = self.told if epoch == self.epoch else 0
        if step <= told:
            return False
        self._keep(step, epoch)
        return True

    def begin(self, epoch: int = 0) -> None:
        """From here on every step is new."""
        if self.told:
            self._keep(0, epoch)

    def _keep(self, told: int, epoch: int) -> None:
        self.told, self.epoch = told, epoch
        self._context.keep(self._name, {"told": str(told), "epoch": str(epoch)})
