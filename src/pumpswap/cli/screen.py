"""``pumpswap screen``: what is wrong with a token, and what nobody could see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.formats import age_text, printable, time_text
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PATH, PUBKEY
from pumpswap.clock import NS_PER_SECOND

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.model import ScreenCheck, ScreenReport, TokenFacts
    from pumpswap.settings import Settings

__all__ = ["screen"]

_DENIED = 7
_STYLES = {"safe": ("✓", "green"), "unsafe": ("✗", "bold red"), "unknown": ("?", "yellow")}


@command(
    "screen",
    help=(
        "Screen a token: authorities, Token-2022 extensions, pool and burned LP, holders, age, fake volume, rug "
        "signs. Each check says why. What could not be read is unknown, and unknown is not safe.\n\n"
        "Limits are in the settings' section screen. The trades looked at cost one question each "
        "(screen.recent_swaps).\n\n"
        "Exit codes: 0 safe, 7 not safe, 3 no such token, 11 the network."
    ),
    examples=[
        Example("pumpswap screen MINT", needs="an endpoint"),
        Example("pumpswap screen MINT --json > facts.json", "with everything that was read", needs="an endpoint"),
        Example("pumpswap screen MINT --market", "what market-data services tell counts too", needs="an endpoint"),
        Example("pumpswap screen --offline facts.json", "the same again, with today's settings"),
    ],
)
@click.argument("mint", type=PUBKEY, required=False)
@option("--pool", type=PUBKEY, metavar="POOL", help="Another pool than the canonical one.")
@option(
    "--offline",
    "file",
    type=PATH,
    metavar="FILE",
    help="Facts that 'screen --json' has read before, instead of the chain.",
)
@option("--market", is_flag=True, help="Ask GeckoTerminal and DexScreener for their figures too.")
@chain_options
@pass_output
def screen(
    out: Output,
    mint: Pubkey | None,
    pool: Pubkey | None,
    file: Path | None,
    market: bool,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.cli.waiting import wait_for
    from pumpswap.clock import SystemClock
    from pumpswap.errors import UsageError
    from pumpswap.sdk.facts_file import read_facts
    from pumpswap.signals.screens import screen_token

    if (mint is None) is (file is None) or (file is not None and (pool is not None or market)):
        raise UsageError("name either a mint or a file of facts", hint="pumpswap screen MINT, or --offline FILE")
    settings = chain_settings(out, urls, ws_url, network)
    if file is not None:
        facts = read_facts(file)
        age_seconds = (SystemClock().now_ns() - facts.at_ns) // NS_PER_SECOND
        if not 0 <= age_seconds <= settings.screen.report_seconds:
            out.warn(f"these facts were read {age_text(age_seconds)}: the token may have changed since")
    else:
        assert mint is not None
        facts = wait_for(_read(settings, mint, pool, market))
    report = screen_token(facts, settings.screen)
    if out.json:
        out.emit("screen", screen_json(report, facts))
    else:
        _show(out, report)
    if not report.is_safe:
        click.get_current_context().exit(_DENIED)


async def _read(settings: Settings, mint: Pubkey, pool: Pubkey | None, market: bool) -> TokenFacts:
    from pumpswap.app.market_figures import with_market_figures
    from pumpswap.sdk import ChainConnection
    from pumpswap.sdk.token_facts import TokenFactsReader

    async with ChainConnection(settings) as connection:
        reader = TokenFactsReader(connection.node, connection.clock, settings.screen, reader=connection.reader)
        facts = await reader.read(mint, pool)
        return await with_market_figures(facts, settings.collect, connection.clock) if market else facts


def screen_json(report: ScreenReport, facts: TokenFacts) -> dict[str, Any]:
    """A report for scripts, with the facts it is made of."""
    from pumpswap.sdk.facts_file import facts_json

    return {
        "mint": report.mint,
        "pool": report.pool,
        "at_ns": str(report.at_ns),
        "verdict": report.verdict.value,
        "is_safe": report.is_safe,
        "objections": list(report.objections),
        "checks": [_check_json(check) for check in report.checks],
        "facts": facts_json(facts),
    }


def _check_json(check: ScreenCheck) -> dict[str, Any]:
    return {
        "name": check.name,
        "verdict": check.verdict.value,
        "reason": check.reason,
        "figures": check.figures,
    }


def _show(out: Output, report: ScreenReport) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("check", style="cyan", no_wrap=True)
    table.add_column("what was found", overflow="fold")
    for check in report.checks:
        mark, style = _STYLES[check.verdict.value]
        table.add_row(Text(mark, style), check.name, Text(printable(check.reason)))
    out.show(table)
    count = {kind: sum(check.verdict.value == kind for check in report.checks) for kind in _STYLES}
    mark, style = _STYLES[report.verdict.value]
    said = f"of {len(report.checks)} checks {count['safe']} safe, {count['unsafe']} unsafe, {count['unknown']} unknown"
    where = [f"  mint {printable(report.mint)}"]
    where += [f"  pool {printable(report.pool)}"] if report.pool else []
    where.append(f"  as of {time_text(report.at_ns // NS_PER_SECOND)}")
    out.show(
        Text.assemble((f"{mark} {report.verdict.value}", style), f": {said}"), *(Text(line, "dim") for line in where)
    )
