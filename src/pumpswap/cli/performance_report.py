"""``pumpswap performance-report``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.books_view import NO_RUNS, run_option
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output

if TYPE_CHECKING:
    from rich.text import Text

    from pumpswap.app.books import Books
    from pumpswap.app.performance import Performance

__all__ = ["performance_report"]

_MOST_ROUNDS = 12


@command(
    "performance-report",
    help=(
        "What the books of a run say about its last days: trades, closed rounds, win rate, profit and loss after all "
        "costs, costs by kind, slippage against the quote, drawdown, and what is still open.\n\n"
        "A run that is over is reported up to its own end. Without trades there are no ratios, and none are made up."
    ),
    examples=[
        Example("pumpswap performance-report", "the last seven days"),
        Example("pumpswap performance-report --days 1 --json", "of the last day, for scripts"),
    ],
)
@option("--days", type=click.IntRange(1, 3_650), default=7, show_default=True, help="How far back.")
@run_option
@pass_output
def performance_report(out: Output, days: int, run_id: int | None) -> None:
    from pumpswap.app.books import chosen_books, open_store
    from pumpswap.app.performance import performance_of
    from pumpswap.cli.run_result import settings_for
    from pumpswap.clock import SystemClock

    settings = settings_for(out)
    with open_store(settings) as database:
        books = chosen_books(database, run_id)
        if books is None:
            if out.json:
                out.emit("performance_report", {"run": None, "days": days, "figures": None, "closed": [], "open": []})
            else:
                out.show(f"No trades. {NO_RUNS}")
            return
        found = performance_of(books, books.exit_rules(settings), books.as_of_ns(SystemClock()), days)
        if out.json:
            _emit(out, books, found, days)
        else:
            _show(out, books, found, days)


def _emit(out: Output, books: Books, found: Performance, days: int) -> None:
    from pumpswap.cli.books_view import iso_time, position_json, run_json

    change, equity = found.equity_change_lamports, found.equity_lamports
    figures: dict[str, Any] = {
        "trades": found.trades,
        "buys": found.buys,
        "sells": found.trades - found.buys,
        "rounds_closed": len(found.closed),
        "win_rate": found.win_rate,
        "realised_lamports": str(found.realised_lamports),
        "unrealised_lamports": str(found.unrealised_lamports),
        "open_without_value": found.unvalued,
        "equity_change_lamports": None if change is None else str(change),
        "equity_lamports": None if equity is None else str(equity),
        "failed_costs_lamports": str(found.failed_costs_lamports),
        "costs_lamports": {kind.value: str(units) for kind, units in found.costs.items()},
        "mean_slippage": found.mean_slippage,
        "max_drawdown": {"lamports": str(found.drawdown.lamports), "share": found.drawdown.share},
    }
    out.emit(
        "performance_report",
        {
            "run": run_json(books.header),
            "days": days,
            "since": iso_time(found.since_ns),
            "until": iso_time(found.until_ns),
            "figures": figures,
            "closed": [position_json(position) for position in found.closed],
            "open": [position_json(held.position) for held in found.open],
        },
    )


def _show(out: Output, books: Books, found: Performance, days: int) -> None:
    from pumpswap.cli.books_view import books_table, coloured, run_text, short_sol
    from pumpswap.cli.formats import counted

    out.show(run_text(books, found.until_ns), f"The last {counted(days, 'day')}:", "")
    table = books_table(show_header=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    change = found.equity_change_lamports
    if change is not None:
        table.add_row("change of equity, after all costs", coloured(f"{short_sol(change, signed=True)} SOL", change))
    if found.equity_lamports is not None:
        table.add_row("equity", f"{short_sol(found.equity_lamports)} SOL")
    rows: list[tuple[str, str | Text]] = [
        ("realised by sales", coloured(f"{short_sol(found.realised_lamports, signed=True)} SOL",
                                              found.realised_lamports)),
        ("unrealised, if sold now", coloured(f"{short_sol(found.unrealised_lamports, signed=True)} SOL",
                                             found.unrealised_lamports)),
        ("costs of transactions that failed", f"{short_sol(found.failed_costs_lamports)} SOL"),
        ("trades", f"{found.trades:,} ({found.buys:,} bought, {found.trades - found.buys:,} sold)"),
        ("rounds closed", f"{len(found.closed):,}"),
        ("won", "no closed rounds yet" if found.win_rate is None else f"{found.win_rate:.1%}"),
        ("slippage against the quote, mean", "no trades yet" if found.mean_slippage is None
         else f"{found.mean_slippage:+.3%}"),
        ("deepest fall of equity", f"{short_sol(found.drawdown.lamports)} SOL ({found.drawdown.share:.1%})"),
        ("open", f"{len(found.open):,}" + (f", {found.unvalued:,} without a value" if found.unvalued else "")),
    ]  # fmt: skip
    for name, value in rows:
        table.add_row(name, value)
    for kind, units in found.costs.items():
        if units:
            table.add_row(f"paid: {kind.value.replace('_', ' ')}", f"{short_sol(units)} SOL")
    out.show(table)
    if found.closed:
        _show_rounds(out, found)


def _show_rounds(out: Output, found: Performance) -> None:
    from rich.text import Text

    from pumpswap.cli.books_view import books_table, coloured, name_of, short_sol

    table = books_table()
    table.add_column("closed, in SOL", no_wrap=True, overflow="ellipsis")
    for name in ("in", "out", "profit"):
        table.add_column(name, justify="right")
    for position in found.closed[-_MOST_ROUNDS:]:
        gain = position.realised_lamports
        figures = (short_sol(position.bought_lamports), short_sol(position.sold_lamports))
        table.add_row(Text(name_of(position)), *figures, coloured(short_sol(gain, signed=True), gain))
    out.show("", table)
    if len(found.closed) > _MOST_ROUNDS:
        out.say(f"The newest {_MOST_ROUNDS} of {len(found.closed):,}; --json has all.")
