"""The path of a live order under conditions that its own tests do not have. Every test states a rule that must hold."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_PROGRAM, ata
from pumpswap.chain.blockhash import BlockhashCache
from pumpswap.chain.endpoints import EndpointPool
from pumpswap.chain.lanes import RpcLane
from pumpswap.chain.node import (
    AccountsAt,
    BlockhashAt,
    ChainAccount,
    Commitment,
    ConfirmedTransaction,
    SignatureStatus,
    StatusesAt,
)
from pumpswap.chain.order_state import Landed
from pumpswap.chain.sender import Sender, SenderParts
from pumpswap.errors import LedgerMismatch, PumpSwapError, StorageError, TimedOut, WrongNetwork
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.model import Denied, Filled, Order, Unknown
from pumpswap.wallet.limits import WalletLimits
from tests.chain import sender_world
from tests.execution.live_world import SOL, SYSTEM, WALLET, World, unknown_order
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


# ------------------------------------------------------------------------------------------ booking


@pytest.mark.asyncio
async def test_resolving_an_order_again_books_its_trade_once(world: World) -> None:
    venue: Any = await world.open()
    order = world.buy(SOL)
    await unknown_order(world, venue, order)
    world.node.faults = FaultPlan()
    first = (await venue.resolve(order)).outcome
    assert isinstance(first, Filled)
    assert (await venue.resolve(order)).outcome == first
    await venue.parts.books.check(world.node)
    assert venue.parts.books.portfolio.positions.open_positions()[0].base_units == first.executed.base_out  # type: ignore[union-attr]


@pytest.mark.asyncio
async def test_a_trade_whose_booking_failed_once_is_booked_exactly_once_afterwards(world: World) -> None:
    venue: Any = await world.open()
    order, run = world.buy(SOL), venue.parts.books.run
    real = run.append_entries
    failed: list[bool] = []

    def busy(entries: Any) -> None:
        if not failed:
            failed.append(True)
            raise StorageError("the ledger entries failed: database is locked", hint="wait")
        real(entries)

    run.append_entries = busy
    with pytest.raises(StorageError):
        await venue.execute(order)
    assert isinstance((await venue.resolve(order)).outcome, Filled)
    await venue.parts.books.check(world.node)
    assert run.balances() == venue.parts.books.portfolio.ledger.balances()


@pytest.mark.asyncio
async def test_an_order_that_cannot_be_read_does_not_stop_the_others_from_being_resolved(world: World) -> None:
    other = world.another_pool()
    venue: Any = await world.open()
    first, second = world.buy(SOL // 10), world.buy(SOL // 10, pool=other)
    await unknown_order(world, venue, first)
    await unknown_order(world, venue, second)
    world.node.faults = FaultPlan()
    real = venue._interpret

    def drifting(order: Order, *rest: Any) -> Any:
        if order == first:
            raise LedgerMismatch("cannot be read", hint="look")
        return real(order, *rest)

    venue._interpret = drifting
    with pytest.raises(PumpSwapError):
        await venue.resolve_open()
    assert [order.order_id for order in venue.parts.books.unresolved()] == [first.order_id]


# ------------------------------------------------------------------------------------------ limits


@pytest.mark.asyncio
async def test_the_limit_of_a_day_counts_orders_that_an_earlier_process_left_unknown(world: World) -> None:
    other = world.another_pool()
    limits = WalletLimits(max_order_lamports=3 * SOL, max_day_lamports=3 * SOL, min_reserve_lamports=0)
    venue: Any = await world.open(limits=limits)
    await unknown_order(world, venue, world.buy(2 * SOL))
    again = await world.open(limits=limits)
    with world.hurried(60):
        ((_, still),) = await again.resolve_open()
    assert isinstance(still, Unknown)
    world.node.faults = FaultPlan()
    second = await again.execute(world.buy(2 * SOL, pool=other))
    assert isinstance(second, Denied), second


class Gate:
    """A lane that takes its time: until then its order is on the way."""

    name, min_tip_lamports = "gate", 0

    def __init__(self) -> None:
        self.entered, self.opened = asyncio.Event(), asyncio.Event()

    def tip_account(self, rng: Any) -> Pubkey | None:
        return None

    async def send(self, raw: bytes) -> None:
        self.entered.set()
        await asyncio.wait_for(self.opened.wait(), 120)


class WaitingNode(LocalNode):
    """Asked what a pool's trades pay, it says so once it may."""

    waits_for: Pubkey | None = None

    def __init__(self, chain: LocalChain) -> None:
        super().__init__(chain)
        self.is_asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def priority_fees(self, accounts: Sequence[Pubkey]) -> list[tuple[int, int]]:
        if self.waits_for in accounts:
            self.is_asked.set()
            await asyncio.wait_for(self.may_answer.wait(), 120)
        return await super().priority_fees(accounts)


