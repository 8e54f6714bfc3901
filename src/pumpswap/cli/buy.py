"""``pumpswap buy`` and ``pumpswap sell``: simulate, or trade with ``--live``."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.chain_options import chain_options, chain_settings, wallet_options
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import AMOUNT, BPS, PUBKEY, SOL
from pumpswap.cli.trading import TradeWish, WalletChoice, run_trade
from pumpswap.errors import UsageError

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

__all__ = ["buy", "sell"]

_NEEDS = "a chain: pumpswap localnet start"
_LIVE = (
    "Without --live nothing is signed: the transaction is built for the wallet's public address and simulated. With "
    "it three things are needed: this option, the wallet's password, and limits set with 'wallet limits'.\n\n"
    "Exit codes: 0 filled (or simulated), 7 refused by a rule, 8 rejected by the chain, 9 outcome unknown: do not "
    "repeat that trade, ask 'tx show' first."
)
_slippage = option("--slippage-bps", type=BPS, metavar="BPS", help="Between quote and execution; default: settings.")
_impact = option("--max-impact-bps", type=BPS, metavar="BPS", help="Lower the cap on a buy's price impact.")
_front = option(
    "--dont-front/--no-dont-front", default=None, help="Name the account that block engines put nothing before."
)
_lane = option("--lane", "lanes", multiple=True, metavar="NAME", help="Send on this lane only; see sending.lanes.")
_live = option("--live", is_flag=True, help="Really trade, with real money on mainnet. Never a setting.")


@command(
    "buy",
    help=f"Buy a coin for SOL, venue fees included; MINT may also be the address of a pool.\n\n{_LIVE}",
    examples=[
        Example("pumpswap buy MINT 0.1", "what it would do", needs=_NEEDS),
        Example("pumpswap buy MINT 0.1 --live", "do it", needs=_NEEDS),
    ],
)
@click.argument("mint", type=PUBKEY)
@click.argument("sol", type=SOL)
@_slippage
@_impact
@_front
@_lane
@_live
@wallet_options
@chain_options
@pass_output
def buy(
    out: Output,
    mint: Pubkey,
    sol: int,
    slippage_bps: int | None,
    max_impact_bps: int | None,
    dont_front: bool | None,
    lanes: tuple[str, ...],
    live: bool,
    wallet: str | None,
    password_fd: int | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.execution.protection import SandwichPolicy
    from pumpswap.model import TradeSide

    policy = SandwichPolicy(max_impact_bps, dont_front, frozenset(lanes))
    choice = WalletChoice(wallet, password_fd)
    wish = TradeWish(TradeSide.BUY, mint, sol, slippage_bps, choice, live, policy)
    run_trade(out, chain_settings(out, urls, ws_url, network), wish)


@command(
    "sell",
    help=(f"Sell so many whole tokens, or 'all' of the position; MINT may also be the address of a pool.\n\n{_LIVE}"),
    examples=[
        Example("pumpswap sell MINT 250000", "what it would bring", needs=_NEEDS),
        Example("pumpswap sell MINT all --live", "close the position", needs=_NEEDS),
    ],
)
@click.argument("mint", type=PUBKEY)
@click.argument("tokens")
@_slippage
@_impact
@_front
@_lane
@_live
@wallet_options
@chain_options
@pass_output
def sell(
    out: Output,
    mint: Pubkey,
    tokens: str,
    slippage_bps: int | None,
    max_impact_bps: int | None,
    dont_front: bool | None,
    lanes: tuple[str, ...],
    live: bool,
    wallet: str | None,
    password_fd: int | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.execution.protection import SandwichPolicy
    from pumpswap.model import TradeSide

    policy = SandwichPolicy(max_impact_bps, dont_front, frozenset(lanes))
    wish = TradeWish(
        TradeSide.SELL, mint, _tokens(tokens), slippage_bps, WalletChoice(wallet, password_fd), live, policy
    )
    run_trade(out, chain_settings(out, urls, ws_url, network), wish)


def _tokens(text: str) -> Decimal | None:
    if text == "all":
        return None
    amount: Any = AMOUNT.parse(text)
    if amount == 0:
        raise UsageError("0 tokens are nothing to sell", hint="say how many, or all")
    return Decimal(amount)
