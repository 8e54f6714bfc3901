"""``pumpswap positions close``, ``adopt`` and ``ignore``: what changes positions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pumpswap.cli.chain_options import chain_options, chain_settings, wallet_option, wallet_options
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import AMOUNT, BPS, PUBKEY, RUN, UNITS
from pumpswap.cli.trading import TradeWish, WalletChoice, run_trade, wallet_key
from pumpswap.errors import UsageError

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.app.owning import OwnedBooks
    from pumpswap.model import Adoption, Position
    from pumpswap.settings import Settings

__all__ = ["adopt", "close", "ignore"]

_F = TypeVar("_F", bound=Callable[..., Any])
_POSITION = "a position of a live wallet"
_TOKENS = "tokens from outside in a live wallet"


def _books_options(callback: _F) -> _F:
    networks = click.Choice(["mainnet", "devnet", "localnet"])
    network = option("--network", type=networks, help="Whose books, where a wallet has several; default: settings.")
    run = option("--run", "run_id", type=RUN, metavar="N", help="Number of the live run, where several fit.")
    return wallet_option(network(run(callback)))


@command(
    "close",
    help=(
        "Sell all of a position: what `pumpswap sell MINT all` does, with the same limits and guards.\n\n"
        "Without --live nothing is signed: it shows what the sale would bring. With it the plan is shown, then asked "
        "for. Exit codes as those of 'sell': 0 filled (or simulated), 7 refused by a rule, 8 rejected by the chain, "
        "9 outcome unknown.\n\n"
        "Where a running engine holds it (`pumpswap run`; with --live one that trades live), the engine is asked to "
        "sell it, as its exits do: again until it is sold."
    ),
    examples=[
        Example("pumpswap positions close MINT", "what it would bring", needs=_POSITION),
        Example("pumpswap positions close POOL --live", "do it", needs=_POSITION),
    ],
)
@click.argument("address", type=PUBKEY, metavar="POOL|MINT")
@option("--slippage-bps", type=BPS, metavar="BPS", help="Between quote and execution; default: settings.")
@option("--dont-front/--no-dont-front", default=None, help="Name the account that block engines put nothing before.")
@option("--lane", "lanes", multiple=True, metavar="NAME", help="Send on this lane only; see sending.lanes.")
@option("--live", is_flag=True, help="Really sell. Never a setting.")
@wallet_options
@chain_options
@pass_output
def close(
    out: Output,
    /,
    address: Pubkey,
    slippage_bps: int | None,
    dont_front: bool | None,
    lanes: tuple[str, ...],
    live: bool,
    wallet: str | None,
    password_fd: int | None,
    **chain: Any,
) -> None:
    from pumpswap.cli.control import closed_by_engine
    from pumpswap.execution.protection import SandwichPolicy
    from pumpswap.model import TradeSide

    settings = chain_settings(out, **chain)
    is_plain = slippage_bps is None and dont_front is None and not lanes and wallet is None
    if is_plain and closed_by_engine(out, settings, str(address), live=live):
        return
    policy = SandwichPolicy(None, dont_front, frozenset(lanes))
    choice = WalletChoice(wallet, password_fd)
    wish = TradeWish(TradeSide.SELL, address, None, slippage_bps, choice, live, policy)
    run_trade(out, settings, wish)


@command(
    "adopt",
    help=(
        "Make a position of tokens that came into the wallet without an order of ours: bought by hand, or airdropped. "
        "From then on they have a cost, a profit and exits.\n\n"
        "Nothing moves. The cost is yours to name; for tokens that were bought by hand it is proposed from what that "
        "transaction has paid. `pumpswap reconcile` has to have booked them before. Refused while a process trades "
        "with the wallet."
    ),
    examples=[
        Example(
            "pumpswap positions adopt MINT", "bought by hand: asks for the cost that the books know", needs=_TOKENS
        ),
        Example("pumpswap positions adopt MINT --cost-zero", "an airdrop", needs=_TOKENS),
        Example("pumpswap positions adopt MINT --cost-sol 0.25 --units 1000000", "a part of them", needs=_TOKENS),
    ],
)
@click.argument("mint", type=PUBKEY)
@option("--pool", type=PUBKEY, metavar="ADDRESS", help="Pool of the position; default: the coin's canonical pool.")
@option("--units", default="all", metavar="N|all", help="Raw units; default: all that belong to no position.")
@option("--cost-sol", type=AMOUNT, metavar="X", help="What they have cost, in SOL.")
@option("--cost-zero", is_flag=True, help="They have cost nothing.")
@_books_options
@pass_output
def adopt(
    out: Output,
    /,
    mint: Pubkey,
    pool: Pubkey | None,
    units: str,
    cost_sol: Decimal | None,
    cost_zero: bool,
    wallet: str | None,
    network: str | None,
    run_id: int | None,
) -> None:
    from pumpswap.app.owning import AdoptionWish, locked_books
    from pumpswap.clock import SystemClock

    cost = _named_cost(cost_sol, cost_zero=cost_zero)
    wish = AdoptionWish(mint, pool, None if units == "all" else UNITS.parse(units))
    settings = _settings(out, network)
    with locked_books(settings, _key(settings, wallet, run_id), run_id) as owned:
        adoption = owned.planned(wish, SystemClock().now_ns(), cost or 0)
        if cost is None:
            adoption = _with_proposed_cost(out, owned, adoption)
        position = owned.adopt(adoption)
        _tell_adopted(out, owned, position)


def _named_cost(cost_sol: Decimal | None, *, cost_zero: bool) -> int | None:
    from pumpswap.units import to_units

    if cost_zero and cost_sol is not None:
        raise UsageError("--cost-sol and --cost-zero exclude each other", hint="leave one of them out")
    return 0 if cost_zero else None if cost_sol is None else to_units(cost_sol, 9)


def _with_proposed_cost(out: Output, owned: OwnedBooks, adoption: Adoption) -> Adoption:
    """The cost that the books know of a manual buy, when the user agrees to it."""
    from dataclasses import replace

    from pumpswap.app.owning import proposed_cost
    from pumpswap.cli.books_view import amount_text
    from pumpswap.cli.formats import sol_text

    proposed = proposed_cost(owned.books, adoption)
    if proposed is None:
        raise UsageError(
            f"the books do not know what {adoption.mint} has cost", hint="name it with --cost-sol, or give --cost-zero"
        )
    if not out.options.yes:
        if out.json:
            hint = f"the books propose --cost-sol {sol_text(proposed).removesuffix(' SOL')}; --yes takes it"
            raise UsageError("the cost is not named, and nobody could answer the question", hint=hint)
        decimals = owned.books.run.history.decimals(adoption.mint)
        amount = amount_text(adoption.base_units, decimals)
        click.confirm(f"Adopt {amount} at {sol_text(proposed)}, as paid by hand?", abort=True, err=True)
    return replace(adoption, cost_lamports=proposed)


def _tell_adopted(out: Output, owned: OwnedBooks, position: Position) -> None:
    from pumpswap.cli.books_view import amount_text, name_of, position_json, run_json
    from pumpswap.cli.formats import sol_text

    if out.json:
        run = run_json(owned.books.header)
        left = str(owned.portfolio.free_units(position.mint))
        out.emit("adoption", {"run": run, "position": position_json(position), "units_left": left})
        return
    decimals = owned.books.run.history.decimals(position.mint)
    out.show(
        f"{name_of(position)} is a position now: {amount_text(position.base_units, decimals)},"
        f" at a cost of {sol_text(position.cost_lamports)}.",
        f"  pool  {position.pool}",
        f"  mint  {position.mint}",
    )


@command(
    "ignore",
    help=(
        "Ignore a token of the wallet: what moves of it is booked as ever, but raises no alert and stops nothing. "
        "For worthless airdrops, and for what you move by other means.\n\n"
        "--undo heeds it again. Refused while a position holds the token, or a process trades with the wallet."
    ),
    examples=[
        Example("pumpswap positions ignore MINT --reason spam", needs=_TOKENS),
        Example("pumpswap positions ignore MINT --undo", needs=_TOKENS),
    ],
)
@click.argument("mint", type=PUBKEY)
@option("--reason", default="", metavar="TEXT", help="Why, for those who read it later.")
@option("--undo", is_flag=True, help="Heed it again.")
@_books_options
@pass_output
def ignore(
    out: Output,
    /,
    mint: Pubkey,
    reason: str,
    undo: bool,
    wallet: str | None,
    network: str | None,
    run_id: int | None,
) -> None:
    from pumpswap.app.owning import locked_books
    from pumpswap.cli.books_view import run_json
    from pumpswap.clock import SystemClock

    if undo and reason:
        raise UsageError("--undo takes no --reason", hint="leave one of them out")
    settings = _settings(out, network)
    with locked_books(settings, _key(settings, wallet, run_id), run_id) as owned:
        if undo:
            owned.heed(mint)
        else:
            owned.ignore(mint, SystemClock().now_ns(), reason)
        ignored = dict(owned.books.run.owned.ignored())
    if out.json:
        out.emit("ignored", {"run": run_json(owned.books.header), "ignored": ignored})
    else:
        out.show(f"{mint} is {'heeded again' if undo else 'ignored'}.", keep_lines=True)


def _settings(out: Output, network: str | None) -> Settings:
    return chain_settings(out, (), None, network)


def _key(settings: Settings, wallet: str | None, run_id: int | None) -> Pubkey | None:
    """Whose books; a run that is named says so itself."""
    if run_id is not None and wallet is None:
        return None
    return wallet_key(settings, WalletChoice(wallet, None))
