"""Exports to QLib's binary layout: everything anew, what is new, or what is missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import Enum
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND, Clock, format_utc
from pumpswap.errors import BadInput, NotFound, UsageError
from pumpswap.research.qlib.bars import Bars, Counts, read_bars
from pumpswap.research.qlib.dataset import NOTE_FILE, PARTS, DatasetNote, QlibDataset
from pumpswap.research.qlib.dataset_writer import Entry, write_dataset
from pumpswap.research.qlib.frequency import Frequency, frequency_named
from pumpswap.research.qlib.new_folder import new_folder
from pumpswap.research.qlib.observation import Filters, Source
from pumpswap.research.qlib.stored import StoredDataset
from pumpswap.research.qlib.symbols import assign_symbols

__all__ = ["ExportOptions", "ExportResult", "Mode", "export_dataset"]

Tell = Callable[[str, int, int | None], None]  # what is going on, how much is done, of how much


class Mode(Enum):
    """What is written."""

    ALL = "all"  # everything, in place of what is there
    UPDATE = "update"  # the bars after the last one that is there
    FIX = "fix"  # symbols that are missing, within the calendar that is there


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """``start_ns`` and ``end_ns`` bound the bars that are written: from the bar of the start on, until bars that end
    by the end; None is open. Bars that ended less than ``settle_seconds`` ago wait for the next export: a collector
    writes candles late. ``backup_dir`` gets a copy of the dataset that is replaced."""

    frequency: Frequency = field(default_factory=lambda: frequency_named("60min"))
    mode: Mode = Mode.ALL
    start_ns: int | None = None
    end_ns: int | None = None
    settle_seconds: int = 0
    filters: Filters = field(default_factory=Filters)
    backup_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export has done. ``first`` and ``last`` are the ends of the calendar; ``changed`` is how many symbols
    were written, ``outside`` how many bars ``fix`` had to leave out since the calendar has no place for them."""

    folder: Path
    mode: Mode
    frequency: str
    kind: str
    first: str
    last: str
    bars: int
    symbols: int
    changed: int
    values: int
    counts: Counts
    skipped: int
    renamed: tuple[str, ...] = ()
    outside: int = 0
    backup: Path | None = None


@dataclass
class _Plan:
    """The entries of the new dataset, and what they were made of."""

    entries: list[Entry]
    symbols: Mapping[str, str]
    renamed: list[str]
    outside: int = 0


def export_dataset(
    source: Source, out: Path, options: ExportOptions, clock: Clock, tell: Tell = lambda _what, _done, _of: None
) -> ExportResult:
    """Write ``out``, or leave it as it is.

    Raises UsageError for a folder that holds something else, NotFound when there is nothing to update, BadInput when
    the source has nothing to export, and for an update whose source has changed what is exported already.
    """
    with new_folder(out) as fresh:
        _check_place(out, options)
        old = None if options.mode is Mode.ALL else _previous(out, source, options)
        bars = _read(source, options, clock, tell)
        plan = _everything(bars) if old is None else _added(old, bars, options)
        if not plan.entries:
            raise BadInput(f"{source.location} has nothing to export", hint=_why_nothing(bars.counts))
        note = _note(source, options, plan.symbols)
        first, last = write_dataset(
            fresh, options.frequency, plan.entries, note, lambda done, of: tell("writing symbols", done, of)
        )
        backup = _back_up(out, options.backup_dir, clock)
    written = [entry for entry in plan.entries if entry.series is not None]
    return ExportResult(
        folder=out,
        mode=options.mode,
        frequency=options.frequency.name,
        kind=source.kind.value,
        first=options.frequency.text(first),
        last=options.frequency.text(last),
        bars=last - first + 1,
        symbols=len(plan.entries),
        changed=len(written),
        values=sum(len(one.series or ()) for one in written) * len(source.kind.fields),
        counts=bars.counts,
        skipped=len(source.skipped),
        renamed=tuple(plan.renamed),
        outside=plan.outside,
        backup=backup,
    )


def _read(source: Source, options: ExportOptions, clock: Clock, tell: Tell) -> Bars:
    frequency, now_ns = options.frequency, clock.now_ns() - options.settle_seconds * NS_PER_SECOND
    as_of_ns = now_ns if options.end_ns is None else min(now_ns, options.end_ns)
    bars = read_bars(source, frequency, options.filters, as_of_ns, lambda done: tell("reading rows", done, None))
    if options.start_ns is not None:
        start = frequency.bar_of(options.start_ns)
        bars.series = {pool: series.within(start, None) for pool, series in bars.series.items()}
    bars.series = {pool: series for pool, series in bars.series.items() if len(series)}
    return bars


