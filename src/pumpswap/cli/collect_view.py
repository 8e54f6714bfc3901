"""How collecting is shown: a screen that is redrawn on a terminal, one line per round elsewhere, and the summary."""

from __future__ import annotations

import time
from collections import deque
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pumpswap.app.collect import Collection, CollectReport
from pumpswap.cli.books_view import duration_text
from pumpswap.cli.formats import counted, printable
from pumpswap.cli.output import Output
from pumpswap.market.collect_plan import CollectTally
from pumpswap.market.http_source import SourceStatistics

__all__ = ["LiveCollecting", "PlainCollecting", "report_json", "show_report"]

_FRAMES_PER_SECOND = 4
_NOTES = 6


class PlainCollecting:
    """A line when a round is over, and one for everything that should be known."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._collection: Collection | None = None
        self._told = CollectTally()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.phase("")

    def opened(self, collection: Collection) -> None:
        self._collection = collection
        for line in place_lines(collection):
            self._out.say(line)

    def phase(self, text: str) -> None:
        if self._collection is None:
            return
        now, before = self._collection.tally, self._told
        if now.cycles > before.cycles:
            self._told = now
            self._out.say(f"{_clock()}  round {now.cycles}: {_difference(now, before)}")

    def note(self, text: str) -> None:
        self._out.say(f"{_clock()}  {text}")


class LiveCollecting:
    """A screen on stderr; nothing of it stays when it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._collection: Collection | None = None
        self._phase = "opening the database"
        self._notes: deque[str] = deque(maxlen=_NOTES)
        self._began = time.monotonic()
        self._live = Live(
            console=console, get_renderable=self.render, refresh_per_second=_FRAMES_PER_SECOND, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def opened(self, collection: Collection) -> None:
        self._collection = collection
        for line in place_lines(collection):
            self._console.print(Text(printable(line)))

    def phase(self, text: str) -> None:
        self._phase = text

    def note(self, text: str) -> None:
        self._notes.append(f"{_clock()}  {printable(text)}")

    def render(self) -> Group:
        """One frame."""
        table = _rows()
        table.add_row("now", Text(self._phase, style="bold"))
        if self._collection is not None:
            _add_figures(table, self._collection.tally, self._collection.requests)
            drift = self._collection.drift
            if drift:
                table.add_row(
                    "changed", f"{len(drift)} differences in the service's answers: {printable(str(drift[0]))}"
                )
        table.add_row("for", duration_text(round(time.monotonic() - self._began)))
        notes = [Text(note, style="yellow", no_wrap=True, overflow="ellipsis") for note in self._notes]
        return Group(table, *notes, Text("Ctrl-C ends it after what is under way; a second one at once.", style="dim"))


def place_lines(collection: Collection) -> list[str]:
    """Where the rows go, and what has no place there."""
    place = collection.place
    whose = "tables of our own" if place.is_own else "the host's own tables"
    lines = [f"Collecting into {place.location}: {whose}."]
    return lines + [f"Not stored here: rows of {table} ({reason})." for table, reason in place.left_out.items()]


def show_report(out: Output, report: CollectReport) -> None:
    """The summary on stdout."""
    table = _rows()
    _add_figures(table, report.tally, report.requests)
    table.add_row("followed", f"{report.followed:,} of {report.known:,} known pools are looked at again")
    table.add_row("took", duration_text(round(report.seconds)))
    out.show(table)
    for one in report.drift:
        out.warn(f"the service's answers differ: {one}")
    for column, count in report.cut.items():
        out.warn(f"{column}: {count} values were shortened or left out, the column is too small for them")


def report_json(report: CollectReport) -> dict[str, Any]:
    """The object of ``--json``."""
    tally, requests = report.tally, report.requests
    return {
        "database": report.place.location,
        "tables": "own" if report.place.is_own else "host",
        "left_out": dict(report.place.left_out),
        "stopped": report.was_stopped,
        "rounds": tally.cycles,
        "pools": {
            "new": tally.new_pools,
            "seen_again": tally.known_pools,
            "of_other_exchanges": tally.other_dexes,
            "known": report.known,
            "followed": report.followed,
            "put_on_watchlist": tally.watched,
        },
        "rows": {
            "snapshots": tally.snapshots,
            "candles": tally.candles,
            "candles_changed": tally.candles_changed,
            "trades": tally.trades,
        },
        "refused": tally.refused,
        "skipped": tally.skipped,
        "errors": tally.errors,
        "requests": {
            "sent": requests.requests,
            "retries": requests.retries,
            "limited": requests.limited,
            "failed": requests.failed,
            "waited_seconds": round(requests.waited_seconds, 3),
        },
        "drift": [
            {"endpoint": one.endpoint, "field": one.field, "kind": one.kind.value, "count": one.count}
            for one in report.drift
        ],
        "too_small_columns": dict(report.cut),
    }


def _rows() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    return table


def _add_figures(table: Table, tally: CollectTally, requests: SourceStatistics) -> None:
    pools = f"{tally.new_pools:,} new, {tally.known_pools:,} seen again"
    if tally.watched:
        pools += f", {tally.watched:,} put on the watchlist"
    table.add_row("rounds", f"{tally.cycles:,}")
    table.add_row("pools", pools)
    table.add_row("stored", f"{tally.snapshots:,} snapshots, {tally.candles:,} candles, {tally.trades:,} trades")
    asked = f"{requests.requests:,} sent, {requests.retries:,} retries"
    if requests.limited:
        asked += f", told to wait {counted(requests.limited, 'time')}"
    if requests.waited_seconds >= 1:
        asked += f", waited {requests.waited_seconds:,.0f} s"
    table.add_row("requests", asked)
    wrong = [
        text
        for count, text in (
            (tally.errors, counted(tally.errors, "failure")),
            (tally.refused, f"{counted(tally.refused, 'element')} not to be read"),
            (tally.skipped, f"{counted(tally.skipped, 'row')} without room"),
        )
        if count
    ]
    table.add_row("wrong", ", ".join(wrong) or "nothing", style="yellow" if wrong else None)


def _difference(now: CollectTally, before: CollectTally) -> str:
    parts = [
        counted(now.new_pools - before.new_pools, "new pool"),
        counted(now.snapshots - before.snapshots, "snapshot"),
        counted(now.candles - before.candles, "candle"),
        counted(now.trades - before.trades, "trade"),
    ]
    failed = now.errors - before.errors
    return ", ".join(parts) + (f"; {counted(failed, 'failure')}" if failed else "")


def _clock() -> str:
    return time.strftime("%H:%M:%S", time.gmtime())
