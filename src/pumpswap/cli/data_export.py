"""``pumpswap data export`` and ``pumpswap data bars``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pumpswap.cli.data import NEEDS, lake_of, lake_options
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PATH, SOL, UTC_TIME
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError

if TYPE_CHECKING:
    from pumpswap.market.lake.reader import LakeReader

__all__ = ["bars", "export"]

_F = TypeVar("_F", bound=Callable[..., Any])
_FORMATS = (
    "CSV has exact integers and decimals; texts that a spreadsheet would take for a formula get an apostrophe in "
    "front. JSON is one object per line, amounts and times as strings. Bytes are base64. Parquet needs --output."
)


def _options(callback: _F) -> _F:
    pool = option("--pool", metavar="POOL", help="Only this pool.")
    since = option("--since", type=UTC_TIME, metavar="DATE", help="From this date or time on, UTC.")
    until = option("--until", type=UTC_TIME, metavar="DATE", help="Until then, itself not included.")
    shape = option("--format", "shape", type=click.Choice(["csv", "json", "parquet"]), help="Default: csv.")
    target = option("--output", type=PATH, metavar="PATH", help="A file instead of stdout.")
    force = option("--force", is_flag=True, help="Overwrite the file if it exists (so does --yes).")
    return pool(since(until(shape(target(force(lake_options(callback)))))))


@command(
    "export",
    help=(
        "Export rows of the lake in time order: swaps, acts, states, candles or snapshots. Columns are those of the "
        f"data dictionary in docs/lake.md.\n\n{_FORMATS} Rows of Parquet are sorted by pool within each part."
    ),
    examples=[
        Example("pumpswap data export swaps --output swaps.csv", needs=NEEDS),
        Example("pumpswap data export swaps --pool POOL --since 2026-11-01 --format json", needs=NEEDS),
        Example("pumpswap data export candles --format parquet --output candles.parquet", needs=NEEDS),
    ],
)
@click.argument("kind", type=click.Choice(["swaps", "acts", "states", "candles", "snapshots"]))
@_options
@pass_output
def export(out: Output, /, kind: str, **options: Any) -> None:
    from pumpswap.market.lake.exporting import count_rows

    chosen = _Chosen(out, options)
    reader, where = chosen.reader, chosen.where
    chosen.write(
        kind,
        pieces=lambda: chain([reader.frame(kind).head(0).collect()], reader.pieces(kind, *where)),
        whole=lambda: reader.frame(kind, *where),
        rows=lambda: count_rows(reader, kind, *where),
    )


@command(
    "bars",
    help=(
        "Make bars of the lake's swaps: by time, by number of trades, or by volume. Prices are what traders paid or "
        "received per token, fees included; a bar is known at known_ns, its end, and not before. The last bar of time "
        "grows while a recording is at work: name --until then.\n\n"
        "Prices are pairs of whole numbers, the amounts of one real trade (open_quote / open_base, raw units), so they "
        "are exact; open, high, low and close repeat them as numbers for people, in SOL per token of 6 decimals, or "
        "of the decimals of a recorded state of the pool. Bars of time without a trade are left out, unless --fill "
        f"repeats the last close.\n\n{_FORMATS}"
    ),
    examples=[
        Example("pumpswap data bars --seconds 60 --output bars.csv", "one-minute bars of every pool", needs=NEEDS),
        Example("pumpswap data bars --trades 100 --pool POOL", "a bar per hundred trades", needs=NEEDS),
        Example("pumpswap data bars --volume-sol 50 --format json", "a bar per 50 SOL of volume", needs=NEEDS),
    ],
)
@option("--seconds", type=click.IntRange(1, 86_400), metavar="N", help="Bars of N seconds, which divide a day.")
@option("--trades", type=click.IntRange(1), metavar="N", help="Bars of N trades.")
@option("--volume-sol", type=SOL, metavar="SOL", help="Bars of so much volume.")
@option("--fill", is_flag=True, help="Bars of time without a trade repeat the last close.")
@_options
@pass_output
def bars(
    out: Output,
    /,
    seconds: int | None,
    trades: int | None,
    volume_sol: int | None,
    fill: bool,
    **options: Any,
) -> None:
    from pumpswap.market.lake.bars import BarRule, bars_in_pieces, no_bars, with_prices

    rule = BarRule(seconds=seconds or 0, trades=trades or 0, quote_units=volume_sol or 0)
    if fill and not seconds:
        raise UsageError("--fill is for bars of time", hint="leave it out, or use --seconds")
    chosen = _Chosen(out, options)
    reader = chosen.reader

    def pieces() -> Any:
        yield with_prices(no_bars(), reader)
        for piece in bars_in_pieces(reader, rule, *chosen.where, fill=fill):
            yield with_prices(piece, reader)

    chosen.write("bars", pieces=pieces, whole=None, rows=lambda: None)


class _Chosen:
    """The options that both commands share."""

    def __init__(self, out: Output, options: dict[str, Any]) -> None:
        since, until, self._output = options["since"], options["until"], options["output"]
        if since is not None and until is not None and since >= until:
            raise UsageError("--since is not before --until", hint="--until itself is not included")
        if self._output is not None and str(self._output) == "-":
            self._output = None
        self.out = out
        self._force = options["force"] or out.options.yes
        self._shape = self._checked_shape(options["shape"])
        lake = lake_of(out, options["folder"], options["network"])
        from pumpswap.market.lake import LakeReader

        self.reader: LakeReader = LakeReader(lake)
        self.where = (
            options["pool"],
            None if since is None else since * NS_PER_SECOND,
            None if until is None else until * NS_PER_SECOND,
        )

    def write(self, what: str, *, pieces: Any, whole: Any, rows: Callable[[], int | None]) -> None:
        """To the file or to stdout, and say so."""
        from pumpswap.cli.export_file import new_file
        from pumpswap.cli.progress import progress
        from pumpswap.market.lake.exporting import export_text

        with progress(self.out) as tell:
            total = rows()

            def told(count: int) -> None:
                tell(what, count, total)

            if self._output is None:
                export_text(pieces(), self._shape, sys.stdout, told)
                return
            if self._shape == "parquet":
                count = self._parquet(self._output, pieces, whole)
            else:
                with new_file(self._output, overwrite=self._force) as file:
                    count = export_text(pieces(), self._shape, file, told)
        self._tell(what, count)

    def _checked_shape(self, shape: str | None) -> str:
        if self._output is None:
            if shape == "parquet":
                raise UsageError("Parquet is not written to a terminal or a pipe", hint="name a file with --output")
            if self.out.json and shape == "csv":
                hint = "leave one out, or name an --output"
                raise UsageError("--json and --format csv contradict each other", hint=hint)
        return shape or ("json" if self.out.json and self._output is None else "csv")

    def _parquet(self, path: Path, pieces: Any, whole: Any) -> int:
        from pumpswap.cli.export_file import new_path
        from pumpswap.market.lake.exporting import export_parquet, gathered

        with new_path(path, overwrite=self._force) as partial:
            return export_parquet(whole() if whole is not None else gathered(pieces()), partial)

    def _tell(self, what: str, count: int) -> None:
        if self.out.json:
            said = {"kind": what, "format": self._shape, "path": str(self._output), "rows": str(count)}
            self.out.emit("data_export", said)
        else:
            self.out.show(f"{count:,} rows of {what} in {self._output}", keep_lines=True)
