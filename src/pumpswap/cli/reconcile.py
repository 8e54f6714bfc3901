"""``pumpswap reconcile``: compare books and chain, and with ``--repair`` book what nothing explains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.asking import confirm
from pumpswap.cli.chain_options import chain_options, chain_settings, wallet_option
from pumpswap.cli.formats import time_text
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.trading import WalletChoice, tell_resolved, wallet_key
from pumpswap.errors import KeyLocked

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.model import ForeignEvent, Reconciliation
    from pumpswap.sdk.trader import Trader
    from pumpswap.settings import Settings

__all__ = ["reconcile"]

_DIFFERENT, _ON_ITS_WAY = 1, 9
_NEEDS = "a chain and a wallet"


@command(
    "reconcile",
    help=(
        "Compare the books of a wallet with the chain. Orders that are still open are settled first; then everything "
        "that others have done with the wallet (transfers, trades by hand, airdrops, closed accounts) is found in its "
        "history, named and booked. What no transaction explains stops buying until it is found, or until --repair "
        "books it. No password is needed: nothing is signed.\n\n"
        "Exit codes: 0 books and wallet agree, 1 a difference is left, 9 an order may still land, so nothing was "
        "compared."
    ),
    examples=[
        Example("pumpswap reconcile", "what has happened to the wallet from outside?", needs=_NEEDS),
        Example("pumpswap reconcile --repair", "show what is left, ask, and book it", needs=_NEEDS),
    ],
)
@option("--repair", is_flag=True, help="Propose to book what no transaction explains, and do it after a yes.")
@wallet_option
@chain_options
@pass_output
def reconcile(
    out: Output,
    repair: bool,
    wallet: str | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.cli.waiting import wait_for

    settings = chain_settings(out, urls, ws_url, network)
    key = wallet_key(settings, WalletChoice(wallet, None))
    if key is None:
        raise KeyLocked("there is no wallet", hint="make one: pumpswap wallet create")
    found = wait_for(_compare(out, settings, key, repair=repair))
    code = _ON_ITS_WAY if found is None else 0 if found.is_balanced else _DIFFERENT
    if code:
        click.get_current_context().exit(code)


async def _compare(out: Output, settings: Settings, wallet: Pubkey, *, repair: bool) -> Reconciliation | None:
    from pumpswap.sdk import ChainConnection, Trader
    from pumpswap.sdk.watch_only import WatchOnly

    async with ChainConnection(settings) as connection:
        trader = await Trader.open(connection, WatchOnly(wallet))
        try:
            tell_resolved(out, trader)
            found = trader.reconciliation
            repaired = found
            if repair and found is not None and not found.is_balanced:
                repaired = _repair(out, trader, found)
            _show(out, trader, found, repaired)
            return repaired
        finally:
            await trader.aclose()


def _repair(out: Output, trader: Trader, found: Reconciliation) -> Reconciliation:
    from pumpswap.execution.alarm import units_text

    def show() -> None:
        out.say("No transaction explains these differences; --repair books them as foreign movements:")
        for asset, units in found.differences.items():
            out.say(f"  {units_text(asset, units)}")

    confirm(out, "--repair", "Is that so, and shall it be booked?", show)
    return trader.books.repair(found)


def _show(out: Output, trader: Trader, found: Reconciliation | None, now: Reconciliation | None) -> None:
    if out.json:
        out.emit("reconciliation", _document(trader, found, now))
        return
    if found is None or now is None:
        out.show("Not compared: an order may still land. Its fate is asked for again by the next command.")
        return
    if found.events:
        out.show(_table(found.events), keep_lines=True)
    if found.is_balanced:
        out.show(f"The books agree with wallet {trader.signer.public_key} at slot {found.slot:,}.")
    elif now.is_balanced:
        out.show("Booked as unexplained. The books agree with the wallet again.")
    else:
        _show_left(out, found)


def _show_left(out: Output, found: Reconciliation) -> None:
    from pumpswap.execution.alarm import units_text

    out.show("DIFFERENT: the wallet and the books disagree, and no transaction explains it:")
    for asset, units in found.differences.items():
        out.show(f"  {units_text(asset, units)} in the wallet beyond the books", keep_lines=True)
    out.show(
        "Buying is stopped (for these tokens; for all when it is SOL). An endpoint with a longer history may explain "
        "it; if you know what it was, book it with --repair."
    )


def _table(events: tuple[ForeignEvent, ...]) -> Any:
    from rich.table import Table

    from pumpswap.clock import NS_PER_SECOND
    from pumpswap.execution.alarm import units_text

    table = Table(title="What others did with this wallet, now in the books", title_justify="left", box=None)
    for name in ("when", "what", "moved", "transaction"):
        table.add_column(name, overflow="fold")
    for event in events:
        moved = "\n".join(units_text(asset, units) for asset in event.assets if (units := event.of(asset)))
        when = time_text(event.at_ns // NS_PER_SECOND)
        table.add_row(when, event.kind.value, moved or "rent only", event.signature or "none known")
    return table


def _document(trader: Trader, found: Reconciliation | None, now: Reconciliation | None) -> dict[str, Any]:
    said: dict[str, Any] = {"wallet": str(trader.signer.public_key), "run": trader.books.run.run_id}
    if found is None or now is None:
        return said | {"status": "not compared"}
    return said | {
        "status": now.status.value,
        "slot": found.slot,
        "events": [
            {
                "kind": event.kind.value,
                "signature": event.signature or None,
                "slot": event.slot,
                "at_ns": str(event.at_ns),
                "pool": event.pool or None,
                "counterparty": event.counterparty or None,
                "moves": [
                    {"asset": asset, "units": str(units), "kind": kind.value} for asset, units, kind in event.moves
                ],
            }
            for event in (*found.events, *(now.events if now is not found else ()))
        ],
        "differences": {asset: str(units) for asset, units in now.differences.items()},
    }
