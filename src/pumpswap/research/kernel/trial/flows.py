"""What Momentum sees of pools that we have not touched, computed once for each length of its window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pumpswap.research.kernel.layout import Columns
from pumpswap.research.kernel.trial.terms import FIRST, HEAD, MONEY, NET, SINCE, STAMP, TAIL, TERMS, WINDOW_NS
from pumpswap.research.kernel.u128 import compiled, frozen, inlined, inner, mul64, mul_div

__all__ = ["Flows", "begin_flow", "burst_bps", "buyers_of", "flows_of", "forget"]

MOST_BPS = (1 << 31) - 1
NO_BURST = -1  # of steps that are no trades, and of net selling
_BPS64 = np.uint64(10_000)


@dataclass(frozen=True, slots=True)
class Flows:
    """After each trade: net buying of the window in bps of what the pool really holds, and how many wallets bought."""

    burst_bps: NDArray[np.int32]
    buyers: NDArray[np.int32]


def flows_of(columns: Columns, window_ns: int, first: int = 0) -> Flows:
    """Of a history that begins at step ``first``."""
    burst = np.full(len(columns), NO_BURST, np.int32)
    buyers = np.zeros(len(columns), np.int32)
    groups = frozen(columns.swaps), frozen(columns.swap_starts)
    times = tuple(map(frozen, (columns.at_ns, columns.swap_at_ns, columns.swap, columns.swap_quote)))
    kinds = tuple(map(frozen, (columns.trader, columns.reserve, columns.boost)))
    _flows(groups, times, kinds, (window_ns, first), np.zeros(columns.traders, np.int32), (burst, buyers))
    return Flows(burst, buyers)


@inlined
def burst_bps(net: Any, real: Any) -> Any:
    """⌊net · 10,000 / real⌋, at most ``MOST_BPS``; ``NO_BURST`` where nothing is bought or the pool holds nothing."""
    if net < 0 or real <= 0:
        return NO_BURST
    high, _ = mul64(np.uint64(net), _BPS64)
    if high >= np.uint64(real):
        return MOST_BPS
    found = mul_div(np.uint64(net), _BPS64, np.uint64(real))
    return np.int64(found) if found < np.uint64(MOST_BPS) else MOST_BPS


@compiled
def _flows(groups: Any, times: Any, kinds: Any, window: Any, bought: Any, told: Any) -> None:
    burst, buyers = told
    swaps, starts = groups
    at_ns, swap_at_ns, swap, quote = times
    trader, reserve, boost = kinds
    window_ns, first = window
    for pool in range(starts.shape[0] - 1):
        tail, net, different = starts[pool], np.int64(0), 0
        while tail < starts[pool + 1] and swaps[tail] < first:
            tail += 1
        begin = tail
        for place in range(begin, starts[pool + 1]):
            step = swaps[place]
            if swap[step] == 1:
                net += np.int64(quote[step])
                different += 1 if bought[trader[step]] == 0 else 0
                bought[trader[step]] += 1
            else:
                net -= np.int64(quote[step])
            while tail <= place and swap_at_ns[swaps[tail]] <= at_ns[step] - window_ns:
                old = swaps[tail]
                if swap[old] == 1:
                    net -= np.int64(quote[old])
                    bought[trader[old]] -= 1
                    different -= 1 if bought[trader[old]] == 0 else 0
                else:
                    net += np.int64(quote[old])
                tail += 1
            burst[step] = burst_bps(net, np.int64(reserve[step]) - boost[step])
            buyers[step] = different
        for place in range(tail, starts[pool + 1]):
            if swap[swaps[place]] == 1:
                bought[trader[swaps[place]]] = 0


@inner
def forget(books: Any, row: Any, before_ns: Any, trades: Any) -> None:
    """``_Flow.forget``, for a pool that is played."""
    swaps, swap_at_ns, signed, changed = trades
    while books[row, TAIL] < books[row, HEAD] and swap_at_ns[swaps[books[row, TAIL]]] <= before_ns:
        step = swaps[books[row, TAIL]]
        books[row, NET] -= changed[step] if step >= books[row, SINCE] else signed[step]
        books[row, TAIL] += 1


@inner
def buyers_of(books: Any, row: Any, stamps: Any, trader: Any, trades: Any) -> Any:
    """Different wallets that have bought within the window of a pool that is played."""
    swaps, _, signed, changed = trades
    books[MONEY, STAMP] += 1
    stamp, found = books[MONEY, STAMP], 0
    for place in range(books[row, TAIL], books[row, HEAD]):
        step = swaps[place]
        amount = changed[step] if step >= books[row, SINCE] else signed[step]
        if amount > 0 and stamps[trader[step]] != stamp:
            stamps[trader[step]] = stamp
            found += 1
    return found


@inner
def begin_flow(books: Any, pool: Any, step: Any, first: Any, trades: Any, starts: Any) -> None:
    """The flow of a pool that is played from now on, as its trades before ``step`` have left it."""
    swaps, swap_at_ns, signed, changed = trades
    row, low, high = pool + FIRST, starts[pool], starts[pool + 1]
    while low < high:
        middle = (low + high) // 2
        if swaps[middle] < step:
            low = middle + 1
        else:
            high = middle
    books[row, HEAD] = books[row, TAIL] = low
    books[row, NET] = 0
    if low == starts[pool]:
        return
    before_ns = swap_at_ns[swaps[low - 1]] - books[TERMS, WINDOW_NS]
    tail = low
    while tail > starts[pool] and swaps[tail - 1] >= first and swap_at_ns[swaps[tail - 1]] > before_ns:
        tail -= 1
        old = swaps[tail]
        books[row, NET] += changed[old] if old >= books[row, SINCE] else signed[old]
    books[row, TAIL] = tail
