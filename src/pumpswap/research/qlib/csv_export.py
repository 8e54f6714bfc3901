"""QLib's CSV form as the host writes it: one file of candles per pool, and a summary beside them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND, Clock, format_utc
from pumpswap.errors import BadInput, UsageError
from pumpswap.market.candle_file import TIMEFRAMES, Candle
from pumpswap.research.qlib.bars import qualified
from pumpswap.research.qlib.dataset import NOTE_FILE
from pumpswap.research.qlib.new_folder import new_folder
from pumpswap.research.qlib.observation import Kind, Source
from pumpswap.research.qlib.symbols import clean_name

__all__ = ["CSV_COLUMNS", "CsvResult", "export_csv"]

CSV_COLUMNS = ("datetime", "symbol", "open", "high", "low", "close", "volume")
SUMMARY_FILE = "export_summary.json"
# Beside them, since the collector's own exports have the same summary: only what we wrote is written anew.
_NOTE = json.dumps({"schema": "pumpswap.qlib_csv", "version": 1}) + "\n"


@dataclass(frozen=True, slots=True)
class CsvResult:
    """What was written; ``first`` and ``last`` are the starts of the earliest and the latest candle."""

    folder: Path
    timeframe: str
    first: str
    last: str
    files: int
    records: int
    repeated: int
    skipped: int


def export_csv(
    source: Source,
    out: Path,
    timeframe: str,
    clock: Clock,
    *,
    between_ns: tuple[int | None, int | None] = (None, None),
    tell: Callable[[int], None] = lambda _: None,
) -> CsvResult:
    """Write ``out`` anew: columns and numbers as the host writes them, hours without a trade are missing.

    ``between_ns`` bounds the candles: they start at or after the first and are over at the second. Raises UsageError
    for a folder that holds something else and for a source without candles, BadInput when there is nothing to write.
    """
    if source.kind is not Kind.CANDLES:
        raise UsageError("the CSV form holds candles only", hint="add --rows candles")
    with new_folder(out) as fresh:
        _check_place(out)
        candles, repeated = _read(source, timeframe, clock, between_ns, tell)
        if not candles:
            raise BadInput(f"{source.location} has no candles of {timeframe} in this time", hint="see --freq, --start")
        records = sum(_write(fresh, name, rows) for name, rows in candles.items())
        starts = [row.start_ns for rows in candles.values() for row in (rows[0], rows[-1])]
        result = CsvResult(
            out, timeframe, _iso(min(starts)), _iso(max(starts)), len(candles), records, repeated, len(source.skipped)
        )
        (fresh / SUMMARY_FILE).write_text(_summary(result, clock), encoding="utf-8")
        (fresh / NOTE_FILE).write_text(_NOTE, encoding="utf-8")
    return result


def _read(
    source: Source,
    timeframe: str,
    clock: Clock,
    between_ns: tuple[int | None, int | None],
    tell: Callable[[int], None],
) -> tuple[dict[str, list[Candle]], int]:
    """Candles by the name of their file, and how many occurred twice."""
    first_ns, end_ns = between_ns
    until_ns = clock.now_ns() if end_ns is None else min(end_ns, clock.now_ns())
    found: dict[str, list[Candle]] = {}
    owners: dict[str, str] = {}
    repeated = 0
    for done, candle in enumerate(source.candles(TIMEFRAMES[timeframe]), 1):
        if done % 1_000 == 0:
            tell(done)
        too_early = first_ns is not None and candle.start_ns < first_ns
        if candle.timeframe != timeframe or too_early or candle.known_ns > until_ns:
            continue
        name = clean_name(qualified(candle.pool))
        if owners.setdefault(name, candle.pool) != candle.pool:
            raise BadInput(f"the pools {owners[name]} and {candle.pool} would both be {name}", hint="leave one out")
        rows = found.setdefault(name, [])
        if rows and candle.start_ns <= rows[-1].start_ns:
            repeated += 1
        else:
            rows.append(candle)
    return found, repeated


def _write(folder: Path, name: str, candles: list[Candle]) -> int:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        for candle in candles:
            figures = (candle.open_usd, candle.high_usd, candle.low_usd, candle.close_usd, candle.volume_usd)
            # The host's numbers went through float64; its shortest digits are what pandas writes.
            writer.writerow((format_utc(candle.start_ns), name, *(repr(float(figure)) for figure in figures)))
    return len(candles)


def _summary(result: CsvResult, clock: Clock) -> str:
    now_ns = clock.now_ns()
    micros = now_ns % NS_PER_SECOND // 1_000
    said = {
        "export_date": f"{_iso(now_ns)}.{micros:06d}",
        "timeframe": result.timeframe,
        "symbols_exported": result.files,
        "date_range": {"start": result.first, "end": result.last},
        "success": True,
        "files_created": result.files,
        "total_records": result.records,
    }
    return json.dumps(said, indent=2)


def _check_place(out: Path) -> None:
    if not out.exists():
        return
    ours = {SUMMARY_FILE, NOTE_FILE}
    if not out.is_dir() or any(path.suffix != ".csv" and path.name not in ours for path in out.iterdir()):
        raise UsageError(f"{out} holds something else than QLib's CSV files", hint="name a folder of its own")
    if any(out.iterdir()) and not (out / NOTE_FILE).exists():
        raise UsageError(f"{out} holds CSV files of somebody else", hint=f"it has no {NOTE_FILE}; name another one")


def _iso(at_ns: int) -> str:
    return format_utc(at_ns).replace(" ", "T")
