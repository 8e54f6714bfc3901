"""Health of a dataset in QLib's binary layout, ours or another's: holes, jumps, and files that do not fit together."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pumpswap.clock import parse_utc
from pumpswap.errors import BadInput, PumpSwapError
from pumpswap.research.qlib.dataset import QlibDataset
from pumpswap.research.qlib.observation import PRICE_FIELDS
from pumpswap.research.qlib.symbols import folder_of

__all__ = ["Health", "SymbolHealth", "check_health"]


@dataclass(frozen=True, slots=True)
class SymbolHealth:
    """``missing`` is how many of ``bars`` have no close; jumps are steps from one known bar to the next known one."""

    symbol: str
    bars: int
    missing: int
    price_jumps: int
    volume_jumps: int
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """``irregular`` is how many steps of the calendar are not its usual one: the mark of raw collection times."""

    calendar: int
    irregular: int
    symbols: tuple[SymbolHealth, ...]
    faults: tuple[str, ...]  # of the dataset as a whole

    @property
    def is_sound(self) -> bool:
        """Whether QLib will read what was meant. Holes and jumps are facts of a market, not faults."""
        return not self.faults and not self.irregular and not any(symbol.faults for symbol in self.symbols)


def check_health(
    folder: Path,
    frequency: str,
    *,
    price_threshold: float = 0.5,
    volume_threshold: float = 3.0,
    tell: Callable[[int, int], None] = lambda _done, _of: None,
) -> Health:
    """Read a whole dataset. Thresholds are relative changes: 0.5 is half up or down.

    Raises NotFound for a folder without this frequency, BadInput for a calendar or instruments that cannot be read.
    """
    dataset = QlibDataset(folder, frequency)
    moments = _moments(dataset)
    steps = Counter(after - before for before, after in pairwise(moments))
    usual = steps.most_common(1)[0][0] if steps else 0
    faults = []
    if any(step <= 0 for step in steps):
        faults.append("the calendar is not in order, or has a time twice")
    instruments = dataset.instruments
    symbols = []
    for done, symbol in enumerate(instruments, 1):
        symbols.append(_symbol_health(dataset, symbol, price_threshold, volume_threshold))
        tell(done, len(instruments))
    features = folder / "features"
    folders = {path.name for path in features.iterdir()} if features.is_dir() else set()
    strangers = folders - set(map(folder_of, instruments))
    if strangers:
        faults.append(f"{len(strangers)} folders of features belong to no instrument, for example {min(strangers)}")
    irregular = sum(count for step, count in steps.items() if step != usual)
    return Health(len(moments), irregular, tuple(symbols), tuple(faults))


def _moments(dataset: QlibDataset) -> list[int]:
    try:
        return [parse_utc(text) for text in dataset.calendar]
    except ValueError as error:
        raise BadInput(f"the calendar of {dataset.folder} is damaged: {error}", hint="export it anew") from None


def _symbol_health(dataset: QlibDataset, symbol: str, price: float, volume: float) -> SymbolHealth:
    faults = []
    fields = dataset.fields(symbol)
    absent = [name for name in (*PRICE_FIELDS, "volume") if name not in fields]
    if absent:
        faults.append(f"no {', '.join(absent)}")
    spans = set()
    values: dict[str, array[float]] = {}
    for name in fields:
        try:
            feature = dataset.feature(symbol, name)
        except PumpSwapError as error:
            faults.append(error.what)
            continue
        spans.add((feature.start, len(feature.values)))
        values[name] = feature.values
        if feature.start + len(feature.values) > len(dataset.calendar):
            faults.append(f"{name} goes on after the end of the calendar")
    if len(spans) > 1:
        faults.append("its files differ in start or length")
    if spans and not faults:
        faults += _span_fault(dataset, symbol, *next(iter(spans)))
    close = values.get("close", array("f"))
    return SymbolHealth(
        symbol,
        bars=len(close),
        missing=sum(map(math.isnan, close)),
        price_jumps=_jumps(close, price),
        volume_jumps=_jumps(values.get("volume", array("f")), volume),
        faults=tuple(faults),
    )


def _span_fault(dataset: QlibDataset, symbol: str, start: int, length: int) -> list[str]:
    """What is wrong with the times that the instruments file gives for a symbol."""
    if not length:
        return ["its files hold no values"]
    told = dataset.instruments[symbol]
    held = (dataset.calendar[start], dataset.calendar[start + length - 1])
    return [] if told == held else [f"listed from {told[0]} to {told[1]}, its values are from {held[0]} to {held[1]}"]


def _jumps(values: array[float], threshold: float) -> int:
    known = [value for value in values if not math.isnan(value)]
    return sum(before > 0 and abs(after / before - 1) > threshold for before, after in pairwise(known))
