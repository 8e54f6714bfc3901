"""``pumpswap protocol``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PUBKEY

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.app.checks import Check
    from pumpswap.settings import Settings

__all__ = ["check", "protocol"]

protocol = LazyGroup(
    "protocol",
    entries={"check": Entry("pumpswap.cli.protocol:check", "layouts, recipients, fees, program")},
    help="Whether the program on the chain is the one that this version knows.",
    examples=[Example("pumpswap protocol check", needs="an endpoint")],
)


@command(
    "check",
    help=(
        "Compare the chain with what this version knows: account layouts, fee recipients, fees, switches, and which "
        "generations of swap instructions the program has.\n\n"
        "Exit code 12: something is unknown. Stop trading and upgrade."
    ),
    examples=[
        Example("pumpswap protocol check", needs="an endpoint"),
        Example("pumpswap protocol check --pool MINT", "this pool's layout too", needs="an endpoint"),
    ],
)
@option("--pool", "pools", type=PUBKEY, multiple=True, metavar="POOL|MINT", help="Also look at this pool; repeatable.")
@chain_options
@pass_output
def check(
    out: Output, pools: tuple[Pubkey, ...], urls: tuple[str, ...], ws_url: str | None, network: str | None
) -> None:
    from pumpswap.app.checks import worst_code
    from pumpswap.cli.checks_view import check_json, show_check
    from pumpswap.cli.waiting import wait_for

    checks = wait_for(_checked(chain_settings(out, urls, ws_url, network), pools))
    code = worst_code(checks)
    if out.json:
        out.emit("protocol", {"known": code == 0, "checks": [check_json(each) for each in checks]})
    else:
        for each in checks:
            show_check(out, each)
    if code:
        click.get_current_context().exit(code)


async def _checked(settings: Settings, pools: tuple[Pubkey, ...]) -> list[Check]:
    from pumpswap.app.protocol import check_protocol
    from pumpswap.sdk import ChainConnection

    async with ChainConnection(settings) as connection:
        states = [await connection.pool(pool) for pool in pools]
        return await check_protocol(connection, states)
