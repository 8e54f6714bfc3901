"""How ``why`` tells of an order and what came of it: quote against fill, costs by kind, the round in a sentence."""

from __future__ import annotations

from typing import assert_never

from rich.text import Text

from pumpswap.amm import BuyQuote, Quote
from pumpswap.analytics.metrics import slippage_between
from pumpswap.app.why import Fate, RoundResult
from pumpswap.cli.books_view import amount_text, coloured, duration_text, price_text, signed_sol, time_at
from pumpswap.cli.formats import counted, percent_text, printable, sol_text
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Costs, Denied, Filled, Order, Rejected, TradeSide, Unknown

__all__ = ["order_rows", "result_text"]

_MOST_EXITS = 5


def order_rows(fate: Fate) -> list[tuple[str, str | Text]]:
    """(label, text) of the order, its quote, its outcome, its costs."""
    rows: list[tuple[str, str | Text]] = [
        ("order", _order_text(fate.order, fate.decimals)),
        ("quoted", _legs_text(fate.order.quote, fate.decimals)),
    ]
    if fate.order.client_order_id:
        rows.append(("named", printable(fate.order.client_order_id)))
    outcome = fate.outcome
    match outcome:
        case None:
            rows.append(("outcome", "on its way"))
        case Filled():
            rows += _filled_rows(fate, outcome)
        case Rejected():
            name = f"{outcome.name} ({outcome.code}), " if outcome.code is not None else ""
            rows.append(("outcome", Text(f"rejected by the program: {name}{printable(outcome.text)}", "red")))
            rows.append(("costs", _costs_text(outcome.costs)))
        case Denied():
            rows.append(("outcome", Text(f"did not happen, {outcome.rule}: {printable(outcome.text)}", "red")))
        case Unknown():
            height = f"{outcome.expiry_height:,}"
            rows.append(("outcome", Text(f"unknown: it may still land until block {height}", "bold yellow")))
        case _ as never:
            assert_never(never)
    return rows


def result_text(result: RoundResult) -> Text:
    """What the round has brought, in a sentence, and how it was left."""
    position = result.position
    gain = position.realised_lamports
    parts = (
        f"price {signed_sol(result.price_lamports)}, venue fees {signed_sol(result.venue_fees_lamports)}, "
        f"network {signed_sol(result.network_lamports)}"
    )
    if position.closed_ns is None:
        if not position.sells:
            return Text(f"round {position.round} is open: {sol_text(position.cost_lamports)} are in it")
        text = Text(f"round {position.round} is open: sales have realised ")
        return text.append(coloured(signed_sol(gain), gain)).append(_exits_text(result))
    held = duration_text((position.closed_ns - position.opened_ns) // NS_PER_SECOND)
    text = Text(f"round {position.round} is closed after {held}: ").append(coloured(signed_sol(gain), gain))
    return text.append(f" ({parts})").append(_exits_text(result))


def _exits_text(result: RoundResult) -> str:
    if not result.exits:
        return ""
    told = [f"{fate.order.order_id} {printable(fate.order.reason)}" for fate in result.exits[-_MOST_EXITS:]]
    more = len(result.exits) - _MOST_EXITS
    before = f"{counted(more, 'sale')} and then " if more > 0 else ""
    return f"; sold by {before}{', '.join(told)}"


def _order_text(order: Order, decimals: int | None) -> str:
    slippage = f"slippage {order.slippage_bps / 100:g} %"
    if order.is_exact_buy:
        units = amount_text(order.base_units, decimals)
        return f"{order.order_id}: exactly {units} for at most {sol_text(order.limit)} ({slippage})"
    if order.side is TradeSide.BUY:
        limit = amount_text(order.limit, decimals)
        return f"{order.order_id}: {sol_text(order.quote_lamports)} for at least {limit} ({slippage})"
    units = amount_text(order.base_units, decimals)
    return f"{order.order_id}: {units} for at least {sol_text(order.limit)} ({slippage})"


def _legs_text(quote: Quote, decimals: int | None) -> str:
    if isinstance(quote, BuyQuote):
        units, lamports = quote.base_out, quote.total_quote
        return f"{amount_text(units, decimals)} for {sol_text(lamports)}, {price_text(lamports, units, decimals)}"
    units, lamports = quote.base_in, quote.user_quote_out
    return f"{sol_text(lamports)} for {amount_text(units, decimals)}, {price_text(lamports, units, decimals)}"


def _filled_rows(fate: Fate, filled: Filled) -> list[tuple[str, str | Text]]:
    order, executed = fate.order, filled.executed
    took = fate.took_ns(filled) / NS_PER_SECOND
    slippage = percent_text(slippage_between(order.quote, executed))
    fees = [
        ("LP", executed.lp_fee),
        ("protocol", executed.protocol_fee),
        ("creator", executed.creator_fee),
        ("cashback", executed.cashback),
    ]
    named = ", ".join(f"{name} {sol_text(lamports)}" for name, lamports in fees if lamports)
    return [
        ("filled", f"{_legs_text(executed, fate.decimals)}; slippage {slippage}, {took:.1f} s later"),
        ("", f"{time_at(filled.at_ns)}, slot {filled.slot:,}, {filled.signature or 'on paper'}"),
        ("fees", named or "none"),
        ("costs", _costs_text(filled.costs)),
    ]


def _costs_text(costs: Costs) -> str:
    parts = [
        f"{name} {sol_text(lamports)}"
        for name, lamports in (
            ("network", costs.network_fee),
            ("priority", costs.priority_fee),
            ("tip", costs.tip),
            ("rent laid down", costs.rent_paid),
            ("rent returned", costs.rent_returned),
        )
        if lamports
    ]
    return ", ".join(parts) or "none"
