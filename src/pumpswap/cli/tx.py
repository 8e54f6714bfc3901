"""``pumpswap tx``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.formats import sol_text, time_text
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command
from pumpswap.cli.output import Output, pass_output
from pumpswap.errors import UsageError

if TYPE_CHECKING:
    from pumpswap.app.transactions import Transaction
    from pumpswap.chain.dont_front import Sandwich
    from pumpswap.model import Swap
    from pumpswap.settings import Settings

__all__ = ["sandwich_text", "show", "tx"]

tx = LazyGroup(
    "tx",
    entries={"show": Entry("pumpswap.cli.tx:show", "what a transaction did, what it cost, why it failed")},
    help="Transactions of the chain.",
    examples=[Example("pumpswap tx show SIGNATURE", needs="an endpoint")],
)


@command(
    "show",
    help=(
        "Show a transaction: its swaps, what it cost its fee payer by kind, its error in plain words, and whether it "
        "belongs to one of your orders.\n\n"
        "Exit code 3: neither the chain nor the books know it. Exit code 9: it is yours and may still land."
    ),
    examples=[Example("pumpswap tx show SIGNATURE", needs="an endpoint")],
)
@click.argument("signature")
@chain_options
@pass_output
def show(out: Output, signature: str, urls: tuple[str, ...], ws_url: str | None, network: str | None) -> None:
    from pumpswap.cli.waiting import wait_for

    _check_signature(signature)
    found = wait_for(_read(chain_settings(out, urls, ws_url, network), signature))
    if out.json:
        out.emit("transaction", _json(found))
    elif found.content is None:
        _show_missing(out, found)
    else:
        _show(out, found)
    if found.content is None and found.ours is not None and found.ours.attempt.state.is_open:
        click.get_current_context().exit(9)


async def _read(settings: Settings, signature: str) -> Transaction:
    from pumpswap.app.transactions import read_transaction
    from pumpswap.sdk import ChainConnection

    async with ChainConnection(settings) as connection:
        return await read_transaction(connection, signature)


def _check_signature(text: str) -> None:
    from solders.signature import Signature

    try:
        Signature.from_string(text)
    except ValueError:
        raise UsageError(f"{text!r} is no signature", hint="87 or 88 base58 characters; was it cut?") from None


def _show_missing(out: Output, found: Transaction) -> None:
    assert found.ours is not None
    attempt = found.ours.attempt
    out.show(f"Not on the chain. Attempt {attempt.number} of order {attempt.order_id}, {attempt.state.value}.")
    if attempt.state.is_open:
        left = attempt.last_valid_block_height - found.block_height
        out.show(
            f"It may still land until height {attempt.last_valid_block_height} ({max(left, 0)} blocks from now); "
            "do not repeat the trade before that is settled."
        )
    elif attempt.note:
        out.show(attempt.note)


def _show(out: Output, found: Transaction) -> None:
    from rich import box
    from rich.table import Table

    content, costs = found.content, found.costs
    assert content is not None and costs is not None
    title = "Succeeded" if content.err is None else "FAILED: nothing but its fees was charged"
    table = Table(box=box.SIMPLE_HEAD, show_header=False, title=title, title_justify="left", pad_edge=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    when = "" if content.block_time is None else f", {time_text(content.block_time)}"
    table.add_row("slot", f"{content.slot:,}{when}")
    table.add_row("fee payer", str(found.fee_payer))
    if found.failure is not None:
        code = "" if found.failure.code is None else f"{found.failure.code} "
        table.add_row("error", f"{code}{found.failure.name}")
        table.add_row("program", str(found.failure.program or "the network itself"))
        table.add_row("in plain words", found.failure.text)
        table.add_row("what to do", found.failure.advice.value)
    for swap in found.swaps:
        table.add_row("swap", _swap_text(swap))
    rows = (
        ("network fee", costs.network_fee),
        ("priority fee", costs.priority_fee),
        ("tips, transfers", costs.tip),
        ("rent paid", costs.rent_paid),
        ("rent returned", costs.rent_returned),
    )
    for name, lamports in rows:
        if lamports:
            table.add_row(name, sol_text(lamports))
    if found.change is not None:
        table.add_row("fee payer's SOL", sol_text(found.change.sol_lamports, signed=True))
    if found.ours is not None:
        attempt = found.ours.attempt
        status = f"order {attempt.order_id} ({found.ours.status}), attempt {attempt.number}"
        table.add_row("yours", status)
    out.show(table, keep_lines=True)
    if found.sandwich is not None:
        out.warn(sandwich_text(found.sandwich))


def sandwich_text(sandwich: Sandwich) -> str:
    """What a sandwich did, for people."""
    return (
        f"sandwiched: {sandwich.trader} traded in front of it and back behind it in the same slot and took "
        f"{sol_text(sandwich.profit_lamports)}; a tighter limit leaves less to take"
    )


def _swap_text(swap: Swap) -> str:
    verb = "bought" if swap.is_buy else "sold"
    return (
        f"{swap.trader} {verb} {swap.base_units:,} base units for {swap.quote_units:,} quote units in pool {swap.pool}"
    )


def _json(found: Transaction) -> dict[str, Any]:
    content, costs = found.content, found.costs
    said: dict[str, Any] = {"signature": found.signature, "on_chain": content is not None}
    if found.ours is not None:
        attempt = found.ours.attempt
        said["order"] = {
            "order_id": attempt.order_id,
            "status": found.ours.status,
            "attempt": attempt.number,
            "state": attempt.state.value,
            "last_valid_block_height": attempt.last_valid_block_height,
        }
    if content is None or costs is None:
        return said
    said |= {
        "slot": content.slot,
        "block_time": content.block_time,
        "succeeded": content.err is None,
        "fee_payer": str(found.fee_payer),
        "network_fee_lamports": str(costs.network_fee),
        "priority_fee_lamports": str(costs.priority_fee),
        "tip_lamports": str(costs.tip),
        "rent_paid_lamports": str(costs.rent_paid),
        "rent_returned_lamports": str(costs.rent_returned),
        "compute_units": content.compute_units,
        "swaps": [_swap_json(swap) for swap in found.swaps],
    }
    if found.change is not None:
        said["sol_change_lamports"] = str(found.change.sol_lamports)
    if found.sandwich is not None:
        said["sandwich"] = {
            "trader": found.sandwich.trader,
            "profit_lamports": str(found.sandwich.profit_lamports),
            "front_signatures": list(found.sandwich.front_signatures),
            "back_signatures": list(found.sandwich.back_signatures),
        }
    if found.failure is not None:
        failure = found.failure
        program = None if failure.program is None else str(failure.program)
        said["error"] = {
            "program": program,
            "code": failure.code,
            "name": failure.name,
            "text": failure.text,
            "advice": failure.advice.value,
        }
    return said


def _swap_json(swap: Swap) -> dict[str, Any]:
    return {
        "pool": swap.pool,
        "trader": swap.trader,
        "side": "buy" if swap.is_buy else "sell",
        "base_units": str(swap.base_units),
        "quote_units": str(swap.quote_units),
    }