@pytest.mark.asyncio
async def test_the_reserve_holds_when_another_order_is_booked_while_one_is_being_built(world: World) -> None:
    other, reserve = world.another_pool(), 5 * SOL
    limits = WalletLimits(max_order_lamports=4 * SOL, max_day_lamports=100 * SOL, min_reserve_lamports=reserve)
    gate, node = Gate(), WaitingNode(world.chain)
    world.lanes, world.node, node.waits_for = [gate], node, other.address
    venue: Any = await world.open(limits=limits)
    first, second = world.buy(3 * SOL), world.buy(3 * SOL, pool=other)

    async def one() -> Any:
        outcome = await venue.execute(first)
        node.may_answer.set()
        return outcome

    async def land() -> None:
        await asyncio.wait_for(node.is_asked.wait(), 120)
        gate.opened.set()  # the second has seen the wallet; now the first lands and is booked

    async def two() -> Any:
        await gate.entered.wait()
        return await venue.execute(second)

    outcomes = await asyncio.gather(one(), two(), land())
    assert isinstance(outcomes[0], Filled), outcomes
    account = world.chain.account(WALLET)
    assert account is not None
    assert account.lamports >= reserve, (account.lamports, type(outcomes[1]))


# ------------------------------------------------------------------------------------------ errors on the way


@pytest.mark.asyncio
async def test_too_little_money_is_a_denial_also_while_another_token_is_unresolved(world: World) -> None:
    other = world.another_pool()
    venue: Any = await world.open()
    await unknown_order(world, venue, world.buy(SOL))
    world.node.faults = FaultPlan()
    # Somebody sends more SOL, so that the wallet has enough and the books do not.
    account = world.chain.account(WALLET)
    assert account is not None
    world.chain.set_account(ChainAccount(WALLET, SYSTEM, account.lamports + 20 * SOL, b""))
    world.chain.advance(3)
    outcome = await venue.execute(world.buy(15 * SOL, pool=other))
    assert isinstance(outcome, Denied), outcome


@pytest.mark.asyncio
async def test_a_signer_that_does_not_answer_ends_the_order_as_denied(world: World) -> None:
    class Silent:
        public_key = WALLET

        async def sign(self, message: Any, plan: Any) -> Any:
            raise TimedOut("the remote signer did not answer", hint="nothing was sent")

    venue: Any = await world.open(signer=Silent())
    outcome = await venue.execute(world.buy(SOL))
    assert isinstance(outcome, Denied), outcome
    again = await venue.execute(world.buy(SOL))  # nothing of it can be out: the token is free
    assert isinstance(again, Denied), again
    assert again.rule == outcome.rule


@pytest.mark.asyncio
async def test_lamports_sent_to_the_address_of_a_token_account_do_not_stop_trading(world: World) -> None:
    address = ata(WALLET, world.now().pool.base_mint, TOKEN_PROGRAM)
    world.chain.set_account(ChainAccount(address, SYSTEM, 890_880, b""))
    world.chain.advance(3)
    venue: Any = await world.open()
    outcome = await venue.execute(world.buy(SOL))
    assert isinstance(outcome, Filled), outcome
    await venue.parts.books.check(world.node)


# ------------------------------------------------------------------------------------------ endpoints


