"""The probability of back-test overfitting (Bailey, Borwein, López de Prado, Zhu 2015), by symmetric cross-validation.

Time is cut into S blocks. Each half of the blocks once plays the past and the other half the future: how does the set
that was best in the past do in the future? Where it is below the middle, choosing the best was worth nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import msgspec

from pumpswap.errors import UsageError
from pumpswap.research.significance.monte_carlo import require_numpy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Overfit", "overfit"]

_AT_ONCE = 4_000_000  # cells of a piece of work: bounds the memory of ten thousand trials


class Overfit(msgspec.Struct, frozen=True):
    """``probability``: how often the best of the past was below the middle of the future (ties count half).
    ``loss``: how often it lost money there. ``splits``: how many halves were looked at.
    """

    probability: float
    loss: float
    splits: int
    trials: int
    blocks: int


def overfit(returns: Sequence[Sequence[float]], blocks: int = 16) -> Overfit | None:
    """Of the returns of each trial over the same periods. None where there are fewer than two trials, or fewer than two
    periods to a block.

    Trials are compared by their Sharpe ratio; one that never moves has 0. Raises UsageError for an odd number of
    blocks, series of different lengths or a return that is no finite number, ConfigError without numpy.
    """
    if blocks < 2 or blocks % 2:
        raise UsageError(f"{blocks} blocks", hint="an even number, 2 or more")
    if len({len(series) for series in returns}) > 1:
        raise UsageError("the trials have different numbers of periods", hint="measure all over the same time")
    if len(returns) < 2 or len(returns[0]) < 2 * blocks:
        return None
    require_numpy()
    import numpy as np

    matrix: NDArray[np.float64] = np.asarray(returns, dtype=np.float64).T  # periods x trials
    if not np.isfinite(matrix).all():
        raise UsageError("a return is no finite number", hint="leave out what was not measured")
    usable = len(matrix) // blocks * blocks
    pieces = matrix[len(matrix) - usable :].reshape(blocks, usable // blocks, -1)
    sums, squares = pieces.sum(axis=1), (pieces**2).sum(axis=1)
    halves = list(combinations(range(blocks), blocks // 2))
    masks = np.zeros((len(halves), blocks))
    for row, half in enumerate(halves):
        masks[row, list(half)] = 1
    below = lost = 0.0
    step = max(_AT_ONCE // matrix.shape[1], 1)
    for start in range(0, len(masks), step):
        some = masks[start : start + step]
        past = _ratios(some @ sums, some @ squares, usable // 2, np)
        other = 1 - some
        future_sums = other @ sums
        future = _ratios(future_sums, other @ squares, usable // 2, np)
        best = past.argmax(axis=1)
        rows = np.arange(len(some))
        chosen = future[rows, best][:, None]
        worse, equal = (future < chosen).sum(axis=1), (future == chosen).sum(axis=1)
        rank = (worse + (equal + 1) / 2) / (matrix.shape[1] + 1)
        below += float((rank < 0.5).sum() + (rank == 0.5).sum() / 2)
        lost += float((future_sums[rows, best] < 0).sum())
    return Overfit(below / len(halves), lost / len(halves), len(halves), matrix.shape[1], blocks)


def _ratios(sums: NDArray[np.float64], squares: NDArray[np.float64], count: int, np: Any) -> NDArray[np.float64]:
    means = sums / count
    variance = squares / count - means**2
    # What never moved has a variance of rounding errors: its ratio is none, not infinite.
    moves = variance > 1e-18 * np.maximum(squares / count, 1e-300)
    ratios: NDArray[np.float64] = np.where(moves, means / np.sqrt(np.where(moves, variance, 1.0)), 0.0)
    return ratios
