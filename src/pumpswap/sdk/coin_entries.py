"""The ledger's entries about one coin."""

from __future__ import annotations

from pumpswap.model import LedgerEntry
from pumpswap.storage.run import Run

__all__ = ["entries_about"]


def entries_about(run: Run, mint: str) -> tuple[LedgerEntry, ...]:
    """Every movement of a coin together with what the same order or transaction moved besides, in sequence."""
    found: dict[int, LedgerEntry] = {}
    for entry in run.books.of_asset(mint):
        if entry.sequence in found:
            continue
        if entry.order_id:
            beside = run.books.of_order(entry.order_id)
        else:
            beside = run.books.between(entry.at_ns, entry.at_ns + 1)
        together = (entry.order_id, entry.signature)
        found |= {each.sequence: each for each in beside if (each.order_id, each.signature) == together}
    return tuple(found[sequence] for sequence in sorted(found))
