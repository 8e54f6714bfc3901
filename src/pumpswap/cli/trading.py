"""What ``buy`` and ``sell`` share: the preview, the question, the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.asking import confirm_trade
from pumpswap.cli.formats import percent_text, significant_text, sol_text
from pumpswap.cli.output import Output
from pumpswap.cli.tx import sandwich_text
from pumpswap.errors import ConfigError, NotFound, UsageError
from pumpswap.units import format_units

if TYPE_CHECKING:
    from solders.pubkey import Pubkey

    from pumpswap.execution.protection import SandwichPolicy
    from pumpswap.model import Order, Outcome, Position, Reconciliation, TradeSide
    from pumpswap.sdk import ChainConnection, Preview, Traded, Trader
    from pumpswap.sdk.trader import LimitedSigner
    from pumpswap.settings import Settings

__all__ = [
    "EXIT_CODES",
    "TradeWish",
    "WalletChoice",
    "keystore_path",
    "run_trade",
    "tell_opening",
    "tell_resolved",
    "unlock_wallet",
    "wallet_key",
]

EXIT_CODES = {"filled": 0, "rejected": 8, "denied": 7, "refused": 7, "unknown": 9, "simulated": 0}


@dataclass(frozen=True, slots=True)
class WalletChoice:
    """Which wallet, and where its password comes from. None: as the settings say; asked for."""

    name: str | None
    password_fd: int | None


@dataclass(frozen=True, slots=True)
class TradeWish:
    """What the command line asks for. ``amount`` is lamports of a buy, whole tokens of a sale; None sells all."""

    side: TradeSide
    address: Pubkey
    amount: Any
    slippage_bps: int | None
    wallet: WalletChoice
    live: bool
    policy: SandwichPolicy


def run_trade(out: Output, settings: Settings, wish: TradeWish) -> None:
    """Preview, and with ``live`` trade. Exits with the code of the outcome."""
    from pumpswap.cli.waiting import wait_for

    signer = unlock_wallet(out, settings, wish.wallet) if wish.live else None
    status = wait_for(_trade(out, settings, wish, signer))
    code = EXIT_CODES[status]
    if code:
        click.get_current_context().exit(code)


async def _trade(out: Output, settings: Settings, wish: TradeWish, signer: LimitedSigner | None) -> str:
    from pumpswap.sdk import ChainConnection, Trader
    from pumpswap.sdk.connection import parse_address
    from pumpswap.sdk.preview import preview_trade

    async with ChainConnection(settings) as connection:
        trader = await Trader.open(connection, signer) if signer is not None else None
        try:
            if trader is not None:
                tell_opening(out, trader)
            wallet = signer.public_key if signer is not None else wallet_key(settings, wish.wallet)
            position = await _position_to_sell(connection, wish, trader, wallet)
            state = await connection.pool(wish.address if position is None else parse_address(position.pool, "pool"))
            amount = _raw_amount(wish, state.base_decimals, position)
            preview = await preview_trade(
                connection, wish.side, state, amount, slippage_bps=_slippage(settings, wish), wallet=wallet
            )
            if trader is None:
                _show_preview(out, wish, preview, wallet)
                return "simulated"
            return await _go(out, wish, trader, preview, amount)
        finally:
            if trader is not None:
                await trader.aclose()


async def _position_to_sell(
    connection: ChainConnection, wish: TradeWish, trader: Trader | None, wallet: Pubkey | None
) -> Position | None:
    """For a sale of all: the open position in the pool, or of the coin, that was named; without --live as stored."""
    from pumpswap.app.books import position_of, stored_positions
    from pumpswap.model import TradeSide

    if wish.side is TradeSide.BUY or wish.amount is not None:
        return None
    if trader is not None:
        held = trader.books.portfolio.positions.open_positions()
    else:
        held = await stored_positions(connection, wallet)
    position = position_of(held, str(wish.address))
    if position is None:
        hint = "`pumpswap positions list` lists what there is; to simulate without one, say how many tokens to sell"
        raise NotFound(f"the books have no position in {wish.address} to sell all of", hint=hint)
    return position


async def _go(out: Output, wish: TradeWish, trader: Trader, preview: Preview, amount: int) -> str:
    from pumpswap.model import TradeSide
    from pumpswap.sdk.preview import state_after_waiting

    state = preview.state
    if not out.json:
        _show_preview(out, wish, preview, trader.signer.public_key)
    confirm_trade(out, "--live", trader.signer.public_key)
    if not out.options.yes:
        state = await state_after_waiting(trader.connection, wish.side, preview, amount)
    slippage = _slippage(trader.connection.settings, wish)
    if wish.side is TradeSide.BUY:
        traded = await trader.buy(state, amount, slippage, wish.policy)
    else:
        traded = await trader.sell(state, amount, slippage, wish.policy)
    return _show_traded(out, traded, (state.base_decimals, state.quote_decimals))


def _slippage(settings: Settings, wish: TradeWish) -> int:
    from pumpswap.model import TradeSide

    if wish.slippage_bps is not None:
        return wish.slippage_bps
    return settings.risk.slippage_bps if wish.side is TradeSide.BUY else settings.exits.slippage_bps


def _raw_amount(wish: TradeWish, decimals: int, position: Position | None) -> int:
    from pumpswap.model import TradeSide
    from pumpswap.units import to_units

    if wish.side is TradeSide.BUY:
        return int(wish.amount)
    if wish.amount is not None:
        return to_units(wish.amount, decimals)
    assert position is not None, "a sale of all has found one"
    return position.base_units


# ---------------------------------------------------------------------------------------------- the wallet


def keystore_path(settings: Settings, choice: WalletChoice) -> Path:
    """The file of the wallet that was chosen."""
    from pumpswap.wallet import WalletStore, default_keystore_path

    return default_keystore_path(settings) if choice.name is None else WalletStore.of(settings).path(choice.name)


def unlock_wallet(out: Output, settings: Settings, choice: WalletChoice) -> LimitedSigner:
    """The unlocked key. Raises KeyLocked, NotFound, ConfigError."""
    from pumpswap.wallet import PasswordSources, unlock

    sources = PasswordSources(descriptor=choice.password_fd, warn=out.warn)
    expected = settings.wallet.public_key if choice.name is None else None
    return unlock(keystore_path(settings, choice), sources.find, expected=expected)


def wallet_key(settings: Settings, choice: WalletChoice) -> Pubkey | None:
    """The public key to simulate for; no password is needed. None where there is no wallet."""
    from pumpswap.sdk.connection import parse_address
    from pumpswap.wallet import read_keystore

    if choice.name is None and settings.wallet.public_key is not None:
        try:
            return parse_address(settings.wallet.public_key, "public key")
        except UsageError as wrong:
            raise ConfigError(f"wallet.public_key: {wrong.what}", hint=wrong.hint) from None
    try:
        return read_keystore(keystore_path(settings, choice)).public_key
    except NotFound:
        if choice.name is not None:
            raise
        return None


# ---------------------------------------------------------------------------------------------- what is shown


def tell_opening(out: Output, trader: Trader) -> None:
    """What happened while nobody looked. Never overlooked, also by scripts."""
    tell_resolved(out, trader)
    if trader.reconciliation is not None:
        tell_reconciliation(out, trader.reconciliation)


def tell_resolved(out: Output, trader: Trader) -> None:
    """Orders of earlier processes whose fate is known now."""
    for order, outcome in trader.resolved:
        out.warn(f"order {order.order_id} of an earlier run is settled: {_outcome_text(outcome)}")


def tell_reconciliation(out: Output, found: Reconciliation) -> None:
    """What others have moved, and what stays unexplained."""
    from pumpswap.execution.alarm import event_text, units_text

    for event in found.events:
        out.warn(f"somebody else moved something in this wallet; booked as {event_text(event)}")
    for asset, units in found.differences.items():
        out.warn(
            f"the wallet has {units_text(asset, units)} beyond the books, and no transaction explains it; "
            "buying is stopped: see pumpswap reconcile"
        )


def _outcome_text(outcome: Outcome) -> str:
    from pumpswap.model import Denied, Filled, Rejected

    match outcome:
        case Filled():
            return f"filled, {outcome.signature}"
        case Rejected():
            return f"rejected by the program ({outcome.name}), {outcome.signature}"
        case Denied():
            return f"did not happen: {outcome.text}"
        case _:
            return f"still unknown until height {outcome.expiry_height}: nothing is sent for this token"


def _show_preview(out: Output, wish: TradeWish, preview: Preview, wallet: Pubkey | None) -> None:
    from pumpswap.sdk.results import simulated_result

    if out.json:
        result = dict(simulated_result(wish.side, preview))
        out.emit("trade", _exact_strings(result) | {"wallet": None if wallet is None else str(wallet)})
        return
    out.show(_preview_table(wish, preview), keep_lines=True)
    if preview.problem:
        out.warn(preview.problem)
    elif not wish.live:
        out.say("Simulated only: nothing was signed or sent. With --live it trades.")


def _preview_table(wish: TradeWish, preview: Preview) -> Any:
    from rich import box
    from rich.table import Table

    from pumpswap.amm import BuyQuote

    state, quote = preview.state, preview.quote
    title = f"{wish.side.value.capitalize()} {state.pool.base_mint}"
    table = Table(box=box.SIMPLE_HEAD, show_header=False, title=title, title_justify="left", pad_edge=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    decimals, slot = state.base_decimals, f"slot {state.slot}"
    table.add_row("pool", str(state.address), "canonical" if state.pool.is_canonical else "PERMISSIONLESS")
    table.add_row("price", f"{_price(state.spot_price, state)} SOL", f"per token, {slot}")
    if isinstance(quote, BuyQuote):
        table.add_row("you pay", sol_text(quote.total_quote), f"{sol_text(quote.fees)} of it are venue fees")
        table.add_row("you receive", f"{format_units(quote.base_out, decimals)} tokens", "")
        table.add_row("at least", f"{format_units(preview.limit, decimals)} tokens", "or the program refuses")
    else:
        table.add_row("you sell", f"{format_units(quote.base_in, decimals)} tokens", "")
        table.add_row("you receive", sol_text(quote.user_quote_out), f"after {sol_text(quote.fees)} of venue fees")
        table.add_row("at least", sol_text(preview.limit), "or the program refuses")
    table.add_row("price impact", percent_text(quote.impact), "before fees")
    if preview.fee_lamports is not None:
        table.add_row("network", sol_text(preview.fee_lamports), "signature and priority fee")
    if preview.rent_lamports:
        table.add_row("rent", sol_text(preview.rent_lamports), "for new accounts; comes back when they are closed")
    if preview.units is not None and not preview.problem:
        table.add_row("simulated", "succeeds", f"{preview.units:,} compute units, generation {preview.generation}")
    return table


def _show_traded(out: Output, traded: Traded, decimals: tuple[int, int]) -> str:
    from pumpswap.sdk.results import refused_result, trade_result

    if traded.order is None or traded.outcome is None:
        result = refused_result(traded.decision)
    else:
        result = trade_result(traded.order, traded.outcome, decimals)
    if traded.sandwich is not None:
        out.warn(sandwich_text(traded.sandwich))
    if out.json:
        out.emit("trade", _exact_strings(dict(result)))
    else:
        _show_outcome(out, traded.order, traded.outcome, result["refusals"], decimals)
    return result["status"]


def _show_outcome(
    out: Output, order: Order | None, outcome: Outcome | None, refusals: list[str], decimals: tuple[int, int]
) -> None:
    from pumpswap.model import Denied, Filled, Rejected

    match outcome:
        case None:
            out.show("Refused: nothing was sent.", *(f"  {reason}" for reason in refusals))
        case Filled():
            assert order is not None
            out.show(_filled_table(order, outcome, decimals), keep_lines=True)
        case Rejected():
            code = "" if outcome.code is None else f"{outcome.code} "
            out.show(
                f"Rejected by the chain: {code}{outcome.name}: {outcome.text}",
                f"  {outcome.signature}",
                f"  its fees were paid: {sol_text(outcome.costs.spent)}",
            )
        case Denied():
            out.show(f"Did not happen, nothing was paid: {outcome.rule}: {outcome.text}")
        case _:
            out.show(
                f"UNKNOWN: transaction {outcome.signature} may still land, until block height {outcome.expiry_height}.",
                "Do not repeat this trade. The next `buy` or `sell` with --live settles it first;",
                f"`pumpswap tx show {outcome.signature}` asks the chain.",
            )


def _filled_table(order: Order, outcome: Any, decimals: tuple[int, int]) -> Any:
    from rich import box
    from rich.table import Table

    from pumpswap.amm import BuyQuote

    quote, expected, costs = outcome.executed, order.quote, outcome.costs
    table = Table(box=box.SIMPLE_HEAD, show_header=False, title="Filled", title_justify="left", pad_edge=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    table.add_row("transaction", outcome.signature, f"slot {outcome.slot}, order {outcome.order_id}")
    if isinstance(quote, BuyQuote):
        slip = _shortfall(quote.base_out, expected.base_out if isinstance(expected, BuyQuote) else 0)
        table.add_row("paid", sol_text(quote.total_quote), f"{sol_text(quote.fees)} of it venue fees")
        table.add_row("received", f"{format_units(quote.base_out, decimals[0])} tokens", slip)
    else:
        slip = _shortfall(quote.user_quote_out, 0 if isinstance(expected, BuyQuote) else expected.user_quote_out)
        table.add_row("sold", f"{format_units(quote.base_in, decimals[0])} tokens", "")
        table.add_row("received", sol_text(quote.user_quote_out), slip)
    table.add_row("network fee", sol_text(costs.network_fee), "")
    table.add_row("priority fee", sol_text(costs.priority_fee), "")
    if costs.tip:
        table.add_row("tip", sol_text(costs.tip), "")
    if costs.rent_paid or costs.rent_returned:
        table.add_row("rent", sol_text(costs.rent_returned - costs.rent_paid, signed=True), "a deposit")
    return table


def _shortfall(received: int, expected: int) -> str:
    return f"slippage {percent_text(Fraction(expected - received, expected))}" if expected else ""


def _price(price: Any, state: Any) -> str:
    return significant_text(price * Fraction(10) ** (state.base_decimals - state.quote_decimals))


def _exact_strings(result: dict[str, Any]) -> dict[str, Any]:
    """Amounts as strings of integers, as every JSON answer of ours has them."""
    return {
        key: str(value) if key.endswith(("_lamports", "_units")) and value is not None else value
        for key, value in result.items()
    }
