"""WhatIf: a refused buy as if it had been made, sold again after a while at what the pool would have paid then."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WhatIf"]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """``rule`` is the first policy that refused. ``spent_lamports`` and ``base_units`` are the exact quote at the
    moment of the refusal, ``value_lamports`` the exact sell quote ``horizon_seconds`` later, all fees in; our own
    impact on what came between is left out. ``value_lamports`` is None until then, and for ever where ``obstacle`` says
    why it could not be told.
    """

    decision_id: str
    pool: str
    mint: str
    rule: str
    at_ns: int
    horizon_seconds: int
    due_ns: int
    spent_lamports: int
    base_units: int
    measured_ns: int | None = None
    value_lamports: int | None = None
    obstacle: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it is still to be measured."""
        return self.measured_ns is None

    @property
    def gain_lamports(self) -> int | None:
        """What it would have earned; None where that is not known."""
        return None if self.value_lamports is None else self.value_lamports - self.spent_lamports
