"""``pumpswap list-positions``: the open positions under the plan's names."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pumpswap.cli.books_view import NO_RUNS, run_option
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output

if TYPE_CHECKING:
    from pumpswap.app.books import Books, Held

__all__ = ["list_positions"]


@command(
    "list-positions",
    help=(
        "List positions under the names of the plan's table pumpswap_positions. `positions list` shows the same with "
        "the distance to each exit, and can ask the chain for new values.\n\n"
        "A value is what selling all of it would have brought when it was last marked, all venue fees in; a position "
        "that nobody could value has none."
    ),
    examples=[
        Example("pumpswap list-positions"),
        Example("pumpswap list-positions --all --json", "closed rounds too, for scripts"),
    ],
)
@option("--all", "every", is_flag=True, help="Also the rounds that are closed.")
@run_option
@pass_output
def list_positions(out: Output, every: bool, run_id: int | None) -> None:
    from pumpswap.app.books import chosen_books, held_positions, held_rounds, open_store
    from pumpswap.cli.run_result import settings_for
    from pumpswap.clock import SystemClock

    settings = settings_for(out)
    with open_store(settings) as database:
        books = chosen_books(database, run_id)
        if books is None:
            if out.json:
                out.emit("list_positions", {"run": None, "positions": []})
            else:
                out.show(f"No positions. {NO_RUNS}")
            return
        chosen = held_rounds if every else held_positions
        held = list(chosen(books, books.exit_rules(settings), books.as_of_ns(SystemClock())))
        if out.json:
            _emit(out, books, held)
        else:
            _show(out, books, held)


def _emit(out: Output, books: Books, held: list[Held]) -> None:
    from pumpswap.cli.books_view import run_json

    out.emit("list_positions", {"run": run_json(books.header), "positions": [_row(each) for each in held]})


def _row(each: Held) -> dict[str, Any]:
    """The plan's columns; beside the figures for people stand the exact ones."""
    from pumpswap.cli.books_view import iso_time, name_of

    position = each.position
    gain, value = each.unrealised_lamports, each.value_lamports
    tokens = None if each.decimals is None else Fraction(position.base_units, 10**each.decimals)
    return {
        "name": name_of(position),
        "mint_address": position.mint,
        "pool_id": f"solana_{position.pool}",
        "pair_address": position.pool,
        "token_amount": None if tokens is None else float(tokens),
        "base_units": str(position.base_units),
        "average_buy_price": None if not tokens else float(_sol(position.cost_lamports) / tokens),
        "total_sol_invested": float(_sol(position.cost_lamports)),
        "cost_lamports": str(position.cost_lamports),
        "current_value_sol": None if value is None else float(_sol(value)),
        "value_lamports": None if value is None else str(value),
        "unrealized_pnl_sol": None if gain is None else float(_sol(gain)),
        "unrealized_pnl_lamports": None if gain is None else str(gain),
        "unrealized_pnl_percentage": (
            None if gain is None or not position.cost_lamports else float(Fraction(100 * gain, position.cost_lamports))
        ),
        "realised_lamports": str(position.realised_lamports),
        "first_buy_at": iso_time(position.opened_ns),
        "last_trade_at": iso_time(position.last_trade_ns or None),
        "trade_count": position.buys + position.sells,
        "is_active": position.is_open,
    }


def _sol(lamports: int) -> Fraction:
    return Fraction(lamports, 10**9)


def _show(out: Output, books: Books, held: list[Held]) -> None:
    from rich.text import Text

    from pumpswap.cli.books_view import books_table, coloured, name_of, run_text, short_sol, tokens_text
    from pumpswap.cli.formats import percent_text
    from pumpswap.clock import SystemClock

    out.show(run_text(books, books.as_of_ns(SystemClock())))
    if not held:
        out.show("No open positions. --all lists the closed rounds too.")
        return
    table = books_table()
    table.add_column("position", no_wrap=True, overflow="ellipsis")
    for name in ("tokens", "invested", "value", "profit", "", "trades", "active"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in held:
        position, value = each.position, each.value_lamports
        # What a closed round has brought is realised, and measured at all that it has cost.
        gain = each.unrealised_lamports if position.is_open else position.realised_lamports
        cost = position.cost_lamports if position.is_open else position.bought_lamports
        table.add_row(
            Text(name_of(position)),
            tokens_text(position.base_units, each.decimals) if position.is_open else "0",
            short_sol(cost),
            "?" if value is None and position.is_open else short_sol(value or 0),
            "" if gain is None else coloured(short_sol(gain, signed=True), gain),
            "" if gain is None or not cost else percent_text(Fraction(gain, cost)),
            str(position.buys + position.sells),
            "yes" if position.is_open else "no",
        )
    out.show("", table)
