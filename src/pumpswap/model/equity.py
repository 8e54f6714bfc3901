"""EquityPoint: what everything was worth at one moment."""

from __future__ import annotations

import msgspec

__all__ = ["EquityPoint"]


# A curve has thousands of points, which refer to nothing: the garbage collector need not look at them.
class EquityPoint(msgspec.Struct, frozen=True, gc=False):
    """Equity at one moment: cash, executable value of what is held, rent deposits that come back.

    ``put_in_lamports`` is what its owner has put in by then, less what he has taken out, by what the books knew when it
    was measured (see ``Portfolio.put_in_lamports``); None where that was not stored.
    """

    at_ns: int
    cash_lamports: int
    marks_lamports: int
    rent_lamports: int
    put_in_lamports: int | None = None

    @property
    def equity_lamports(self) -> int:
        """All of it."""
        return self.cash_lamports + self.marks_lamports + self.rent_lamports