class Forger(LocalNode):
    """An endpoint that knows the bytes it was sent and says that they have failed."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.forged: ConfirmedTransaction | None = None

    async def statuses(self, signatures: Sequence[str], *, search_history: bool = False) -> StatusesAt:
        told = await super().statuses(signatures, search_history=search_history)
        claim = SignatureStatus(self.chain.slot, {"InstructionError": [0, {"Custom": 1}]}, Commitment.FINALIZED)
        return StatusesAt(told.slot, (claim,) * len(signatures))

    async def transaction(
        self, signature: str, commitment: Commitment = Commitment.CONFIRMED
    ) -> ConfirmedTransaction | None:
        real = self.chain.transaction(signature)
        return None if real is None else replace(real, err={"InstructionError": [0, {"Custom": 1}]})


def test_one_endpoint_of_three_cannot_say_that_a_trade_failed() -> None:
    chain = sender_world.new_chain()
    world = sender_world.World(chain, 11)
    world.pool.nodes = [Forger(chain, name="ash"), *world.pool.nodes[1:]]
    order = world.new_order()

    async def story() -> None:
        await world.start(order)
        for _ in range(20):
            chain.advance(2)
            if world.is_settled(order):
                break
            await world.advance(order)  # raises Wrong for what is not true

    asyncio.run(story())
    assert isinstance(order.said[-1], Landed)


class Foreign:
    """A node that serves another chain, found out when it is asked for the first time."""

    name = "foreign"

    def __getattr__(self, method: str) -> Any:
        async def wrong(*_: Any, **__: Any) -> Any:
            raise WrongNetwork("foreign serves another chain", hint="check its URL")

        return wrong


def test_an_endpoint_of_another_chain_does_not_throw_an_order_out_of_the_sender() -> None:
    chain = sender_world.new_chain()
    world = sender_world.World(chain, 12)
    foreign: Any = Foreign()
    foreign.is_down = False
    honest = list(world.pool.nodes)
    pool = sender_world.Pool([*honest[:2], foreign])
    parts = SenderParts(
        pool,
        (RpcLane(pool),),
        world.store,
        sender_world.KeySigner(world.key),
        BlockhashCache(pool, world.clock),  # type: ignore[arg-type]
        world.clock,
        world.settings,
    )
    sender, order = Sender(parts), world.new_order()

    async def story() -> Any:
        state = await sender.start(world.job(order))
        chain.advance(5)
        return await sender.advance(order.order_id) if not isinstance(state, Landed) else state

    assert isinstance(asyncio.run(story()), Landed)


class Boaster(LocalNode):
    """Tells once an account slot of the far future."""

    has_boasted = False

    async def accounts(self, addresses: Sequence[Pubkey], **named: Any) -> AccountsAt:
        answer = await super().accounts(addresses, **named)
        if self.has_boasted:
            return answer
        self.has_boasted = True
        return AccountsAt(answer.slot + 10**9, answer.accounts)


@pytest.mark.asyncio
async def test_one_slot_of_the_far_future_does_not_stop_all_reads_for_ever(world: World) -> None:
    async def sleep(_seconds: float) -> None:
        world.chain.advance(1)

    nodes = [Boaster(world.chain, name="one"), LocalNode(world.chain, name="two"), LocalNode(world.chain, name="three")]
    pool = EndpointPool(nodes, world.clock, sleep=sleep)
    for node in pool.nodes[1:]:
        await node.height()
    for _ in range(3):
        try:
            await pool.accounts([WALLET])
        except PumpSwapError:
            world.chain.advance(50)
    world.chain.advance(500)
    assert (await pool.accounts([WALLET])).slot <= world.chain.slot


class Hasty(LocalNode):
    """Says of a fresh block-hash that it is about to expire."""

    async def latest_blockhash(self, commitment: Commitment = Commitment.CONFIRMED) -> BlockhashAt:
        told = await super().latest_blockhash(commitment)
        height = (await self.height(commitment)).block_height
        return replace(told, last_valid_block_height=height + 1)


def test_skipped_slots_do_not_make_an_expiry_height_that_was_told_too_low_true() -> None:
    chain = sender_world.new_chain()
    world = sender_world.World(chain, 13)
    world.pool.nodes = [Hasty(chain, name="ash"), *world.pool.nodes[1:]]
    for node in world.pool.nodes:
        node.faults.add(Fault(FaultKind.DELAY, last_slot=chain.slot + 1, amount=100))
    order = world.new_order()

    async def story() -> None:
        await world.start(order)
        chain.advance(20)
        chain.skip(200)
        for _ in range(12):
            chain.advance(10)
            if not world.is_settled(order):
                await world.advance(order)  # raises Wrong when two of its transactions are on the chain
            world.check()

    asyncio.run(story())
    assert world.executions(order) == 1
