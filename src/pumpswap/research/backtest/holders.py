"""Holders: what others have more or less of a coin than they had in the record, because of us."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Holders", "Sale"]


class Sale(NamedTuple):
    """So many units are sold, for at least ``least`` quote. ``is_changed``: not the recorded number."""

    units: int
    least: int
    is_changed: bool


class Holders:
    """Differences by coin and wallet, in base units. Nobody sells what he did not get: that is what keeps the number of
    coins the same in a market that we have changed.

    Coins that a wallet gave to another one are not followed: the record does not tell it.
    """

    def __init__(self) -> None:
        self._differences: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self._differences)

    def difference(self, mint: str, trader: str) -> int:
        """What a wallet has more than in the record; negative for less."""
        return self._differences.get((mint, trader), 0)

    def differs(self, mint: str, trader: str, units: int) -> None:
        """A wallet got so many units more (or fewer) than it did in the record. Nobody knows who "" is."""
        if not units or not trader:
            return
        now = self.difference(mint, trader) + units
        if now:
            self._differences[mint, trader] = now
        else:
            del self._differences[mint, trader]

    def sale(self, mint: str, trader: str, units: int, least: int, held: int | None) -> Sale:
        """What becomes of a recorded sale of ``units`` for at least ``least``. ``held`` is what the wallet had before
        it in the record, None where that is not known.

        Who sold all sells all that he has now; others sell what they wanted, as far as they have it. The limit is for
        the recorded number: it changes with the number. 0 units: there is nothing to sell.
        """
        difference = self.difference(mint, trader)
        if not difference:
            return Sale(units, least, is_changed=False)
        if held is None:
            now = units + min(difference, 0)
        elif units == held:
            now = held + difference
        else:
            now = min(units, held + difference)
        now = max(now, 0)
        return Sale(now, least * now // units if units else least, is_changed=now != units)
