"""A quote, for JSON and for people."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from pumpswap.amm import BuyQuote, FeeFamily, PoolState, Quote, preferred_generation
from pumpswap.amm.schedules import DatedSchedule
from pumpswap.cli.formats import decimal_text, percent_text, significant_text
from pumpswap.cli.output import fraction_json
from pumpswap.cli.quoting.state import quote_symbol, state_json
from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.units import format_units

__all__ = ["Shown", "quote_json", "quote_table"]

_Row = tuple[str, str, str, str]  # label, amount, unit, remark


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that is said about one quote."""

    state: PoolState
    dated: DatedSchedule
    quote: Quote
    slippage_bps: int

    @property
    def after(self) -> PoolState:
        """The state when the trade has executed, through the instructions that a trade would use today."""
        return self.state.after(self.quote, preferred_generation(self.state))

    @property
    def limit(self) -> int:
        return self.quote.limit(self.slippage_bps)

    @property
    def exact_side(self) -> str:
        """Which amount was asked for."""
        quote = self.quote
        asked = quote.spendable_quote if isinstance(quote, BuyQuote) else quote.requested_quote
        return "base" if asked is None else "quote"


def quote_json(shown: Shown) -> dict[str, Any]:
    """The object of ``--json``."""
    quote, state, after = shown.quote, shown.state, shown.after
    is_buy = isinstance(quote, BuyQuote)
    if isinstance(quote, BuyQuote):
        base, paid, asked = quote.base_out, quote.total_quote, quote.spendable_quote
        limit = "least_base_units" if shown.exact_side == "quote" else "most_quote_units"
    else:
        base, paid, asked, limit = quote.base_in, quote.user_quote_out, quote.requested_quote, "least_quote_units"
    return {
        "side": "buy" if is_buy else "sell",
        "exact": shown.exact_side,
        "requested_quote_units" if asked is not None else "requested_base_units": str(base if asked is None else asked),
        "base_units": str(base),
        "total_quote_units" if is_buy else "user_quote_units": str(paid),
        "gross_quote_units": str(quote.gross_quote),
        "lp_fee_quote_units": str(quote.lp_fee),
        "protocol_fee_quote_units": str(quote.protocol_fee),
        "creator_fee_quote_units": str(quote.creator_fee),
        "cashback_quote_units": str(quote.cashback),
        "buyback_fee_quote_units": str(quote.buyback_fee),
        "rates": {"lp_bps": quote.lp_bps, "protocol_bps": quote.protocol_bps, "creator_bps": quote.creator_bps},
        "slippage_bps": shown.slippage_bps,
        f"limit_{limit}": str(shown.limit),
        "impact": fraction_json(quote.impact),
        "impact_percent": decimal_text(quote.impact * 100, 6).replace(",", ""),
        "price_before": fraction_json(state.spot_price),
        "price_after": fraction_json(after.spot_price),
        "market_cap_quote_units": str(state.market_cap),
        "market_cap_after_quote_units": str(after.market_cap),
        "quote_symbol": quote_symbol(state.pool.quote_mint),
        "schedule_since": format_utc(shown.dated.since * NS_PER_SECOND)[:10],
        "generation": preferred_generation(state),
        "state": state_json(state),
        "state_after": state_json(after),
    }


def quote_table(shown: Shown) -> Table:
    """The table for people: the pool, how the amount comes about, what it means."""
    state = shown.state
    table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False, title_justify="left")
    table.title = Text.assemble((_title(shown), "bold"), (f"   {_kind(state)}, {_fees_of(shown.dated)}", "dim"))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    sections = (_pool_rows(shown), _trade_rows(shown), _meaning_rows(shown))
    # All decimal points stand below each other, whatever the unit.
    whole = max(len(value.partition(".")[0]) for rows in sections for _, value, _, _ in rows)
    for rows in sections:
        for label, value, unit, remark in rows:
            before, dot, after = value.partition(".")
            strong = "bold" if label.startswith("you ") else ""
            amount = Text(f"{before:>{whole}}{dot}{after}", strong)
            table.add_row(Text(label, strong), amount, Text(unit, strong), remark)
        table.add_section()
    return table


def _pool_rows(shown: Shown) -> list[_Row]:
    state, symbol = shown.state, quote_symbol(shown.state.pool.quote_mint)
    tiered = state.pool.fee_family in (FeeFamily.SOL, FeeFamily.STABLE)
    rows = [
        ("price", _price(state), symbol, "per token"),
        ("market cap", _quote(state, state.market_cap), symbol, "decides the fees" if tiered else ""),
        ("in the pool", _quote(state, state.quote_vault), symbol, f"and {_base(state, state.base_reserve)} tokens"),
    ]
    virtual = state.pool.virtual_quote_reserves
    if virtual:
        rows.append(("virtual", _quote(state, virtual), symbol, "prices, cannot be paid out"))
    return rows


