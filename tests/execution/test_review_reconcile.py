"""What a hostile reader of reconciliation tried: odd transactions of others, lists that lie, orders in between."""

from __future__ import annotations

import asyncio
import sqlite3
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.system_program import (
    CreateAccountParams,
    TransferParams,
    create_account,
    transfer,
)
from solders.token.associated import get_associated_token_address
from solders.transaction import VersionedTransaction

from pumpswap.amm import PoolState, Quote, buy_exact_quote, sell_exact_base, swap_instruction
from pumpswap.amm.addresses import SYSTEM_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.chain.node import AccountsAt, ChainAccount
from pumpswap.errors import LedgerMismatch, StaleNode, StorageError
from pumpswap.execution.alarm import alert_of_event
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pools import fund_tokens, schedule_of
from pumpswap.model import SOL as SOL_ASSET
from pumpswap.model import Costs, Denied, EntryKind, Filled, ForeignEvent, ForeignKind, Order, ReconciliationStatus
from pumpswap.portfolio.audit import audit_run
from tests.execution.live_world import SOL, WALLET
from tests.execution.practice_wallet import FEE, OWN, Practice, practice_wallet, step
from tests.localnet.practice import ALICE, swap
from tests.support.material import requires_material

pytestmark = [requires_material("chain", "programs"), pytest.mark.asyncio]


@pytest_asyncio.fixture
async def practice(tmp_path: Path) -> AsyncIterator[Practice]:
    wallet = await practice_wallet(tmp_path)
    yield wallet
    assert audit_run(wallet.books.run).differences == ()
    wallet.world.close()


# ---------------------------------------------------------------------------------------------- what is compared


async def test_an_ignored_token_that_came_and_was_sent_on_stops_nothing(practice: Practice) -> None:
    practice.books.run.owned.ignore(str(practice.mint), 1, "spam")
    sold = await practice.venue.execute(practice.world.sell(practice.units))
    assert isinstance(sold, Filled)
    source = practice.rich_stranger(1_000_000)
    practice.send(
        ALICE,
        practice.create_account(ALICE.pubkey(), WALLET),
    )
    await practice.found()
    # This names the token account only, and nothing of it is left: only the fee of sending it on differs.
    practice.send(ALICE, practice.token_transfer(source, practice.account, ALICE.pubkey(), 9))
    practice.send(OWN, practice.token_transfer(practice.account, source, WALLET, 9))
    result = await practice.reconcile()
    assert (result.status, dict(result.differences)) == (ReconciliationStatus.EXPLAINED, {})
    assert [event.kind for event in result.events] == [ForeignKind.AIRDROP, ForeignKind.TRANSFER_OUT]
    await practice.agree()


async def test_what_came_and_went_of_an_ignored_token_has_its_names_too(practice: Practice) -> None:
    """Something of it is left, so that the books could take the sum at once, and the names would be lost."""
    mint = str(practice.mint)
    sold = await practice.venue.execute(practice.world.sell(practice.units))
    assert isinstance(sold, Filled)
    practice.send(ALICE, practice.create_account(ALICE.pubkey(), WALLET))
    source = practice.rich_stranger(1_000_000)
    practice.send(ALICE, practice.token_transfer(source, practice.account, ALICE.pubkey(), 9))
    await practice.reconcile()
    practice.books.run.owned.ignore(mint, 1, "spam")
    practice.send(ALICE, practice.token_transfer(source, practice.account, ALICE.pubkey(), 5))
    practice.send(OWN, practice.token_transfer(practice.account, source, WALLET, 5))
    result = await practice.reconcile()
    assert [event.kind for event in result.events] == [ForeignKind.AIRDROP, ForeignKind.TRANSFER_OUT]
    await practice.agree()


