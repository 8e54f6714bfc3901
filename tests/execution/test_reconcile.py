"""What others do with the wallet on the practice chain, with real transactions: found, named, booked, nothing left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from solders.keypair import Keypair
from solders.system_program import TransferParams, transfer
from solders.token.associated import get_associated_token_address

from pumpswap.amm import buy_exact_quote, sell_exact_base
from pumpswap.amm.addresses import TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.chain.node import SignatureInfo
from pumpswap.errors import ChainError, EndpointDown, LedgerMismatch, UsageError
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pools import fund_tokens, schedule_of
from pumpswap.model import (
    SOL as SOL_ASSET,
)
from pumpswap.model import (
    Adoption,
    AlertLevel,
    Denied,
    EntryKind,
    Filled,
    ForeignKind,
    ReconciliationStatus,
)
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
    assert audit_run(wallet.books.run).differences == ()  # whatever happened, the stored books explain themselves
    wallet.world.close()


def position_of(practice: Practice) -> Any:
    (position,) = practice.books.portfolio.positions.open_positions()
    return position


async def test_sol_that_somebody_sends_is_a_deposit(practice: Practice) -> None:
    pay = transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=WALLET, lamports=3 * SOL))
    signature = practice.send(ALICE, pay)
    event = await practice.found()
    assert (event.kind, event.signature, event.counterparty) == (ForeignKind.DEPOSIT, signature, str(ALICE.pubkey()))
    assert event.moves == ((SOL_ASSET, 3 * SOL, EntryKind.DEPOSIT),)
    (alert,) = practice.world.database.alerts.all()
    assert (alert.level, alert.topic, alert.subject) == (AlertLevel.WARNING, "reconcile", SOL_ASSET)
    assert "deposit" in alert.text and "+3 SOL" in alert.text and signature in alert.text


async def test_sol_that_its_owner_sends_away_is_a_withdrawal_and_its_fee_a_fee(practice: Practice) -> None:
    practice.send(OWN, transfer(TransferParams(from_pubkey=WALLET, to_pubkey=ALICE.pubkey(), lamports=SOL)))
    event = await practice.found()
    assert (event.kind, event.counterparty) == (ForeignKind.WITHDRAWAL, str(ALICE.pubkey()))
    assert event.moves == ((SOL_ASSET, -SOL, EntryKind.WITHDRAWAL), (SOL_ASSET, -FEE, EntryKind.NETWORK_FEE))


async def test_sol_for_a_new_address_is_no_rent_of_ours(practice: Practice) -> None:
    fresh = Keypair.from_seed(b"f" * 32).pubkey()
    practice.send(OWN, transfer(TransferParams(from_pubkey=WALLET, to_pubkey=fresh, lamports=SOL)))
    event = await practice.found()
    assert event.moves == ((SOL_ASSET, -SOL, EntryKind.WITHDRAWAL), (SOL_ASSET, -FEE, EntryKind.NETWORK_FEE))


async def test_tokens_that_somebody_sends_are_an_airdrop_and_no_position(practice: Practice) -> None:
    source = practice.rich_stranger(1_000_000)
    before = position_of(practice)
    practice.send(ALICE, practice.token_transfer(source, practice.account, ALICE.pubkey(), 400_000))
    event = await practice.found()
    # It names the token account only: the wallet's own history does not have it.
    assert (event.kind, event.counterparty) == (ForeignKind.AIRDROP, str(ALICE.pubkey()))
    assert event.moves == ((str(practice.mint), 400_000, EntryKind.FOREIGN),)
    assert position_of(practice) == before
    assert practice.books.portfolio.free_units(str(practice.mint)) == 400_000


async def test_an_airdrop_into_a_new_account_lays_down_rent_that_was_given(practice: Practice) -> None:
    sold = await practice.venue.execute(practice.world.sell(practice.units))
    assert isinstance(sold, Filled)
    assert practice.world.chain.account(practice.account) is None
    source, rent = practice.rich_stranger(1_000_000), practice.books.portfolio.rent_lamports
    practice.send(
        ALICE,
        practice.create_account(ALICE.pubkey(), WALLET),
        practice.token_transfer(source, practice.account, ALICE.pubkey(), 5),
    )
    event = await practice.found()
    laid = practice.world.chain.account(practice.account).lamports  # type: ignore[union-attr]
    assert event.kind is ForeignKind.AIRDROP
    assert event.moves == (
        (str(practice.mint), 5, EntryKind.FOREIGN),
        (SOL_ASSET, laid, EntryKind.DEPOSIT),
        (SOL_ASSET, -laid, EntryKind.RENT_PAID),
    )
    assert practice.books.portfolio.rent_lamports == rent + laid


async def test_tokens_that_another_wallet_program_sends_away_leave_the_position_at_no_price(practice: Practice) -> None:
    before, gone = position_of(practice), practice.units // 4
    target = practice.rich_stranger(1)
    practice.send(OWN, practice.token_transfer(practice.account, target, WALLET, gone))
    event = await practice.found()
    assert (event.kind, event.counterparty) == (ForeignKind.TRANSFER_OUT, str(ALICE.pubkey()))
    assert event.moves == ((str(practice.mint), -gone, EntryKind.FOREIGN), (SOL_ASSET, -FEE, EntryKind.NETWORK_FEE))
    left = position_of(practice)
    share = before.cost_lamports * gone // before.base_units
    assert (left.base_units, left.cost_lamports) == (before.base_units - gone, before.cost_lamports - share)
    assert left.realised_lamports == before.realised_lamports - share


async def test_a_friends_new_account_is_paid_for_good(practice: Practice) -> None:
    friend = Keypair.from_seed(b"g" * 32).pubkey()
    rent = practice.books.portfolio.rent_lamports
    practice.send(
        OWN,
        practice.create_account(WALLET, friend),
        practice.token_transfer(practice.account, ata(friend, practice.mint, practice.program), WALLET, 7),
    )
    event = await practice.found()
    cost = practice.world.chain.account(ata(friend, practice.mint, practice.program)).lamports  # type: ignore[union-attr]
    assert event.kind is ForeignKind.TRANSFER_OUT
    assert event.moves[0] == (SOL_ASSET, -cost, EntryKind.FOREIGN)
    assert practice.books.portfolio.rent_lamports == rent


async def test_a_manual_sale_of_all_closes_the_position_at_its_proceeds(practice: Practice) -> None:
    before = position_of(practice)
    world = practice.world
    quote = sell_exact_base(world.now(), schedule_of(world.chain), practice.units)
    assert world.chain.submit(swap(world.chain, OWN, world.pool, quote, 1)).err is None
    event = await practice.found()
    assert (event.kind, event.pool) == (ForeignKind.MANUAL_SELL, str(world.pool.address))
    assert event.of(str(practice.mint)) == -practice.units
    proceeds = sum(units for asset, units, kind in event.moves if (asset, kind) == (SOL_ASSET, EntryKind.FOREIGN))
    assert proceeds == quote.user_quote_out
    assert practice.books.portfolio.positions.open_positions() == []
    closed = practice.books.run.latest_position(str(world.pool.address))
    assert closed is not None and closed.closed_ns == event.at_ns
    assert closed.sold_lamports == quote.user_quote_out
    assert closed.realised_lamports == quote.user_quote_out - before.cost_lamports


async def test_a_manual_buy_is_booked_and_waits_to_be_adopted(practice: Practice) -> None:
    world = practice.world
    other = world.another_pool()
    quote = buy_exact_quote(world.now(other), schedule_of(world.chain), SOL)
    assert world.chain.submit(swap(world.chain, OWN, other, quote, 1)).err is None
    event = await practice.found()
    mint = str(other.pool.base_mint)
    assert (event.kind, event.pool, event.of(mint)) == (ForeignKind.MANUAL_BUY, str(other.address), quote.base_out)
    paid = -sum(units for asset, units, kind in event.moves if (asset, kind) == (SOL_ASSET, EntryKind.FOREIGN))
    # The first trade of a creator's coin also pays for the account of his fees, which never comes back.
    assert paid == quote.total_quote + world.chain.rent(165)
    books = practice.books
    adoption = Adoption(
        world.clock.now_ns(),
        books.portfolio.ledger.last_sequence,
        str(other.address),
        mint,
        quote.base_out,
        paid,
        "BY HAND",
    )
    with pytest.raises(UsageError, match="belong to no position"):
        books.adopt(replace(adoption, base_units=quote.base_out + 1))
    position = books.adopt(adoption)
    assert (position.base_units, position.cost_lamports, position.round) == (quote.base_out, paid, 1)
    assert list(books.run.owned.adoptions()) == [adoption]
    again = await world.open()
    assert again.parts.books.portfolio.positions.open_round(str(other.address)) == position  # type: ignore[attr-defined]
    sold = await again.execute(world.sell(quote.base_out, pool=other))
    assert isinstance(sold, Filled)


async def test_a_token_account_closed_by_hand_returns_its_rent(practice: Practice) -> None:
    practice.send(OWN, practice.burn(practice.units))
    burnt = await practice.found()
    assert (burnt.kind, burnt.of(str(practice.mint))) == (ForeignKind.BURN, -practice.units)
    rent = practice.world.chain.account(practice.account).lamports  # type: ignore[union-attr]
    laid = practice.books.portfolio.rent_lamports
    practice.send(OWN, practice.close(practice.account))
    event = await practice.found()
    assert event.kind is ForeignKind.ACCOUNT_CLOSED
    assert event.moves == ((SOL_ASSET, rent, EntryKind.RENT_RETURNED), (SOL_ASSET, -FEE, EntryKind.NETWORK_FEE))
    assert practice.books.portfolio.rent_lamports == laid - rent


async def test_a_token_account_closed_in_favour_of_somebody_else_is_rent_that_was_sent(practice: Practice) -> None:
    practice.send(OWN, practice.burn(practice.units))
    await practice.found()
    rent, laid = practice.world.chain.account(practice.account).lamports, practice.books.portfolio.rent_lamports  # type: ignore[union-attr]
    practice.send(OWN, practice.close(practice.account, ALICE.pubkey()))
    event = await practice.found()
    assert event.moves == (
        (SOL_ASSET, -rent, EntryKind.WITHDRAWAL),
        (SOL_ASSET, rent, EntryKind.RENT_RETURNED),
        (SOL_ASSET, -FEE, EntryKind.NETWORK_FEE),
    )
    assert practice.books.portfolio.rent_lamports == laid - rent


async def test_wrapping_by_hand_costs_only_its_fee_and_rent(practice: Practice) -> None:
    own = get_associated_token_address(WALLET, WSOL_MINT)
    practice.send(
        OWN,
        transfer(TransferParams(from_pubkey=WALLET, to_pubkey=own, lamports=SOL)),
        step(TOKEN_PROGRAM, b"\x11", [(own, False, True)]),
    )
    event = await practice.found()
    rent = practice.world.chain.account(own).lamports - SOL  # type: ignore[union-attr]
    assert event.kind is ForeignKind.WRAP  # the account was there since our first buy
    assert event.moves == ((SOL_ASSET, -FEE, EntryKind.NETWORK_FEE),)
    practice.send(OWN, practice.close(own, program=TOKEN_PROGRAM))
    back = await practice.found()
    assert back.moves == ((SOL_ASSET, rent, EntryKind.RENT_RETURNED), (SOL_ASSET, -FEE, EntryKind.NETWORK_FEE))


async def test_a_failed_transaction_by_hand_costs_its_fee(practice: Practice) -> None:
    practice.send(OWN, practice.burn(practice.units + 1), fails=True)
    event = await practice.found()
    assert (event.kind, event.moves) == (ForeignKind.FAILED, ((SOL_ASSET, -FEE, EntryKind.NETWORK_FEE),))
    (alert,) = practice.world.database.alerts.all()
    assert alert.level is AlertLevel.INFO


async def test_what_came_and_went_again_is_found_although_nothing_differs(practice: Practice) -> None:
    source = practice.rich_stranger(1_000_000)
    practice.send(ALICE, practice.token_transfer(source, practice.account, ALICE.pubkey(), 9))
    practice.send(OWN, practice.token_transfer(practice.account, source, WALLET, 9))
    pay = transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=WALLET, lamports=FEE))
    practice.send(ALICE, pay)
    result = await practice.reconcile()
    kinds = [event.kind for event in result.events]
    assert result.status is ReconciliationStatus.EXPLAINED
    assert sorted(kinds, key=str) == [ForeignKind.AIRDROP, ForeignKind.DEPOSIT, ForeignKind.TRANSFER_OUT]
    await practice.agree()


async def test_many_at_once_among_our_own_orders_are_told_apart(practice: Practice) -> None:
    source = practice.rich_stranger(1_000_000)
    for lamports in range(1, 6):
        practice.send(ALICE, transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=WALLET, lamports=lamports)))
        assert isinstance(await practice.venue.execute(practice.world.buy(SOL // 100)), Filled)
        practice.send(ALICE, practice.token_transfer(source, practice.account, ALICE.pubkey(), lamports))
    result = await practice.reconcile()
    assert result.status is ReconciliationStatus.EXPLAINED
    assert sum(event.of(SOL_ASSET) for event in result.events) == sum(range(1, 6))
    assert sum(event.of(str(practice.mint)) for event in result.events) == sum(range(1, 6))
    assert [event.slot for event in result.events] == sorted(event.slot for event in result.events)
    await practice.agree()


async def test_what_nothing_explains_stops_entries_of_that_token_until_its_owner_has_it_booked(
    practice: Practice,
) -> None:
    mint = str(practice.mint)
    fund_tokens(practice.world.chain, WALLET, practice.mint, practice.program, practice.units + 11)
    result = await practice.reconcile()
    assert (result.status, dict(result.differences)) == (ReconciliationStatus.UNEXPLAINED, {mint: 11})
    (alert,) = practice.world.database.alerts.all()
    assert (alert.level, alert.subject) == (AlertLevel.CRITICAL, mint)
    assert "+11 units" in alert.text and "--repair" in alert.text
    for venue in (practice.venue, await practice.world.open()):  # a new process remembers it
        denied = await venue.execute(practice.world.buy(SOL // 10))
        assert isinstance(denied, Denied)
        assert (denied.rule, "+11 units" in denied.text) == ("books differ", True)
    other = practice.world.another_pool()
    assert isinstance(await practice.venue.execute(practice.world.buy(SOL // 10, pool=other)), Filled)
    assert isinstance(await practice.venue.execute(practice.world.sell(practice.units // 2)), Filled)  # exits go on
    again = await practice.reconcile()
    assert dict(again.differences) == {mint: 11}
    assert len(practice.world.database.alerts.all()) == 1  # told once
    with pytest.raises(LedgerMismatch, match="changed since"):
        practice.books.repair(replace(again, differences={mint: 12}))
    repaired = practice.books.repair(again)
    assert repaired.status is ReconciliationStatus.REPAIRED
    entry = practice.books.run.books.last()
    assert entry is not None
    assert (entry.asset, entry.units, entry.kind, entry.note) == (mint, 11, EntryKind.FOREIGN, "unexplained")
    await practice.agree()
    assert isinstance(await practice.venue.execute(practice.world.buy(SOL // 10)), Filled)
    assert (await practice.reconcile()).status is ReconciliationStatus.CLEAN


async def test_sol_that_nothing_explains_stops_all_entries(practice: Practice) -> None:
    account = practice.world.chain.account(WALLET)
    assert account is not None
    practice.world.chain.set_account(replace(account, lamports=account.lamports + 5))
    assert dict((await practice.reconcile()).differences) == {SOL_ASSET: 5}
    other = practice.world.another_pool()
    denied = await practice.venue.execute(practice.world.buy(SOL // 10, pool=other))
    assert isinstance(denied, Denied) and denied.rule == "books differ"


async def test_ignored_tokens_are_booked_and_alarm_nobody(practice: Practice) -> None:
    other = practice.world.another_pool()
    mint = str(other.pool.base_mint)
    practice.books.run.owned.ignore(mint, 1, "spam")
    fund_tokens(practice.world.chain, WALLET, other.pool.base_mint, other.base_token_program, 77)
    result = await practice.reconcile()
    assert (result.status, dict(result.differences)) == (ReconciliationStatus.EXPLAINED, {})
    assert [event.kind for event in result.events] == [ForeignKind.UNEXPLAINED]
    assert practice.books.balance(mint) == 77
    assert practice.world.database.alerts.all() == ()
    await practice.agree()


class ForgetfulNode(LocalNode):
    """Lists transactions later than it shows their balances, or for ever not at all."""

    def __init__(self, *args: Any, looks: int) -> None:
        super().__init__(*args)
        self.looks = looks

    async def signatures_for(self, *args: Any, **named: Any) -> tuple[SignatureInfo, ...]:
        self.looks -= 1
        return () if self.looks >= 0 else await super().signatures_for(*args, **named)


async def test_a_list_that_lags_behind_the_balances_is_waited_for(practice: Practice) -> None:
    pay = transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=WALLET, lamports=3 * SOL))
    practice.send(ALICE, pay)
    practice.world.chain.advance(3)
    result = await practice.books.reconcile(ForgetfulNode(practice.world.chain, looks=4))
    assert (result.status, len(result.events)) == (ReconciliationStatus.EXPLAINED, 1)


async def test_a_history_that_was_cut_off_is_found_when_it_is_back(practice: Practice) -> None:
    pay = transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=WALLET, lamports=3 * SOL))
    practice.send(ALICE, pay)
    practice.world.chain.advance(3)
    result = await practice.books.reconcile(ForgetfulNode(practice.world.chain, looks=10**6))
    assert dict(result.differences) == {SOL_ASSET: 3 * SOL}
    event = await practice.found()
    assert event.kind is ForeignKind.DEPOSIT
    assert practice.books.obstacle(str(practice.mint)) == ""


class HolesNode(LocalNode):
    """Lists transactions that it does not have."""

    async def transaction(self, *_args: Any, **_named: Any) -> None:
        return None


async def test_a_history_with_a_hole_books_nothing(practice: Practice) -> None:
    practice.send(ALICE, transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=WALLET, lamports=SOL)))
    practice.world.chain.advance(3)
    before = list(practice.books.run.ledger())
    with pytest.raises(EndpointDown, match="does not have it") as failed:
        await practice.books.reconcile(HolesNode(practice.world.chain))
    assert isinstance(failed.value, ChainError) and failed.value.hint
    assert list(practice.books.run.ledger()) == before


async def test_a_crash_between_finding_and_booking_leaves_nothing_half(practice: Practice) -> None:
    practice.send(ALICE, transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=WALLET, lamports=SOL)))
    practice.send(OWN, practice.burn(5))
    practice.world.chain.advance(3)
    books, real = practice.books, practice.books.run.save_position

    def dying(*_args: Any) -> None:
        raise KeyboardInterrupt

    books.run.save_position = dying  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        await books.reconcile(practice.world.node)
    books.run.save_position = real  # type: ignore[method-assign]
    assert [entry for entry in books.run.ledger() if entry.note] == []
    result = await practice.reconcile()
    assert [event.kind for event in result.events] == [ForeignKind.DEPOSIT, ForeignKind.BURN]
    await practice.agree()
