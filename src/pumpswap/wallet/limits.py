"""WalletLimits: what a wallet may spend, whatever the strategy says. They live in the keystore, under its seal."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from pumpswap.errors import UsageError
from pumpswap.units import U64_MAX

__all__ = ["WalletLimits"]


@dataclass(frozen=True, slots=True)
class WalletLimits:
    """Lamports. ``max_order_lamports``: payment, fees and tip of one order; the guard refuses to sign beyond it.

    ``max_day_lamports`` (of all orders of 24 hours) and ``min_reserve_lamports`` (native SOL that stays) need the books
    and the balance: the caller that has them enforces them. Raises UsageError for limits that contradict each other.
    """

    max_order_lamports: int
    max_day_lamports: int
    min_reserve_lamports: int

    def __post_init__(self) -> None:
        for name, value in self.to_json().items():
            if type(value) is not int or not 0 <= value <= U64_MAX:
                raise UsageError(f"{name} is {value!r}", hint="limits are lamports: integers of 64 bits")
        if self.max_order_lamports == 0:
            raise UsageError(
                "max_order_lamports is 0", hint="a wallet without limits cannot buy either; leave them out"
            )
        if self.max_day_lamports < self.max_order_lamports:
            raise UsageError(
                "the limit of a day is below that of one order", hint="raise --max-day or lower --max-order"
            )

    def to_json(self) -> dict[str, int]:
        """Name → lamports, in the order of the fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_json(cls, said: Any) -> WalletLimits:
        """Limits of ``to_json``. Raises UsageError for anything else."""
        names = [field.name for field in fields(cls)]
        if not isinstance(said, dict) or list(said) != names:
            raise UsageError("these are no wallet limits", hint=f"an object with {', '.join(names)}")
        return cls(**said)
