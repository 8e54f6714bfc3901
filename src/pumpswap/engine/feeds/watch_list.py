"""WatchList: whose states are followed: what is held, the pools with the best scores of late, and those that are traded
now, where a strategy lives on trades.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import nlargest

from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import PoolSnapshot, Signal

__all__ = ["WatchList"]

_FRESH_SECONDS = 3_600
_TRADED_SECONDS = 300


class WatchList:
    """``most`` pools beside those that are held: of scores from ``min_score`` that are at most an hour old, and of
    trades that somebody has overheard in the last minutes.
    """

    def __init__(self, most: int, min_score: float) -> None:
        self._most, self._min_score = most, min_score
        self._scores: dict[str, tuple[int, float]] = {}
        self._traded: dict[str, int] = {}  # when last; the latest comes last
        self._askers: list[Callable[[int], Iterable[str]]] = []

    def hear(self, signal: Signal) -> None:
        """A pool was scored."""
        if signal.score >= self._min_score:
            self._scores[signal.pool] = signal.at_ns, signal.score
        else:
            self._scores.pop(signal.pool, None)

    def ask_for(self, asked: Callable[[int], Iterable[str]]) -> None:
        """Somebody wants to know the states of the pools that ``asked`` gives for a time, a few at most."""
        self._askers.append(asked)

    def asked(self, now_ns: int) -> list[str]:
        """What somebody wants to know now."""
        return [pool for asked in self._askers for pool in asked(now_ns)]

    def overhear(self, pool: str, at_ns: int) -> None:
        """A pool was traded."""
        self._traded.pop(pool, None)
        self._traded[pool] = at_ns
        while len(self._traded) > self._most:
            del self._traded[next(iter(self._traded))]

    def hearing(
        self, signaller: Callable[[PoolSnapshot, Sequence[PoolSnapshot]], Signal]
    ) -> Callable[[PoolSnapshot, Sequence[PoolSnapshot]], Signal]:
        """The same signaller, heard here too."""

        def heard(snapshot: PoolSnapshot, past: Sequence[PoolSnapshot]) -> Signal:
            signal = signaller(snapshot, past)
            self.hear(signal)
            return signal

        return heard

    def pools(self, now_ns: int, held: Iterable[str]) -> list[str]:
        """Addresses: the held ones, then the best scores first, then what was traded last."""
        oldest = now_ns - _FRESH_SECONDS * NS_PER_SECOND
        self._scores = {pool: score for pool, score in self._scores.items() if score[0] >= oldest}
        kept = list(dict.fromkeys(held))
        known = set(kept)
        others = ((score, at_ns, pool) for pool, (at_ns, score) in self._scores.items() if pool not in known)
        scored = [pool for _, _, pool in nlargest(self._most, others)]
        known.update(scored)
        traded = [
            pool
            for pool, at_ns in reversed(self._traded.items())
            if pool not in known and at_ns >= now_ns - _TRADED_SECONDS * NS_PER_SECOND
        ]
        return kept + scored + traded[: max(self._most - len(scored), 0)]
