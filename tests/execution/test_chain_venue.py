"""The chain venue on the real program: exact fills and books, refusals that cost nothing, restarts that lose none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.amm import FeeSchedule, PoolState, buy_exact_quote, sell_exact_base
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata, user_volume_accumulator
from pumpswap.chain.balances import wallet_holdings
from pumpswap.chain.dont_front import DONT_FRONT
from pumpswap.chain.generation import GenerationProbe, Generations
from pumpswap.chain.node import ChainAccount
from pumpswap.chain.schedule import ScheduleCache
from pumpswap.errors import StorageError
from pumpswap.execution.compare import balances_of
from pumpswap.execution.live_books import LiveBooks
from pumpswap.execution.pool_source import ChainPools
from pumpswap.execution.sandwich import find_sandwich
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.pools import PoolSpec, fund_tokens, schedule_of
from pumpswap.model import (
    Denied,
    EntryKind,
    Filled,
    ForeignKind,
    Order,
    ReconciliationStatus,
    Rejected,
    SpendPlan,
    TradeSide,
    Unknown,
)
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner
from tests.execution.live_world import LIMITS, SEED, SOL, WALLET, World
from tests.localnet.practice import ALICE, swap
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def books_of(venue: Any) -> LiveBooks:
    books: LiveBooks = venue.parts.books
    return books


async def agree(world: World, venue: Any) -> None:
    """Ledger, stored ledger and chain say the same of every asset."""
    await books_of(venue).check(world.node)
    stored = {asset: units for asset, units in books_of(venue).run.balances().items() if units}
    assert stored == books_of(venue).portfolio.ledger.balances()


@pytest.mark.asyncio
async def test_a_buy_and_a_sale_fill_at_the_exact_quote_of_the_state_they_landed_on(world: World) -> None:
    venue = await world.open()
    schedule, before = schedule_of(world.chain), world.now()
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled), bought
    assert bought.executed == buy_exact_quote(before, schedule, SOL)
    assert world.now().base_reserve == before.base_reserve - bought.executed.base_out
    rents = world.chain.rent(165) * 2 + world.chain.rent(137)  # wrapped SOL, base, accumulator: the first of each
    assert bought.costs.rent_paid >= rents
    assert bought.costs.network_fee == 5_000
    await agree(world, venue)
    before = world.now()
    sold = await venue.execute(world.sell(bought.executed.base_out))
    assert isinstance(sold, Filled), sold
    assert sold.executed == sell_exact_base(before, schedule, bought.executed.base_out)
    assert sold.costs.rent_returned == world.chain.rent(165)
    assert world.chain.account(ata(WALLET, Pubkey.from_string(str(before.pool.base_mint)), TOKEN_PROGRAM)) is None
    await agree(world, venue)
    assert books_of(venue).portfolio.positions.open_positions() == []


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["graduate", "cashback", "mayhem", "permissionless"])
@pytest.mark.parametrize("program", [TOKEN_PROGRAM, TOKEN_2022_PROGRAM], ids=["spl", "token-2022"])
async def test_p12_every_kind_of_pool_can_be_left_again(tmp_path: Path, kind: str, program: Pubkey) -> None:
    world = World(tmp_path, spec=PoolSpec(kind=kind, base_program=program))
    venue = await world.open()
    bought = await venue.execute(world.buy(SOL // 2))
    assert isinstance(bought, Filled), bought
    sold = await venue.execute(world.sell(bought.executed.base_out))  # type: ignore[union-attr]
    assert isinstance(sold, Filled), sold
    assert sold.costs.rent_returned > 0
    await agree(world, venue)
    world.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("length", [211, 244, 300])
async def test_a_short_pool_account_is_extended_and_its_growth_is_rent(tmp_path: Path, length: int) -> None:
    kind = "graduate" if length > 211 else "permissionless"
    world = World(tmp_path, spec=PoolSpec(kind=kind, account_len=length))
    venue = await world.open()
    bought = await venue.execute(world.buy(SOL // 2))
    assert isinstance(bought, Filled), bought
    await agree(world, venue)
    assert [one for one in books_of(venue).portfolio.ledger.entries if one.kind is EntryKind.FOREIGN] == []
    world.close()


@pytest.mark.asyncio
async def test_wrapped_sol_is_topped_up_by_the_shortfall_only_and_never_closed(world: World) -> None:
    venue = await world.open()
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled)
    sold = await venue.execute(world.sell(bought.executed.base_out))  # type: ignore[union-attr]
    assert isinstance(sold, Filled)
    wrapped = (await wallet_holdings(world.node, WALLET)).wrapped_lamports
    assert wrapped >= sold.executed.user_quote_out  # type: ignore[union-attr]
    native = (await wallet_holdings(world.node, WALLET)).native_lamports
    again = await venue.execute(world.buy(SOL))
    assert isinstance(again, Filled)
    after = await wallet_holdings(world.node, WALLET)
    # Native SOL gave the shortfall, the fees and the rent of the base account; the rest was wrapped already.
    assert native - after.native_lamports == SOL - wrapped + again.costs.spent + again.costs.rent_paid
    assert world.chain.account(ata(WALLET, WSOL_MINT, TOKEN_PROGRAM)) is not None


@pytest.mark.asyncio
async def test_the_generation_is_found_by_simulation_and_costs_nothing(world: World) -> None:
    venue = await world.open()
    known = await venue.parts.generations.generations()
    assert known.known == {1}  # the recorded program is older than v2
    filled = await venue.execute(world.buy(SOL // 10))
    assert isinstance(filled, Filled)
    assert len([one for one in world.chain.history(WALLET) if one.err is not None]) == 0


@pytest.mark.asyncio
async def test_a_limit_that_is_exceeded_is_denied_before_anything_is_paid(world: World) -> None:
    venue = await world.open()
    quote = buy_exact_quote(world.now(), schedule_of(world.chain), SOL)
    denied = await venue.execute(world.buy(SOL, limit=quote.base_out + 1))
    assert isinstance(denied, Denied)
    assert denied.rule == "limit"
    assert balances_of(await wallet_holdings(world.node, WALLET)) == {"SOL": 10 * SOL}
    await agree(world, venue)


@pytest.mark.asyncio
async def test_p01_a_transaction_that_fails_on_chain_is_rejected_with_the_programs_code_and_its_fees(
    world: World,
) -> None:
    venue = await world.open()
    order = world.buy(SOL)
    # Between simulation and landing somebody else buys: written as fewer base units in the pool's vault.
    submit = world.chain.submit

    def after_another_trader(raw: bytes) -> Any:
        pool = world.now()
        fund_tokens(
            world.chain, pool.address, pool.pool.base_mint, pool.base_token_program, pool.base_reserve * 9 // 10
        )
        return submit(raw)

    world.chain.submit = after_another_trader  # type: ignore[method-assign]
    rejected = await venue.execute(order)
    assert isinstance(rejected, Rejected), rejected
    assert (rejected.code, rejected.name) == (6040, "BuySlippageBelowMinBaseAmountOut")
    assert rejected.costs.network_fee == 5_000
    held = balances_of(await wallet_holdings(world.node, WALLET))
    assert held == {"SOL": 10 * SOL - rejected.costs.spent}
    await agree(world, venue)


@pytest.mark.asyncio
async def test_what_the_wallet_cannot_pay_is_denied(world: World) -> None:
    venue = await world.open()
    for order in (world.buy(10 * SOL), world.sell(10**9)):
        denied = await venue.execute(order)
        assert isinstance(denied, Denied), denied
        assert denied.rule == "insufficient funds"
    assert world.chain.history(WALLET) == ()


@pytest.mark.asyncio
async def test_the_impact_cap_holds_buys_back(world: World) -> None:
    venue = await world.open(
        settings=world.settings.model_copy(
            update={"risk": world.settings.risk.model_copy(update={"max_impact_bps": 50})}
        )
    )
    denied = await venue.execute(world.buy(SOL))
    assert isinstance(denied, Denied)
    assert denied.rule == "impact"


@pytest.mark.asyncio
async def test_books_of_another_network_are_never_traded_on(world: World) -> None:
    venue = await world.open(network="another genesis hash")
    denied = await venue.execute(world.buy(SOL))
    assert isinstance(denied, Denied)
    assert denied.rule == "wrong network"


@pytest.mark.asyncio
async def test_a_mint_with_a_transfer_fee_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, spec=PoolSpec(base_program=TOKEN_2022_PROGRAM))
    mint = world.chain.account(world.pool.pool.base_mint)
    assert mint is not None
    taxed = (
        mint.data[:82].ljust(165, b"\0")
        + b"\x01"
        + (1).to_bytes(2, "little")
        + (108).to_bytes(2, "little")
        + bytes(108)
    )
    world.chain.set_account(ChainAccount(mint.address, mint.owner, world.chain.rent(len(taxed)), taxed))
    world.chain.advance(2)
    venue = await world.open()
    denied = await venue.execute(world.buy(SOL))
    assert isinstance(denied, Denied)
    assert denied.rule == "risky token"
    assert "transfer-fee" in denied.text
    world.close()


@pytest.mark.asyncio
async def test_p02_an_order_whose_fate_is_unknown_blocks_its_token_until_the_chain_tells(world: World) -> None:
    venue = await world.open()
    first = world.buy(SOL)
    # It lands, but the node shows nothing of it: neither landed nor absent can be proven.
    world.node.faults = FaultPlan([Fault(FaultKind.HIDE)])
    advance = world.chain.advance
    world.chain.advance = lambda slots=1: advance(60 * slots)  # type: ignore[method-assign]
    unknown = await venue.execute(first)
    assert isinstance(unknown, Unknown), unknown
    world.chain.advance = advance  # type: ignore[method-assign]
    blocked = await venue.execute(world.buy(SOL))
    assert isinstance(blocked, Denied)
    assert blocked.rule == "unresolved order"
    world.node.faults = FaultPlan()
    ((order, outcome),) = await venue.resolve_open()
    assert order == first
    assert isinstance(outcome, Filled)
    await agree(world, venue)
    assert isinstance(await venue.execute(world.buy(SOL)), Filled)


@pytest.mark.asyncio
async def test_a_known_fate_is_told_though_another_order_waits(world: World) -> None:
    other = world.another_pool()
    venue = await world.open()
    world.node.faults = FaultPlan([Fault(FaultKind.HIDE)])
    advance = world.chain.advance
    world.chain.advance = lambda slots=1: advance(60 * slots)  # type: ignore[method-assign]
    first = world.buy(SOL)
    assert isinstance(await venue.execute(first), Unknown)
    world.chain.advance = advance  # type: ignore[method-assign]
    world.node.faults = FaultPlan([Fault(FaultKind.DROP_BEFORE, times=5_000)])  # the second never arrives
    second = world.buy(SOL, pool=other)
    running = asyncio.create_task(venue.execute(second))
    while not books_of(venue).run.attempts.of_order(second.order_id):
        await asyncio.sleep(0)
    fate = await venue.resolve(first)
    assert isinstance(fate.outcome, Filled)
    (waiting,) = books_of(venue).run.attempts.of_order(second.order_id)
    assert waiting.state.is_open
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.asyncio
async def test_each_of_several_orders_is_booked_as_soon_as_it_is_known(world: World) -> None:
    venue = await world.open()
    world.node.faults = FaultPlan([Fault(FaultKind.HIDE)])
    advance = world.chain.advance
    world.chain.advance = lambda slots=1: advance(60 * slots)  # type: ignore[method-assign]
    first, second = world.buy(SOL), world.buy(SOL, pool=world.another_pool())
    for order in (first, second):
        assert isinstance(await venue.execute(order), Unknown)
    world.chain.advance = advance  # type: ignore[method-assign]
    again = await world.open()
    before_ns = world.clock.now_ns()
    left = await again.resolve_open(is_patient=False)
    assert [type(outcome) for _, outcome in left] == [Unknown, Unknown]
    assert world.clock.now_ns() == before_ns  # one look
    world.node.faults = FaultPlan()
    world.chain.advance(10)
    found = await again.resolve_open()
    assert [(order, type(outcome)) for order, outcome in found] == [(first, Filled), (second, Filled)]
    await agree(world, again)


@pytest.mark.asyncio
async def test_an_order_that_blocks_its_token_is_looked_at_again_before_the_next(world: World) -> None:
    """A process that runs for weeks must not be unable to sell until it is started again."""
    venue = await world.open()
    world.node.faults = FaultPlan([Fault(FaultKind.HIDE)])
    advance = world.chain.advance
    world.chain.advance = lambda slots=1: advance(60 * slots)  # type: ignore[method-assign]
    assert isinstance(await venue.execute(world.buy(SOL)), Unknown)
    world.chain.advance = advance  # type: ignore[method-assign]
    world.node.faults = FaultPlan()
    world.chain.advance(10)
    assert isinstance(await venue.execute(world.buy(SOL)), Filled)
    (position,) = books_of(venue).portfolio.positions.open_positions()
    assert position.buys == 2
    await agree(world, venue)


@pytest.mark.asyncio
async def test_p23_p24_a_restart_finds_what_landed_and_books_it_once(world: World) -> None:
    venue = await world.open()
    order = world.buy(SOL)

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    books_of(venue).settle = die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await venue.execute(order)
    again = await world.open()
    ((found, outcome),) = await again.resolve_open()
    assert found == order
    assert isinstance(outcome, Filled)
    await agree(world, again)
    third = await world.open()
    assert await third.resolve_open() == []
    assert list(books_of(third).run.outcomes()) == [outcome]
    assert books_of(third).portfolio.positions.open_positions()[0].base_units == outcome.executed.base_out  # type: ignore[union-attr]
    assert (await books_of(third).reconcile(world.node)).status is ReconciliationStatus.CLEAN


@pytest.mark.asyncio
async def test_an_order_is_executed_once(world: World) -> None:
    venue = await world.open()
    order = world.buy(SOL // 10)
    assert isinstance(await venue.execute(order), Filled)
    with pytest.raises(StorageError):
        await venue.execute(order)
    await agree(world, venue)


@pytest.mark.asyncio
async def test_concurrent_orders_on_two_tokens_share_the_wallet_without_counting_anything_twice(world: World) -> None:
    other = world.another_pool()
    venue = await world.open()
    outcomes = await asyncio.gather(
        venue.execute(world.buy(SOL)), venue.execute(world.buy(2 * SOL, pool=other)), venue.execute(world.buy(SOL))
    )
    assert [type(outcome) for outcome in outcomes] == [Filled, Filled, Filled], outcomes
    await agree(world, venue)
    # Together they want more than there is: at least one is refused, none fails on chain.
    outcomes = await asyncio.gather(venue.execute(world.buy(4 * SOL)), venue.execute(world.buy(4 * SOL, pool=other)))
    assert {type(outcome) for outcome in outcomes} == {Filled, Denied}, outcomes
    assert [one for one in world.chain.history(WALLET) if one.err is not None] == []
    await agree(world, venue)
    assert len(venue._locks) == 0  # of tokens that nobody trades any more nothing is remembered


@pytest.mark.asyncio
async def test_p11_the_marker_is_read_only_on_the_swap_and_the_program_tolerates_it(world: World) -> None:
    sending = world.settings.sending.model_copy(update={"dont_front": True})
    venue = await world.open(settings=world.settings.model_copy(update={"sending": sending}))
    filled = await venue.execute(world.buy(SOL // 10))
    assert isinstance(filled, Filled), filled
    landed = world.chain.transaction(filled.signature)
    assert landed is not None
    message = VersionedTransaction.from_bytes(landed.raw).message
    place = list(message.account_keys).index(DONT_FRONT)
    assert not message.is_maybe_writable(place)


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
async def test_the_accumulator_and_other_deposits_are_paid_once(world: World) -> None:
    venue = await world.open()
    first = await venue.execute(world.buy(SOL // 10))
    second = await venue.execute(world.buy(SOL // 10))
    assert isinstance(first, Filled) and isinstance(second, Filled)
    assert world.chain.account(user_volume_accumulator(WALLET)) is not None
    assert second.costs.rent_paid == 0


@pytest.mark.asyncio
async def test_the_wallets_limits_of_a_day_and_its_reserve_hold_back_buys_and_never_sales(world: World) -> None:
    venue = await world.open(limits=WalletLimits(2 * SOL, 2 * SOL, 0))
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled)
    spent = books_of(venue).spent_since(0)
    assert spent == bought.executed.total_quote + bought.costs.spent  # type: ignore[union-attr]
    over = await venue.execute(world.buy(2 * SOL - spent))
    assert isinstance(over, Denied)
    assert over.rule == "day limit"
    venue = await world.open(limits=WalletLimits(9 * SOL, 90 * SOL, 8 * SOL))
    under = await venue.execute(world.buy(SOL))
    assert isinstance(under, Denied)
    assert under.rule == "wallet reserve"
    assert isinstance(await venue.execute(world.sell(bought.executed.base_out)), Filled)  # type: ignore[union-attr]
    await agree(world, venue)


@pytest.mark.asyncio
async def test_p08_each_attempt_pays_a_step_more_and_only_after_the_one_before_has_expired(world: World) -> None:
    venue = await world.open()
    world.node.faults = FaultPlan([Fault(FaultKind.DROP_BEFORE, times=200)])
    advance = world.chain.advance
    world.chain.advance = lambda slots=1: advance(40 * slots)  # type: ignore[method-assign]
    denied = await venue.execute(world.buy(SOL))
    assert isinstance(denied, Denied), denied
    assert denied.rule == "expired"
    attempts = books_of(venue).run.attempts.of_order(denied.order_id)
    assert [one.compute_unit_price_micro_lamports for one in attempts] == [10_000, 15_000, 22_500]
    assert balances_of(await wallet_holdings(world.node, WALLET)) == {"SOL": 10 * SOL}
    world.chain.advance = advance  # type: ignore[method-assign]
    world.node.faults = FaultPlan()
    assert isinstance(await venue.execute(world.buy(SOL)), Filled)


@pytest.mark.asyncio
async def test_a_buy_that_has_expired_is_not_signed_again_once_entries_have_stopped(world: World) -> None:
    venue, asked = await world.open(), []
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled)

    def held_back(order: Order) -> str:
        asked.append(order.side)
        return "" if len(asked) == 1 or order.side is TradeSide.SELL else "trading is exits-only: paused by me"

    venue.parts = replace(venue.parts, held_back=held_back)
    world.node.faults = FaultPlan([Fault(FaultKind.DROP_BEFORE, times=200)])
    advance = world.chain.advance
    world.chain.advance = lambda slots=1: advance(40 * slots)  # type: ignore[method-assign]
    denied = await venue.execute(world.buy(SOL))
    assert isinstance(denied, Denied), denied
    assert (denied.rule, denied.text) == ("trading state", "trading is exits-only: paused by me")
    assert len(books_of(venue).run.attempts.of_order(denied.order_id)) == 1
    world.chain.advance = advance  # type: ignore[method-assign]
    world.node.faults = FaultPlan()
    first = await venue.execute(world.buy(SOL))
    assert isinstance(first, Denied) and first.rule == "trading state", "nor for the first time"
    assert isinstance(await venue.execute(world.sell(bought.executed.base_out)), Filled)  # type: ignore[union-attr]
    assert asked == [TradeSide.BUY] * 3 + [TradeSide.SELL], "a sale asks too: only a halt holds it back"
    await agree(world, venue)


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


@pytest.mark.asyncio
async def test_a_halt_holds_back_the_next_signature_of_a_sale(world: World) -> None:
    venue = await world.open()
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled)
    asked: list[Order] = []

    def held_back(order: Order) -> str:
        asked.append(order)
        return "" if len(asked) == 1 else "trading is halted: halted by me"

    venue.parts = replace(venue.parts, held_back=held_back)
    world.node.faults = FaultPlan([Fault(FaultKind.DROP_BEFORE, times=200)])
    advance = world.chain.advance
    world.chain.advance = lambda slots=1: advance(40 * slots)  # type: ignore[method-assign]
    order = world.sell(bought.executed.base_out)  # type: ignore[union-attr]
    denied = await venue.execute(order)
    assert isinstance(denied, Denied), denied
    assert (denied.rule, denied.text) == ("trading state", "trading is halted: halted by me")
    assert len(books_of(venue).run.attempts.of_order(order.order_id)) == 1
    world.chain.advance = advance  # type: ignore[method-assign]
    world.node.faults = FaultPlan()
    venue.parts = replace(venue.parts, held_back=lambda _: "")
    assert isinstance(await venue.execute(world.sell(order.base_units)), Filled), "it goes on afterwards"
    await agree(world, venue)


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


@pytest.mark.asyncio
async def test_rent_is_what_the_network_asks_and_never_a_constant(world: World) -> None:
    world.chain.set_lamports_per_byte(5_080)
    world.chain.advance(2)
    venue = await world.open()
    bought = await venue.execute(world.buy(SOL))
    assert isinstance(bought, Filled), bought
    sold = await venue.execute(world.sell(bought.executed.base_out))  # type: ignore[union-attr]
    assert isinstance(sold, Filled), sold
    assert sold.costs.rent_returned == world.chain.rent(165) == (165 + 128) * 5_080
    await agree(world, venue)
