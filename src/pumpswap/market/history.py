"""Past snapshots of each pool, as far back as a score may look."""

from __future__ import annotations

from collections import deque

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import PoolSnapshot

__all__ = ["SnapshotHistory"]

MOST_PER_POOL = 2_000  # bounded memory, also for a feed that never stops


class SnapshotHistory:
    """Snapshots by pool, oldest first; what is older than ``hours`` is forgotten."""

    def __init__(self, hours: int) -> None:
        self._keep_ns = hours * 3_600 * NS_PER_SECOND
        self._kept: dict[str, deque[PoolSnapshot]] = {}

    def before(self, snapshot: PoolSnapshot) -> list[PoolSnapshot]:
        """Snapshots of the same pool before this one, newest first (the host's order)."""
        kept = self._kept.get(snapshot.pool)
        if not kept:
            return []
        while kept and snapshot.at_ns - kept[0].at_ns > self._keep_ns:
            kept.popleft()
        return [past for past in reversed(kept) if past.at_ns < snapshot.at_ns]

    def add(self, snapshot: PoolSnapshot) -> None:
        """Remember a snapshot."""
        self._kept.setdefault(snapshot.pool, deque(maxlen=MOST_PER_POOL)).append(snapshot)

    def forget(self, now_ns: int) -> None:
        """Drop the pools whose snapshots are all too old to be looked back at."""
        oldest = now_ns - self._keep_ns
        self._kept = {pool: kept for pool, kept in self._kept.items() if kept[-1].at_ns >= oldest}

    def __contains__(self, pool: object) -> bool:
        return pool in self._kept
