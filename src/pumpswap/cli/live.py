"""``pumpswap live``: what comes before an engine trades with money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.asking import confirm_trade, require_answer
from pumpswap.cli.chain_options import chain_options, chain_settings, wallet_options
from pumpswap.cli.formats import sol_text
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PUBKEY, SOL

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.app.checks import Check
    from pumpswap.app.there_and_back import ThereAndBack
    from pumpswap.sdk.trader import LimitedSigner
    from pumpswap.settings import Settings

__all__ = ["check", "live", "test_trade"]

_CENT = 10_000_000  # lamports
_NEEDS = "a chain and a wallet with limits"

live = LazyGroup(
    "live",
    entries={
        "check": Entry("pumpswap.cli.live:check", "all that an order needs, up to a simulated round trip"),
        "test-trade": Entry("pumpswap.cli.live:test_trade", "buy a little and sell it again, and measure it"),
    },
    help=(
        "What comes before `pumpswap run --live`.\n\n"
        "A run with money begins only after `live check` has passed for its wallet, its network and its settings of "
        "chain and sending, not longer ago than run.live_check_hours."
    ),
    examples=[
        Example("pumpswap live check", "nothing is sent, nothing is paid", needs=_NEEDS),
        Example("pumpswap live test-trade --sol 0.01", "both sides, with money", needs=_NEEDS),
    ],
)


@dataclass(frozen=True, slots=True)
class LiveWish:
    """What is tried, and who pays. ``pool`` None: the one that is traded most now."""

    settings: Settings
    signer: LimitedSigner
    lamports: int
    pool: Pubkey | None


_pool = option("--pool", type=PUBKEY, metavar="POOL|MINT", help="Where; default: the pool that is traded most now.")
_sol = option("--sol", type=SOL, default=None, metavar="SOL", help="How much; default: 0.01.")


@command(
    "check",
    help=(
        "Try everything that an order needs: the key and its limits, the books against the wallet, the endpoints, the "
        "network, the program's settings and instructions, and a tiny round trip: a purchase and its sale, simulated "
        "together on the chain. Nothing is signed, sent or paid. When nothing fails, that is stored, and `run --live` "
        "may begin.\n\n"
        "Exit code: 0 when nothing failed (warnings are no failures), else that of the first failed check."
    ),
    examples=[
        Example("pumpswap live check", "in the pool that is traded most", needs=_NEEDS),
        Example("pumpswap live check --pool MINT --sol 0.05", "in this one", needs=_NEEDS),
    ],
)
@_pool
@_sol
@wallet_options
@chain_options
@pass_output
def check(out: Output, /, **given: Any) -> None:
    from pumpswap.app.checks import worst_code
    from pumpswap.cli.checks_view import check_json
    from pumpswap.cli.waiting import wait_for

    wish = _wish(out, given)
    checks = wait_for(_checked(out, wish))
    code = worst_code(checks)
    if out.json:
        out.emit("live-check", {"passed": code == 0, "checks": [check_json(one) for one in checks]})
    elif code == 0:
        out.say(f"Passed for {wish.settings.run.live_check_hours} hours. Next: pumpswap run --live --mode approve")
    else:
        out.say("Not passed: `run --live` will not begin.")
    if code:
        click.get_current_context().exit(code)


async def _checked(out: Output, wish: LiveWish) -> list[Check]:
    from pumpswap.app.live_check import live_check
    from pumpswap.cli.checks_view import show_check
    from pumpswap.sdk import ChainConnection

    checks = []
    async with ChainConnection(wish.settings) as connection:
        async for one in live_check(connection, wish.signer, wish.lamports, wish.pool):
            checks.append(one)
            if not out.json:
                show_check(out, one)
    return checks


@command(
    "test-trade",
    help=(
        "Buy a little with money and sell it again at once, through the same gate, guard and books as every trade; "
        "then tell what each side cost, by kind, and how long it took. It shows the amount first and asks.\n\n"
        "Exit codes: 0 both sides filled, 7 refused by a rule, 8 rejected by the chain, 9 outcome unknown: do not "
        "repeat it, ask 'tx show' first."
    ),
    examples=[
        Example("pumpswap live test-trade", "0.01 SOL there and back", needs=_NEEDS),
        Example("pumpswap live test-trade --pool MINT --sol 0.02 --yes", "without the question", needs=_NEEDS),
    ],
)
@_pool
@_sol
@wallet_options
@chain_options
@pass_output
def test_trade(out: Output, /, **given: Any) -> None:
    from pumpswap.cli.trading import EXIT_CODES
    from pumpswap.cli.waiting import wait_for

    found = wait_for(_traded(out, _wish(out, given, asks="test-trade")))
    if out.json:
        out.emit("test-trade", found.to_json())
    else:
        _show(out, found)
    code = EXIT_CODES[found.status]
    if code:
        click.get_current_context().exit(code)


async def _traded(out: Output, wish: LiveWish) -> ThereAndBack:
    from pumpswap.app.live_check import busiest_pool
    from pumpswap.app.there_and_back import trade_there_and_back
    from pumpswap.cli.trading import tell_opening
    from pumpswap.sdk import ChainConnection, Trader

    async with ChainConnection(wish.settings) as connection:
        trader = await Trader.open(connection, wish.signer)
        try:
            tell_opening(out, trader)
            state = await (busiest_pool(connection) if wish.pool is None else connection.pool(wish.pool))
            out.say(
                f"Buys for {sol_text(wish.lamports)} in pool {state.address} and sells all of it again, with money."
            )
            confirm_trade(out, "test-trade", wish.signer.public_key)
            return await trade_there_and_back(trader, await connection.pool(state.address), wish.lamports)
        finally:
            await trader.aclose()


def _wish(out: Output, given: dict[str, Any], *, asks: str = "") -> LiveWish:
    """What is given, with the wallet unlocked. ``asks`` is what will ask before it begins, if anything does."""
    from pumpswap.cli.trading import WalletChoice, unlock_wallet

    settings = chain_settings(out, given["urls"], given["ws_url"], given["network"])
    if asks:
        require_answer(out, asks)
    signer = unlock_wallet(out, settings, WalletChoice(given["wallet"], given["password_fd"]))
    return LiveWish(settings, signer, given["sol"] or _CENT, given["pool"])


def _show(out: Output, found: ThereAndBack) -> None:
    from rich import box
    from rich.table import Table

    if found.status != "filled":
        out.show(f"The {found.last_side} ended as {found.status}: {found.text}")
    if not found.sides:
        return
    table = Table(box=box.SIMPLE_HEAD, title="There and back", title_justify="left", pad_edge=False)
    for name in ("", *(side.side for side in found.sides)):
        table.add_column(name, justify="left" if not name else "right", style="cyan" if not name else "")
    rows = [(name, [side.lamports(key) for side in found.sides]) for name, key in _COSTS]
    for name, amounts in rows:
        if any(amounts):
            table.add_row(name, *(sol_text(lamports, signed=True) for lamports in amounts))
    table.add_row("seconds", *(f"{side.seconds:.2f}" for side in found.sides))
    table.add_row("slot", *(f"{side.slot:,}" for side in found.sides))
    out.show(table, keep_lines=True)
    if found.lost_lamports is not None:
        rent = f"; {sol_text(found.rent_lamports)} of rent stay as a deposit" if found.rent_lamports else ""
        out.show(f"Gone for good: {sol_text(found.lost_lamports)}{rent}.")


_COSTS = (
    ("trade", "trade_lamports"),
    ("liquidity providers", "lp_fee_lamports"),
    ("protocol", "protocol_fee_lamports"),
    ("creator", "creator_fee_lamports"),
    ("cashback", "cashback_lamports"),
    ("network fee", "network_fee_lamports"),
    ("priority fee", "priority_fee_lamports"),
    ("tip", "tip_lamports"),
    ("rent", "rent_lamports"),
)
