"""A report in the terminal: the result, the money, the metrics, and what it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pumpswap.cli.books_view import books_table, coloured, short_sol, time_at
from pumpswap.cli.formats import counted, printable

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from pumpswap.analytics.performance.result import PositionGain, Slice
    from pumpswap.analytics.tear_sheet import TearSheet
    from pumpswap.app.books import Books
    from pumpswap.cli.output import Output

__all__ = ["show_sheet"]

_MOST_SLICES = 6
_MOST_DAYS = 7
_MOST_ROUNDS = 5


def show_sheet(out: Output, books: Books, sheet: TearSheet) -> None:
    """Everything that fits a screen or two; the page and ``--json`` have the rest."""
    from pumpswap.analytics.tear_sheet.words import headline

    account, time, found = sheet.account, sheet.time, sheet.performance
    where = f" on {account.network}" if account.network else ""
    until = time_at(time.until_ns).removesuffix(" UTC")
    span = f"{time_at(time.since_ns).removesuffix(' UTC')} to {until} UTC{'' if time.is_over else ', so far'}"
    out.show(f"Run {account.run_id}, {account.kind}{where}, {time.name}", span, "")
    out.show(headline(sheet).replace("\u00a0", " "), "", _money(sheet))
    if found.is_empty and not found.by_position:
        return
    out.show("", _metrics(sheet))
    for title, parts in (("by strategy", found.by_strategy), ("by exit", found.by_exit), ("by token", found.by_token)):
        if parts:
            out.show("", _slices(title, parts))
    if len(found.by_day) > 1:
        out.show("", _days(sheet))
    closed = sorted((one for one in found.by_position if not one.round.is_open), key=_size, reverse=True)
    if closed:
        out.show("", _rounds(closed[:_MOST_ROUNDS]))
        if len(closed) > _MOST_ROUNDS:
            out.say(f"The {_MOST_ROUNDS} largest of {counted(len(closed), 'round')}; --csv has all.")
    out.say("A page with charts: pumpswap report --html")


def _size(one: PositionGain) -> int:
    return abs(one.round.realised_lamports)


def _money(sheet: TearSheet) -> Table:
    found, money = sheet.performance, sheet.performance.money
    table = books_table(show_header=False)
    table.add_column("figure")
    table.add_column("SOL", justify="right", no_wrap=True)
    table.add_column("USD", justify="right", no_wrap=True)
    table.add_column("note")

    def row(name: str, lamports: int | None, note: str = "", *, signed: bool = True) -> None:
        if lamports is None:
            table.add_row(name, "–", "", note)
            return
        dollars = sheet.sol.of(lamports)
        shown: Text | str = f"{short_sol(lamports, signed=signed)} SOL"
        told = "" if dollars is None else f"{dollars:+,.2f} USD" if signed else f"{dollars:,.2f} USD"
        table.add_row(name, coloured(str(shown), lamports) if signed else shown, told.replace("-", "−"), note)

    if money.equity_lamports is not None:
        row("equity", money.equity_lamports, signed=False)
    row("earned, after all costs", money.equity_change_lamports, "" if found.curve else "equity was not measured")
    row("realised", money.net_lamports, counted(len(found.sales), "sale"))
    if money.failed_lamports:
        row("  in it: orders that failed", money.failed_lamports)
    held = sum(one.round.is_open for one in found.by_position)
    unvalued = f", {money.unvalued:,} without a value" if money.unvalued else ""
    row("unrealised", money.unrealised_lamports, f"{counted(held, 'open position')}{unvalued}")
    if money.capital_lamports:
        row("put in, less taken out", money.capital_lamports, "is no gain")
    row("costs, all kinds", sum(found.costs.values()), "are in the figures above", signed=False)
    for kind, lamports in found.costs.items():
        if lamports:
            row(f"  {kind.value.replace('_', ' ')}", lamports, signed=False)
    if money.unexplained_lamports:
        row("not explained", money.unexplained_lamports, "run `pumpswap ledger check`")
    return table


def _metrics(sheet: TearSheet) -> Table:
    from pumpswap.analytics.tear_sheet.metric_rows import metric_rows
    from pumpswap.analytics.tear_sheet.words import said

    found, drawdown = sheet.performance, sheet.performance.returns.drawdown
    table = books_table()
    table.add_column("metric")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("95 % interval")
    for one in metric_rows(found):
        estimate = one.estimate
        if estimate.value is None:
            table.add_row(one.name.lower(), "–", estimate.reason)
            continue
        interval = ""
        if estimate.low is not None and estimate.high is not None:
            interval = f"{said(estimate.low, one.shape)} to {said(estimate.high, one.shape)}"
        value = said(estimate.value, one.shape) + (" SOL" if one.shape == "sol" else "")
        table.add_row(one.name.lower(), value.replace("\u00a0", " "), interval.replace("\u00a0", " "))
    fall = f"{drawdown.share:.2%}".replace("%", " %")
    table.add_row("deepest fall", fall, f"{short_sol(drawdown.lamports)} SOL")
    rounds = found.rounds_closed
    table.add_row("rounds closed", f"{rounds.closed:,}", f"{rounds.won:,} won, {rounds.lost:,} lost")
    return table


def _slices(title: str, parts: Sequence[Slice]) -> Table:
    table = books_table()
    table.add_column(f"{title}, in SOL", no_wrap=True, overflow="ellipsis")
    for name in ("gain", "of cost", "sales", "won"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in _ends(parts):
        share = "" if one.share is None else f"{100 * one.share:+.2f} %".replace("-", "−")
        won = f"{one.won:,} of {one.closed:,}" if one.closed else ""
        gain = coloured(short_sol(one.gain_lamports, signed=True), one.gain_lamports)
        table.add_row(printable(one.label) or one.key or "none", gain, share, f"{one.sales:,}", won)
    if len(parts) > _MOST_SLICES:
        table.caption = f"the best and the worst of {len(parts):,}"
        table.caption_justify = "left"
    return table


def _ends(parts: Sequence[Slice]) -> Sequence[Slice]:
    """The best and the worst, where there are too many."""
    half = _MOST_SLICES // 2
    return parts if len(parts) <= _MOST_SLICES else [*parts[:half], *parts[-half:]]


def _days(sheet: TearSheet) -> Table:
    table = books_table()
    table.add_column("the last days, in SOL")
    for name in ("earned", "fills", "equity"):
        table.add_column(name, justify="right", no_wrap=True)
    for day in sheet.performance.by_day[-_MOST_DAYS:]:
        equity = "" if day.equity_lamports is None else short_sol(day.equity_lamports)
        earned = coloured(short_sol(day.net_lamports, signed=True), day.net_lamports)
        table.add_row(time_at(day.start_ns)[:10], earned, f"{day.fills:,}", equity)
    return table


def _rounds(closed: Sequence[PositionGain]) -> Table:
    from pumpswap.storage.history import MINT_PREFIX

    table = books_table()
    table.add_column("largest rounds, in SOL", no_wrap=True, overflow="ellipsis")
    for name in ("in", "out", "result"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("exit")
    for each in closed:
        one = each.round
        figures = (short_sol(one.bought_lamports), short_sol(one.sold_lamports))
        result = coloured(short_sol(one.realised_lamports, signed=True), one.realised_lamports)
        table.add_row(printable(one.name) or one.mint[:MINT_PREFIX], *figures, result, one.exit_kind)
    return table
