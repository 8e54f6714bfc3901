"""What the chain venue makes of what others do: sandwiches, foreign movements, dust, upgrades of the program."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.amm import FeeSchedule, PoolState, buy_exact_quote, sell_exact_base
from pumpswap.chain.generation import GenerationProbe, Generations
from pumpswap.chain.node import ChainAccount
from pumpswap.chain.schedule import ScheduleCache
from pumpswap.execution.pool_source import ChainPools
from pumpswap.execution.sandwich import find_sandwich
from pumpswap.localnet.pools import fund_tokens, schedule_of
from pumpswap.model import Denied, Filled, ForeignKind, Rejected, SpendPlan
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner
from tests.execution.live_world import LIMITS, SEED, SOL, WALLET, World, agree, books_of
from tests.localnet.practice import ALICE, swap
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


@pytest.mark.asyncio
async def test_p11_a_sandwich_around_our_trade_is_found_in_the_history_of_its_slot(world: World) -> None:
    venue = await world.open()
    calm = await venue.execute(world.buy(SOL // 10))
    assert isinstance(calm, Filled)
    assert await find_sandwich(world.node, str(world.pool.address), calm.signature, calm.slot) is None
    world.chain.set_account(ChainAccount(ALICE.pubkey(), Pubkey.default(), 100 * SOL, b""))
    world.chain.advance(2)
    order, submit, schedule = world.buy(SOL), world.chain.submit, schedule_of(world.chain)

    def sandwiched(raw: bytes) -> Any:
        bread = buy_exact_quote(world.now(), schedule, SOL // 2)
        assert submit(swap(world.chain, ALICE, world.pool, bread, 1)).err is None
        receipt = submit(raw)
        back = sell_exact_base(world.now(), schedule, bread.base_out)
        assert submit(swap(world.chain, ALICE, world.pool, back, 1)).err is None
        return receipt

    world.chain.submit = sandwiched  # type: ignore[method-assign]
    filled = await venue.execute(order)
    assert isinstance(filled, Filled), filled
    found = await find_sandwich(world.node, str(world.pool.address), filled.signature, filled.slot)
    assert found is not None
    assert found.trader == str(ALICE.pubkey())
    assert (len(found.front_signatures), len(found.back_signatures)) == (1, 1)
    await agree(world, venue)


@pytest.mark.asyncio
async def test_p29_what_somebody_else_has_moved_becomes_foreign_entries_and_cuts_the_position(world: World) -> None:
    venue = await world.open()
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled)
    pool, units = world.now(), bought.executed.base_out  # type: ignore[union-attr]
    fund_tokens(world.chain, WALLET, pool.pool.base_mint, pool.base_token_program, units // 4)
    world.chain.airdrop(WALLET, SOL)
    world.chain.advance(2)
    again = await world.open()
    assert await again.resolve_open() == []
    books, mint = books_of(again), str(pool.pool.base_mint)
    found = await books.reconcile(world.node)
    # The airdrop is a transaction; the tokens were taken by magic, which no history tells.
    (event,) = found.events
    assert (event.kind, event.of("SOL")) == (ForeignKind.DEPOSIT, SOL)
    assert found.differences == {mint: units // 4 - units}
    denied = await again.execute(world.buy(SOL // 10))
    assert isinstance(denied, Denied) and denied.rule == "books differ"
    books.repair(found)
    (position,) = books_of(again).portfolio.positions.open_positions()
    assert position.base_units == units // 4
    await agree(world, again)
    sold = await again.execute(world.sell(units // 4))
    assert isinstance(sold, Filled)
    await agree(world, again)


@pytest.mark.asyncio
async def test_a_sale_of_more_than_the_wallet_has_compares_at_once_and_the_next_one_sells_what_is_left(
    world: World,
) -> None:
    venue = await world.open()
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled)
    pool, units, books = world.now(), bought.executed.base_out, books_of(venue)  # type: ignore[union-attr]
    fund_tokens(world.chain, WALLET, pool.pool.base_mint, pool.base_token_program, units // 2)
    world.chain.advance(2)
    denied = await venue.execute(world.sell(units))
    assert isinstance(denied, Denied), denied
    assert denied.rule == "insufficient funds"
    assert books.held(str(pool.address)) == units // 2, "no transaction explains it: the position keeps it, unsold"
    assert isinstance(await venue.execute(world.sell(units // 2)), Filled)
    (left,) = books.portfolio.positions.open_positions()
    assert (left.base_units, books.held(left.pool)) == (units - units // 2, 0)
    books.repair(await books.reconcile(world.node))
    assert books.portfolio.positions.open_positions() == []
    await agree(world, venue)


class Dusted:
    """Signs, and somebody sends one unit of the token just then."""

    def __init__(self, world: World) -> None:
        self._inner = LocalSigner(Secret(bytearray(SEED)), LIMITS)
        self._world = world
        self.held: int | None = None  # what the wallet has of the token: dust comes on top

    @property
    def public_key(self) -> Pubkey:
        return self._inner.public_key

    async def sign(self, message: MessageV0, plan: SpendPlan) -> VersionedTransaction:
        signed = await self._inner.sign(message, plan)
        if self.held is not None:
            pool = self._world.now()
            fund_tokens(self._world.chain, WALLET, pool.pool.base_mint, pool.base_token_program, self.held + 1)
            self.held = None
        return signed


@pytest.mark.asyncio
@pytest.mark.parametrize("is_urgent", [True, False])
async def test_dust_does_not_make_an_urgent_exit_fail_nor_a_retry(world: World, is_urgent: bool) -> None:
    signer = Dusted(world)
    venue = await world.open(signer=signer)
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled)
    signer.held = units = bought.executed.base_out  # type: ignore[union-attr]
    sold = await venue.execute(replace(world.sell(units), is_urgent=is_urgent))
    if not is_urgent:
        assert isinstance(sold, Rejected) and sold.name == "NonNativeHasBalance", sold
        # The wallet has one unit more now. Were that gone again, a close would be asked for: not in a retry.
        fund_tokens(world.chain, WALLET, world.now().pool.base_mint, world.now().base_token_program, units)
        world.chain.advance(2)
        signer.held = units
        sold = await venue.execute(world.sell(units))
    assert isinstance(sold, Filled), sold
    assert sold.costs.rent_returned == 0
    found = await books_of(venue).reconcile(world.node)
    assert found.differences == {str(world.pool.pool.base_mint): 1}, "the dust alone: the rent stays booked as paid"
    assert books_of(venue).portfolio.rent_lamports > 0


class StaleRecipients:
    """A schedule whose fee recipients are no longer those of the chain, until it is distrusted."""

    def __init__(self, world: World) -> None:
        self._chain_pools = ChainPools(world.node, ScheduleCache(world.node, world.clock, 300))
        self.reasons: list[str] = []

    async def state(self, pool: Pubkey) -> PoolState:
        return await self._chain_pools.state(pool)

    async def schedule(self) -> FeeSchedule:
        real = await self._chain_pools.schedule()
        if self.reasons:
            return real
        others = tuple(Pubkey.from_bytes(bytes([number + 1]) * 32) for number in range(8))
        config = msgspec.structs.replace(real.global_config, protocol_fee_recipients=others)
        return FeeSchedule(config, real.fee_config)

    def distrust(self, reason: str) -> None:
        self.reasons.append(reason)


@pytest.mark.asyncio
async def test_p13_recipients_that_have_changed_are_read_again_before_anything_is_paid(world: World) -> None:
    pools = StaleRecipients(world)
    venue = await world.open(pools=pools)
    filled = await venue.execute(world.buy(SOL))
    assert isinstance(filled, Filled), filled
    assert len(pools.reasons) == 1
    assert pools.reasons[0].startswith("6013")
    assert len(world.chain.history(WALLET)) == 1


@pytest.mark.asyncio
async def test_a_program_that_does_not_know_v2_after_all_is_traded_through_v1(world: World) -> None:
    probe = GenerationProbe(world.node, WALLET)
    probe._found = Generations("an upgrade that was rolled back", frozenset({1, 2}))
    venue = await world.open(generations=probe)
    filled = await venue.execute(world.buy(SOL))
    assert isinstance(filled, Filled), filled
    assert (await probe.generations()).known == {1}
    assert [one.err for one in world.chain.history(WALLET)] == [None]
