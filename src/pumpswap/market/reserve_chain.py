"""ReserveChain: do swaps fit together? What a pool held before a swap is what it held after the one before it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pumpswap.market.swaps_of import Reserves, reserves_after
from pumpswap.model import Swap

__all__ = ["Break", "ReserveChain", "reserves_before"]


@dataclass(frozen=True, slots=True)
class Break:
    """Between two swaps of a pool, ``older`` and ``newer`` by signature, its reserves changed by themselves.

    ``others``: transactions of the pool between them that are no swaps (liquidity, fees). They explain it; without any,
    a swap is missing there, or somebody has sent tokens to a vault.
    """

    older: str
    newer: str
    at_ns: int  # of the newer swap
    after: Reserves
    before: Reserves
    others: int = 0


def reserves_before(swap: Swap) -> Reserves | None:
    """What the pool held before a swap; None for a swap of a source that tells no events."""
    event = swap.event
    if event is None:
        return None
    return Reserves(event.pool_base_token_reserves, event.pool_quote_token_reserves, event.virtual_quote_reserves)


@dataclass
class ReserveChain:
    """Swaps of one pool, told from the newest to the oldest, with what else happened in between."""

    breaks: list[Break] = field(default_factory=list)
    links: int = 0  # pairs of neighbours that were compared
    _newer: Swap | None = None
    _others: int = 0

    def other(self) -> None:
        """A transaction of the pool that is no swap, or that cannot be read as one."""
        self._others += 1

    def jump(self, swap: Swap) -> None:
        """Go on behind this swap: what is between it and the one before was compared earlier."""
        self._newer, self._others = swap, 0

    def older(self, swap: Swap) -> None:
        """The next older swap."""
        newer, self._newer = self._newer, swap
        others, self._others = self._others, 0
        if newer is None:
            return
        before = reserves_before(newer)
        if before is None or swap.event is None:
            return
        self.links += 1
        after = reserves_after(swap)
        if after != before:
            self.breaks.append(Break(swap.signature, newer.signature, newer.at_ns, after, before, others))
