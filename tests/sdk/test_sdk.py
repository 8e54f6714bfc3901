"""The SDK on a practice chain with the real program: names, amounts, refusals, books."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from solders.keypair import Keypair

from pumpswap.amm import buy_exact_quote, sell_exact_base
from pumpswap.errors import KeyLocked, NotFound, StorageError, UsageError
from pumpswap.model import EntryKind, Filled, ForeignKind, ReconciliationStatus, TradeSide
from pumpswap.portfolio.audit import audit_run
from pumpswap.sdk import PumpSwapSDK, SyncPumpSwapSDK
from pumpswap.sdk.preview import preview_trade, state_after_waiting
from pumpswap.settings import DATABASE_FILE, BooksSettings, DatabaseSettings
from pumpswap.wallet.limits import WalletLimits
from tests.clients.our_sdk import SOL, practice_signer, settings_for
from tests.clients.practice import practice_process, schedule_of
from tests.sdk.result_keys import POOL_KEYS, TRADE_KEYS
from tests.sdk.world import check_books, trader_of, world
from tests.support.material import requires_material
from tests.support.postgres import fresh_database

pytestmark = [requires_material("chain", "programs"), pytest.mark.asyncio]


async def test_a_pool_is_read_by_mint_and_by_pair(tmp_path: Path) -> None:
    async with world(tmp_path) as here, PumpSwapSDK(here.settings) as sdk:
        state, mint, pair = here.now(), here.mint(), str(here.pools[0].address)
        assert await sdk.get_pair_address(mint) == pair
        data = await sdk.get_pool_data(mint)
        assert data.keys() >= POOL_KEYS
        assert {**data, "slot": 0} == {**await sdk.get_pool_data(pair), "slot": 0}
        assert (data["mint_address"], data["pair_address"]) == (mint, pair)
        assert data["reserve_sol"] == data["liquidity"] == state.real_quote_reserve / 1e9
        assert (data["base_reserve_units"], data["quote_vault_units"]) == (state.base_reserve, state.quote_vault)
        price = (state.effective_quote_reserve / 1e9) / (state.base_reserve / 1e6)
        assert data["price"] == pytest.approx(price, rel=1e-14)
        assert await sdk.get_token_price(mint) == await sdk.get_token_price(pair) == data["price"]


async def test_what_the_chain_cannot_tell_is_none_and_says_why(tmp_path: Path) -> None:
    async with world(tmp_path) as here, PumpSwapSDK(here.settings) as sdk:
        data = await sdk.get_pool_data(here.mint())
        assert data["reserve_in_usd"] is None and data["volume_24h"] is None
        assert set(data["unavailable"]) == {"reserve_in_usd", "volume_24h"}
        assert all(data["unavailable"].values())


async def test_a_coin_without_a_canonical_pool_has_no_pair(tmp_path: Path) -> None:
    async with world(tmp_path) as here, PumpSwapSDK(here.settings) as sdk:
        assert await sdk.get_pair_address(here.mint(2)) is None  # a pool that anyone can have made
        stranger = str(Keypair().pubkey())
        assert await sdk.get_pair_address(stranger) is None
        with pytest.raises(NotFound):
            await sdk.get_token_price(stranger)
        with pytest.raises(UsageError, match="no mint"):
            await sdk.get_pair_address("cut")


async def test_calls_at_the_same_time_open_the_sdk_once(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        sdk = here.sdk()
        try:
            prices = await asyncio.gather(sdk.get_token_price(here.mint()), sdk.get_token_price(here.mint()))
            assert prices[0] == prices[1]
        finally:
            await sdk.close()


async def test_without_live_a_trade_is_only_simulated(tmp_path: Path) -> None:
    async with world(tmp_path) as here, PumpSwapSDK(here.settings) as sdk:
        before = here.signatures()
        result = await sdk.buy(here.mint(), "0.5", str(here.key.pubkey()))
        quote = buy_exact_quote(here.now(), schedule_of(here.chain), SOL // 2)
        assert (result["status"], result["success"], result["tx_id"]) == ("simulated", False, None)
        assert (result["base_units"], result["quote_lamports"]) == (quote.base_out, quote.total_quote)
        assert "the simulation succeeded" in result["message"]
        assert here.signatures() == before
        with pytest.raises(UsageError, match="needs an amount"):
            await sdk.sell(here.mint())


async def test_a_round_trip_is_exact_and_speaks_both_vocabularies(tmp_path: Path) -> None:
    async with world(tmp_path) as here, here.sdk() as sdk:
        schedule = schedule_of(here.chain)
        expected = buy_exact_quote(here.now(), schedule, SOL // 2)
        bought = await sdk.buy(here.mint(), 0.5, str(here.key.pubkey()))
        assert bought.keys() >= TRADE_KEYS
        assert (bought["status"], bought["success"]) == ("filled", True)
        assert (bought["base_units"], bought["quote_lamports"]) == (expected.base_out, expected.total_quote)
        assert bought["transaction_hash"] == bought["tx_id"] == here.signatures()[0]
        assert bought["token_amount"] == bought["tokens_received"] == expected.base_out / 1e6
        assert bought["price"] == bought["actual_price"] == bought["price_per_token"]
        assert bought["data"] is not None and bought["data"]["tx_id"] == bought["tx_id"]
        assert bought["data"]["sol_amount"] == bought["sol_amount"] == expected.total_quote / 1e9
        await check_books(sdk)
        part = expected.base_out // 3
        for tokens, units in ((str(part / 10**6), part), (None, expected.base_out - part)):
            offered = sell_exact_base(here.now(), schedule, units)
            sold = await sdk.sell(here.mint(), tokens)
            assert (sold["status"], sold["base_units"]) == ("filled", units)
            assert sold["quote_lamports"] == offered.user_quote_out
            assert sold["sol_received"] == sold["sol_amount"] == offered.user_quote_out / 1e9
            assert sold["tokens_received"] is None and bought["sol_received"] is None
        await check_books(sdk)
        assert trader_of(sdk).books.balance(here.mint()) == 0
        with pytest.raises(NotFound, match="nothing of"):
            await sdk.sell(here.mint())


async def test_a_slippage_of_zero_is_zero(tmp_path: Path) -> None:
    async with world(tmp_path) as here, here.sdk() as sdk:
        expected = buy_exact_quote(here.now(), schedule_of(here.chain), SOL // 10)
        traded = await trader_of(sdk).buy(await sdk.get_pool_state(here.mint()), SOL // 10, 0)
        assert traded.order is not None
        assert (traded.order.slippage_bps, traded.order.limit) == (0, expected.base_out)


async def test_the_gate_refuses_with_every_reason_and_nothing_is_sent(tmp_path: Path) -> None:
    async with world(tmp_path) as here, here.sdk() as sdk:
        before = here.signatures()
        for pair, amount, rule in (
            (here.mint(), "3", "size"),
            (str(here.pools[2].address), "0.1", "venue"),
        ):
            result = await sdk.buy(pair, amount)
            assert (result["status"], result["success"], result["tx_id"]) == ("refused", False, None)
            assert any(reason.startswith(f"{rule}: ") for reason in result["refusals"]), result["refusals"]
        result = await sdk.sell(here.mint(), "1")
        assert result["refusals"] == ["holding: 1000000 of 0 base units"]
        assert here.signatures() == before


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        (WalletLimits(SOL // 10, SOL, 0), "wallet: per order"),
        (WalletLimits(SOL // 5, SOL // 5, 0), "wallet: per day"),
        (WalletLimits(SOL, SOL, 50 * SOL), "wallet: reserve"),
    ],
)
async def test_the_limits_of_the_wallet_hold(tmp_path: Path, limits: WalletLimits, rule: str) -> None:
    async with world(tmp_path) as here, here.sdk(limits) as sdk:
        first = await sdk.buy(here.mint(), "0.15")
        result = await sdk.buy(here.mint(1), "0.15") if first["status"] == "filled" else first
        assert result["status"] == "refused"
        assert [reason.split(": 0")[0].split(": 4")[0] for reason in result["refusals"]] == [rule]
        await check_books(sdk)


async def test_live_needs_a_key_limits_and_the_right_wallet(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        with pytest.raises(KeyLocked, match="unlocked wallet"):
            PumpSwapSDK(here.settings, live=True)
        with pytest.raises(KeyLocked, match="has no limits"):
            await here.sdk(None).open()
        async with here.sdk() as sdk:
            for wrong, text in ((str(Keypair().pubkey()), "not the unlocked wallet"), ("secret", "no public key")):
                with pytest.raises(UsageError, match=text):
                    await sdk.buy(here.mint(), "0.1", wrong)
        assert here.chain.history(here.key.pubkey()) == ()


async def test_of_two_buys_of_one_token_at_once_only_one_goes(tmp_path: Path) -> None:
    async with world(tmp_path) as here, here.sdk() as sdk:
        results = await asyncio.gather(sdk.buy(here.mint(), "0.2"), sdk.buy(here.mint(), "0.2"))
        assert sorted(result["status"] for result in results) == ["filled", "refused"]
        refused = next(result for result in results if result["status"] == "refused")
        assert refused["refusals"] == ["open order: an order on this token is not finished"]
        assert len(here.signatures()) == 1
        await check_books(sdk)


async def test_two_tokens_at_once_both_fill_and_no_lamport_counts_twice(tmp_path: Path) -> None:
    async with world(tmp_path) as here, here.sdk() as sdk:
        results = await asyncio.gather(sdk.buy(here.mint(0), "0.2"), sdk.buy(here.mint(1), "0.3"))
        assert [result["status"] for result in results] == ["filled", "filled"]
        assert len(here.signatures()) == 2
        await check_books(sdk)
        kinds = [entry.kind for entry in trader_of(sdk).books.portfolio.ledger.entries]
        assert EntryKind.FOREIGN not in kinds


async def test_a_second_trader_of_the_same_wallet_is_refused(tmp_path: Path) -> None:
    async with world(tmp_path) as here, here.sdk() as sdk:
        with pytest.raises(StorageError, match="another process is trading"):
            await here.sdk().open()
        assert (await sdk.buy(here.mint(), "0.1"))["status"] == "filled"


async def test_what_somebody_else_moved_is_told_on_reopening(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        async with here.sdk() as sdk:
            bought = await sdk.buy(here.mint(), "0.1")
            assert trader_of(sdk).reconciliation.status is ReconciliationStatus.CLEAN  # type: ignore[union-attr]
        here.chain.airdrop(here.key.pubkey(), 3 * SOL)
        here.chain.advance(5)  # until the endpoint counts it as confirmed
        async with here.sdk() as sdk:
            found = trader_of(sdk).reconciliation
            assert found is not None and found.status is ReconciliationStatus.EXPLAINED
            (event,) = found.events
            assert (event.kind, event.moves) == (ForeignKind.DEPOSIT, (("SOL", 3 * SOL, EntryKind.DEPOSIT),))
            assert trader_of(sdk).books.balance(here.mint()) == bought["base_units"]
            assert [type(outcome) for outcome in trader_of(sdk).books.run.outcomes()] == [Filled]
            await check_books(sdk)


async def test_books_on_a_server_are_the_same_books(tmp_path: Path) -> None:
    database = DatabaseSettings(url=SecretStr(fresh_database()))
    async with world(tmp_path) as here:
        async with here.sdk(database=database) as sdk:
            assert (await sdk.buy(here.mint(), "0.2"))["status"] == "filled"
            elsewhere = here.settings.model_copy(update={"data_dir": tmp_path / "other machine", "database": database})
            with pytest.raises(StorageError, match="somebody else writes the books"):
                await PumpSwapSDK(elsewhere, live=True, signer=here.signer()).open()
        async with here.sdk(database=database) as sdk:
            trader = trader_of(sdk)
            assert trader.reconciliation is not None
            assert trader.reconciliation.status is ReconciliationStatus.CLEAN
            assert (await sdk.sell(here.mint()))["status"] == "filled"
            await check_books(sdk)
            assert audit_run(trader.books.run).is_right
            assert [type(outcome) for outcome in trader.books.run.outcomes()] == [Filled, Filled]
    assert not (tmp_path / "data" / DATABASE_FILE).exists()


async def test_books_and_wallet_are_compared_on_a_schedule(tmp_path: Path) -> None:
    books = BooksSettings(reconcile_seconds=1)
    async with world(tmp_path) as here, here.sdk(books=books) as sdk:
        assert (await sdk.buy(here.mint(), "0.2"))["status"] == "filled"
        here.chain.airdrop(here.key.pubkey(), 3 * SOL)
        run = trader_of(sdk).books.run
        async with asyncio.timeout(20):
            while run.equity.latest() is None or not trader_of(sdk).database.alerts.all():
                await asyncio.sleep(0.1)
        (alert,) = trader_of(sdk).database.alerts.all()
        assert (alert.topic, alert.subject) == ("reconcile", "SOL")
        point, mark = run.equity.latest(), next(iter(run.marks()))
        assert point is not None
        assert (mark.pool, point.marks_lamports > 0, mark.value_lamports > 0) == (
            str(here.pools[0].address),
            True,
            True,
        )
        assert point.rent_lamports == trader_of(sdk).books.portfolio.rent_lamports
        await check_books(sdk)


async def test_the_calls_without_await_do_the_same(tmp_path: Path) -> None:
    with practice_process(tmp_path, wallets=1) as chain:
        settings = settings_for(chain.http_url, chain.ws_url, tmp_path / "data")
        mint, pair = str(chain.opening.pool.base_mint), str(chain.opening.address)
        with SyncPumpSwapSDK(settings, live=True, signer=practice_signer(chain.wallets[0])) as sdk:
            assert sdk.get_pair_address(mint) == pair
            assert sdk.get_pool_state(pair).base_reserve == chain.opening.base_reserve
            assert sdk.get_pool_data(mint)["price"] == sdk.get_token_price(pair)
            bought = sdk.buy(mint, "0.5")
            assert bought["base_units"] == buy_exact_quote(chain.opening, chain.schedule, SOL // 2).base_out
            assert sdk.sell(mint)["base_units"] == bought["base_units"]
        sdk.close()
        with pytest.raises(UsageError, match="closed"):
            sdk.get_token_price(pair)


async def test_after_a_preview_an_order_gets_the_better_of_both_limits(tmp_path: Path) -> None:
    """Somebody may think for minutes: an old limit leaves the difference to a sandwich, a new one may be worse."""
    async with world(tmp_path) as here, here.sdk() as sdk:
        connection, amount = trader_of(sdk).connection, SOL // 10
        before = await connection.pool(here.pools[0].address)
        wallet = here.key.pubkey()
        buying = await preview_trade(connection, TradeSide.BUY, before, amount, slippage_bps=100, wallet=wallet)
        selling = await preview_trade(connection, TradeSide.SELL, before, 10**9, slippage_bps=100, wallet=wallet)
        bought = await sdk.buy(here.mint(), 1.0)
        assert bought["success"], bought["message"]
        after = await connection.pool(here.pools[0].address)
        assert after.effective_quote_reserve > before.effective_quote_reserve
        assert await state_after_waiting(connection, TradeSide.BUY, buying, amount) == before
        now = await state_after_waiting(connection, TradeSide.SELL, selling, 10**9)
        assert (now.base_reserve, now.quote_vault) == (after.base_reserve, after.quote_vault)


async def test_a_confirmation_is_told_by_subscription_and_not_waited_for(tmp_path: Path) -> None:
    """The sender would ask again in a minute only."""
    async with world(tmp_path) as here:
        slow = here.settings.sending.model_copy(update={"poll_ms": 60_000})
        async with here.sdk(sending=slow) as sdk:
            bought = await asyncio.wait_for(sdk.buy(here.mint(), 0.5), 120)
            assert bought["success"], bought["message"]


async def test_without_a_stream_the_sender_finds_out_by_asking(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        (endpoint,) = here.settings.chain.endpoints
        silent = endpoint.model_copy(update={"ws_url": SecretStr("ws://127.0.0.1:9")})
        chain = here.settings.chain.model_copy(update={"endpoints": (silent,)})
        async with here.sdk(chain=chain) as sdk:
            bought = await sdk.buy(here.mint(), 0.5)
            assert bought["success"], bought["message"]
