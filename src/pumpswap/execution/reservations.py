"""Reservations: what orders on their way may still take. No two orders count on the same lamports or tokens."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.errors import InsufficientFunds

__all__ = ["Reservation", "Reservations"]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Upper bounds of one order: native lamports (wrap, fees, tip, rent), wrapped lamports, base units of a mint."""

    native_lamports: int = 0
    wrapped_lamports: int = 0
    mint: str = ""
    base_units: int = 0


class Reservations:
    """What is taken, by order. Single-threaded: the venue checks and takes without waiting in between."""

    def __init__(self) -> None:
        self._taken: dict[str, Reservation] = {}

    def __len__(self) -> int:
        return len(self._taken)

    def has(self, order_id: str) -> bool:
        """Whether anything is taken for this order."""
        return order_id in self._taken

    def of(self, order_id: str) -> Reservation:
        """What this order has taken."""
        return self._taken.get(order_id, Reservation())

    def others(self, order_id: str, mint: str = "") -> Reservation:
        """Sum of what all orders but this one have taken, with the base units of ``mint``."""
        rest = [taken for other, taken in self._taken.items() if other != order_id]
        return Reservation(
            sum(taken.native_lamports for taken in rest),
            sum(taken.wrapped_lamports for taken in rest),
            mint,
            sum(taken.base_units for taken in rest if taken.mint == mint),
        )

    def take(self, order_id: str, wanted: Reservation, held: Reservation) -> None:
        """Take ``wanted`` of what the wallet holds, in place of what this order had taken before.

        Raises InsufficientFunds, and changes nothing, when others have taken too much of it.
        """
        others = self.others(order_id, wanted.mint)
        checks = (
            ("lamports of native SOL", wanted.native_lamports, held.native_lamports, others.native_lamports),
            ("lamports of wrapped SOL", wanted.wrapped_lamports, held.wrapped_lamports, others.wrapped_lamports),
            (f"units of {wanted.mint}", wanted.base_units, held.base_units, others.base_units),
        )
        for what, needs, has, reserved in checks:
            if needs > has - reserved:
                taken = f", of which other orders have reserved {reserved}" if reserved else ""
                raise InsufficientFunds(
                    f"needs {needs} {what}, the wallet has {has}{taken}",
                    hint="top the wallet up, trade less, or wait for the other orders",
                )
        self._taken[order_id] = wanted

    def release(self, order_id: str) -> None:
        """The order has ended. Harmless when nothing was taken."""
        self._taken.pop(order_id, None)
