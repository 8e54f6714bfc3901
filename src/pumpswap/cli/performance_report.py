"""``pumpswap performance-report``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.books_view import NO_RUNS, run_option
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.clock import NS_PER_SECOND

if TYPE_CHECKING:
    from rich.text import Text

    from pumpswap.analytics.performance import Estimate, Performance
    from pumpswap.app.books import Books

__all__ = ["performance_report"]

_MOST_ROUNDS = 12


@command(
    "performance-report",
    help=(
        "What the books of a run say about its last days: trades, closed rounds, win rate, profit and loss after all "
        "costs, costs by kind, slippage against the quote, risk and return, and what is still open.\n\n"
        "A run that is over is reported up to its own end. Without trades there are no ratios, and none are made up; "
        "a figure of few trades stands with its interval of 95 % confidence."
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
    from pumpswap.app.performance import DAY_NS, performance_of
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
        as_of_ns = books.as_of_ns(SystemClock())
        found = performance_of(books, max(as_of_ns - days * DAY_NS, 0), as_of_ns + 1)
        if out.json:
            _emit(out, books, found, days)
        else:
            _show(out, books, found, days)


def _emit(out: Output, books: Books, found: Performance, days: int) -> None:
    from pumpswap.cli.books_view import iso_time, position_json, run_json

    money, closed, returns, activity = found.money, found.rounds_closed, found.returns, found.activity
    change, equity, unrealised = money.equity_change_lamports, money.equity_lamports, money.unrealised_lamports
    figures: dict[str, Any] = {
        "trades": activity.fills,
        "buys": activity.buys,
        "sells": activity.sells,
        "rounds_closed": closed.closed,
        "win_rate": closed.win_rate.value,
        "realised_lamports": str(money.realised_lamports),
        "net_lamports": str(money.net_lamports),
        "unrealised_lamports": None if unrealised is None else str(unrealised),
        "open_without_value": money.unvalued,
        "equity_change_lamports": None if change is None else str(change),
        "equity_lamports": None if equity is None else str(equity),
        "failed_costs_lamports": str(-money.failed_lamports - money.upkeep_lamports),
        "upkeep_costs_lamports": str(-money.upkeep_lamports),
        "outside_lamports": str(money.outside_lamports),
        "unexplained_lamports": str(money.unexplained_lamports or 0),
        "costs_lamports": {kind.value: str(units) for kind, units in found.costs.items()},
        "mean_slippage": activity.mean_slippage.value,
        "max_drawdown": {
            "lamports": str(returns.drawdown.lamports),
            "share": returns.drawdown.share,
            "longest_seconds": returns.drawdown.longest_ns // 10**9,
        },
        "estimates": {name: estimate.to_json() for name, estimate in _estimates(found)},
    }
    out.emit(
        "performance_report",
        {
            "run": run_json(books.header),
            "days": days,
            "since": iso_time(found.since_ns),
            "until": iso_time(found.until_ns - 1),
            "figures": figures,
            "closed": [
                position_json(position)
                for position in books.run.positions()
                if position.closed_ns is not None and found.since_ns <= position.closed_ns < found.until_ns
            ],
            "open": [position_json(position) for position in books.run.open_positions()],
        },
    )


def _estimates(found: Performance) -> list[tuple[str, Estimate]]:
    """Under the names of docs/metric-definitions.md."""
    closed, returns, activity = found.rounds_closed, found.returns, found.activity
    return [
        ("win_rate", closed.win_rate),
        ("profit_factor", closed.profit_factor),
        ("payoff", closed.payoff),
        ("expectancy_lamports", closed.expectancy),
        ("expectancy_share", closed.expectancy_share),
        ("total_return", returns.total),
        ("annual_return", returns.annual),
        ("volatility", returns.volatility),
        ("sharpe", returns.sharpe),
        ("sortino", returns.sortino),
        ("calmar", returns.calmar),
        ("exposure", activity.exposure),
        ("time_in_market", activity.time_in_market),
        ("turnover", activity.turnover),
        ("mean_holding_ns", activity.mean_holding_ns),
        ("mean_slippage", activity.mean_slippage),
    ]


def _show(out: Output, books: Books, found: Performance, days: int) -> None:
    from pumpswap.cli.books_view import books_table, run_text, short_sol
    from pumpswap.cli.formats import counted

    out.show(run_text(books, found.until_ns - 1), f"The last {counted(days, 'day')}:", "")
    table = books_table(show_header=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in [*_money_rows(found), *_trade_rows(found), *_return_rows(found)]:
        table.add_row(name, value)
    for kind, units in found.costs.items():
        if units:
            table.add_row(f"paid: {kind.value.replace('_', ' ')}", f"{short_sol(units)} SOL")
    out.show(table)
    if found.rounds_closed.closed:
        _show_rounds(out, found)
    if found.money.unexplained_lamports:
        out.say(
            f"The ledger has {found.money.unexplained_lamports} lamports that no trade and no move explains: "
            "`pumpswap db check` says more."
        )


def _money_rows(found: Performance) -> list[tuple[str, str | Text]]:
    from pumpswap.cli.books_view import coloured, short_sol

    money, rows = found.money, list[tuple[str, "str | Text"]]()

    def add(name: str, lamports: int | None) -> None:
        if lamports is not None:
            rows.append((name, coloured(f"{short_sol(lamports, signed=True)} SOL", lamports)))

    add("change of equity, after all costs", money.equity_change_lamports)
    if money.equity_lamports is not None:
        rows.append(("equity", f"{short_sol(money.equity_lamports)} SOL"))
    add("realised by sales", money.realised_lamports)
    add("unrealised, if sold now", money.unrealised_lamports)
    rows.append(("costs of transactions that failed", f"{short_sol(-money.failed_lamports)} SOL"))
    if money.upkeep_lamports:
        rows.append(("costs of upkeep", f"{short_sol(-money.upkeep_lamports)} SOL"))
    if money.outside_lamports:
        add("moved by others", money.outside_lamports)
    return rows


def _trade_rows(found: Performance) -> list[tuple[str, str | Text]]:
    from pumpswap.cli.books_view import duration_text

    closed, activity, money = found.rounds_closed, found.activity, found.money
    still_open = sum(one.is_open for one in (each.round for each in found.by_position))
    return [
        ("trades", f"{activity.fills:,} ({activity.buys:,} bought, {activity.sells:,} sold)"),
        ("rounds closed", f"{closed.closed:,}"),
        ("won", _told(closed.win_rate, "{:.1%}", "no closed rounds yet")),
        ("profit factor", _told(closed.profit_factor, "{:.2f}")),
        ("expected of a round", _told(closed.expectancy_share, "{:+.2%}")),
        (
            "held, mean",
            _told(activity.mean_holding_ns, lambda held_ns: duration_text(max(round(held_ns), 0) // NS_PER_SECOND)),
        ),
        ("slippage against the quote, mean", _told(activity.mean_slippage, "{:+.3%}", "no trades yet")),
        ("open", f"{still_open:,}" + (f", {money.unvalued:,} without a value" if money.unvalued else "")),
    ]


def _return_rows(found: Performance) -> list[tuple[str, str | Text]]:
    from pumpswap.cli.books_view import short_sol

    returns, activity = found.returns, found.activity
    return [
        ("return", _told(returns.total, "{:+.2%}")),
        ("volatility, a year", _told(returns.volatility, "{:.1%}")),
        ("Sharpe", _told(returns.sharpe, "{:.2f}")),
        ("Sortino", _told(returns.sortino, "{:.2f}")),
        ("Calmar", _told(returns.calmar, "{:.2f}")),
        ("deepest fall of equity", f"{short_sol(returns.drawdown.lamports)} SOL ({returns.drawdown.share:.1%})"),
        ("in positions, mean share", _told(activity.exposure, "{:.1%}")),
        ("turnover of equity", _told(activity.turnover, "{:.2f}")),
    ]


def _told(figure: Estimate, form: str | Callable[[float], str], none: str | None = None) -> str:
    """The figure with its interval, or why there is none."""

    def say(value: float) -> str:
        return form.format(value).replace("-", "−") if isinstance(form, str) else form(value)

    if figure.value is None:
        return none or f"none: {figure.reason}"
    if figure.low is None or figure.high is None:
        return say(figure.value)
    return f"{say(figure.value)} ({say(figure.low)} … {say(figure.high)})"


def _show_rounds(out: Output, found: Performance) -> None:
    from rich.text import Text

    from pumpswap.cli.books_view import books_table, coloured, name_of, short_sol

    closed = sorted(
        (each.round for each in found.by_position if not each.round.is_open), key=lambda one: one.closed_ns or 0
    )
    table = books_table()
    table.add_column("closed, in SOL", no_wrap=True, overflow="ellipsis")
    for name in ("in", "out", "profit"):
        table.add_column(name, justify="right")
    for one in closed[-_MOST_ROUNDS:]:
        gain = one.realised_lamports
        figures = (short_sol(one.bought_lamports), short_sol(one.sold_lamports))
        table.add_row(Text(name_of(one)), *figures, coloured(short_sol(gain, signed=True), gain))
    out.show("", table)
    if len(closed) > _MOST_ROUNDS:
        out.say(f"The newest {_MOST_ROUNDS} of {len(closed):,}; --json has all.")
