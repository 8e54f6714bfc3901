"""What sales have earned in a time, those of parts of positions that are still open included."""

from __future__ import annotations

from pumpswap.sdk.performance import input_of
from pumpswap.storage.run import Run
from pumpswap.units import I64_MAX

__all__ = ["realised_since"]


def realised_since(run: Run, since_ns: int = 0) -> int:
    """Lamports over the share of the cost, after all costs of the sales, of every sale since then; those that left by
    hand too. What rounds that were open before had realised by then is not of this time.

    Raises LedgerMismatch for trades that contradict each other.
    """
    sales = input_of(run.earned.read(since_ns, I64_MAX), since_ns, I64_MAX).sales
    return sum(sale.gain_lamports for sale in sales)
