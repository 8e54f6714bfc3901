"""StoredDataset: the dataset that an export goes on with. It hands out what is there, and guards its past."""

from __future__ import annotations

import math
from array import array

from pumpswap.errors import BadInput
from pumpswap.research.qlib.dataset import DatasetNote, QlibDataset
from pumpswap.research.qlib.dataset_writer import Entry
from pumpswap.research.qlib.frequency import Frequency
from pumpswap.research.qlib.series import NAN, Series
from pumpswap.research.qlib.symbols import folder_of

__all__ = ["StoredDataset"]

ANEW = "--mode all makes it anew"


class StoredDataset:
    """A dataset of ours that is there already, in numbers of bars. Raises BadInput where it is damaged."""

    def __init__(self, dataset: QlibDataset, note: DatasetNote, frequency: Frequency) -> None:
        self._dataset = dataset
        self._frequency = frequency
        self.note = note
        try:
            self.first, self.last = frequency.parse(dataset.calendar[0]), frequency.parse(dataset.calendar[-1])
        except (ValueError, IndexError) as error:
            raise BadInput(f"the calendar of {dataset.folder} is damaged: {error}", hint=ANEW) from None
        if self.last - self.first + 1 != len(dataset.calendar):
            raise BadInput(f"the calendar of {dataset.folder} has holes", hint=ANEW)

    def kept(self, symbol: str) -> Entry:
        """A symbol that stays as it is."""
        try:
            first, last = (self._frequency.parse(text) for text in self._dataset.instruments[symbol])
        except (KeyError, ValueError):
            raise BadInput(f"{self._dataset.folder} does not list {symbol} as it should", hint=ANEW) from None
        return Entry(symbol, first, last, kept=self._dataset.folder / "features" / folder_of(symbol))

    def check_past(self, pool: str, past: Series) -> None:
        """Raises BadInput when a bar of the past is not what is stored: an update never changes the past."""
        if not len(past):
            return
        symbol = self.note.symbols.get(pool)
        if symbol is None:
            raise self._late(f"{pool} is new, but has bars before the end of the dataset", past.bars[0])
        stored = self._stored(symbol)
        for name, column in zip(past.fields, past.columns, strict=True):
            start, values = stored[name]
            if _is_same(past, name, start, values):
                continue
            for bar, value in zip(past.bars, column, strict=True):
                index = bar - start
                known = values[index] if 0 <= index < len(values) else NAN
                if known != value and not (math.isnan(known) and math.isnan(value)):
                    raise self._late(f"{name} of {symbol} is {value:.7g} in the source and {known:.7g} here", bar)

    def extended(self, pool: str, new: Series) -> Series:
        """The stored bars of a symbol, and the new ones behind them."""
        stored = self._stored(self.note.symbols[pool])
        whole = Series(pool, new.fields)
        start, length = next((start, len(values)) for start, values in stored.values())
        whole.bars = array("q", range(start, start + length))
        whole.columns = tuple(stored[name][1] for name in new.fields)
        for bar, values in new.rows():
            whole.append(bar, values)
        return whole

    def _stored(self, symbol: str) -> dict[str, tuple[int, array[float]]]:
        found = {}
        for name in self.note.fields:
            feature = self._dataset.feature(symbol, name)
            found[name] = (self.first + feature.start, feature.values)
        if len({(start, len(values)) for start, values in found.values()}) != 1:
            raise BadInput(f"the files of {symbol} in {self._dataset.folder} differ in length", hint=ANEW)
        return found

    def _late(self, what: str, bar: int) -> BadInput:
        at = self._frequency.text(bar)
        return BadInput(
            f"the past has changed: {what}, at {at}",
            hint=f"--mode all writes it anew; --start {self._frequency.text(self.last + 1)!r} ignores what is older",
        )


def _is_same(past: Series, name: str, start: int, values: array[float]) -> bool:
    """Whether all of the past is stored just so, holes too: one comparison of bytes instead of one of each value."""
    first, last = past.first_bar, past.last_bar
    stored = values[max(first - start, 0) : last - start + 1]
    return start <= first and past.dense(name, first, last).tobytes() == stored.tobytes()
