"""Mark: what a position would bring if sold now."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Mark"]


@dataclass(frozen=True, slots=True)
class Mark:
    """``value_lamports`` is the exact sell quote on the state known at ``state_ns``, not the spot price.

    ``obstacle`` says why nothing could be quoted (then the value is 0 and only known to be not more than that).
    ``sellable_units``: the pool can pay only for so many of them now, and the value is that of those; None: all.
    """

    pool: str
    at_ns: int
    state_ns: int
    base_units: int
    value_lamports: int
    obstacle: str = ""
    sellable_units: int | None = None

    @property
    def age_ns(self) -> int:
        """How old the state behind the value is."""
        return self.at_ns - self.state_ns
