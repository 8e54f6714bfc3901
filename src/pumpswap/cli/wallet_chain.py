"""``pumpswap wallet wrap``, ``unwrap`` and ``close-empty``: upkeep of a wallet on its chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pumpswap.cli.asking import confirm
from pumpswap.cli.chain_options import chain_options, chain_settings, wallet_options
from pumpswap.cli.formats import sol_text
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import SOL
from pumpswap.cli.trading import WalletChoice, tell_opening, unlock_wallet, wallet_key
from pumpswap.errors import KeyLocked

if TYPE_CHECKING:
    from pumpswap.model import ChoreResult
    from pumpswap.sdk.trader import LimitedSigner
    from pumpswap.sdk.upkeep import ChoreWish
    from pumpswap.settings import Settings

__all__ = ["close_empty", "unwrap", "wrap"]

_F = TypeVar("_F", bound=Callable[..., Any])
_NEEDS = "a chain and a wallet"
_LIVE = "Without --live it is simulated only. Exit codes as those of 'buy'."
_EXIT_CODES = {"done": 0, "rejected": 8, "denied": 7, "unknown": 9}


def _options(callback: _F) -> _F:
    live = option("--live", is_flag=True, help="Really do it. Never a setting.")
    return live(wallet_options(chain_options(callback)))


@command(
    "wrap",
    help=(
        "Move SOL into the wallet's wrapped-SOL account, which trades pay from. Trades top it up by themselves; this "
        f"is for doing it beforehand.\n\n{_LIVE}"
    ),
    examples=[Example("pumpswap wallet wrap 0.5 --live", needs=_NEEDS)],
)
@click.argument("sol", type=SOL)
@_options
@pass_output
def wrap(out: Output, /, sol: int, **options: Any) -> None:
    from pumpswap.model import PlanKind
    from pumpswap.sdk.upkeep import ChoreWish

    _run(out, ChoreWish(PlanKind.WRAP, sol), **options)


@command(
    "unwrap",
    help=(
        "Close the wrapped-SOL account: all of it becomes SOL again, and its rent comes back. Refused while an order "
        f"may still land.\n\n{_LIVE}"
    ),
    examples=[Example("pumpswap wallet unwrap --live", needs=_NEEDS)],
)
@_options
@pass_output
def unwrap(out: Output, /, **options: Any) -> None:
    from pumpswap.model import PlanKind
    from pumpswap.sdk.upkeep import ChoreWish

    _run(out, ChoreWish(PlanKind.UNWRAP), **options)


@command(
    "close-empty",
    help=(
        "Close empty token accounts, at most 20 at once: their rent comes back. Refused while an order may still "
        f"land.\n\n{_LIVE}"
    ),
    examples=[Example("pumpswap wallet close-empty --live", needs=_NEEDS)],
)
@_options
@pass_output
def close_empty(out: Output, /, **options: Any) -> None:
    from pumpswap.model import PlanKind
    from pumpswap.sdk.upkeep import ChoreWish

    _run(out, ChoreWish(PlanKind.CLOSE_EMPTY), **options)


def _run(
    out: Output,
    wish: ChoreWish,
    *,
    live: bool,
    wallet: str | None,
    password_fd: int | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.cli.waiting import wait_for

    settings = chain_settings(out, urls, ws_url, network)
    choice = WalletChoice(wallet, password_fd)
    if not live:
        wait_for(_simulate(out, settings, wish, choice))
        return
    signer = unlock_wallet(out, settings, choice)
    result = wait_for(_do(out, settings, wish, signer))
    code = _EXIT_CODES[result.status]
    if code:
        click.get_current_context().exit(code)


async def _simulate(out: Output, settings: Settings, wish: ChoreWish, choice: WalletChoice) -> None:
    from pumpswap.sdk import ChainConnection
    from pumpswap.sdk.upkeep import preview_chore

    key = wallet_key(settings, choice)
    if key is None:
        raise KeyLocked("there is no wallet", hint="make one: pumpswap wallet create")
    async with ChainConnection(settings) as connection:
        action, fee = await preview_chore(connection, wish, key)
    said = {"status": "simulated", "wallet": str(key), "kind": wish.kind.value, "fee_lamports": str(fee)}
    if out.json:
        out.emit("chore", said | {"accounts": sorted(str(account) for account in action.plan.closable)})
        return
    out.show(
        f"{_described(wish, len(action.plan.closable))} of wallet {key}: the simulation succeeds, fee {sol_text(fee)}."
    )
    out.say("Simulated only: nothing was signed or sent. With --live it is done.")


async def _do(out: Output, settings: Settings, wish: ChoreWish, signer: LimitedSigner) -> ChoreResult:
    from pumpswap.sdk import ChainConnection, Trader

    async with ChainConnection(settings) as connection:
        trader = await Trader.open(connection, signer)
        try:
            tell_opening(out, trader)
            confirm(out, "--live", f"{_described(wish)} of wallet {signer.public_key} now?")
            result = await trader.upkeep.do(wish)
        finally:
            await trader.aclose()
    _show(out, wish, result)
    return result


def _show(out: Output, wish: ChoreWish, result: ChoreResult) -> None:
    costs = result.costs
    if out.json:
        said: dict[str, Any] = {
            "status": result.status,
            "kind": wish.kind.value,
            "signature": result.signature or None,
            "text": result.text,
            "network_fee_lamports": str(costs.network_fee),
            "priority_fee_lamports": str(costs.priority_fee),
            "rent_paid_lamports": str(costs.rent_paid),
            "rent_returned_lamports": str(costs.rent_returned),
        }
        if result.expiry_height:
            said["expiry_height"] = result.expiry_height
        out.emit("chore", said)
        return
    if result.status == "done":
        rent = costs.rent_returned - costs.rent_paid
        moved = f", rent {sol_text(rent, signed=True)}" if rent else ""
        out.show(f"{_described(wish)}: done. Fees {sol_text(costs.spent)}{moved}.", f"  {result.signature}")
    elif result.status == "unknown":
        out.show(
            f"UNKNOWN: transaction {result.signature} may still land, until block height {result.expiry_height}.",
            "Do not repeat it: the next command with --live settles it first.",
        )
    else:
        out.show(f"Did not happen: {result.text}")


def _described(wish: ChoreWish, accounts: int = 0) -> str:
    if wish.lamports:
        return f"Wrapping {sol_text(wish.lamports)}"
    what = "the wrapped-SOL account" if wish.kind.value == "unwrap" else f"{accounts or 'the'} empty token account(s)"
    return f"Closing {what}"
