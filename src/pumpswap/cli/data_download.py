"""``pumpswap data download``: candles, and the last trades, of pools into the lake."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PATH, PUBKEY
from pumpswap.clock import format_utc
from pumpswap.market.candle_file import TIMEFRAMES

if TYPE_CHECKING:
    from pumpswap.app.lake_download import Downloaded, DownloadOptions
    from pumpswap.cli.progress import Tell
    from pumpswap.errors import PumpSwapError
    from pumpswap.market.http_source import SourceStatistics
    from pumpswap.settings import Settings

__all__ = ["download"]

_NEEDS = "the network"


class _PoolType(click.ParamType):  # type: ignore[type-arg]  # click 8.1 has no type argument
    """The address of a pool, with or without the network in front. It goes into a URL: nothing else may."""

    name = "pool"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from pumpswap.market.identifiers import bare_address

        return str(PUBKEY.convert(bare_address(str(value)), param, ctx))


@command(
    "download",
    help=(
        "Download candles of pools from GeckoTerminal into the lake: of --days, as far as the service has them.\n\n"
        "Only what is missing is asked for, page by page from new to old, and every page is stored together with the "
        "claim that its time is complete: stop it at any moment and start it again. A time without a candle is normal, "
        "nobody traded then; it is counted as quiet. The service's limits are kept (30 requests a minute, Retry-After)."
        "\n\n"
        "--trades also takes the last trades that the service has: 300 at most, of 24 hours. 'data backfill' reads all "
        "of them, exactly, from the chain."
    ),
    examples=[
        Example("pumpswap data download POOL", "hourly candles of 30 days", needs=_NEEDS),
        Example("pumpswap data download POOL POOL --timeframe 1m --timeframe 1h --days 7", needs=_NEEDS),
        Example("pumpswap data download POOL --trades --json", "for scripts", needs=_NEEDS),
    ],
)
@click.argument("pools", nargs=-1, required=True, type=_PoolType(), metavar="POOL...")
@option(
    "--timeframe",
    "timeframes",
    type=click.Choice(list(TIMEFRAMES)),
    multiple=True,
    default=("1h",),
    help="Length of the candles; may be repeated. Default: 1h.",
)
@option("--days", type=click.IntRange(1, 3_650), default=30, show_default=True, help="How far back.")
@option("--trades", is_flag=True, help="Also the last trades.")
@option("--lake", "folder", type=PATH, metavar="DIR", help="Default: that of the settings.")
@pass_output
def download(
    out: Output, pools: tuple[str, ...], timeframes: tuple[str, ...], days: int, trades: bool, folder: Path | None
) -> None:
    from pumpswap.app.lake_download import DownloadOptions
    from pumpswap.cli.progress import progress
    from pumpswap.cli.run_result import settings_for
    from pumpswap.cli.waiting import wait_for

    options = DownloadOptions(tuple(dict.fromkeys(timeframes)), days, trades)
    with progress(out) as tell:
        done, failed, statistics = wait_for(
            _download(settings_for(out), folder, tuple(dict.fromkeys(pools)), options, tell)
        )
    if failed and not done:
        raise failed[0][1]
    for pool, error in failed:
        out.warn(f"{pool}: {error.what}")
    if out.json:
        out.emit("data_download", _json(done, failed, statistics))
    else:
        _show(out, done, statistics)
    if failed:
        click.get_current_context().exit(failed[0][1].exit_code)


Failed = list[tuple[str, "PumpSwapError"]]


async def _download(
    settings: Settings, folder: Path | None, pools: Sequence[str], options: DownloadOptions, tell: Tell
) -> tuple[list[Downloaded], Failed, SourceStatistics]:
    from pumpswap.app.lake_download import Downloader
    from pumpswap.app.lake_place import lake_for_service
    from pumpswap.clock import SystemClock
    from pumpswap.errors import PumpSwapError
    from pumpswap.market.gecko.client import GeckoClient
    from pumpswap.market.lake import LakeWriter

    clock = SystemClock()
    done: list[Downloaded] = []
    failed: Failed = []
    async with GeckoClient(settings.collect, clock) as client:
        with LakeWriter(lake_for_service(settings, folder), clock=clock) as writer:
            downloader = Downloader(client, writer, clock, tell)
            for pool in pools:
                try:
                    done.append(await downloader.download(pool, options))
                except PumpSwapError as error:
                    # One pool that the service does not know must not cost the others.
                    failed.append((pool, error))
        return done, failed, client.statistics


def _show(out: Output, done: Sequence[Downloaded], statistics: SourceStatistics) -> None:
    from pumpswap.cli.books_view import books_table

    table = books_table()
    table.add_column("pool", no_wrap=True)
    for name in ("", "new", "held", "quiet", "gaps"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in done:
        for got in one.candles:
            figures = (got.received, got.held, got.empty, len(got.gaps))
            table.add_row(one.pool, got.timeframe, *(f"{figure:,}" for figure in figures))
        if one.trades is not None:
            table.add_row(one.pool, "trades", f"{one.trades.stored:,}", f"{one.trades.received:,}", "", "")
    out.show(table, keep_lines=True)
    for one in done:
        for line in _remarks(one):
            out.warn(line)
    out.say(f"{statistics.requests:,} requests, {statistics.retries:,} of them again; {statistics.limited:,} times 429")


def _remarks(one: Downloaded) -> list[str]:
    found = []
    for got in one.candles:
        if got.gaps:
            low, high = got.gaps[0]
            then = f"the service does not tell it: {got.too_old}" if got.too_old else "run it again"
            found.append(
                f"{one.pool} {got.timeframe}: {len(got.gaps)} times are not complete, the first from {format_utc(low)}"
                f" to {format_utc(high)}; {then}"
            )
        if got.refused:
            found.append(f"{one.pool} {got.timeframe}: {got.refused} candles could not be read")
    if one.trades is not None and one.trades.is_full:
        found.append(f"{one.pool}: the service gives its last {one.trades.received} trades only; data backfill has all")
    if one.trades is not None and one.trades.unfit:
        found.append(f"{one.pool}: {one.trades.unfit} trades do not fit its two tokens")
    return found


def _json(done: Sequence[Downloaded], failed: Failed, statistics: SourceStatistics) -> dict[str, Any]:
    return {
        "pools": [
            {
                "pool": one.pool,
                "candles": [
                    {
                        "timeframe": got.timeframe,
                        "received": got.received,
                        "held": got.held,
                        "quiet": got.empty,
                        "doubled": got.doubled,
                        "refused": got.refused,
                        "too_old": got.too_old,
                        "gaps": [{"start_ns": str(low), "end_ns": str(high)} for low, high in got.gaps],
                    }
                    for got in one.candles
                ],
                "trades": None
                if one.trades is None
                else {
                    "received": one.trades.received,
                    "stored": one.trades.stored,
                    "known": one.trades.known,
                    "unfit": one.trades.unfit,
                    "is_full": one.trades.is_full,
                },
            }
            for one in done
        ],
        "failed": [{"pool": pool, "what": error.what} for pool, error in failed],
        "requests": statistics.requests,
        "retries": statistics.retries,
    }
