"""``pumpswap pool show``, ``find`` and ``watch``: pools on a chain."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.formats import significant_text, time_text
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, fraction_json, pass_output
from pumpswap.cli.params import PUBKEY, NumberRange
from pumpswap.units import format_units

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.amm import FeeSchedule, PoolState
    from pumpswap.market.discovery import Discovery
    from pumpswap.model import MarketUpdate, Swap
    from pumpswap.sdk import ChainConnection
    from pumpswap.settings import Settings

__all__ = ["find", "show", "watch"]

_NEEDS = "an endpoint"


@command(
    "show",
    help=(
        "Show a pool as the chain has it now: price, reserves, fees, kind, and what is risky about its token.\n\n"
        "With a mint, its canonical pool: the one that only pump.fun can create."
    ),
    examples=[
        Example("pumpswap pool show MINT", needs=_NEEDS),
        Example("pumpswap pool show POOL --json > state.json", "a state file for 'quote --state'", needs=_NEEDS),
    ],
)
@click.argument("address", type=PUBKEY, metavar="POOL|MINT")
@chain_options
@pass_output
def show(out: Output, address: Pubkey, urls: tuple[str, ...], ws_url: str | None, network: str | None) -> None:
    from pumpswap.cli.quoting.state import state_json
    from pumpswap.cli.waiting import wait_for

    state, schedule, risks = wait_for(_read(chain_settings(out, urls, ws_url, network), address))
    if not state.pool.is_canonical:
        out.warn("this is not the coin's canonical pool: anyone can make one and pull its liquidity")
    for risk in risks:
        out.warn(f"the token's mint has the extension {risk}: live trading refuses it")
    if out.json:
        rates = schedule.rates(state)
        fees = {"lp_bps": rates[0], "protocol_bps": rates[1], "creator_bps": rates[2]}
        said = {"address": str(state.address), "slot": state.slot, "price": fraction_json(state.spot_price)}
        exact = state_json(state)
        out.emit("pool", {**said, "rates": fees, "token_risks": list(risks), "state": exact, **exact})
        return
    out.show(_state_table(state, schedule), keep_lines=True)


async def _read(settings: Settings, address: Pubkey) -> tuple[PoolState, FeeSchedule, tuple[str, ...]]:
    from pumpswap.sdk import ChainConnection

    async with ChainConnection(settings) as connection:
        state = await connection.pool(address)
        facts = connection.reader.mint(state.pool.base_mint)
        return state, await connection.schedules.current(), facts.risks if facts else ()


def _state_table(state: PoolState, schedule: FeeSchedule) -> Any:
    from rich import box
    from rich.table import Table

    pool = state.pool
    kinds = ["canonical" if pool.is_canonical else "PERMISSIONLESS"]
    marks = (("boosted", pool.is_boosted), ("mayhem", pool.is_mayhem_mode), ("cashback", pool.is_cashback_coin))
    kinds += [name for name, on in marks if on]
    table = Table(
        box=box.SIMPLE_HEAD, show_header=False, title=str(state.address), title_justify="left", pad_edge=False
    )
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim", no_wrap=True)
    lp, protocol, creator = schedule.rates(state)
    quote = state.quote_decimals
    table.add_row("coin", str(pool.base_mint), ", ".join(kinds))
    table.add_row("priced in", _symbol(state), f"slot {state.slot:,}")
    table.add_row("price", _price(state), "per token, before fees")
    table.add_row("market cap", format_units(state.market_cap, quote), "decides the fees of canonical pools")
    table.add_row("fees", f"{lp + protocol + creator} bps", f"LP {lp}, protocol {protocol}, creator {creator}")
    table.add_row("tokens", format_units(state.base_reserve, state.base_decimals), "in the pool")
    table.add_row("prices with", format_units(state.effective_quote_reserve, quote), "vault and virtual reserves")
    table.add_row("can pay out", format_units(state.real_quote_reserve, quote), "vault without the fees owed")
    if pool.virtual_quote_reserves:
        table.add_row("virtual", format_units(pool.virtual_quote_reserves, quote, signed=True), "")
    table.add_row(
        "supply", format_units(state.base_supply, state.base_decimals), f"{pool.account_len} bytes of account"
    )
    return table


@command(
    "find",
    help=(
        "Find the pools of a coin: the canonical ones first, by their addresses.\n\n"
        "--search asks the chain for every other pool with this mint. Anyone can make one with fake liquidity, so that "
        "comes with a warning, and many endpoints refuse the question."
    ),
    examples=[
        Example("pumpswap pool find MINT", needs=_NEEDS),
        Example("pumpswap pool find MINT --search", "also pools that others have made", needs=_NEEDS),
    ],
)
@click.argument("mint", type=PUBKEY)
@option("--search", is_flag=True, help="Also look for pools that are not canonical.")
@chain_options
@pass_output
def find(
    out: Output, mint: Pubkey, search: bool, urls: tuple[str, ...], ws_url: str | None, network: str | None
) -> None:
    from pumpswap.cli.waiting import wait_for
    from pumpswap.errors import NotFound

    found = wait_for(_find(chain_settings(out, urls, ws_url, network), mint, search=search))
    if not found.pools:
        told = "; ".join(warning.text for warning in found.warnings)
        hint = "--search looks for pools that others have made" if not search else "is this the coin's mint?"
        raise NotFound(told or f"{mint} has no pool", hint=hint)
    for warning in found.warnings:
        out.warn(warning.text)
    if out.json:
        pools = [
            {
                "address": str(each.address),
                "is_canonical": each.is_canonical,
                "quote_mint": str(each.state.pool.quote_mint),
                "real_quote_units": str(each.state.real_quote_reserve),
                "price": fraction_json(each.state.spot_price) if each.state.base_reserve else None,
            }
            for each in found.pools
        ]
        out.emit("pools", {"mint": str(mint), "pools": pools})
        return
    out.show(_pools_table(found), keep_lines=True)


async def _find(settings: Settings, mint: Pubkey, *, search: bool) -> Discovery:
    from pumpswap.sdk import ChainConnection

    async with ChainConnection(settings) as connection:
        return await connection.find(mint, search=search)


def _pools_table(found: Discovery) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("pool", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("can pay out", justify="right", no_wrap=True)
    table.add_column("price", justify="right", no_wrap=True)
    for each in found.pools:
        state = each.state
        kind, style = ("canonical", "green") if each.is_canonical else ("PERMISSIONLESS", "yellow")
        held = f"{format_units(state.real_quote_reserve, state.quote_decimals)} {_symbol(state)}"
        table.add_row(str(each.address), Text(kind, style), held, _price(state) if state.base_reserve else "empty")
    return table


@command(
    "watch",
    help=(
        "Watch a pool: every swap as it is confirmed, once and in order, with the price after it.\n\n"
        "Gaps after a lost connection are filled from the chain's history. With --json, one object per line."
    ),
    examples=[
        Example("pumpswap pool watch MINT", "until Ctrl-C", needs=_NEEDS),
        Example("pumpswap pool watch MINT --for 60 --json", "a minute, for scripts", needs=_NEEDS),
    ],
)
@click.argument("address", type=PUBKEY, metavar="POOL|MINT")
@option("--for", "seconds", type=NumberRange(0, min_open=True), metavar="SECONDS", help="Stop after this time.")
@option("--max-swaps", type=click.IntRange(1), metavar="N", help="Stop after this many swaps.")
@chain_options
@pass_output
def watch(
    out: Output,
    address: Pubkey,
    seconds: float | None,
    max_swaps: int | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.cli.waiting import wait_for

    wait_for(_watch(out, chain_settings(out, urls, ws_url, network), address, (seconds, max_swaps)))


async def _watch(out: Output, settings: Settings, address: Pubkey, bounds: tuple[float | None, int | None]) -> None:
    from pumpswap.sdk import ChainConnection

    seconds, most = bounds
    async with ChainConnection(settings) as connection:
        state = await connection.pool(address)
        out.say(f"Watching {state.address}, {_price(state)} {_symbol(state)} per token. Ctrl-C ends it.")
        seen = 0
        try:
            async with asyncio.timeout(seconds):
                async with aclosing(_feed(connection, state).updates()) as updates:
                    async for update in updates:
                        if update.swap is None or update.swap.pool != str(state.address):
                            continue
                        _tell(out, update, state)
                        seen += 1
                        if most is not None and seen >= most:
                            return
        except TimeoutError:
            out.say(f"{seen} swap(s) in {seconds:g} s.")


def _feed(connection: ChainConnection, state: PoolState) -> Any:
    from random import SystemRandom

    from pumpswap.chain.streams import ChainStream, SlotWatchdog, StreamParts, stream_endpoints
    from pumpswap.chain.streams.warnings import Warnings
    from pumpswap.market.chain_feed import ChainFeed, FeedParts, feed_watches, scope_of

    chain, clock = connection.settings.chain, connection.clock
    warnings = Warnings(clock)
    watchdog = SlotWatchdog(connection.node, clock, warnings, stale_after_slots=chain.stale_after_slots)
    scope = scope_of([state.address])
    parts = StreamParts(clock, SystemRandom(), watchdog, warnings)
    stream = ChainStream(stream_endpoints(chain.endpoints), feed_watches(scope), parts)
    return ChainFeed(stream, connection.node, scope, FeedParts(clock, warnings))


def _tell(out: Output, update: MarketUpdate, state: PoolState) -> None:
    swap = update.swap
    assert swap is not None
    price = _price_after(swap, state)
    if out.json:
        said = {
            "schema": "pumpswap.swap",
            "version": 1,
            "slot": swap.slot,
            "signature": swap.signature,
            "trader": swap.trader,
            "side": "buy" if swap.is_buy else "sell",
            "base_units": str(swap.base_units),
            "quote_units": str(swap.quote_units),
            "price_after": None if price is None else fraction_json(price),
        }
        click.echo(json.dumps(said))
        return
    from rich.text import Text

    verb, style = ("buy ", "green") if swap.is_buy else ("sell", "red")
    paid = f"{format_units(swap.quote_units, state.quote_decimals)} {_symbol(state)}"
    shown = "" if price is None else f"  → {_display(price, state)}"
    when = time_text(swap.at_ns // 1_000_000_000)[11:19]
    tokens = format_units(swap.base_units, state.base_decimals)
    out.show(
        Text.assemble(
            (f"{when} ", "dim"), (verb, style), f" {tokens:>24} for {paid:>20}{shown}", (f"  {swap.trader}", "dim")
        )
    )


def _price_after(swap: Swap, state: PoolState) -> Fraction | None:
    from pumpswap.market.swaps_of import reserves_after

    if swap.event is None:
        return None
    after = reserves_after(swap)
    return (
        Fraction(after.quote_vault + after.virtual_quote_reserves, after.base_reserve) if after.base_reserve else None
    )


def _symbol(state: PoolState) -> str:
    from pumpswap.cli.quoting.state import quote_symbol

    return quote_symbol(state.pool.quote_mint)


def _price(state: PoolState) -> str:
    return _display(state.spot_price, state)


def _display(price: Fraction, state: PoolState) -> str:
    return significant_text(price * Fraction(10) ** (state.base_decimals - state.quote_decimals))
