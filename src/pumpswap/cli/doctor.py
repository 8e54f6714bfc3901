"""``pumpswap doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PUBKEY

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.app.checks import Check
    from pumpswap.settings import Settings

__all__ = ["doctor"]


@command(
    "doctor",
    help=(
        "Check everything that must be right before money moves: disk, database, wallet, settings, network, endpoints, "
        "clock, and whether the program still speaks this version's dialect.\n\n"
        "Exit code: 0 when nothing failed (warnings are no failures), else that of the first failed check; 11 without "
        "a network, 12 when the protocol has changed."
    ),
    examples=[
        Example("pumpswap doctor --url http://127.0.0.1:8899", "of the practice chain", needs="a practice chain"),
        Example("pumpswap doctor --pool MINT", "and the price of a coin", needs="an endpoint"),
    ],
)
@option("--pool", type=PUBKEY, metavar="POOL|MINT", help="Also read this pool and show its price.")
@chain_options
@pass_output
def doctor(out: Output, pool: Pubkey | None, urls: tuple[str, ...], ws_url: str | None, network: str | None) -> None:
    from pumpswap.app.checks import worst_code
    from pumpswap.cli.checks_view import check_json
    from pumpswap.cli.waiting import wait_for

    checks = wait_for(_examined(out, chain_settings(out, urls, ws_url, network), pool))
    code = worst_code(checks)
    if out.json:
        out.emit("doctor", {"healthy": code == 0, "checks": [check_json(check) for check in checks]})
    if code:
        click.get_current_context().exit(code)


async def _examined(out: Output, settings: Settings, pool: Pubkey | None) -> list[Check]:
    from pumpswap.app.doctor import examine
    from pumpswap.cli.checks_view import show_check

    checks = []
    async for check in examine(settings, pool):
        checks.append(check)
        if not out.json:
            show_check(out, check)
    return checks
