"""Estimate: a figure, how far it can be trusted, and why there is none where there is none."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONFIDENCE", "NO_ROUNDS", "Estimate", "no_value"]

CONFIDENCE = 0.95  # of every interval
NO_ROUNDS = "no round was closed"


@dataclass(frozen=True, slots=True)
class Estimate:
    """``value`` is None where ``reason`` says why. ``low`` and ``high`` bound it with 95 % confidence; None where
    ``samples`` (trades, periods) are too few to tell.
    """

    value: float | None
    samples: int
    low: float | None = None
    high: float | None = None
    reason: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None

    def to_json(self) -> dict[str, object]:
        """For ``--json``: every field under its own name."""
        return {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "samples": self.samples,
            "reason": self.reason or None,
        }


def no_value(reason: str, samples: int = 0) -> Estimate:
    """No figure, and why."""
    return Estimate(None, samples, reason=reason)
