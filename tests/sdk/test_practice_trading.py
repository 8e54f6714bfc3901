"""PumpSwapSDK on a practice chain with the real program: names, both vocabularies, exact amounts, refusals, books."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.errors import ConfigError, KeyLocked, NotFound, StorageError, UsageError
from pumpswap.localnet.process import LocalnetOptions, RunningLocalnet, start_process
from pumpswap.model import ChoreResult, EntryKind, ForeignKind, PlanKind, ReconciliationStatus
from pumpswap.portfolio.audit import audit_run
from pumpswap.sdk import PumpSwapSDK, SyncPumpSwapSDK, Trader
from pumpswap.sdk.results import PoolData, TradeResult
from pumpswap.sdk.upkeep import ChoreWish
from pumpswap.settings import Settings, WalletSettings
from pumpswap.units import from_units
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner
from tests.clients.our_sdk import practice_signer, settings_for
from tests.crash.practice import rpc
from tests.sdk.result_keys import POOL_KEYS, TRADE_KEYS
from tests.sdk.world import trader_of
from tests.support.material import material, requires_material

pytestmark = requires_material("chain", "programs")

SOL = 10**9


@pytest.fixture(scope="module")
def localnet() -> Iterator[RunningLocalnet]:
    """Bots trade on the same pools: amounts are those of the moment of landing."""
    with start_process(LocalnetOptions(programs=material("chain"), slot_ms=40, test_methods=True)) as running:
        yield running


@pytest.fixture
def coins(localnet: RunningLocalnet) -> list[str]:
    """Four fresh coins: the kinds that are priced in SOL and canonical."""
    pools = rpc(localnet, "localnet_market", 6)
    return [pool["baseMint"] for pool in pools[:4]]


@pytest.fixture
def wallet(localnet: RunningLocalnet) -> Keypair:
    key = Keypair()
    rpc(localnet, "requestAirdrop", str(key.pubkey()), 20 * SOL)
    rpc(localnet, "localnet_advance", 2)
    return key


@pytest.fixture
def settings(localnet: RunningLocalnet, tmp_path: Path) -> Settings:
    return settings_for(localnet.http_url, localnet.ws_url, tmp_path)


def test_reading_knows_mint_and_pair_and_says_what_the_chain_cannot_tell(settings: Settings, coins: list[str]) -> None:
    async def story() -> None:
        async with PumpSwapSDK(settings) as sdk:
            pair = await sdk.get_pair_address(coins[0])
            assert pair is not None
            data = await sdk.get_pool_data(coins[0])
            assert POOL_KEYS <= set(data) == set(PoolData.__annotations__)
            assert (data["mint_address"], data["pair_address"], data["is_canonical"]) == (coins[0], pair, True)
            assert data["volume_24h"] is None
            assert data["reserve_in_usd"] is None
            assert set(data["unavailable"]) == {"volume_24h", "reserve_in_usd"}
            assert (data["base_decimals"], data["quote_decimals"]) == (6, 9)
            state = await sdk.get_pool_state(pair)
            exact = from_units(state.effective_quote_reserve, 9) / from_units(state.base_reserve, 6)
            assert data["liquidity"] == data["reserve_sol"] == float(from_units(state.real_quote_reserve, 9))
            assert await sdk.get_token_price(pair) == await sdk.get_token_price(coins[0]) == pytest.approx(float(exact))
            stranger = str(Keypair().pubkey())
            assert await sdk.get_pair_address(stranger) is None
            with pytest.raises(NotFound):
                await sdk.get_pool_data(stranger)
            with pytest.raises(UsageError):
                await sdk.get_pair_address("not a mint")

    asyncio.run(story())


def test_a_round_trip_has_both_vocabularies_exact_amounts_and_balanced_books(
    settings: Settings, coins: list[str], wallet: Keypair
) -> None:
    async def story() -> None:
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            bought = await sdk.buy(coins[0], "0.5", str(wallet.pubkey()))
            assert TRADE_KEYS <= set(bought) == set(TradeResult.__annotations__)
            assert bought["status"] == "filled", bought
            assert bought["success"] is True
            assert bought["transaction_hash"] == bought["tx_id"]
            assert bought["price"] == bought["actual_price"] == bought["price_per_token"]
            assert bought["tokens_received"] == bought["token_amount"]
            assert bought["quote_lamports"] == SOL // 2
            assert sdk.trader is not None
            some = from_units(int(bought["base_units"] or 0), 6) / 4
            part = await sdk.sell(coins[0], some.quantize(from_units(1, 6)))
            assert (part["status"], part["rent_returned_lamports"]) == ("filled", 0)
            rest = await sdk.sell(coins[0])
            assert rest["status"] == "filled"
            assert int(part["base_units"] or 0) + int(rest["base_units"] or 0) == bought["base_units"]
            assert rest["sol_received"] == rest["sol_amount"]
            assert (rest["rent_returned_lamports"] or 0) > 0
            await sdk.trader.books.check(sdk.trader.connection.node)
            with pytest.raises(NotFound, match="nothing of"):
                await sdk.sell(coins[0])

    asyncio.run(story())


def test_without_live_nothing_is_signed_and_the_result_says_what_would_happen(
    settings: Settings, coins: list[str], wallet: Keypair
) -> None:
    async def story() -> None:
        async with PumpSwapSDK(settings) as sdk:
            found = await sdk.buy(coins[0], 0.1, str(wallet.pubkey()))
            assert (found["status"], found["success"], found["tx_id"]) == ("simulated", False, None)
            assert found["quote_lamports"] == SOL // 10
            assert "the simulation succeeded" in found["message"]
            poor = await sdk.buy(coins[0], "0.1", str(Keypair().pubkey()))
            assert "holds no SOL" in poor["message"]
            big = await sdk.buy(coins[0], "100", str(wallet.pubkey()))
            assert "it would fail" in big["message"]
            nobody = await sdk.sell(coins[0], "1000")
            assert "no wallet is configured" in nobody["message"]
            with pytest.raises(UsageError, match="needs an amount"):
                await sdk.sell(coins[0])
        assert not (settings.data_dir / "pumpswap.sqlite").exists()

    asyncio.run(story())


@pytest.mark.parametrize("amount", ["0", "-1", "0.0000000001", "one", "1e400"])
def test_amounts_that_are_none_are_refused(settings: Settings, coins: list[str], amount: str) -> None:
    async def story() -> None:
        async with PumpSwapSDK(settings) as sdk:
            with pytest.raises(UsageError):
                await sdk.buy(coins[0], amount)

    asyncio.run(story())


def test_the_gate_and_the_wallets_limits_refuse_with_their_reasons(
    settings: Settings, coins: list[str], wallet: Keypair
) -> None:
    limits = WalletLimits(max_order_lamports=SOL // 2, max_day_lamports=SOL * 6 // 10, min_reserve_lamports=0)

    async def story() -> None:
        signer = LocalSigner(Secret(bytes(wallet)[:32]), limits)
        async with PumpSwapSDK(settings, live=True, signer=signer) as sdk:
            big = await sdk.buy(coins[0], "5")
            assert big["status"] == "refused"
            assert "size: 5 SOL asked for, the limits allow 1" in big["refusals"]
            over = await sdk.buy(coins[0], "0.6")
            assert over["refusals"] == ["wallet: per order: 0.6 SOL, at most 0.5"]
            first = await sdk.buy(coins[0], "0.4")
            assert first["status"] == "filled", first
            day = await sdk.buy(coins[1], "0.3")
            assert day["status"] == "refused"
            assert [reason.split(":")[1] for reason in day["refusals"]] == [" per day"]
            assert (await sdk.sell(coins[0]))["status"] == "filled"
        # The next process knows what the day has cost already.
        async with PumpSwapSDK(settings, live=True, signer=signer) as sdk:
            assert (await sdk.buy(coins[1], "0.3"))["status"] == "refused"
            assert sdk.trader is not None
            refused = list(sdk.trader.books.run.decisions(accepted=False))
            assert [decision.intent.quote_lamports for decision in refused] == [
                5 * SOL, SOL * 6 // 10, SOL * 3 // 10, SOL * 3 // 10,
            ]  # fmt: skip

    asyncio.run(story())


def test_p45_live_needs_a_signer_with_limits_and_the_configured_key(
    settings: Settings, coins: list[str], wallet: Keypair
) -> None:
    with pytest.raises(KeyLocked, match="needs an unlocked wallet"):
        PumpSwapSDK(settings, live=True)

    async def opened(signer: LocalSigner, chosen: Settings) -> None:
        async with PumpSwapSDK(chosen, live=True, signer=signer):
            raise AssertionError("it opened")

    with pytest.raises(KeyLocked, match="has no limits"):
        asyncio.run(opened(LocalSigner(Secret(bytes(wallet)[:32]), None), settings))
    other = settings.model_copy(update={"wallet": WalletSettings(public_key=str(Keypair().pubkey()))})
    with pytest.raises(ConfigError, match="the settings want"):
        asyncio.run(opened(practice_signer(wallet), other))

    async def paid_by_another() -> None:
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            with pytest.raises(UsageError, match="not the unlocked wallet"):
                await sdk.buy(coins[0], "0.1", str(Keypair().pubkey()))

    asyncio.run(paid_by_another())


def test_one_process_trades_with_a_wallet_at_a_time(settings: Settings, wallet: Keypair) -> None:
    async def story() -> None:
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)):
            with pytest.raises(StorageError, match="another process is trading"):
                await PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)).open()
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)):
            pass  # it was let go

    asyncio.run(story())


def test_orders_at_the_same_time_count_no_lamport_twice_and_one_token_waits(
    settings: Settings, coins: list[str], wallet: Keypair
) -> None:
    async def story() -> None:
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            results = await asyncio.gather(
                sdk.buy(coins[0], "0.3"), sdk.buy(coins[1], "0.3"), sdk.buy(coins[2], "0.3"), sdk.buy(coins[0], "0.3")
            )
            # Whichever of the two on one coin came first to the gate, the other waits for it.
            refused = [result for result in (results[0], results[3]) if result["status"] == "refused"]
            assert sorted(result["status"] for result in results) == ["filled"] * 3 + ["refused"], results
            assert [("an order on this token is not finished" in one["message"]) for one in refused] == [True]
            assert sdk.trader is not None
            await sdk.trader.books.check(sdk.trader.connection.node)
            await asyncio.gather(*(sdk.sell(coin) for coin in coins[:3]))
            await sdk.trader.books.check(sdk.trader.connection.node)
            assert sdk.trader.books.portfolio.positions.open_positions() == []

    asyncio.run(story())


def test_p29_what_somebody_else_has_moved_is_found_told_and_booked(
    localnet: RunningLocalnet, settings: Settings, coins: list[str], wallet: Keypair
) -> None:
    async def story() -> None:
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            assert (await sdk.buy(coins[0], "0.2"))["status"] == "filled"
        rpc(localnet, "requestAirdrop", str(wallet.pubkey()), 3 * SOL)
        rpc(localnet, "localnet_advance", 2)
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            assert sdk.trader is not None
            assert sdk.trader.reconciliation is not None
            (event,) = sdk.trader.reconciliation.events
            assert (event.kind, event.moves) == (ForeignKind.DEPOSIT, (("SOL", 3 * SOL, EntryKind.DEPOSIT),))
            await sdk.trader.books.check(sdk.trader.connection.node)
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            assert sdk.trader is not None
            assert sdk.trader.reconciliation is not None
            assert sdk.trader.reconciliation.status is ReconciliationStatus.CLEAN

    asyncio.run(story())


def test_upkeep_is_booked_like_everything_else(settings: Settings, coins: list[str], wallet: Keypair) -> None:
    async def story() -> None:
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            trader = trader_of(sdk)
            start = trader.books.balance("SOL")
            wrapped = await trader.upkeep.do(ChoreWish(PlanKind.WRAP, SOL))
            assert (wrapped.status, wrapped.text) == ("done", "")
            assert wrapped.costs.rent_paid > 0
            await trader.books.check(trader.connection.node)
            unwrapped = await trader.upkeep.do(ChoreWish(PlanKind.UNWRAP))
            assert unwrapped.costs.rent_returned == wrapped.costs.rent_paid
            spent = wrapped.costs.spent + unwrapped.costs.spent
            assert trader.books.balance("SOL") == start - spent
            await trader.books.check(trader.connection.node)
            with pytest.raises(NotFound):
                await trader.upkeep.do(ChoreWish(PlanKind.CLOSE_EMPTY))
            statuses = [trader.books.run.attempts.of_order(chore.order_id) for chore in trader.books.run.chores.all()]
            assert [len(attempts) for attempts in statuses] == [1, 1]
            turned = [entry for entry in trader.books.run.ledger() if entry.kind in (EntryKind.WRAP, EntryKind.UNWRAP)]
            assert [(entry.kind, entry.units) for entry in turned] == [
                (EntryKind.WRAP, -SOL),
                (EntryKind.WRAP, SOL),
                (EntryKind.UNWRAP, -SOL),
                (EntryKind.UNWRAP, SOL),
            ]
            assert audit_run(trader.books.run).differences == ()

    asyncio.run(story())


def test_a_chore_paid_with_sol_that_has_just_come_in_is_booked_behind_it(
    localnet: RunningLocalnet, settings: Settings
) -> None:
    empty = Keypair()

    async def story() -> None:
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(empty)) as sdk:
            trader = trader_of(sdk)
            assert trader.books.balance("SOL") == 0
            rpc(localnet, "requestAirdrop", str(empty.pubkey()), SOL)
            rpc(localnet, "localnet_advance", 4)
            wrapped = await trader.upkeep.do(ChoreWish(PlanKind.WRAP, SOL // 10))
            assert wrapped.status == "done"
            kinds = [entry.kind for entry in trader.books.run.ledger()]
            assert kinds[0] is EntryKind.DEPOSIT and EntryKind.RENT_PAID in kinds
            await trader.books.check(trader.connection.node)

    asyncio.run(story())


async def begun_chore(trader: Trader) -> asyncio.Task[ChoreResult]:
    """Its fate is open."""
    doing = asyncio.create_task(trader.upkeep.do(ChoreWish(PlanKind.WRAP, SOL)))
    while not trader.books.run.chores.unresolved():
        await asyncio.sleep(0)
    return doing


def test_a_chore_that_was_broken_off_does_not_end_the_comparisons(settings: Settings, wallet: Keypair) -> None:
    async def story() -> None:
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            trader = trader_of(sdk)
            doing = await begun_chore(trader)
            doing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await doing
            assert len(trader.books.run.chores.unresolved()) == 1
            found = await trader.reconcile()
            assert found is not None and found.status is ReconciliationStatus.CLEAN
            assert trader.books.run.chores.unresolved() == ()

    asyncio.run(story())


def test_a_comparison_leaves_a_chore_to_whoever_does_it(settings: Settings, wallet: Keypair) -> None:
    async def story() -> None:
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            trader = trader_of(sdk)
            doing = await begun_chore(trader)
            assert await trader.reconcile() is None
            assert (await doing).status == "done"
            found = await trader.reconcile()
            assert found is not None and found.status is ReconciliationStatus.CLEAN

    asyncio.run(story())


def test_an_order_that_comes_into_a_comparison_is_no_failure_of_it(
    settings: Settings, coins: list[str], wallet: Keypair
) -> None:
    async def story() -> None:
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            trader = trader_of(sdk)
            await sdk.get_pool_data(coins[0])
            compared: list[object] = []
            for _ in range(10):  # on a busy machine an order may pass between two comparisons
                buying = asyncio.create_task(sdk.buy(coins[0], "0.1"))
                while not buying.done():
                    compared.append(await trader.reconcile())
                    await asyncio.sleep(0)
                bought = await buying
                assert bought["status"] == "filled", bought
                if None in compared:
                    break
            assert None in compared
            found = await trader.reconcile()
            assert found is not None and found.status is ReconciliationStatus.CLEAN

    asyncio.run(story())


def test_the_sync_facade_does_the_same_inside_a_running_loop(
    settings: Settings, coins: list[str], wallet: Keypair
) -> None:
    async def notebook() -> None:
        with SyncPumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            pair = sdk.get_pair_address(coins[1])
            assert pair is not None
            assert sdk.get_pool_data(pair)["mint_address"] == coins[1]
            assert sdk.get_token_price(pair) > 0
            assert str(sdk.get_pool_state(pair).address) == pair
            bought = sdk.buy(pair, "0.1")
            assert bought["status"] == "filled", bought
            assert sdk.sell(coins[1])["base_units"] == bought["base_units"]
        with pytest.raises(UsageError, match="closed"):
            sdk.get_pair_address(coins[1])
        sdk.close()

    asyncio.run(notebook())


def test_a_closed_sdk_opens_again_and_closing_twice_is_harmless(settings: Settings, coins: list[str]) -> None:
    async def story() -> None:
        sdk = PumpSwapSDK(settings)
        assert await sdk.get_pair_address(coins[0])
        await sdk.close()
        await sdk.close()
        assert await sdk.get_pair_address(coins[0])
        await sdk.close()

    asyncio.run(story())


def test_a_mint_of_another_kind_of_pool_is_denied_without_cost(
    localnet: RunningLocalnet, settings: Settings, wallet: Keypair
) -> None:
    async def story() -> None:
        pools = rpc(localnet, "localnet_market", 6)
        async with PumpSwapSDK(settings, live=True, signer=practice_signer(wallet)) as sdk:
            seen = set()
            for pool in pools:
                state = await sdk.get_pool_state(pool["address"])
                if state.pool.is_canonical and state.quote_decimals == 9:
                    continue
                found = await sdk.buy(str(Pubkey.from_string(pool["address"])), "0.1")
                seen.add(found["status"])
                assert found["status"] in ("denied", "refused"), found
            assert seen
            assert sdk.trader is not None
            await sdk.trader.books.check(sdk.trader.connection.node)

    asyncio.run(story())