async def test_a_node_that_lags_behind_an_order_is_stale_though_the_last_entry_is_older(practice: Practice) -> None:
    world = practice.world
    practice.pay(ALICE, WALLET, SOL)
    world.chain.advance(8)
    assert isinstance(await practice.venue.execute(world.buy(SOL // 10)), Filled)
    order_slot = max(entry.slot for entry in practice.books.run.ledger())
    assert (await practice.reconcile()).status is ReconciliationStatus.EXPLAINED
    last = practice.books.run.books.last()
    assert last is not None and last.slot < order_slot  # the deposit was booked behind the order
    venue = await world.open()
    behind = LocalNode(world.chain, lag_slots=world.chain.slot - order_slot + 3)
    with pytest.raises(StaleNode):
        await venue.parts.books.reconcile(behind)
    assert [alert.text for alert in world.database.alerts.all() if "no transaction explains" in alert.text] == []


async def test_a_wallet_with_more_accounts_than_one_call_reads_is_compared_while_slots_pass(
    practice: Practice,
) -> None:
    world = practice.world

    class BusyNode(LocalNode):
        """A slot passes with every question."""

        async def accounts(self, *args: Any, **named: Any) -> AccountsAt:
            world.chain.advance(1)
            return await super().accounts(*args, **named)

    for number in range(120):
        mint = Keypair.from_seed(number.to_bytes(32, "little")).pubkey()
        data = bytes(mint) + bytes(WALLET) + bytes(8) + bytes(36) + b"\x01" + bytes(56)
        account = ata(WALLET, mint, TOKEN_PROGRAM)
        world.chain.set_account(ChainAccount(account, TOKEN_PROGRAM, 2_039_280, data))
    practice.pay(ALICE, WALLET, SOL)
    world.chain.advance(3)
    result = await practice.books.reconcile(BusyNode(world.chain))
    assert [event.kind for event in result.events] == [ForeignKind.DEPOSIT]
    await practice.agree()


# ---------------------------------------------------------------------------------------------- what others do


async def test_sol_in_an_account_that_is_no_token_account_is_sent_away_and_no_rent(practice: Practice) -> None:
    """A stake account, a nonce, a deposit in some program: what comes back from it is no rent that was returned."""
    laid, fresh = practice.books.portfolio.rent_lamports, Keypair.from_seed(b"n" * 32)
    made = create_account(
        CreateAccountParams(from_pubkey=WALLET, to_pubkey=fresh.pubkey(), lamports=SOL, space=0, owner=SYSTEM_PROGRAM)
    )
    _send_both(practice, fresh, made)
    event = await practice.found()
    assert event.kind is ForeignKind.WITHDRAWAL
    assert event.moves == ((SOL_ASSET, -SOL, EntryKind.WITHDRAWAL), (SOL_ASSET, -2 * FEE, EntryKind.NETWORK_FEE))
    practice.pay(fresh, WALLET, SOL - FEE)
    back = await practice.found()
    assert back.moves == ((SOL_ASSET, SOL - FEE, EntryKind.DEPOSIT),)
    assert practice.books.portfolio.rent_lamports == laid


async def test_buying_and_selling_in_one_transaction_is_a_trade_and_no_withdrawal(practice: Practice) -> None:
    world = practice.world
    state, schedule = world.now(), schedule_of(world.chain)
    bought = buy_exact_quote(state, schedule, SOL // 10)
    steps = [set_compute_unit_limit(600_000)]
    own = get_associated_token_address(WALLET, WSOL_MINT)
    steps += [
        transfer(TransferParams(from_pubkey=WALLET, to_pubkey=own, lamports=SOL // 5)),
        step(TOKEN_PROGRAM, b"\x11", [(own, False, True)]),
        swap_instruction(bought, state, schedule, user=WALLET, limit=bought.limit(100), generation=1),
    ]
    sold = sell_exact_base(state, schedule, bought.base_out)
    steps.append(swap_instruction(sold, state, schedule, user=WALLET, limit=1, generation=1))
    practice.send(OWN, *steps)
    event = await practice.found()
    assert (event.kind, event.of(str(practice.mint))) == (ForeignKind.OTHER, 0)
    assert event.moves[0][2] is EntryKind.FOREIGN and event.moves[0][1] < 0


async def test_what_a_delegate_buys_with_wrapped_sol_is_a_buy_and_no_airdrop(practice: Practice) -> None:
    """Programs for limit orders work like this: the wallet has signed before, and not this."""
    own, source = get_associated_token_address(WALLET, WSOL_MINT), practice.rich_stranger(1_000_000)
    hers = ata(ALICE.pubkey(), WSOL_MINT, TOKEN_PROGRAM)
    practice.send(ALICE, practice.create_account(ALICE.pubkey(), ALICE.pubkey(), WSOL_MINT))
    practice.send(
        OWN,
        transfer(TransferParams(from_pubkey=WALLET, to_pubkey=own, lamports=SOL)),
        step(TOKEN_PROGRAM, b"\x11", [(own, False, True)]),
        step(
            TOKEN_PROGRAM,
            b"\x04" + struct.pack("<Q", SOL),
            [(own, False, True), (ALICE.pubkey(), False, False), (WALLET, True, False)],
        ),
    )
    await practice.found()
    practice.send(
        ALICE,
        step(
            TOKEN_PROGRAM,
            b"\x03" + struct.pack("<Q", SOL // 2),
            [(own, False, True), (hers, False, True), (ALICE.pubkey(), True, False)],
        ),
        practice.token_transfer(source, practice.account, ALICE.pubkey(), 700_000),
    )
    event = await practice.found()
    assert event.kind is ForeignKind.MANUAL_BUY
    assert event.moves == (
        (SOL_ASSET, -SOL // 2, EntryKind.FOREIGN),
        (str(practice.mint), 700_000, EntryKind.FOREIGN),
    )


async def test_a_token_account_that_gets_another_owner_takes_its_rent_along(practice: Practice) -> None:
    own, laid = get_associated_token_address(WALLET, WSOL_MINT), practice.books.portfolio.rent_lamports
    account = practice.world.chain.account(own)
    assert account is not None
    data = b"\x06\x02\x01" + bytes(ALICE.pubkey())
    practice.send(OWN, step(TOKEN_PROGRAM, data, [(own, False, True), (WALLET, True, False)]))
    event = await practice.found()
    assert event.moves == (
        (SOL_ASSET, -account.lamports, EntryKind.WITHDRAWAL),
        (SOL_ASSET, account.lamports, EntryKind.RENT_RETURNED),
        (SOL_ASSET, -FEE, EntryKind.NETWORK_FEE),
    )
    assert practice.books.portfolio.rent_lamports == laid - account.lamports


async def test_a_token_account_that_was_somebody_elses_brings_its_rent(practice: Practice) -> None:
    hers, laid = ata(ALICE.pubkey(), WSOL_MINT, TOKEN_PROGRAM), practice.books.portfolio.rent_lamports
    practice.send(ALICE, practice.create_account(ALICE.pubkey(), ALICE.pubkey(), WSOL_MINT))
    rent = practice.world.chain.rent(165)
    practice.send(
        ALICE,
        transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=hers, lamports=7)),
        step(TOKEN_PROGRAM, b"\x11", [(hers, False, True)]),
        # The wallet is named, so that its history has it.
        transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=WALLET, lamports=3)),
        step(TOKEN_PROGRAM, b"\x06\x02\x01" + bytes(WALLET), [(hers, False, True), (ALICE.pubkey(), True, False)]),
    )
    event = await practice.found()
    assert event.moves == (
        (SOL_ASSET, 10, EntryKind.DEPOSIT),
        (SOL_ASSET, rent, EntryKind.DEPOSIT),
        (SOL_ASSET, -rent, EntryKind.RENT_PAID),
    )
    practice.send(OWN, practice.close(hers, program=TOKEN_PROGRAM))
    await practice.found()
    assert practice.books.portfolio.rent_lamports == laid


async def test_sol_that_leaves_beside_an_ignored_token_alarms_all_the_same(practice: Practice) -> None:
    mint = str(practice.mint)
    moves = ((SOL_ASSET, -5 * SOL, EntryKind.FOREIGN), (mint, 1, EntryKind.FOREIGN))
    drained = ForeignEvent(ForeignKind.MANUAL_BUY, "s", 1, 1, moves)
    alert = alert_of_event(drained, {mint}, 1)
    assert alert is not None and (alert.subject, "-5 SOL" in alert.text) == (SOL_ASSET, True)
    given = ((mint, 1, EntryKind.FOREIGN), (SOL_ASSET, 3, EntryKind.FOREIGN), (SOL_ASSET, -9, EntryKind.RENT_PAID))
    assert alert_of_event(replace(drained, moves=given), {mint}, 1) is None


async def test_what_came_into_an_account_with_an_address_of_its_own_is_found_when_it_is_closed(
    practice: Practice,
) -> None:
    """Nobody needs the wallet for that, and the account is in no list any more: only its end names it."""
    fresh, source, chain = Keypair.from_seed(b"x" * 32), practice.rich_stranger(1_000_000), practice.world.chain
    rent, mint = chain.rent(165), practice.mint
    made = create_account(
        CreateAccountParams(
            from_pubkey=ALICE.pubkey(), to_pubkey=fresh.pubkey(), lamports=rent, space=165, owner=practice.program
        )
    )
    begun = step(practice.program, b"\x12" + bytes(WALLET), [(fresh.pubkey(), False, True), (mint, False, False)])
    sent = practice.token_transfer(source, fresh.pubkey(), ALICE.pubkey(), 50)
    _send_both(practice, fresh, made, begun, sent, payer=ALICE)
    burn = [(fresh.pubkey(), False, True), (mint, False, True), (WALLET, True, False)]
    practice.send(OWN, step(practice.program, b"\x08" + struct.pack("<Q", 50), burn), practice.close(fresh.pubkey()))
    result = await practice.reconcile()
    assert (result.status, dict(result.differences)) == (ReconciliationStatus.EXPLAINED, {})
    assert [event.kind for event in result.events] == [ForeignKind.AIRDROP, ForeignKind.BURN]
    await practice.agree()


async def test_a_fee_for_somebody_elses_wrapped_sol_is_no_wrapping(practice: Practice) -> None:
    hers = ata(ALICE.pubkey(), WSOL_MINT, TOKEN_PROGRAM)
    practice.send(ALICE, practice.create_account(ALICE.pubkey(), ALICE.pubkey(), WSOL_MINT))
    practice.send(OWN, step(TOKEN_PROGRAM, b"\x11", [(hers, False, True)]))
    event = await practice.found()
    assert (event.kind, event.moves) == (ForeignKind.OTHER, ((SOL_ASSET, -FEE, EntryKind.NETWORK_FEE),))


def _send_both(practice: Practice, other: Keypair, *steps: Instruction, payer: Keypair = OWN) -> None:
    chain = practice.world.chain
    message = MessageV0.try_compile(payer.pubkey(), list(steps), [], chain.blocks.newest.blockhash)
    receipt = chain.submit(bytes(VersionedTransaction(message, [payer, other])))
    assert receipt.err is None, receipt
    chain.advance(1)


# ---------------------------------------------------------------------------------------------- orders in between


class GatedNode(LocalNode):
    """Tells balances when it is allowed to."""

    def __init__(self, practice: Practice) -> None:
        super().__init__(practice.world.chain)
        self.is_asked, self.may_tell = asyncio.Event(), asyncio.Event()

    async def accounts(self, *args: Any, **named: Any) -> AccountsAt:
        self.is_asked.set()
        await self.may_tell.wait()
        return await super().accounts(*args, **named)


async def test_a_comparison_on_schedule_does_not_end_that_of_an_order_which_needs_a_top_up(practice: Practice) -> None:
    books, scheduled, topping = practice.books, GatedNode(practice), GatedNode(practice)
    first = asyncio.create_task(books.reconcile(scheduled))
    await scheduled.is_asked.wait()
    order = practice.world.buy(SOL // 10)
    books.admit(order)
    second = asyncio.create_task(books.reconcile(topping, order.order_id))
    await topping.is_asked.wait()
    scheduled.may_tell.set()
    with pytest.raises(LedgerMismatch, match=order.order_id):
        await first
    topping.may_tell.set()
    assert (await second).status is ReconciliationStatus.CLEAN
    books.settle(order, Denied(order.order_id, practice.world.clock.now_ns(), "test", "not sent"), {})


async def test_a_sale_of_more_than_its_position_holds_by_now_is_denied_and_blocks_nothing(practice: Practice) -> None:
    """What was sent away and came back belongs to no position: a sale that was decided before cannot be booked."""
    order, source = practice.world.sell(practice.units), practice.rich_stranger(1)
    practice.send(OWN, practice.token_transfer(practice.account, source, WALLET, 10))
    practice.send(ALICE, practice.token_transfer(source, practice.account, ALICE.pubkey(), 10))
    assert (await practice.reconcile()).status is ReconciliationStatus.EXPLAINED
    outcome = await practice.venue.execute(order)
    assert isinstance(outcome, Denied)
    assert (outcome.rule, f"{practice.units - 10} are held" in outcome.text) == ("insufficient funds", True)
    assert isinstance(await practice.venue.execute(practice.world.sell(practice.units - 10)), Filled)


async def test_a_difference_that_the_top_up_of_a_purchase_comes_across_stops_it(practice: Practice) -> None:
    world = practice.world
    practice.pay(OWN, ALICE.pubkey(), 8 * SOL)
    await practice.found()
    practice.pay(ALICE, WALLET, 2 * SOL)
    fund_tokens(world.chain, WALLET, practice.mint, practice.program, practice.units + 11)
    world.chain.advance(3)
    assert practice.books.balance(SOL_ASSET) < 3 * SOL // 2
    outcome = await practice.venue.execute(world.buy(3 * SOL // 2))
    assert isinstance(outcome, Denied)
    assert (outcome.rule, "+11 units" in outcome.text) == ("books differ", True)


async def test_two_orders_at_once_do_not_spend_what_the_books_have_only_once(practice: Practice) -> None:
    """The wallet has more than the books know of: enough for both on the chain, but the ledger could not book both."""
    world = practice.world
    orders = [world.buy(5 * SOL), world.buy(5 * SOL, pool=world.another_pool())]
    practice.pay(ALICE, WALLET, 5 * SOL)
    outcomes = await asyncio.gather(*(practice.venue.execute(order) for order in orders))
    assert [type(outcome) for outcome in outcomes].count(Filled) == 1
    (denied,) = (outcome for outcome in outcomes if isinstance(outcome, Denied))
    assert denied.rule == "insufficient funds"
    assert practice.books.unresolved() == ()
    assert (await practice.reconcile()).status is ReconciliationStatus.EXPLAINED
    await practice.agree()


async def test_trades_by_hand_before_an_order_are_booked_behind_it_in_an_order_that_is_possible(
    practice: Practice,
) -> None:
    """The chain's order is not: the order that came last is booked already, and has spent what they had in between."""
    world = practice.world
    pools, schedule = (world.another_pool(), world.another_pool()), schedule_of(world.chain)
    for pool in pools:
        _by_hand(practice, pool, buy_exact_quote(world.now(pool), schedule, 43 * SOL // 10))
    account = world.chain.account(ata(WALLET, pools[1].pool.base_mint, pools[1].base_token_program))
    assert account is not None
    units = int.from_bytes(account.data[64:72], "little")
    _by_hand(practice, pools[1], sell_exact_base(world.now(pools[1]), schedule, units))
    assert isinstance(await practice.venue.execute(world.buy(4 * SOL)), Filled)
    result = await practice.reconcile()
    assert (result.status, dict(result.differences)) == (ReconciliationStatus.EXPLAINED, {})
    kinds = [ForeignKind.MANUAL_BUY, ForeignKind.MANUAL_SELL, ForeignKind.MANUAL_BUY]
    assert [event.kind for event in result.events] == kinds
    await practice.agree()


def _by_hand(practice: Practice, pool: PoolState, quote: Quote) -> None:
    chain = practice.world.chain
    assert chain.submit(swap(chain, OWN, pool, quote, 1)).err is None
    chain.advance(1)


# ---------------------------------------------------------------------------------------------- a failing database


def _filled(practice: Practice, order: Order, number: int) -> Filled:
    assert order.quote is not None
    return Filled(order.order_id, order.created_ns, 425_000_000 + number, order.quote, Costs(FEE), f"made up {number}")


async def test_books_that_could_not_be_read_back_after_a_failure_are_read_before_the_next_entry(
    practice: Practice,
) -> None:
    books, order, file = practice.books, practice.world.buy(SOL // 10), practice.world.database.location
    books.admit(order)
    outcome, before = _filled(practice, order, 1), books.balance(SOL_ASSET)
    _rename(file, "pumpswap_ledger", "gone")
    with pytest.raises(StorageError, match="pumpswap_ledger"):
        books.settle(order, outcome, {})
    _rename(file, "gone", "pumpswap_ledger")
    books.settle(order, outcome, {})
    assert books.balance(SOL_ASSET) == before - SOL // 10 - FEE == books.run.balances()[SOL_ASSET]
    assert books.portfolio.ledger.last_sequence == books.run.books.last().sequence  # type: ignore[union-attr]


async def test_what_was_stored_although_the_database_said_no_counts_for_the_limit_of_a_day(practice: Practice) -> None:
    books, order, real = practice.books, practice.world.buy(SOL // 10), practice.books.run.batch
    books.admit(order)
    outcome, spent = _filled(practice, order, 1), books.spent_since(0)

    @contextmanager
    def unanswered() -> Iterator[None]:
        with real():
            yield
        raise StorageError("the connection was lost while it committed", hint="try again")

    books.run.batch = unanswered  # type: ignore[method-assign]
    with pytest.raises(StorageError, match="was lost"):
        books.settle(order, outcome, {})
    books.run.batch = real  # type: ignore[method-assign]
    books.settle(order, outcome, {})
    assert books.spent_since(0) == spent + SOL // 10 + FEE


def _rename(file: str, table: str, to: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO {to}")
