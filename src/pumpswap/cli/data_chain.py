"""``pumpswap data backfill`` and ``data record``: swaps from a chain into the lake, of the past and from now on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.failures import BadValue
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import DURATION, PATH, PUBKEY
from pumpswap.clock import format_utc, parse_utc

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.app.lake_backfill import Backfilled, BackfillOptions
    from pumpswap.app.lake_record import Recorded, RecordOptions
    from pumpswap.cli.progress import Tell
    from pumpswap.settings import Settings

__all__ = ["backfill", "record"]

_NEEDS = "an endpoint"
_MOST_BREAKS = 5
_LONGEST_SLOT = 19
_lake_option = option("--lake", "folder", type=PATH, metavar="DIR", help="Default: that of the settings.")


class _SinceType(click.ParamType):  # type: ignore[type-arg]  # click 8.1 has no type argument
    """A slot, or a date or time: (slot, None) or (None, nanoseconds)."""

    name = "slot or date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        text = str(value)
        if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_SLOT:
            return int(text), None
        try:
            return None, parse_utc(text)
        except ValueError:
            raise BadValue("that is no slot and no date", hint="for example 380000000 or 2026-11-01T12:30") from None


@command(
    "backfill",
    help=(
        "Read the swaps of a pool out of the chain's history into the lake, from the newest to the oldest, with every "
        "figure of the program's own events.\n\n"
        "Each page is stored together with the claim that its time is complete: stop it at any moment and start it "
        "again; what is complete is passed over, and nothing is stored twice. What the pool held after each swap is "
        "compared with what it held before the next one: where it differs and no other transaction of the pool "
        "explains it, a swap is missing, and the place is named.\n\n"
        "Old transactions need an endpoint that keeps them (an archive)."
    ),
    examples=[
        Example("pumpswap data backfill POOL --from 2026-11-01", "back to a day", needs=_NEEDS),
        Example("pumpswap data backfill POOL --from 380000000 --json", "back to a slot", needs=_NEEDS),
    ],
)
@click.argument("pool", type=PUBKEY, metavar="POOL|MINT")
@option("--from", "since", type=_SinceType(), metavar="SLOT|DATE", help="Back to here; without it to the first one.")
@option("--page", type=click.IntRange(1, 1_000), default=200, show_default=True, help="Lines of history at a time.")
@_lake_option
@chain_options
@pass_output
def backfill(
    out: Output,
    pool: Pubkey,
    since: tuple[int | None, int | None] | None,
    page: int,
    folder: Path | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.app.lake_backfill import BackfillOptions
    from pumpswap.cli.progress import progress
    from pumpswap.cli.waiting import wait_for

    from_slot, from_ns = since or (None, None)
    options = BackfillOptions(from_slot, from_ns, page)
    with progress(out) as tell:
        result = wait_for(_backfill(chain_settings(out, urls, ws_url, network), folder, pool, options, tell))
    for line in _doubts(result):
        out.warn(line)
    if out.json:
        out.emit("data_backfill", _backfill_json(result))
    else:
        _show_backfill(out, result)
    if result.unexplained or result.lost:
        click.get_current_context().exit(1)


@command(
    "record",
    help=(
        "Record swaps of pools, what else happens to them, and their states, as the chain confirms it, into the lake: "
        "until Ctrl-C, or for --duration. Without a pool, all pools without their states.\n\n"
        "What happened since these pools were recorded or backfilled last is read from the chain's history first, so "
        "that no hole is left. Rows are written every --flush seconds; what a killed process had not written yet is "
        "read again the next time. Lost connections are bridged the same way."
    ),
    examples=[
        Example("pumpswap data record POOL POOL", "until Ctrl-C", needs=_NEEDS),
        Example("pumpswap data record POOL --duration 1h --json", "an hour, for scripts", needs=_NEEDS),
    ],
)
@click.argument("pools", nargs=-1, type=PUBKEY, metavar="[POOL|MINT]...")
@option("--duration", type=DURATION, metavar="TIME", help="Stop after this time: 90s, 30m, 12h, 7d.")
@option(
    "--flush",
    type=click.FloatRange(0.1, 3_600),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="Write so often.",
)
@option("--no-states", is_flag=True, help="Without the states of the pools.")
@_lake_option
@chain_options
@pass_output
def record(
    out: Output,
    pools: tuple[Pubkey, ...],
    duration: int | None,
    flush: float,
    no_states: bool,
    folder: Path | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.app.lake_record import RecordOptions
    from pumpswap.cli.progress import progress
    from pumpswap.cli.waiting import wait_for

    options = RecordOptions(flush_seconds=flush, with_states=not no_states)
    settings = chain_settings(out, urls, ws_url, network)
    out.say("Recording. Ctrl-C ends it, and everything that was heard is written.")
    with progress(out) as tell:
        result = wait_for(_record(settings, folder, pools, options, duration, tell))
    for gap in result.gaps:
        for line in _doubts(gap):
            out.warn(line)
    if result.broken_claims:
        out.warn(f"{result.broken_claims} times something could not be read: 'data list' shows the gaps")
    if out.json:
        out.emit("data_record", _record_json(result))
        return
    closed = sum(gap.stored for gap in result.gaps)
    before = f"; {closed:,} swaps of the time before, from the history" if closed else ""
    out.show(f"{result.stored_swaps:,} swaps and {result.stored_states:,} states recorded{before}")


async def _backfill(
    settings: Settings, folder: Path | None, pool: Pubkey, options: BackfillOptions, tell: Tell
) -> Backfilled:
    from pumpswap.app.lake_backfill import Backfill
    from pumpswap.app.lake_place import lake_for_chain
    from pumpswap.app.lake_swaps import CHAIN
    from pumpswap.market.lake import LakeWriter, PoolStateSeen
    from pumpswap.sdk import ChainConnection

    async with ChainConnection(settings) as connection:
        state = await connection.pool(pool)
        with LakeWriter(lake_for_chain(settings, folder)) as writer:
            # Read before the history, which then reaches it: with one whole state every swap's event tells the others.
            writer.add("states", [PoolStateSeen(connection.clock.now_ns(), state)], source=CHAIN)
            return await Backfill(connection.node, writer, state.address, tell).run(options)


async def _record(
    settings: Settings,
    folder: Path | None,
    pools: tuple[Pubkey, ...],
    options: RecordOptions,
    duration: int | None,
    tell: Tell,
) -> Recorded:
    import signal

    from pumpswap.app.lake_place import lake_for_chain
    from pumpswap.app.lake_record import Recording
    from pumpswap.market.lake import LakeWriter
    from pumpswap.sdk import ChainConnection

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    # An end that was asked for is no failure: it writes, tells, and exits with 0.
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if duration is not None:
        loop.call_later(duration, stop.set)
    async with ChainConnection(settings) as connection:
        addresses = tuple(dict.fromkeys([(await connection.pool(pool)).address for pool in pools]))
        with LakeWriter(lake_for_chain(settings, folder)) as writer:
            return await Recording(connection, writer, addresses, options).run(stop, tell)


def _doubts(result: Backfilled) -> list[str]:
    """Holes, in words."""
    found = [
        f"between {one.older} and {one.newer} ({format_utc(one.at_ns)}) the pool's reserves changed by themselves: a "
        "swap is missing there, or somebody sent tokens to a vault"
        for one in result.unexplained[:_MOST_BREAKS]
    ]
    if len(result.unexplained) > _MOST_BREAKS:
        found.append(f"and {len(result.unexplained) - _MOST_BREAKS} more such places; --json has all")
    if result.lost:
        found.append(
            f"{len(result.lost)} transactions are listed by the node, which does not have them, the first one "
            f"{result.lost[0]}: run it again, with another endpoint"
        )
    return found


def _show_backfill(out: Output, result: Backfilled) -> None:
    span = ""
    if result.start_ns is not None and result.end_ns is not None:
        span = f", complete from {format_utc(result.start_ns)} to {format_utc(result.end_ns)} UTC"
    out.show(f"{result.pool}: {result.stored:,} new swaps{span}", keep_lines=True)
    told = [
        (result.swaps - result.stored, "swaps were in the lake already"),
        (result.skipped, "transactions passed over: their time was complete"),
        (result.failed, "transactions failed, and changed nothing"),
        (result.others, "transactions without a swap (liquidity, fees)"),
        (result.acts, "acts besides swaps: liquidity, fees paid out, boosts, settings"),
        (len(result.breaks) - len(result.unexplained), "changes of the reserves that those explain"),
    ]
    for count, what in told:
        if count:
            out.say(f"{count:>9,} {what}")
    if result.links and not result.unexplained:
        out.say(f"{result.links:>9,} neighbours compared: every one holds what the one before has left.")
    if result.has_creation:
        out.say("The pool's creation was reached: there is nothing older.")


def _backfill_json(result: Backfilled) -> dict[str, Any]:
    return {
        "pool": result.pool,
        "stored": result.stored,
        "swaps": result.swaps,
        "known_from_elsewhere": result.known,
        "lines": result.lines,
        "failed": result.failed,
        "without_swap": result.others,
        "acts": result.acts,
        "passed_over": result.skipped,
        "compared": result.links,
        "breaks": [
            {
                "older": one.older,
                "newer": one.newer,
                "at_ns": str(one.at_ns),
                "explained_by": one.others,
                "base_units_missing": str(one.before.base_reserve - one.after.base_reserve),
                "quote_units_missing": str(one.before.quote_vault - one.after.quote_vault),
            }
            for one in result.breaks
        ],
        "lost": result.lost,
        "has_creation": result.has_creation,
        "start_ns": None if result.start_ns is None else str(result.start_ns),
        "end_ns": None if result.end_ns is None else str(result.end_ns),
        "gaps": [{"start_ns": str(low), "end_ns": str(high)} for low, high in result.gaps],
    }


def _record_json(result: Recorded) -> dict[str, Any]:
    return {
        "swaps": result.stored_swaps,
        "states": result.stored_states,
        "acts": result.stored_acts,
        "heard": result.swaps,
        "commits": result.commits,
        "unreadable": result.broken_claims,
        "closed": [_backfill_json(gap) for gap in result.gaps],
    }
