"""Fills: the program's own figures, five costs, and a remainder that is named; the wallet's change to the lamport."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import BuyQuote, decode_event
from pumpswap.amm.addresses import TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.amm.events import BuyEvent, SellEvent
from pumpswap.chain.balances import wallet_holdings
from pumpswap.chain.fills import SwapRequest, costs_of, fill_of, quote_of_event, tip_accounts_of, wallet_change
from pumpswap.chain.node import ChainAccount, ConfirmedTransaction
from pumpswap.errors import ProtocolDrift, UsageError
from pumpswap.model import Costs, EntryKind, Filled
from tests.execution.live_world import SOL, WALLET, World
from tests.support.material import material, requires_material

TIP_ACCOUNT = Pubkey.from_bytes(b"tip" + bytes(29))


class TipLane:
    """A lane that wants a tip and carries nothing itself."""

    name = "tips"
    min_tip_lamports = 1_000

    def tip_account(self, rng: Random) -> Pubkey:
        return TIP_ACCOUNT

    async def send(self, raw: bytes) -> None:
        return None


async def landed(world: World, **changes: Any) -> tuple[Filled, ConfirmedTransaction, Any]:
    venue = await world.open(**changes)
    filled = await venue.execute(world.buy(SOL))
    assert isinstance(filled, Filled), filled
    transaction = world.chain.transaction(filled.signature)
    assert transaction is not None
    return filled, transaction, venue


def request_of(world: World, **changes: Any) -> SwapRequest:
    return replace(SwapRequest(world.pool.address, world.pool.pool.base_mint, True), **changes)


@requires_material("chain", "programs")
@pytest.mark.asyncio
async def test_p25_the_fill_and_its_costs_are_the_wallets_change_to_the_lamport(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.lanes = [TipLane()]
    world.chain.set_account(ChainAccount(TIP_ACCOUNT, Pubkey.default(), SOL, b""))
    world.chain.advance(2)
    filled, transaction, venue = await landed(world)
    fill = fill_of(request_of(world, tip_accounts=tip_accounts_of(transaction, WALLET)), transaction, WALLET)
    costs = filled.costs
    assert costs.tip == 1_000
    assert (costs.network_fee, costs.priority_fee) == (5_000, transaction.fee - 5_000)
    assert (fill.sol_remainder, fill.base_remainder) == (0, 0)
    assert isinstance(fill.executed, BuyQuote)
    total = fill.executed.total_quote + costs.network_fee + costs.priority_fee + costs.tip + costs.rent_paid
    assert fill.change.sol_lamports == -total
    assert (await wallet_holdings(world.node, WALLET)).sol_lamports == 10 * SOL - total
    await venue.parts.books.check(world.node)
    world.close()


@requires_material("chain", "programs")
@pytest.mark.asyncio
async def test_a_tip_that_is_not_known_as_one_is_a_named_remainder(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.lanes = [TipLane()]
    world.chain.set_account(ChainAccount(TIP_ACCOUNT, Pubkey.default(), SOL, b""))
    world.chain.advance(2)
    _, transaction, _ = await landed(world)
    fill = fill_of(request_of(world), transaction, WALLET)
    assert (fill.costs.tip, fill.sol_remainder) == (0, -1_000)
    world.close()


@requires_material("chain", "programs")
@pytest.mark.asyncio
async def test_stray_lamports_that_a_sync_finds_are_booked_as_foreign(tmp_path: Path) -> None:
    world = World(tmp_path)
    _, _, venue = await landed(world)
    account = world.chain.account(ata(WALLET, WSOL_MINT, TOKEN_PROGRAM))
    assert account is not None
    world.chain.set_account(replace(account, lamports=account.lamports + 777))
    world.chain.advance(2)
    again = await venue.execute(world.buy(SOL))
    assert isinstance(again, Filled)
    (entry,) = [one for one in venue.parts.books.portfolio.ledger.entries if one.kind is EntryKind.FOREIGN]
    assert (entry.asset, entry.units, entry.signature) == ("SOL", 777, again.signature)
    await venue.parts.books.check(world.node)
    world.close()


@requires_material("chain", "programs")
@pytest.mark.asyncio
async def test_nothing_is_read_out_of_a_transaction_that_is_not_the_orders(tmp_path: Path) -> None:
    world = World(tmp_path)
    _, transaction, _ = await landed(world)
    for other in (request_of(world, is_buy=False), request_of(world, pool=WALLET)):
        with pytest.raises(ProtocolDrift):
            fill_of(other, transaction, WALLET)
    with pytest.raises(ProtocolDrift):
        fill_of(request_of(world), transaction, TIP_ACCOUNT)
    failed = replace(transaction, err={"InstructionError": [3, {"Custom": 6040}]})
    with pytest.raises(UsageError):
        fill_of(request_of(world), failed, WALLET)
    assert costs_of(failed, WALLET, request_of(world)) == Costs(5_000, transaction.fee - 5_000)
    assert costs_of(failed, TIP_ACCOUNT, request_of(world)) == Costs()
    world.close()


@requires_material("chain", "programs")
@pytest.mark.asyncio
async def test_the_event_is_read_from_the_logs_where_a_node_keeps_no_inner_instructions(tmp_path: Path) -> None:
    world = World(tmp_path)
    filled, transaction, _ = await landed(world)
    outer = tuple(one for one in transaction.instructions if one.height == 1)
    fill = fill_of(request_of(world), replace(transaction, instructions=outer), WALLET)
    assert fill.executed == filled.executed
    assert wallet_change(transaction, TIP_ACCOUNT).sol_lamports == 0
    world.close()


@requires_material("chain", "events.jsonl")
def test_every_recorded_event_gives_a_quote_that_adds_up() -> None:
    """All generations of mainnet's swaps: what the trader paid or got is the gross amount and the fees."""
    path = material("chain", "events.jsonl")
    assert path is not None
    seen = {"buys": 0, "sells": 0, "budgets": 0}
    for line in path.read_text().splitlines():
        told = json.loads(line)
        event = decode_event(base64.b64decode(told["raw_b64"]))
        if isinstance(event, BuyEvent) and not event.is_boost_burn:
            quote = quote_of_event(event)
            assert isinstance(quote, BuyQuote)
            assert quote.total_quote == quote.gross_quote + quote.fees
            if quote.spendable_quote is None:
                assert quote.total_quote == event.user_quote_amount_in
            else:
                assert quote.total_quote <= quote.spendable_quote
                seen["budgets"] += 1
            seen["buys"] += 1
        elif isinstance(event, SellEvent):
            sale = quote_of_event(event)
            assert sale.gross_quote - sale.fees == event.user_quote_amount_out == sale.user_quote_out  # type: ignore[union-attr]
            seen["sells"] += 1
    assert min(seen.values()) > 0, seen
