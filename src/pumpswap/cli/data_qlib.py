"""``pumpswap data export-qlib`` and ``data check-qlib``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import AMOUNT, DURATION, PATH, SOURCE, UTC_TIME, NumberRange
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import NotFound, UsageError
from pumpswap.research.qlib.frequency import FREQUENCIES

if TYPE_CHECKING:
    from pumpswap.cli.progress import Tell
    from pumpswap.research.qlib.csv_export import CsvResult
    from pumpswap.research.qlib.export import ExportResult
    from pumpswap.research.qlib.health import Health, SymbolHealth
    from pumpswap.research.qlib.observation import Source

__all__ = ["check_qlib", "export_qlib"]

_BIN_ONLY = {
    "mode": ("all",),
    "rows": ("auto", "candles"),
    "backup_dir": (None,),
    "settle": (None,),
    "min_liquidity": (None,),
    "min_volume": (None,),
    "min_quality": (None,),
}
_MOST_SYMBOLS = 12
_SETTLE_SECONDS = 3_600  # collectors ask for candles once an hour
_NEEDS = "a recording"


@command(
    "export-qlib",
    help=(
        "Export market data as a dataset of QLib, in the folder --out.\n\n"
        "--source is your collector's database (a SQLite file or a postgresql:// URL, which is only read), a folder of "
        "its CSV files, a folder of QLib's CSV files, or a lake; the lake of the settings unless you name one. Rows of "
        "a collector give 17 fields, candles give open, high, low, close and volume.\n\n"
        "The calendar has every bar from the first to the last: an hour without data is NaN and shifts nothing. A bar "
        "is named by its start, and is exported when it is over. 'update' adds what came after the last bar and gives "
        "the same bytes as 'all' would; when the source has changed what is exported already, it refuses. 'fix' adds "
        "symbols that are missing. Nothing is half written: the dataset is replaced when the new one is complete."
    ),
    examples=[
        Example("pumpswap data export-qlib --source qlib_csv --out qlib_data", "hourly candles, for qlib.init"),
        Example("pumpswap data export-qlib --source qlib_csv --out qlib_data --mode update", "what is new since then"),
        Example("pumpswap data export-qlib --source postgresql://localhost/gecko --out qlib_data", needs=_NEEDS),
        Example("pumpswap data export-qlib --out qlib_csv_new --format csv", "the lake, as CSV", needs="a lake"),
    ],
)
@option("--source", type=SOURCE, metavar="PATH|URL", help="What is exported. Default: the lake.")
@option("--out", type=PATH, required=True, metavar="DIR", help="The folder of the dataset.")
@option("--freq", type=click.Choice(list(FREQUENCIES)), default="60min", show_default=True, help="Length of the bars.")
@option(
    "--mode", type=click.Choice(["all", "update", "fix"]), default="all", show_default=True, help="What is written."
)
@option(
    "--rows",
    type=click.Choice(["auto", "enhanced", "snapshots", "candles"]),
    default="auto",
    show_default=True,
    help="Which rows of the source: auto takes enhanced ones where there are any.",
)
@option("--format", "shape", type=click.Choice(["bin", "csv"]), default="bin", show_default=True, help="QLib's layout.")
@option("--start", type=UTC_TIME, metavar="DATE", help="Only bars from this date or time on, UTC.")
@option("--end", type=UTC_TIME, metavar="DATE", help="Only bars that are over by then, UTC.")
@option("--settle", type=DURATION, metavar="TIME", help="Bars that ended less than this ago wait. Default: 1h.")
@option("--min-liquidity", type=AMOUNT, metavar="USD", help="Only rows with this reserve. Default: 1000.")
@option("--min-volume", type=AMOUNT, metavar="USD", help="Only rows with this volume in 24 hours. Default: 100.")
@option("--min-quality", type=AMOUNT, metavar="0-100", help="Only enhanced rows with this quality. Default: 50.")
@option("--backup-dir", type=PATH, metavar="DIR", help="Copy the dataset there before.")
@pass_output
def export_qlib(out: Output, /, source: str | None, **options: Any) -> None:
    from pumpswap.cli.progress import progress

    if options["start"] is not None and options["end"] is not None and options["start"] >= options["end"]:
        raise UsageError("--start is not before --end", hint="bars that are over by --end are exported")
    opened = _open(out, source, "candles" if options["shape"] == "csv" else options["rows"])
    if options["shape"] == "csv":
        with progress(out) as tell:
            files = _export_csv(opened, options, tell)
        _show_csv(out, opened, files)
        return
    with progress(out) as tell:
        result = _export_bin(opened, options, tell)
    _show(out, opened, result)


@command(
    "check-qlib",
    help=(
        "Look through a dataset of QLib in the folder DIR, yours or your collector's: hours without a close, jumps of "
        "price and volume, and files that do not fit together. Holes and jumps are facts of a market; faults make QLib "
        "read something else than was written, and end with exit code 1.\n\n"
        "Every dataset that pumpswap writes has a calendar with even steps. One with raw collection times is named: "
        "values in it are stamped with whatever minute a collector happened to run."
    ),
    examples=[
        Example("pumpswap data check-qlib qlib_data", needs="a dataset"),
        Example("pumpswap data check-qlib qlib_data --price-jump 0.2 --json", "for scripts", needs="a dataset"),
    ],
)
@click.argument("folder", type=PATH, metavar="DIR")
@option("--freq", type=click.Choice(list(FREQUENCIES)), default="60min", show_default=True, help="Length of the bars.")
@option("--price-jump", type=NumberRange(0), default=0.5, show_default=True, help="A change of this share is a jump.")
@option("--volume-jump", type=NumberRange(0), default=3.0, show_default=True, help="Likewise for the volume.")
@pass_output
def check_qlib(out: Output, /, folder: Path, freq: str, price_jump: float, volume_jump: float) -> None:
    from pumpswap.cli.progress import progress
    from pumpswap.research.qlib.health import check_health

    with progress(out) as tell:
        health = check_health(
            folder,
            freq,
            price_threshold=price_jump,
            volume_threshold=volume_jump,
            tell=lambda done, of: tell("reading symbols", done, of),
        )
    if out.json:
        out.emit("qlib_health", {"path": str(folder), "freq": freq, **_health_json(health)})
    else:
        _show_health(out, health)
    if not health.is_sound:
        click.get_current_context().exit(1)


def _open(out: Output, target: str | None, rows: str) -> Source:
    from pumpswap.cli.run_result import settings_for
    from pumpswap.market.lake import is_lake
    from pumpswap.research.qlib.row_kind import RowKind
    from pumpswap.research.qlib.sources import open_source

    if target is None:
        lake = settings_for(out).lake_folder
        if not is_lake(lake):
            raise NotFound(f"there is no lake in {lake}", hint="name a --source, or fill it: pumpswap data download")
        target = str(lake)
    return open_source(target, RowKind(rows))


def _export_bin(source: Source, options: dict[str, Any], tell: Tell) -> ExportResult:
    from pumpswap.clock import SystemClock
    from pumpswap.research.qlib.export import ExportOptions, Mode, export_dataset
    from pumpswap.research.qlib.observation import Filters

    given = {
        name: options[option]
        for name, option in (
            ("min_liquidity_usd", "min_liquidity"),
            ("min_volume_usd", "min_volume"),
            ("min_quality", "min_quality"),
        )
        if options[option] is not None
    }
    chosen = ExportOptions(
        frequency=FREQUENCIES[options["freq"]],
        mode=Mode(options["mode"]),
        start_ns=_ns(options["start"]),
        end_ns=_ns(options["end"]),
        settle_seconds=_SETTLE_SECONDS if options["settle"] is None else options["settle"],
        filters=Filters(**given),
        backup_dir=options["backup_dir"],
    )
    return export_dataset(source, options["out"], chosen, SystemClock(), tell)


def _export_csv(source: Source, options: dict[str, Any], tell: Tell) -> CsvResult:
    from pumpswap.clock import SystemClock
    from pumpswap.research.qlib.csv_export import export_csv
    from pumpswap.research.qlib.row_kind import useful

    for name, usual in _BIN_ONLY.items():
        if options[name] not in usual:
            named = f"--{name.replace('_', '-')}"
            raise UsageError(f"{named} is nothing for --format csv", hint="its files are candles, always written anew")
    return export_csv(
        source,
        options["out"],
        useful(FREQUENCIES[options["freq"]].seconds)[0],  # candles as long as the bars
        SystemClock(),
        between_ns=(_ns(options["start"]), _ns(options["end"])),
        tell=lambda done: tell("reading candles", done, None),
    )


def _ns(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * NS_PER_SECOND


def _show(out: Output, source: Source, result: ExportResult) -> None:
    counts = result.counts
    if out.json:
        said = {
            "source": source.location,
            "path": str(result.folder),
            "mode": result.mode.value,
            "freq": result.frequency,
            "kind": result.kind,
            "first": result.first,
            "last": result.last,
            "bars": result.bars,
            "symbols": result.symbols,
            "symbols_written": result.changed,
            "values_written": result.values,
            "rows": counts.rows,
            "candles": counts.candles,
            "rows_filtered": counts.filtered,
            "candles_not_admitted": counts.not_admitted,
            "candles_repeated": counts.repeated,
            "unfinished": counts.unfinished,
            "rows_skipped": result.skipped,
            "bars_outside": result.outside,
            "renamed": list(result.renamed),
            "backup": None if result.backup is None else str(result.backup),
        }
        out.emit("qlib_export", said)
        return
    out.show(
        f"{result.folder}: {result.symbols:,} symbols, {result.bars:,} bars of {result.frequency}, "
        f"{result.first} to {result.last} UTC",
        keep_lines=True,
    )
    for line in _remarks(result):
        out.say(line)
    out.say(f"Load it: qlib.init(provider_uri={str(result.folder)!r}); D.features(..., freq={result.frequency!r})")


def _remarks(result: ExportResult) -> list[str]:
    """What happened to rows on the way, where anything did."""
    counts = result.counts
    found = [
        (result.symbols - result.changed, "symbols had nothing new"),
        (counts.filtered, "rows refused by the filters (liquidity, volume, quality)"),
        (counts.not_admitted, "candles of pools whose latest row is refused, or that have none"),
        (counts.unfinished, "rows or candles of bars that are not over"),
        (counts.repeated, "candles that occur twice"),
        (result.skipped, "rows that cannot be used"),
        (result.outside, "bars outside the calendar, left out: --mode update adds later ones"),
        (len(result.renamed), "pools with their address in the symbol: another has the name"),
    ]
    lines = [f"{count:>9,} {what}" for count, what in found if count]
    return lines if result.backup is None else [*lines, f"Backup: {result.backup}"]


def _show_csv(out: Output, source: Source, result: CsvResult) -> None:
    if out.json:
        said = {
            "source": source.location,
            "path": str(result.folder),
            "timeframe": result.timeframe,
            "first": result.first,
            "last": result.last,
            "files": result.files,
            "records": result.records,
            "candles_repeated": result.repeated,
            "rows_skipped": result.skipped,
        }
        out.emit("qlib_csv_export", said)
        return
    out.show(
        f"{result.folder}: {result.files:,} files, {result.records:,} candles of {result.timeframe}, "
        f"{result.first} to {result.last} UTC",
        keep_lines=True,
    )


def _health_json(health: Health) -> dict[str, Any]:
    return {
        "is_sound": health.is_sound,
        "bars": health.calendar,
        "irregular_steps": health.irregular,
        "faults": list(health.faults),
        "symbols": [
            {
                "symbol": one.symbol,
                "bars": one.bars,
                "missing": one.missing,
                "price_jumps": one.price_jumps,
                "volume_jumps": one.volume_jumps,
                "faults": list(one.faults),
            }
            for one in health.symbols
        ],
    }


def _show_health(out: Output, health: Health) -> None:
    from rich.table import Table

    table = Table("symbol", box=None, pad_edge=False)
    for name in ("bars", "missing", "price jumps", "volume jumps"):
        table.add_column(name, justify="right")
    notable = [one for one in health.symbols if one.missing or one.price_jumps or one.volume_jumps or one.faults]
    worst = sorted(notable, key=_weight)[:_MOST_SYMBOLS]
    for one in worst:
        figures = (one.bars, one.missing, one.price_jumps, one.volume_jumps)
        table.add_row(one.symbol, *(f"{figure:,}" for figure in figures))
    bars, missing = sum(one.bars for one in health.symbols), sum(one.missing for one in health.symbols)
    share = f"{missing / bars:.1%}" if bars else "none"
    out.show(
        f"{len(health.symbols):,} symbols in {health.calendar:,} bars; {share} of their bars are missing", "", table
    )
    if len(health.symbols) > len(worst):
        out.say(f"The {len(worst)} with most to look at, of {len(health.symbols):,}; --json has all.")
    if health.irregular:
        out.warn(f"{health.irregular:,} steps of the calendar are uneven: raw collection times, not bars")
    for fault in health.faults:
        out.warn(fault)
    for one in health.symbols:
        for fault in one.faults[:1]:
            out.warn(f"{one.symbol}: {fault}")
    out.say("Sound: QLib reads what was written." if health.is_sound else "Not sound: see the warnings.")


def _weight(one: SymbolHealth) -> tuple[int, int, str]:
    return (-len(one.faults), -(one.missing + one.price_jumps + one.volume_jumps), one.symbol)