def _trade_rows(shown: Shown) -> list[_Row]:
    state, quote, symbol = shown.state, shown.quote, quote_symbol(shown.state.pool.quote_mint)
    is_buy = isinstance(quote, BuyQuote)
    base = quote.base_out if isinstance(quote, BuyQuote) else quote.base_in
    sign = "" if is_buy else "−"

    def fee(units: int) -> str:
        return (sign if units else "") + _quote(state, units)

    buyback = f", buyback {_quote(state, quote.buyback_fee)}" if quote.buyback_fee else ""
    rows = [
        ("swap", _quote(state, quote.gross_quote), symbol, f"{_average(shown, base)} per token"),
        ("LP fee", fee(quote.lp_fee), symbol, f"{quote.lp_bps} bps"),
        ("protocol fee", fee(quote.protocol_fee), symbol, f"{quote.protocol_bps} bps{buyback}"),
    ]
    if quote.cashback:
        rows.append(("cashback", fee(quote.cashback), symbol, f"{quote.creator_bps} bps, can be claimed back"))
    else:
        note = "" if state.pool.has_coin_creator else ", no coin creator"
        rows.append(("creator fee", fee(quote.creator_fee), symbol, f"{quote.creator_bps} bps{note}"))
    if isinstance(quote, BuyQuote):
        cost = Fraction(quote.fees, quote.total_quote)
        rows.append(("you pay", _quote(state, quote.total_quote), symbol, f"{_share(cost)} of it are fees"))
    else:
        cost = Fraction(quote.fees, quote.gross_quote) if quote.gross_quote else Fraction(0)
        rows.append(("you receive", _quote(state, quote.user_quote_out), symbol, f"after fees of {_share(cost)}"))
    return rows


def _meaning_rows(shown: Shown) -> list[_Row]:
    state, quote, symbol = shown.state, shown.quote, quote_symbol(shown.state.pool.quote_mint)
    slippage = f"limit, {_share(Fraction(shown.slippage_bps, 10_000))} slippage"
    if isinstance(quote, BuyQuote):
        rows = [("you receive", _base(state, quote.base_out), "tokens", "")]
        if shown.exact_side == "quote":
            rows.append(("at least", _base(state, shown.limit), "tokens", slippage))
        else:
            rows.append(("pay at most", _quote(state, shown.limit), symbol, slippage))
    else:
        rows = [
            ("you sell", _base(state, quote.base_in), "tokens", ""),
            ("at least", _quote(state, shown.limit), symbol, slippage),
        ]
    move = shown.after.spot_price / state.spot_price - 1
    where = "above" if isinstance(quote, BuyQuote) else "below"
    impact = percent_text(quote.impact).removesuffix(" %")
    rows.append(("price impact", impact, "%", f"before fees, {where} the price"))
    rows.append(("price after", _price(shown.after), symbol, percent_text(move)))
    return rows


def _title(shown: Shown) -> str:
    state, quote, symbol = shown.state, shown.quote, quote_symbol(shown.state.pool.quote_mint)
    if isinstance(quote, BuyQuote):
        if quote.spendable_quote is not None:
            return f"Buy for {_quote(state, quote.spendable_quote)} {symbol}"
        return f"Buy {_base(state, quote.base_out)} tokens"
    if quote.requested_quote is not None:
        return f"Sell for {_quote(state, quote.requested_quote)} {symbol}"
    return f"Sell {_base(state, quote.base_in)} tokens"


def _kind(state: PoolState) -> str:
    pool = state.pool
    kind = "canonical pool" if pool.is_canonical else "permissionless pool"
    marks = [name for name, on in (("cashback", pool.is_cashback_coin), ("mayhem", pool.is_mayhem_mode)) if on]
    return " ".join([*marks, kind])


def _fees_of(dated: DatedSchedule) -> str:
    return f"fees of {format_utc(dated.since * NS_PER_SECOND)[:10]}"


def _quote(state: PoolState, units: int) -> str:
    return format_units(units, state.quote_decimals)


def _base(state: PoolState, units: int) -> str:
    return format_units(units, state.base_decimals)


def _price(state: PoolState) -> str:
    return significant_text(_display(state.spot_price, state))


def _average(shown: Shown, base: int) -> str:
    return significant_text(_display(Fraction(shown.quote.gross_quote, base), shown.state))


def _display(price: Fraction, state: PoolState) -> Fraction:
    return price * Fraction(10) ** (state.base_decimals - state.quote_decimals)


def _share(part: Fraction) -> str:
    text = decimal_text(part * 100, 2)
    return f"{text.rstrip('0').rstrip('.')} %"
