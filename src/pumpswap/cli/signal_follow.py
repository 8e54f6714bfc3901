"""``pumpswap signal follow``: the trades of chosen wallets as signals, with what the gate says to each."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.formats import time_text
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PUBKEY, SOURCE, NumberRange
from pumpswap.clock import NS_PER_SECOND
from pumpswap.units import format_units

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.app.follow import FollowDesk, Followed
    from pumpswap.model import Decision

__all__ = ["follow"]

_STYLES = {"long": "green", "short": "red", "hold": "dim"}


@command(
    "follow",
    help=(
        "Follow wallets: each of their swaps as a signal with its reasons, and what the gate would say to a paper "
        "wallet. Nothing is traded.\n\n"
        "What a wallet did before decides how much its next trade counts; without a record there is no entry. --learn "
        "reads the past from the chain first. --from replays a recording: a stream, a tape of trades, a host export, a "
        "lake. With --json, one object per line."
    ),
    examples=[
        Example("pumpswap signal follow --wallet WALLET --learn 300", "until Ctrl-C", needs="an endpoint"),
        Example("pumpswap signal follow --wallet WALLET --from trades.csv", "over a recording", needs="a recording"),
        Example("pumpswap signal follow --for 3600 --json", "those of follow.wallets", needs="an endpoint"),
    ],
)
@option("--wallet", "wallets", type=PUBKEY, multiple=True, help="Whom to follow; may be repeated.")
@option("--from", "recording", type=SOURCE, metavar="PATH", help="A recording instead of the chain.")
@option(
    "--learn",
    type=click.IntRange(0, 1_000),
    default=0,
    show_default=True,
    metavar="N",
    help="Learn from at most so many past transactions of each wallet; each is one question.",
)
@option("--for", "seconds", type=NumberRange(0, min_open=True), metavar="SECONDS", help="Stop after this time.")
@option("--max-signals", type=click.IntRange(1), metavar="N", help="Stop after this many signals.")
@chain_options
@pass_output
def follow(
    out: Output,
    wallets: tuple[Pubkey, ...],
    recording: str | None,
    learn: int,
    seconds: float | None,
    max_signals: int | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.app.follow import FollowDesk, follow_recording
    from pumpswap.cli.waiting import wait_for
    from pumpswap.errors import UsageError

    if recording is not None and (learn or seconds is not None or urls):
        raise UsageError("--from replays a file: no --learn, --for or --url", hint="leave them out")
    named = {"follow": {"wallets": [{"address": str(wallet)} for wallet in wallets]}} if wallets else {}
    desk = FollowDesk(chain_settings(out, urls, ws_url, network, **named))
    if recording is None:
        wait_for(_live(out, desk, learn, (seconds, max_signals)))
        return
    told = 0
    for found in follow_recording(recording, desk):
        _tell(out, found)
        told += 1
        if told == max_signals:
            break
    out.say(f"{told} signal(s) of {len(desk.wallets)} wallet(s).")


async def _live(out: Output, desk: FollowDesk, learn: int, bounds: tuple[float | None, int | None]) -> None:
    from pumpswap.app.follow import follow_chain, learn_past
    from pumpswap.sdk import ChainConnection

    seconds, most = bounds
    told = 0
    async with ChainConnection(desk.settings) as connection:
        learnt = await learn_past(connection, desk, learn)
        out.say(f"Following {len(desk.wallets)} wallet(s), {learnt} past swap(s) known. Ctrl-C ends it.")
        try:
            async with asyncio.timeout(seconds), aclosing(follow_chain(connection, desk)) as signals:
                async for found in signals:
                    _tell(out, found)
                    told += 1
                    if told == most:
                        return
        except TimeoutError:
            out.say(f"{told} signal(s) in {seconds:g} s.")


def _tell(out: Output, found: Followed) -> None:
    if out.json:
        click.echo(json.dumps(_signal_json(found)))
        return
    from rich.text import Text

    swap, signal = found.swap, found.signal
    style = _STYLES[signal.side.value]
    lines = [
        Text.assemble(
            (f"{time_text(swap.at_ns // NS_PER_SECOND)}  ", "dim"),
            (f"{signal.side.value:<5}", style),
            f" {signal.score:5.1f}  {'buys' if swap.is_buy else 'sells'} for {format_units(swap.quote_units, 9)} SOL",
        ),
        Text(f"  wallet {swap.trader}", "cyan"),
        Text(f"  pool   {swap.pool}", "cyan"),
        *(Text(f"  {reason}", "dim") for reason in signal.reasons[1:]),  # the first repeats who trades
        *(Text(f"  {line}") for line in _verdict(found.decision)),
    ]
    out.show(*lines)


def _verdict(decision: Decision | None) -> list[str]:
    """The gate's answer, every failed policy of it."""
    if decision is None:
        return []
    if decision:
        return [f"gate: accepted, {format_units(decision.quote_lamports, 9)} SOL"]
    return [f"gate: refused, {verdict.policy}: {verdict.text}" for verdict in decision.refusals]


def _signal_json(found: Followed) -> dict[str, Any]:
    swap, signal, decision = found.swap, found.signal, found.decision
    return {
        "schema": "pumpswap.signal",
        "version": 1,
        "source": signal.source,
        "wallet": swap.trader,
        "pool": signal.pool,
        "mint": signal.mint,
        "at_ns": str(signal.at_ns),
        "signature": swap.signature or None,
        "trade": "buy" if swap.is_buy else "sell",
        "quote_lamports": str(swap.quote_units),
        "base_units": str(swap.base_units),
        "side": signal.side.value,
        "score": signal.score,
        "strength": signal.strength,
        "reasons": list(signal.reasons),
        "decision": None if decision is None else _decision_json(decision),
    }


def _decision_json(decision: Decision) -> dict[str, Any]:
    return {
        "accepted": bool(decision),
        "quote_lamports": str(decision.quote_lamports),
        "refusals": [f"{verdict.policy}: {verdict.text}" for verdict in decision.refusals],
    }
