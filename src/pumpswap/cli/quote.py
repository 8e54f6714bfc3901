"""``pumpswap quote``: offline, or on a pool of the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import AMOUNT, BPS, DECIMALS, PUBKEY, SIGNED_AMOUNT, SOL, UNITS, UTC_TIME
from pumpswap.cli.sources import json_object, read_source
from pumpswap.errors import UsageError
from pumpswap.units import to_units

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.amm import FeeSchedule, PoolState, Quote
    from pumpswap.amm.schedules import DatedSchedule
    from pumpswap.settings import Settings

__all__ = ["quote"]

_TRADE = "The trade (exactly one)"
_POOL = "The pool (default: a fresh graduate, or the file of --state)"
_FEES = "Fees and limit"


@command(
    "quote",
    help=(
        "Quote a trade exactly as the program would execute it.\n\n"
        "With a MINT (or the address of a pool) the pool and the fees are read from the chain, as they are now. "
        "Without one nothing is asked of any network:\n\n"
        "The pool comes from options, from a state file, or from both, where options win. Without either it is a fresh "
        "graduate of the standard curve: 206,900,000 tokens and 84.990359056 SOL, canonical, with a coin creator. "
        "Real pools differ: some open higher, boosted ones hold less SOL and have virtual reserves.\n\n"
        "A state file is a JSON object with base_reserve, quote_vault and base_supply (raw units) and an object pool "
        "with the fields of the account; at least virtual_quote_reserves, coin_creator, and is_canonical or creator "
        "and base_mint. --json prints one under the key state. The output of 'pool decode --json' serves when the "
        "three reserves are added, as keys or as options."
    ),
    examples=[
        Example("pumpswap quote --buy-sol 1", "what one SOL buys in a fresh graduate"),
        Example("pumpswap quote MINT --buy-sol 1", "and in this coin's pool, now", needs="an endpoint"),
        Example("pumpswap quote --sell-base 1000000 --slippage-bps 300", "one million tokens, 3 % slippage"),
        Example("pumpswap quote --sell-for-sol 2.5 --state state.json", "how many tokens bring 2.5 SOL"),
        Example("pumpswap quote --buy-sol 1 --quote-vault 67.40585379 --virtual-quote 17.584505294", "a boosted pool"),
        Example(
            "pumpswap quote --buy-base 5000 --permissionless --no-coin-creator --at 2025-06-01",
            "a pool and the fees of the past",
        ),
    ],
)
@click.argument("address", type=PUBKEY, required=False, metavar="[MINT]")
@option("--buy-sol", type=SOL, metavar="SOL", section=_TRADE, help="Spend exactly this, fees included.")
@option("--buy-base", type=AMOUNT, metavar="TOKENS", section=_TRADE, help="Get exactly this many tokens.")
@option("--sell-base", type=AMOUNT, metavar="TOKENS", section=_TRADE, help="Sell exactly this many tokens.")
@option("--sell-for-sol", type=SOL, metavar="SOL", section=_TRADE, help="Receive at least this, after fees.")
@option("--buy-quote-units", type=UNITS, metavar="N", section=_TRADE, help="As --buy-sol, in raw units of any quote.")
@option("--buy-base-units", type=UNITS, metavar="N", section=_TRADE, help="As --buy-base, in raw units.")
@option("--sell-base-units", type=UNITS, metavar="N", section=_TRADE, help="As --sell-base, in raw units.")
@option("--sell-for-quote-units", type=UNITS, metavar="N", section=_TRADE, help="As --sell-for-sol, in raw units.")
@option("--state", "state_file", metavar="FILE", section=_POOL, help="State of a pool, JSON; - is standard input.")
@option("--base-reserve", type=AMOUNT, metavar="TOKENS", section=_POOL, help="Tokens in the pool.")
@option("--quote-vault", type=AMOUNT, metavar="SOL", section=_POOL, help="SOL in the pool.")
@option("--virtual-quote", type=SIGNED_AMOUNT, metavar="SOL", section=_POOL, help="Virtual reserves, signed.")
@option("--supply", type=AMOUNT, metavar="TOKENS", section=_POOL, help="Supply of the token.")
@option("--canonical/--permissionless", default=None, section=_POOL, help="Who created it: pump.fun or anybody.")
@option("--coin-creator/--no-coin-creator", default=None, section=_POOL, help="Without one, no creator fee.")
@option("--cashback/--no-cashback", default=None, section=_POOL, help="Whether it is a cashback coin.")
@option("--mayhem/--no-mayhem", default=None, section=_POOL, help="Whether it is in mayhem mode.")
@option("--creator-fee-bps", type=BPS, metavar="BPS", section=_POOL, help="The pool's own creator rate.")
@option("--quote-mint", type=PUBKEY, metavar="MINT", section=_POOL, help="What the pool is priced in, if not SOL.")
@option("--base-decimals", type=DECIMALS, metavar="N", section=_POOL, help="Decimals of the token; default: 6.")
@option("--quote-decimals", type=DECIMALS, metavar="N", section=_POOL, help="Decimals of the quote; SOL 9, USDC 6.")
@option("--slippage-bps", type=BPS, default=100, show_default=True, metavar="BPS", section=_FEES,
         help="How far the limit is from the quote.")  # fmt: skip
@option(
    "--at",
    type=UTC_TIME,
    metavar="DATE",
    section=_FEES,
    help="Fees that were in force at this time (UTC); default: today's.",
)
@chain_options
@pass_output
def quote(
    out: Output,
    /,
    address: Pubkey | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
    state_file: str | None,
    slippage_bps: int,
    at: int | None,
    buy_sol: int | None,
    buy_base: Any,
    sell_base: Any,
    sell_for_sol: int | None,
    buy_quote_units: int | None,
    buy_base_units: int | None,
    sell_base_units: int | None,
    sell_for_quote_units: int | None,
    **pool: Any,
) -> None:
    trade, amount = _one_trade(
        {
            "--buy-sol": buy_sol,
            "--buy-base": buy_base,
            "--sell-base": sell_base,
            "--sell-for-sol": sell_for_sol,
            "--buy-quote-units": buy_quote_units,
            "--buy-base-units": buy_base_units,
            "--sell-base-units": sell_base_units,
            "--sell-for-quote-units": sell_for_quote_units,
        }
    )
    # Only now, so that --help and wrong options stay fast.
    from pumpswap.amm import SellQuote
    from pumpswap.amm.schedules import current_schedule, dated_schedules, schedule_at
    from pumpswap.cli.quoting.state import PoolOptions, state_of
    from pumpswap.cli.quoting.view import Shown, quote_json, quote_table

    document = None if state_file is None else json_object(read_source(state_file), "the state")
    if address is not None:
        if document is not None or at is not None:
            raise UsageError("a MINT is read from the chain as it is now", hint="leave out --state and --at")
        document, dated = _on_chain(chain_settings(out, urls, ws_url, network), address)
        schedule = dated.schedule
    else:
        schedule = current_schedule() if at is None else schedule_at(at)
        dated = next(each for each in dated_schedules() if each.schedule is schedule)
    state = state_of(document, PoolOptions(**pool))
    result = _quoted(trade, _raw(trade, amount, state), state, schedule)
    shown = Shown(state, dated, result, slippage_bps)
    if isinstance(result, SellQuote) and result.user_quote_out == 0:
        out.warn("this sale pays nothing: the program would take the tokens; sell more at once")
    if out.json:
        out.emit("quote", quote_json(shown))
    else:
        out.show(quote_table(shown))


def _on_chain(settings: Settings, address: Pubkey) -> tuple[dict[str, Any], DatedSchedule]:
    """A state document of the pool, and the fees that are in force."""
    from pumpswap.amm.schedules import DatedSchedule
    from pumpswap.cli.quoting.state import state_json
    from pumpswap.cli.waiting import wait_for
    from pumpswap.clock import NS_PER_SECOND
    from pumpswap.sdk import ChainConnection

    async def read() -> tuple[dict[str, Any], DatedSchedule]:
        async with ChainConnection(settings) as connection:
            state = await connection.pool(address)
            found = await connection.schedules.read()
            dated = DatedSchedule(found.read_ns // NS_PER_SECOND, f"read at slot {found.slot}", found.schedule)
            return state_json(state), dated

    return wait_for(read())


def _one_trade(amounts: dict[str, Any]) -> tuple[str, Any]:
    given = {name: amount for name, amount in amounts.items() if amount is not None}
    if not given:
        hint = "one of --buy-sol, --buy-base, --sell-base, --sell-for-sol; for example: pumpswap quote --buy-sol 1"
        raise UsageError("there is no trade to quote", hint=hint)
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are two trades", hint="quote one of them at a time")
    ((name, amount),) = given.items()
    if amount == 0:
        raise UsageError(f"{name}: 0 tokens are nothing to trade", hint="an amount is more than zero")
    return name, amount


def _raw(trade: str, amount: Any, state: PoolState) -> int:
    """Raw units of the amount, now that the decimals are known."""
    from pumpswap.cli.quoting.state import quote_symbol

    if trade in ("--buy-sol", "--sell-for-sol") and quote_symbol(state.pool.quote_mint) != "SOL":
        units = trade.replace("-sol", "-quote-units")
        raise UsageError(f"{trade}: this pool is not priced in SOL", hint=f"use {units}, in raw units of its quote")
    if isinstance(amount, int):
        return amount
    try:
        return to_units(amount, state.base_decimals)
    except UsageError as error:
        raise UsageError(f"{trade}: {error.what}", hint=error.hint) from None


def _quoted(trade: str, units: int, state: PoolState, schedule: FeeSchedule) -> Quote:
    from pumpswap.amm import buy_exact_base, buy_exact_quote, sell_exact_base, sell_exact_quote

    if trade.startswith("--buy-base"):
        return buy_exact_base(state, schedule, units)
    if trade.startswith("--buy"):
        return buy_exact_quote(state, schedule, units)
    if trade.startswith("--sell-base"):
        return sell_exact_base(state, schedule, units)
    return sell_exact_quote(state, schedule, units)
