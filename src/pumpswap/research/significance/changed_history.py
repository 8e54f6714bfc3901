"""Histories whose future is missing, or another one: what a strategy did before must not depend on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from pumpswap.clock import iso_utc
from pumpswap.errors import BadInput, ConfigError
from pumpswap.model import PoolSnapshot, Swap
from pumpswap.research.chronicle.step import Chronicle, Range, Step
from pumpswap.research.tuning.history import HistoryPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pumpswap.market.q50_table import RawTable

__all__ = ["ChangedFuture", "changed_frame", "cut_frame", "lagged_frame", "whole_frame"]

_TIME_NAMES = ("datetime", "timestamp")


class ChangedFuture(HistoryPart):
    """A chronicle whose trades and snapshots from a moment on have changed places within their pool, by a seed.

    It is what a strategy is told to look at, never what it trades on: the states of its trades belong together no more.
    """

    def __init__(self, whole: Chronicle, until_ns: int, seed: int) -> None:
        super().__init__(whole, whole.span_ns[0], until_ns)
        self._seed = seed

    @property
    def span_ns(self) -> Range:
        """As of the whole."""
        return self._whole.span_ns

    def steps(self) -> Iterator[Step]:
        """All, those from the moment on with others' contents."""
        swaps: dict[str, list[Step]] = defaultdict(list)
        snapshots: dict[str, list[PoolSnapshot]] = defaultdict(list)
        for step in self._whole.steps():
            if step.at_ns < self.until_ns:
                continue
            if step.swap is not None:
                swaps[step.pool].append(step)
            if step.snapshot is not None:
                snapshots[step.pool].append(step.snapshot)
        chance = Random(self._seed)  # of a test, not of a secret
        for pool in sorted(swaps):
            chance.shuffle(swaps[pool])
        for pool in sorted(snapshots):
            chance.shuffle(snapshots[pool])
        for step in self._whole.steps():
            yield step if step.at_ns < self.until_ns else _with_other(step, swaps[step.pool], snapshots[step.pool])


def _with_other(step: Step, swaps: list[Step], snapshots: list[PoolSnapshot]) -> Step:
    changed = step
    if step.swap is not None:
        other = swaps.pop()
        swap = other.swap or step.swap
        moved: Swap = replace(swap, at_ns=step.swap.at_ns, slot=step.swap.slot)
        changed = msgspec.structs.replace(
            changed, act=other.act, before=other.before, after=other.after, swap=moved, rates=other.rates
        )
    if step.snapshot is not None:
        changed = msgspec.structs.replace(changed, snapshot=replace(snapshots.pop(), at_ns=step.snapshot.at_ns))
    return changed


# ------------------------------------------------------------------------------------------------- frames


def whole_frame(path: Path, to: Path) -> None:
    """A Q50 frame as it is, in the form in which the others below are written: they are compared with each other."""
    _rewritten(path, to, lambda times, order: order)


def cut_frame(path: Path, to: Path, until_ns: int) -> None:
    """The rows before a moment. A frame without any keeps its first row, which then lies in the future."""
    _rewritten(path, to, lambda times, order: order[times[order] < until_ns])


def changed_frame(path: Path, to: Path, until_ns: int, seed: int) -> None:
    """The values of the rows from a moment on change places."""

    def changed(times: NDArray[Any], order: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        future = np.flatnonzero(times[order] >= until_ns)
        mixed = order.copy()
        mixed[future] = order[np.random.RandomState(seed).permutation(future)]
        return mixed

    _rewritten(path, to, changed, keep_times=True)


def lagged_frame(path: Path, to: Path) -> None:
    """Every row has the values of the one before it: what is known a row later must not be worth a fortune less."""

    def lagged(times: NDArray[Any], order: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        return np.concatenate([order[:1], order[:-1]])

    _rewritten(path, to, lagged, keep_times=True)


def _rewritten(
    path: Path, to: Path, pick: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]], *, keep_times: bool = False
) -> None:
    try:
        import numpy as np
        import polars as pl
    except ImportError as error:
        raise ConfigError(
            f"a frame cannot be checked without {error.name}, which is not installed",
            hint="pip install 'pumpswap[data]'",
        ) from error
    from pumpswap.market.q50_forms import read_table

    table = read_table(path.read_bytes(), is_pickle=path.suffix in (".pkl", ".pickle", ".p"))
    name, times = _times_of(table)
    order = np.argsort(times, kind="stable")
    places = pick(times, order)
    columns: dict[str, Any] = {
        level or "instrument": values for level, values in table.index if level != name and not _counts(values)
    }
    columns |= {column: values for column, values in table.columns.items() if column != name}
    stamps = times[order] if keep_times else times[places]
    written = {"datetime": [iso_utc(int(one), fraction=True) for one in stamps]}
    written |= {column: values[places].tolist() for column, values in columns.items()}
    pl.DataFrame(written, strict=False).write_csv(to)


def _times_of(table: RawTable) -> tuple[str | None, NDArray[Any]]:
    from pumpswap.market.q50_values import times_ns

    levels = [*table.index, *table.columns.items()]
    named = [one for one in levels if one[0] in _TIME_NAMES] or [one for one in table.index if not _counts(one[1])][:1]
    if not named:
        raise BadInput("the frame names no time", hint="a column or an index level `datetime`")
    return named[0][0], times_ns(named[0][0] or "datetime", named[0][1])


def _counts(values: NDArray[Any]) -> bool:
    """Whether an index level only numbers the rows."""
    return values.dtype.kind in "iu" and list(values[:3].tolist()) == list(range(len(values)))[:3]
