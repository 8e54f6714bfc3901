"""The chain venue on the real program: exact fills and books, and refusals that cost nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.amm import buy_exact_quote, sell_exact_base
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata, user_volume_accumulator
from pumpswap.chain.balances import wallet_holdings
from pumpswap.chain.dont_front import DONT_FRONT
from pumpswap.chain.node import ChainAccount
from pumpswap.execution.compare import balances_of
from pumpswap.localnet.pools import PoolSpec, fund_tokens, schedule_of
from pumpswap.model import Denied, EntryKind, Filled, Rejected
from pumpswap.wallet.limits import WalletLimits
from tests.execution.live_world import SOL, WALLET, World, agree, books_of
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


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
