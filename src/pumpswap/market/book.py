"""PoolBook: the latest state of every pool we know, and how old it is."""

from __future__ import annotations

from collections.abc import Container, Iterator

from pumpswap.amm import PoolState
from pumpswap.model import MarketUpdate

__all__ = ["PoolBook"]


class PoolBook:
    """Pools by address. Feeds write it through ``apply``, venues through ``put``; everybody else reads.

    ``observed_ns`` is when the market last told us about a pool; our own paper trades move the state but do not make it
    fresher. A state of an earlier slot than the known one is left out: several feeds read through several nodes.
    """

    def __init__(self) -> None:
        self._states: dict[str, PoolState] = {}
        self._observed_ns: dict[str, int] = {}
        self._obstacles: dict[str, tuple[str, int]] = {}  # and when it was told

    def __len__(self) -> int:
        return len(self._states)

    def __iter__(self) -> Iterator[str]:
        return iter(self._states)

    def __contains__(self, pool: object) -> bool:
        return pool in self._states

    def apply(self, update: MarketUpdate) -> None:
        """Take over what an update tells."""
        if update.state is not None:
            if self._is_older(update.pool, update.state):
                return
            self._states[update.pool] = update.state
            self._observed_ns[update.pool] = update.at_ns if update.state_ns is None else update.state_ns
            if self._obstacles:
                self._obstacles.pop(update.pool, None)
        elif update.obstacle:
            self._obstacles[update.pool] = update.obstacle, update.at_ns

    def put(self, pool: str, state: PoolState) -> None:
        """Replace the state after a trade of ours."""
        self._states[pool] = state

    def state(self, pool: str) -> PoolState | None:
        """Latest state, or None when none is known."""
        return self._states.get(pool)

    def observed_ns(self, pool: str) -> int | None:
        """When the market last told the state of this pool."""
        return self._observed_ns.get(pool)

    def obstacle(self, pool: str) -> str:
        """Why the pool cannot be traded; empty when nothing is known against it."""
        return self._obstacles[pool][0] if pool in self._obstacles else ""

    def forget(self, before_ns: int, kept: Container[str]) -> None:
        """Drop what the market has not told since then, but of ``kept`` pools: whoever listens for weeks hears of
        thousands that are over.
        """
        old = [pool for pool in self._states if self._observed_ns.get(pool, 0) < before_ns and pool not in kept]
        for pool in old:
            del self._states[pool]
            self._observed_ns.pop(pool, None)
        self._obstacles = {pool: told for pool, told in self._obstacles.items() if told[1] >= before_ns or pool in kept}

    def _is_older(self, pool: str, state: PoolState) -> bool:
        """Slot 0 is that of states whose slot nobody knows: they count as told."""
        known = self._states.get(pool)
        return known is not None and 0 < state.slot < known.slot