def _everything(bars: Bars) -> _Plan:
    symbols, renamed = _symbols(bars, {})
    entries = [Entry(symbols[pool], one.first_bar, one.last_bar, one) for pool, one in bars.series.items()]
    return _Plan(entries, symbols, renamed)


def _added(old: StoredDataset, bars: Bars, options: ExportOptions) -> _Plan:
    """The old dataset with what an update or a fix adds to it."""
    outside = 0
    if options.mode is Mode.FIX:
        missing = {pool: one for pool, one in bars.series.items() if pool not in old.note.symbols}
        wanted = {pool: one.within(old.first, old.last + 1) for pool, one in missing.items()}
        outside = sum(len(missing[pool]) - len(one) for pool, one in wanted.items())
    else:
        for pool, one in bars.series.items():
            old.check_past(pool, one.within(None, old.last + 1))
        wanted = {pool: one.within(old.last + 1, None) for pool, one in bars.series.items()}
    bars.series = {pool: one for pool, one in wanted.items() if len(one)}
    symbols, renamed = _symbols(bars, old.note.symbols)
    entries = [old.kept(symbol) for pool, symbol in old.note.symbols.items() if pool not in bars.series]
    for pool, one in bars.series.items():
        whole = old.extended(pool, one) if pool in old.note.symbols else one
        entries.append(Entry(symbols[pool], whole.first_bar, whole.last_bar, whole))
    return _Plan(entries, symbols, renamed, outside)


def _symbols(bars: Bars, taken: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    return assign_symbols(
        ((one.first_bar, pool, bars.wishes.get(pool, "")) for pool, one in bars.series.items()), taken
    )


def _previous(out: Path, source: Source, options: ExportOptions) -> StoredDataset:
    dataset = QlibDataset(out, options.frequency.name)
    note = dataset.note
    if note is None:
        raise UsageError(
            f"{out} was not written by pumpswap, so nothing can be added to it",
            hint="its calendar and its symbols follow other rules; use --mode all and another --out",
        )
    now = _note(source, options, note.symbols)
    for part in fields(DatasetNote):
        was, wanted = getattr(note, part.name), getattr(now, part.name)
        if was != wanted:
            raise UsageError(
                f"{out} was made with other {part.name}: {was}, not {wanted}",
                hint="use the same options, or --mode all",
            )
    return StoredDataset(dataset, note, options.frequency)


def _note(source: Source, options: ExportOptions, symbols: Mapping[str, str]) -> DatasetNote:
    names = ("min_liquidity_usd", "min_volume_usd", "min_quality") if source.kind.value == "snapshots" else ()
    filters = {name: _plain(getattr(options.filters, name)) for name in names}
    return DatasetNote(options.frequency.name, source.kind.value, source.kind.fields, filters, symbols)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _check_place(out: Path, options: ExportOptions) -> None:
    """Never take the place of something that is not a dataset, nor of another's without a copy of it."""
    if options.backup_dir is not None and options.backup_dir.resolve().is_relative_to(out.resolve()):
        raise UsageError(
            f"{options.backup_dir} is inside of {out}, which is replaced as a whole", hint="name another --backup-dir"
        )
    if not out.exists():
        if options.mode is not Mode.ALL:
            raise NotFound(f"{out} does not exist", hint="the first export is --mode all")
        return
    if not out.is_dir() or {path.name for path in out.iterdir()} - {*PARTS, NOTE_FILE}:
        raise UsageError(f"{out} holds something else than a dataset", hint="name a folder of its own with --out")
    is_ours = (out / NOTE_FILE).exists() or not any(out.iterdir())
    if options.mode is Mode.ALL and not is_ours and options.backup_dir is None:
        raise UsageError(
            f"{out} is a dataset of another program",
            hint="name another --out, or a --backup-dir, to which it is copied first",
        )


def _back_up(out: Path, backup_dir: Path | None, clock: Clock) -> Path | None:
    if backup_dir is None or not out.exists():
        return None
    stamp = format_utc(clock.now_ns()).replace("-", "").replace(":", "").replace(" ", "_")
    target = backup_dir / f"{out.name}_backup_{stamp}"
    shutil.copytree(out, target)
    return target


def _why_nothing(counts: Counts) -> str:
    if not counts.rows and not counts.candles:
        return "it holds no such rows at all; of a lake its candles of mainnet are taken, or --rows snapshots"
    return (
        f"of {counts.rows:,} rows the filters refuse {counts.filtered:,}, and {counts.unfinished:,} rows or candles"
        " are in bars that are not over; see --min-liquidity, --min-volume, --start and --end"
    )
