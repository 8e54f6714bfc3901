"""A recording of ours (host export, tape, database, lake, any updates) as instruments and ticks of Nautilus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nautilus_trader.core.data import Data
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.instruments import CurrencyPair

from pumpswap.amm import FeeSchedule, schedule_at
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput
from pumpswap.market.tape import open_recording
from pumpswap.model import MarketUpdate
from pumpswap.nautilus.instruments import instrument_id, instrument_of
from pumpswap.nautilus.ticks import Standing, Tape, standing_of, status_tick, ticks_of

__all__ = ["RecordedMarket", "Translator", "load_market", "load_recording"]

ScheduleFor = Callable[[int], FeeSchedule]


@dataclass(frozen=True, slots=True)
class RecordedMarket:
    """A market for ``BacktestEngine``: add the instruments, then ``data`` as one list, in its order.

    ``quotes`` of its elements are quote ticks; ``updates`` is of how many updates it was made. ``left_out`` are pools
    that are no instruments, each with the reason. ``unquoted`` are numbers of updates, from 0, that have no quote and
    come before one of the same pool that has, at the same moment: what moves with the quotes must know them.
    """

    location: str
    instruments: tuple[CurrencyPair, ...]
    data: list[Data]
    quotes: int
    updates: int
    first_ns: int
    last_ns: int
    left_out: Mapping[str, str]
    unquoted: frozenset[int] = frozenset()


class Translator:
    """Translates one update after the other; keeps what it has met of every pool, so memory grows with pools only."""

    def __init__(self, tape: Tape, schedule_for: ScheduleFor = schedule_at) -> None:
        """``schedule_for`` gives the fees of a Unix second."""
        self._tape, self._schedule_for = tape, schedule_for
        self.instruments: dict[str, CurrencyPair] = {}
        self.left_out: dict[str, str] = {}
        self.taken = 0
        self.last_ns = 0
        self.unquoted: set[int] = set()
        self._waiting: dict[str, list[int]] = {}  # updates of this moment without a quote, by pool
        self._standings: dict[str, Standing] = {}
        self._trading = standing_of("", None, None)

    def take(self, update: MarketUpdate) -> list[Data]:
        """Data of an update, empty for a pool that is no instrument. Raises BadInput for a time out of order."""
        self._check_time(update)
        sequence, self.taken = self.taken, self.taken + 1
        made = self._translated(update, sequence)
        if not any(type(one) is QuoteTick for one in made):
            self._waiting.setdefault(update.pool, []).append(sequence)
        elif update.pool in self._waiting:
            self.unquoted.update(self._waiting.pop(update.pool))
        return made

    def _translated(self, update: MarketUpdate, sequence: int) -> list[Data]:
        schedule = self._schedule_for(update.at_ns // NS_PER_SECOND)
        instrument = self._instrument(update, schedule)
        if instrument is None:
            return []
        status = self._status(update)
        ticks = ticks_of(
            update, schedule, instrument.size_precision, self._tape, ts_init=update.at_ns, sequence=sequence
        )
        return [*status, *ticks]

    def _check_time(self, update: MarketUpdate) -> None:
        if update.at_ns <= 0:
            raise BadInput(
                f"an update of pool {update.pool} is of the time {update.at_ns}",
                hint="NautilusTrader needs nanoseconds since 1970, above 0",
            )
        if update.at_ns < self.last_ns:
            raise BadInput(
                f"an update of pool {update.pool} is {self.last_ns - update.at_ns} ns earlier than the one before it",
                hint="a recording is in time order",
            )
        if update.at_ns > self.last_ns:
            self._waiting.clear()
        self.last_ns = update.at_ns

    def _instrument(self, update: MarketUpdate, schedule: FeeSchedule) -> CurrencyPair | None:
        known = self.instruments.get(update.pool)
        if known is not None:
            if update.snapshot is not None and not known.info["name"]:
                known.info["name"] = update.snapshot.name  # the state is often told before anything is known of it
            return known
        if update.state is None:
            self.left_out.setdefault(update.pool, update.obstacle or "its state was never told")
            return None
        name = "" if update.snapshot is None else update.snapshot.name
        try:
            made = instrument_of(update.state, schedule, name, update.at_ns)
        except BadInput as refused:
            self.left_out[update.pool] = refused.what
            return None
        self.left_out.pop(update.pool, None)
        self.instruments[update.pool] = made
        return made

    def _status(self, update: MarketUpdate) -> list[Data]:
        """On change only; a pool begins as one that trades. What an update does not tell stays as it was."""
        if update.state is None and not update.obstacle:
            return []
        standing = standing_of("" if update.state is not None else update.obstacle, None, None)
        if standing == self._standings.get(update.pool, self._trading):
            return []
        self._standings[update.pool] = standing
        return [status_tick(instrument_id(update.pool), standing, update.at_ns)]


def load_recording(source: str | Path, tape: Tape, *, schedule_for: ScheduleFor = schedule_at) -> RecordedMarket:
    """What ``open_recording`` opens, as one market. Raises NotFound or BadInput."""
    recording = open_recording(source)
    return load_market(recording.updates(), tape, location=recording.location, schedule_for=schedule_for)


def load_market(
    updates: Iterable[MarketUpdate],
    tape: Tape,
    *,
    location: str = "updates",
    schedule_for: ScheduleFor = schedule_at,
) -> RecordedMarket:
    """Updates as one market, in memory. Raises BadInput where nothing can be replayed."""
    translator = Translator(tape, schedule_for)
    data: list[Data] = []
    quotes = first_ns = 0
    for update in updates:
        made = translator.take(update)
        first_ns = first_ns or update.at_ns
        quotes += sum(type(one) is QuoteTick for one in made)
        data += made
    if not data:
        reasons = "; ".join(sorted(set(translator.left_out.values()))) or "it is empty"
        raise BadInput(
            f"{location} holds nothing to replay: {reasons}", hint="it needs a pool against SOL whose state is known"
        )
    return RecordedMarket(
        location=location,
        instruments=tuple(translator.instruments.values()),
        data=data,
        quotes=quotes,
        updates=translator.taken,
        first_ns=first_ns,
        last_ns=translator.last_ns,
        left_out=dict(translator.left_out),
        unquoted=frozenset(translator.unquoted),
    )
