"""``pumpswap pool new``: pools as they are made on the chain, and where they come from."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.formats import decimal_text, time_text
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, fraction_json, pass_output
from pumpswap.cli.params import NumberRange
from pumpswap.units import format_units

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.market.new_pool_feed import NewPoolFeed
    from pumpswap.market.new_pools import NewPool
    from pumpswap.sdk import ChainConnection
    from pumpswap.settings import Settings

__all__ = ["new"]

_NEEDS = "an endpoint"
_STYLES = {"graduated": "green", "permissionless": "yellow", "unverified": "red"}
_NS_PER_SECOND = 1_000_000_000


@command(
    "new",
    help=(
        "New pools, and where they come from.\n\n"
        "graduated: the Pump program moved the coin from its finished bonding curve into its canonical pool; proven by "
        "the migration, the address and the curve. permissionless: made from a wallet, which can take its liquidity "
        "out. unverified: neither is proven; treat it like the second.\n\n"
        "Without --all only what the Pump program makes, which needs little of an endpoint. --all looks at every "
        "transaction of the AMM: on mainnet, thousands in a minute."
    ),
    examples=[
        Example("pumpswap pool new", "graduates of the last 50 migrations", needs=_NEEDS),
        Example("pumpswap pool new --follow", "as they come, until Ctrl-C", needs=_NEEDS),
        Example("pumpswap pool new --follow --all --for 60 --json", "everything, for scripts", needs=_NEEDS),
    ],
)
@option("--follow", is_flag=True, help="Go on and tell new pools as they are made.")
@option("--all", "everything", is_flag=True, help="Also pools that are made from wallets.")
@option("--lines", type=click.IntRange(1, 10_000), default=50, help="Transactions to look back at, without --follow.")
@option("--for", "seconds", type=NumberRange(0, min_open=True), metavar="SECONDS", help="Follow for this time.")
@option("--max-pools", type=click.IntRange(1), metavar="N", help="Follow until this many pools.")
@chain_options
@pass_output
def new(out: Output, /, follow: bool, everything: bool, **options: Any) -> None:
    from pumpswap.cli.waiting import wait_for
    from pumpswap.errors import UsageError

    bounds, lines = (options["seconds"], options["max_pools"]), options["lines"]
    if not follow and bounds != (None, None):
        raise UsageError("--for and --max-pools belong to --follow", hint="add --follow, or leave them out")
    settings = chain_settings(out, options["urls"], options["ws_url"], options["network"])
    if follow:
        wait_for(_follow(out, settings, everything, bounds))
        return
    pools = wait_for(_latest(settings, everything, lines))
    if out.json:
        out.emit("new_pools", {"lines": lines, "is_all": everything, "pools": [_said(one) for one in pools]})
        return
    for pool in pools:
        _show(out, pool)
    if not pools:
        kind = "pool was made" if everything else "coin graduated"
        out.say(f"No {kind} in the last {lines} transactions. More with --lines, or wait with --follow.")


async def _latest(settings: Settings, everything: bool, lines: int) -> tuple[NewPool, ...]:
    from pumpswap.market.new_pool_feed import latest_pools
    from pumpswap.sdk import ChainConnection

    async with ChainConnection(settings) as connection:
        return await latest_pools(connection.node, await _watched(connection, everything), lines=lines)


async def _watched(connection: ChainConnection, everything: bool) -> Pubkey:
    from pumpswap.amm.addresses import AMM_PROGRAM
    from pumpswap.market.new_pools import migration_authority

    return AMM_PROGRAM if everything else await migration_authority(connection.node)


async def _follow(out: Output, settings: Settings, everything: bool, bounds: tuple[float | None, int | None]) -> None:
    from pumpswap.sdk import ChainConnection

    seconds, most = bounds
    async with ChainConnection(settings) as connection:
        feed = _feed(connection, await _watched(connection, everything))
        out.say(f"Waiting for {'new pools' if everything else 'graduates'}. Ctrl-C ends it.")
        try:
            async with asyncio.timeout(seconds):
                async with aclosing(feed.pools()) as pools:
                    async for pool in pools:
                        _tell(out, pool)
                        if most is not None and feed.counts.pools >= most:
                            return
        except TimeoutError:
            out.say(f"{feed.counts.pools} pool(s) in {seconds:g} s.")


def _feed(connection: ChainConnection, address: Pubkey) -> NewPoolFeed:
    from random import SystemRandom

    from pumpswap.chain.streams import ChainStream, LogsWatch, SlotWatchdog, StreamParts, stream_endpoints
    from pumpswap.chain.streams.warnings import Warnings
    from pumpswap.market.new_pool_feed import NewPoolFeed

    chain, clock = connection.settings.chain, connection.clock
    warnings = Warnings(clock)
    watchdog = SlotWatchdog(connection.node, clock, warnings, stale_after_slots=chain.stale_after_slots)
    parts = StreamParts(clock, SystemRandom(), watchdog, warnings)
    stream = ChainStream(stream_endpoints(chain.endpoints), [LogsWatch(address)], parts)
    return NewPoolFeed(stream, connection.node, address, warnings)


def _tell(out: Output, pool: NewPool) -> None:
    if out.json:
        click.echo(json.dumps({"schema": "pumpswap.new_pool", "version": 1, **_said(pool)}))
    else:
        _show(out, pool)


def _said(pool: NewPool) -> dict[str, Any]:
    burned = pool.lp_burned
    return {
        "address": str(pool.address),
        "origin": pool.origin.value,
        "reason": pool.reason,
        "base_mint": str(pool.base_mint),
        "quote_mint": str(pool.quote_mint),
        "creator": str(pool.creator),
        "coin_creator": str(pool.coin_creator),
        "index": pool.index,
        "slot": pool.slot,
        "time": time_text(pool.at_ns // _NS_PER_SECOND),
        "signature": pool.signature,
        "base_units": str(pool.base_units),
        "quote_units": str(pool.quote_units),
        "base_decimals": pool.base_decimals,
        "quote_decimals": pool.quote_decimals,
        "lp_units": str(pool.lp_units),
        "lp_burned": None if burned is None else fraction_json(burned),
        "is_mayhem_mode": pool.is_mayhem_mode,
    }


def _show(out: Output, pool: NewPool) -> None:
    from rich.text import Text

    from pumpswap.cli.quoting.state import quote_symbol
    from pumpswap.clock import SystemClock

    origin = pool.origin.value
    tokens = format_units(pool.base_units, pool.base_decimals)
    paid = f"{format_units(pool.quote_units, pool.quote_decimals)} {quote_symbol(pool.quote_mint)}"
    burned = "unknown"
    if pool.lp_burned is not None:
        burned = f"{decimal_text(pool.lp_burned * 100, 2).rstrip('0').rstrip('.')} %"
    rows = [
        ("coin", str(pool.base_mint)),
        ("made by", str(pool.creator)),
        ("opened with", f"{tokens} tokens, {paid}"),
        ("LP burned", burned),
        ("why", pool.reason),
    ]
    when = time_text(pool.at_ns // _NS_PER_SECOND, SystemClock().now_ns())
    head = Text.assemble((f"{origin:<15}", _STYLES[origin]), str(pool.address))
    out.show(head, Text(f"  {when}, slot {pool.slot:,}", style="dim"), keep_lines=True)
    lines = [Text.assemble((f"  {name:<13}", "cyan"), text) for name, text in rows]
    out.show(*lines, "", keep_lines=True)
