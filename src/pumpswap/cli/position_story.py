"""One position in full, for people and for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pumpswap.analytics.metrics import slippage_between
from pumpswap.app.books import Books, Held, Story
from pumpswap.cli.books_view import (
    amount_text,
    books_table,
    coloured,
    duration_text,
    entry_json,
    iso_time,
    mark_json,
    name_of,
    position_json,
    price_text,
    run_json,
    run_text,
    short_sol,
    signed_sol,
    time_at,
    tokens_text,
)
from pumpswap.cli.formats import counted, percent_text, sol_text
from pumpswap.cli.ledger_view import entries_table
from pumpswap.cli.output import Output, fraction_json
from pumpswap.cli.positions_view import exits_text, held_json, mark_text
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Mark, Position
from pumpswap.portfolio.lots import LotEnd, TaxLot
from pumpswap.storage.history import StoredTrade

__all__ = ["show_story", "story_json"]

_MOST_ROWS = 30
_ENDS = {LotEnd.MANUAL_SELL: " by hand", LotEnd.LEFT: " left"}


def show_story(out: Output, books: Books, story: Story, as_of_ns: int) -> None:
    """Figures first, then where they come from."""
    decimals = story.held.decimals
    if decimals is None:
        decimals = next((trade.decimals for trade in story.trades if trade.decimals is not None), None)
    headline = Group(_headline(story), _figures(story, decimals, as_of_ns))
    parts: list[RenderableType] = [run_text(books, as_of_ns), headline]
    if len(story.rounds) > 1:
        parts.append(_rounds_table(story.rounds))
    if story.trades:
        parts.append(_trades_table(story.trades))
    if story.lots:
        parts.append(_lots_table(story.lots, decimals))
    if story.entries:
        parts.append(
            entries_table(story.entries[-_MOST_ROWS:], {story.held.position.mint: decimals}, out.console.width)
        )
    if story.marks:
        parts.append(_marks_table(story.marks, story.held.position))
    for number, part in enumerate(parts):
        out.show(*([""] if number else []), part)
    left = max(len(story.entries), len(story.trades)) - _MOST_ROWS
    if left > 0:
        out.say(f"Only the newest {_MOST_ROWS} trades and entries; --json and `pumpswap export` have all of them.")


def _headline(story: Story) -> Text:
    position = story.held.position
    state = "open" if position.is_open else "closed"
    return Text(name_of(position), "bold").append(
        f": {state}, round {position.round} of {len(story.rounds)}", style="not bold"
    )


def _figures(story: Story, decimals: int | None, as_of_ns: int) -> Table:
    held, position = story.held, story.held.position
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    rows = [("  pool", position.pool), ("  mint", position.mint)]
    ended = f" to {time_at(position.closed_ns)}" if position.closed_ns is not None else ""
    lasted = ((position.closed_ns or as_of_ns) - position.opened_ns) // NS_PER_SECOND
    rows.append(("  held", f"{time_at(position.opened_ns)}{ended} ({duration_text(lasted)})"))
    if position.is_open:
        rows += _worth(held, decimals, as_of_ns)
    opening = [adoption for adoption in story.adoptions if adoption.at_ns == position.opened_ns]
    how = counted(position.buys, "buy")
    if opening:
        how = f"the adoption{f' and {how}' if position.buys else ''}"
    rows += [
        ("  paid", f"{sol_text(position.bought_lamports)} in {how}, all fees in"),
        ("  received", f"{sol_text(position.sold_lamports)} from {counted(position.sells, 'sale')}, after all fees"),
        ("  realised", signed_sol(position.realised_lamports)),
    ]
    if position.rent_lamports:
        rows.append(("  rent", f"{sol_text(position.rent_lamports)}, a deposit"))
    for label, text in rows:
        table.add_row(label, Text(text))
    return table


def _worth(held: Held, decimals: int | None, as_of_ns: int) -> list[tuple[str, str]]:
    position = held.position
    units = position.base_units
    price = price_text(position.cost_lamports, units, decimals)
    rows = [("  amount", amount_text(units, decimals)), ("  cost", f"{sol_text(position.cost_lamports)}, {price}")]
    gain = held.unrealised_lamports
    if gain is None or held.value_lamports is None:
        rows.append(("  value", mark_text(held, as_of_ns)))
    else:
        share = percent_text(Fraction(gain, position.cost_lamports)) if position.cost_lamports else "nothing was paid"
        rows.append(("  value", f"{sol_text(held.value_lamports)} if sold now, {mark_text(held, as_of_ns)}"))
        rows.append(("  profit", f"{signed_sol(gain)} ({share}), not realised"))
    exits = exits_text(held)
    return [*rows, ("  exits", exits)] if exits else rows


def _rounds_table(rounds: Sequence[Position]) -> Table:
    table = books_table()
    for name in ("round", "from", "to", "in SOL", "out SOL", "realised"):
        table.add_column(name, justify="left" if name in ("from", "to") else "right", no_wrap=True)
    for position in rounds[-_MOST_ROWS:]:
        table.add_row(
            str(position.round),
            time_at(position.opened_ns).removesuffix(" UTC"),
            "open" if position.closed_ns is None else time_at(position.closed_ns).removesuffix(" UTC"),
            short_sol(position.bought_lamports),
            short_sol(position.sold_lamports),
            coloured(short_sol(position.realised_lamports, signed=True), position.realised_lamports),
        )
    return table


def _trades_table(trades: Sequence[StoredTrade]) -> Table:
    table = books_table()
    for name in ("trade", "", "tokens", "SOL", "venue fees", "network", "slippage"):
        table.add_column(name, justify="left" if name in ("trade", "") else "right", no_wrap=True)
    for trade in trades[-_MOST_ROWS:]:
        filled, quote = trade.filled, trade.filled.executed
        units, lamports = legs_of(trade)
        table.add_row(
            time_at(filled.at_ns).removesuffix(" UTC"),
            trade.order.side.value,
            tokens_text(units, trade.decimals),
            short_sol(lamports),
            short_sol(quote.fees),
            short_sol(filled.costs.spent),
            percent_text(slippage_between(trade.order.quote, quote)),
        )
    return table


def _lots_table(lots: Sequence[TaxLot], decimals: int | None) -> Table:
    """First in, first out, over all pools of the coin: the cost differs from the average of the positions."""
    table = books_table()
    for name in ("lot of", "sold", "tokens", "cost SOL", "brought", "gain"):
        table.add_column(name, justify="left" if name in ("lot of", "sold") else "right", no_wrap=True)
    for lot in lots[-_MOST_ROWS:]:
        gain = lot.gain_lamports
        sold = "held" if lot.disposed_ns is None else time_at(lot.disposed_ns).removesuffix(" UTC")
        table.add_row(
            "outside" if lot.acquired_ns is None else time_at(lot.acquired_ns).removesuffix(" UTC"),
            f"{sold}{_ENDS.get(lot.kind, '')}",
            tokens_text(lot.base_units, decimals),
            short_sol(lot.cost_lamports),
            "" if gain is None else short_sol(lot.proceeds_lamports),
            "" if gain is None else coloured(short_sol(gain, signed=True), gain),
        )
    return table


def legs_of(trade: StoredTrade) -> tuple[int, int]:
    """Base units and lamports that changed hands, venue fees in."""
    from pumpswap.amm import BuyQuote

    quote = trade.filled.executed
    if isinstance(quote, BuyQuote):
        return quote.base_out, quote.total_quote
    return quote.base_in, quote.user_quote_out


def _marks_table(marks: Sequence[Mark], position: Position) -> Table:
    table = books_table()
    table.add_column("marked", no_wrap=True)
    table.add_column("state", justify="right", no_wrap=True)
    table.add_column("would bring", justify="right", no_wrap=True)
    table.add_column("")
    for mark in marks:
        others = "" if mark.base_units == position.base_units else "of what was held then"
        table.add_row(
            time_at(mark.at_ns).removesuffix(" UTC"),
            f"{duration_text(mark.age_ns // NS_PER_SECOND)} old",
            "?" if mark.obstacle else short_sol(mark.value_lamports),
            Text(mark.obstacle or others),
        )
    return table


# ---------------------------------------------------------------------------------------------- for scripts


def story_json(out: Output, books: Books, story: Story, as_of_ns: int) -> None:
    """All of it, exactly."""
    out.emit(
        "position",
        {
            "run": run_json(books.header),
            "as_of_ns": str(as_of_ns),
            "position": held_json(story.held),
            "rounds": [position_json(position) for position in story.rounds],
            "adoptions": [
                {
                    "at": iso_time(adoption.at_ns),
                    "base_units": str(adoption.base_units),
                    "cost_lamports": str(adoption.cost_lamports),
                }
                for adoption in story.adoptions
            ],
            "trades": [_trade_json(trade) for trade in story.trades],
            "lots": [_lot_json(lot) for lot in story.lots],
            "ledger": [entry_json(entry) for entry in story.entries],
            "marks": [mark_json(mark) for mark in story.marks],
        },
    )


def _trade_json(trade: StoredTrade) -> dict[str, Any]:
    filled, quote, costs = trade.filled, trade.filled.executed, trade.filled.costs
    units, lamports = legs_of(trade)
    return {
        "order_id": trade.order.order_id,
        "at": iso_time(filled.at_ns),
        "slot": filled.slot,
        "side": trade.order.side.value,
        "base_units": str(units),
        "quote_lamports": str(lamports),
        "gross_quote_lamports": str(quote.gross_quote),
        "lp_fee_lamports": str(quote.lp_fee),
        "protocol_fee_lamports": str(quote.protocol_fee),
        "creator_fee_lamports": str(quote.creator_fee),
        "cashback_lamports": str(quote.cashback),
        "network_fee_lamports": str(costs.network_fee),
        "priority_fee_lamports": str(costs.priority_fee),
        "tip_lamports": str(costs.tip),
        "rent_paid_lamports": str(costs.rent_paid),
        "rent_returned_lamports": str(costs.rent_returned),
        "slippage": fraction_json(slippage_between(trade.order.quote, quote)),
        "reason": trade.order.reason,
        "signature": filled.signature or None,
    }


def _lot_json(lot: TaxLot) -> dict[str, Any]:
    gain = lot.gain_lamports
    return {
        "end": lot.kind.value,
        "acquired_at": iso_time(lot.acquired_ns),
        "acquired_order_id": lot.acquired_order_id or None,
        "disposed_at": iso_time(lot.disposed_ns),
        "disposed_order_id": lot.disposed_order_id or None,
        "base_units": str(lot.base_units),
        "cost_lamports": str(lot.cost_lamports),
        "proceeds_lamports": None if gain is None else str(lot.proceeds_lamports),
        "gain_lamports": None if gain is None else str(gain),
    }
