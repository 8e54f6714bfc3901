"""Monte Carlo: what the same rounds could as well have brought. Money stays integers; the draws are seeded.

Rounds of one pool on one day share their luck and are drawn together (a block), so that a single lucky coin does not
count as many proofs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import ConfigError
from pumpswap.research.tuning.trials import Round

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Band", "MonteCarlo", "band_of", "blocks_of", "monte_carlo", "require_numpy"]

_DAY_NS = 86_400 * NS_PER_SECOND


class Band(msgspec.Struct, frozen=True):
    """The 5th, 50th and 95th of a hundred draws, in lamports."""

    low: int
    middle: int
    high: int


class MonteCarlo(msgspec.Struct, frozen=True):
    """``net`` and ``drawdown`` by drawing blocks with replacement; ``shuffled_drawdown`` by the same rounds in another
    order; ``loss``: share of draws that lost money. ``seed`` and ``draws`` make it again.
    """

    draws: int
    seed: int
    rounds: int
    blocks: int
    net: Band
    drawdown: Band
    shuffled_drawdown: Band
    loss: float


def band_of(values: Sequence[int]) -> Band:
    """Of draws: the values at the ranks nearest to 5, 50 and 95 per cent."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return Band(*(ordered[(last * share + 50) // 100] for share in (5, 50, 95)))


def blocks_of(rounds: Sequence[Round]) -> list[list[int]]:
    """The rounds' gains, those of one pool that were opened on one day (UTC) together, in order of time."""
    found: dict[tuple[int, str], list[int]] = {}
    for one in sorted(rounds, key=lambda each: (each.opened_ns, each.pool, each.closed_ns)):
        found.setdefault((one.opened_ns // _DAY_NS, one.pool), []).append(one.net_lamports)
    return list(found.values())


def require_numpy() -> None:
    """Raises ConfigError where numpy is not installed: better before a search than after it."""
    try:
        import numpy  # noqa: F401
    except ImportError as error:
        raise ConfigError("numpy is not installed", hint="pip install 'pumpswap[research]'") from error


def monte_carlo(rounds: Sequence[Round], *, draws: int = 2_000, seed: int = 0) -> MonteCarlo | None:
    """Bands of what these rounds could have brought; None for fewer than two blocks. Raises ConfigError without numpy.

    The generator is numpy's frozen one (``RandomState``): a seed gives the same draws in every version.
    """
    blocks = blocks_of(rounds)
    if len(blocks) < 2:
        return None
    require_numpy()
    import numpy as np

    chance = np.random.RandomState(seed)  # of statistics, not of a secret
    arrays = [np.array(block, dtype=np.int64) for block in blocks]
    every = np.concatenate(arrays)
    nets: list[int] = []
    falls: list[int] = []
    shuffled: list[int] = []
    for _ in range(draws):
        path = np.concatenate([arrays[place] for place in chance.randint(0, len(arrays), len(arrays))]).cumsum()
        nets.append(int(path[-1]))
        falls.append(_fall(path))
        shuffled.append(_fall(every[chance.permutation(len(every))].cumsum()))
    return MonteCarlo(
        draws=draws,
        seed=seed,
        rounds=len(every),
        blocks=len(blocks),
        net=band_of(nets),
        drawdown=band_of(falls),
        shuffled_drawdown=band_of(shuffled),
        loss=sum(net < 0 for net in nets) / draws,
    )


def _fall(path: NDArray[np.int64]) -> int:
    """The deepest fall from a peak, the start counting as one."""
    import numpy as np

    peaks = np.maximum(np.maximum.accumulate(path), 0)
    return int((peaks - path).max())
