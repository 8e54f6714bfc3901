"""The executor with a wallet on a practice chain with the recorded program: fills, exits, unknown ends, restarts."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pumpswap.app.checks import CheckStatus
from pumpswap.app.execute_signal import SignalCall
from pumpswap.app.live_check import live_check
from pumpswap.chain.sender import PATIENCE_SECONDS
from pumpswap.clock import NS_PER_SECOND, Clock, SystemClock
from pumpswap.errors import ChainError, KeyLocked
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.pools import PoolSpec, create_pool, wallet
from pumpswap.localnet.programs import load_programs
from pumpswap.localnet.server import LocalServer, ServerOptions
from pumpswap.market.book import PoolBook
from pumpswap.model import AttemptState, MarketUpdate
from pumpswap.portfolio.audit import audit_run
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.executor import BookStates, ChainStates, PumpSwapTradingExecutor
from pumpswap.sdk.executor.live_room import LiveRoom
from pumpswap.settings import PaperVenueSettings, RunSettings, Settings
from pumpswap.storage.database import open_database
from pumpswap.wallet.limits import WalletLimits
from tests.clients.our_sdk import SOL, settings_for
from tests.sdk.world import GENEROUS, SLOT_MS, World
from tests.support.material import material, requires_material

pytestmark = requires_material("chain", "programs")


@contextlib.asynccontextmanager
async def served(folder: Path, faults: FaultPlan | None = None, *, is_checked: bool = True) -> AsyncIterator[World]:
    """A chain in this process, one pool, a wallet of 50 SOL that has passed its live check."""
    programs = material("chain")
    assert programs is not None
    chain = LocalChain(slot_ms=SLOT_MS, start_unix=SystemClock().now_ns() // NS_PER_SECOND)
    load_programs(chain, programs)
    pools = (create_pool(chain, PoolSpec("graduate"), random.Random("a pool of the executor's tests")),)
    key = wallet(chain, 50 * SOL)
    chain.advance(40)
    async with LocalServer(chain, ServerOptions(slot_ms=SLOT_MS), faults=faults).serve() as urls:
        world = World(chain, pools, key, settings_for(urls.http, urls.ws, folder))
        if is_checked:
            await pass_check(world)
        yield world


async def pass_check(world: World) -> None:
    """`pumpswap live check`, as the owner of the wallet makes it."""
    async with ChainConnection(world.settings) as connection:
        signer, pool = world.signer(GENEROUS), world.pools[0].address
        found = [one async for one in live_check(connection, signer, SOL // 100, pool)]
    assert all(one.status is not CheckStatus.FAILED for one in found), found


class Later(SystemClock):
    """The machine's clock, and what a test adds to it."""

    later_ns = 0

    def now_ns(self) -> int:
        return super().now_ns() + self.later_ns


def live(world: World, mode: str = "auto", clock: Clock | None = None) -> PumpSwapTradingExecutor:
    settings: Settings = world.settings.model_copy(update={"run": RunSettings(mode=mode)})  # type: ignore[arg-type]
    return PumpSwapTradingExecutor(settings, live=True, signer=world.signer(GENEROUS), clock=clock)


def told(world: World, **changes: Any) -> dict[str, Any]:
    data = {
        "pool_data": {"base_token_address": world.mint()},
        "signal_score": 90.0,
        "side": "long",
        "q50": 0.0008,
        "vol_regime": "medium",
        "tradeable": True,
        "economically_significant": True,
        "pumpswap_available": True,
    }
    return {**data, **changes}


async def check_books(executor: PumpSwapTradingExecutor) -> None:
    room = await executor.room()
    assert isinstance(room, LiveRoom)
    await room.trader.reconcile()
    await room.trader.books.check(room.trader.connection.node)


def test_live_needs_a_signer() -> None:
    with pytest.raises(KeyLocked, match="unlocked"):
        PumpSwapTradingExecutor(Settings(), live=True)


def test_a_signal_becomes_a_confirmed_fill_once_and_is_sold_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as world:
            data = told(world, timestamp=SystemClock().now_ns())
            async with live(world) as executor:
                bought = await executor.execute_trading_signal(data)
                assert bought["status"] == "executed", bought["message"]
                assert (bought["is_paper"], bought["success"]) == (False, True)
                assert bought["transaction_hash"] in world.signatures()
                assert (bought["gas_used"] or 0) >= 5_000
                assert bought["position"] is not None
                assert bought["position"]["base_units"] == bought["base_units"]
                assert (await executor.execute_q50_signal(data))["reason"] == "already_executed"
            async with live(world) as executor:  # another process
                again = await executor.execute_q50_signal(data)
                assert (again["reason"], again["transaction_hash"]) == ("already_executed", bought["transaction_hash"])
                sold = await executor.execute_q50_signal(told(world, side="short", q50=None))
                assert (sold["status"], sold["base_units"]) == ("executed", bought["base_units"]), sold["message"]
                assert (sold["pnl_lamports"] or 0) < 0  # two ways of fees
                await check_books(executor)
                run = (await executor.room()).executed.run
                assert audit_run(run).is_right
                (first, second) = list(run.decisions(accepted=True))
                assert (first.intent.signal is not None, first.intent.strategy) == (True, "executor")
                assert second.intent.base_units == bought["base_units"]

    asyncio.run(story())


def test_live_buys_need_the_mode_auto_and_sales_do_not(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as world:
            async with live(world, "approve") as executor:
                waiting = await executor.execute_q50_signal(told(world))
                assert (waiting["status"], waiting["reason"]) == ("skipped", "approval_required")
            async with live(world) as executor:
                assert (await executor.execute_q50_signal(told(world)))["status"] == "executed"
            async with live(world, "approve") as executor:
                sold = await executor.execute_q50_signal(told(world, side="short", q50=None))
                assert sold["status"] == "executed", sold["message"]
                await check_books(executor)

    asyncio.run(story())


def test_an_exit_rule_sells_live(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as world, live(world) as executor:
            assert (await executor.execute_q50_signal(told(world)))["status"] == "executed"
            assert await executor.check_exits() == []
            rules = executor.settings.exits.model_copy(update={"stop_loss_bps": 1})
            room = await executor.room()
            room.desk.parts.exits.rules = rules
            (sold,) = await executor.check_exits()
            assert (sold["status"], sold["action"], sold["is_paper"]) == ("executed", "sell", False), sold["message"]
            await check_books(executor)

    asyncio.run(story())


def test_the_size_of_a_buy_knows_the_limits_of_the_wallet(tmp_path: Path) -> None:
    """What is asked, and what is executed, are refused alike; asking stores nothing."""
    limits = WalletLimits(GENEROUS.max_order_lamports, GENEROUS.max_day_lamports, 50 * SOL)

    async def story() -> None:
        async with served(tmp_path) as world:
            settings = world.settings.model_copy(update={"run": RunSettings(mode="auto")})
            async with PumpSwapTradingExecutor(settings, live=True, signer=world.signer(limits)) as executor:
                await executor.prepare(told(world))
                size = executor.explain_position_size(told(world))
                assert (size.sol, "wallet: reserve" in "; ".join(size.reasons)) == (0, True)
                room = await executor.room()
                assert list(room.executed.run.decisions()) == []
                refused = await executor.execute_q50_signal(told(world))
                assert refused["status"] == "rejected", refused["message"]
            async with live(world) as executor:
                await executor.prepare(told(world))
                assert executor.calculate_position_size(told(world)) > 0

    asyncio.run(story())


def test_an_unknown_outcome_is_told_so_and_blocks_the_token_until_the_chain_tells(tmp_path: Path) -> None:
    faults = FaultPlan()

    async def story() -> None:
        clock = Later()
        async with served(tmp_path, faults) as world, live(world, clock=clock) as executor:
            data = told(world, timestamp=SystemClock().now_ns())
            await executor.prepare(data)
            faults.add(Fault(FaultKind.HIDE))  # it lands, and the node shows nothing of it
            call = asyncio.create_task(executor.execute_q50_signal(data))
            attempts = (await executor.room()).executed.run.attempts
            while [one.state for one in attempts.unresolved()] != [AttemptState.SENT]:
                await asyncio.sleep(0.02)  # the chain may have it before its sender begins to wait for the end
            clock.later_ns += PATIENCE_SECONDS * NS_PER_SECOND  # nobody waits any longer
            unknown = await call
            assert (unknown["status"], unknown["retry"]) == ("unknown", "never"), unknown["message"]
            assert unknown["signature"] == world.signatures()[0]
            assert unknown["expiry_height"] is not None
            record = unknown["execution_record"]
            assert record is not None and record["execution_status"] == "pending"
            again = await executor.execute_q50_signal(data)
            assert (again["status"], again["signature"]) == ("unknown", unknown["signature"])
            other = await executor.execute_q50_signal(told(world, signal_id="another"))
            assert (other["status"], other["reason"]) == ("rejected", "order_unresolved")
            assert other["signature"] == unknown["signature"]
            faults.clear()
            found = await executor.execute_q50_signal(data)
            assert (found["reason"], found["transaction_hash"]) == ("already_executed", unknown["signature"])
            assert len(world.signatures()) == 1
            await check_books(executor)

    asyncio.run(story())


def test_a_process_that_ends_after_sending_has_bought_and_the_next_one_knows_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as world:
            data = told(world, timestamp=SystemClock().now_ns())
            async with live(world) as executor:
                call = asyncio.create_task(executor.execute_q50_signal(data))
                while not world.signatures():
                    await asyncio.sleep(0.005)
                call.cancel()
                await asyncio.gather(call, return_exceptions=True)
            async with live(world) as executor:
                result = await executor.execute_q50_signal(data)
                assert (result["status"], result["reason"]) == ("skipped", "already_executed"), result["message"]
                assert result["transaction_hash"] == world.signatures()[0]
                assert len(world.signatures()) == 1
                await check_books(executor)

    asyncio.run(story())


def test_on_paper_the_chain_tells_the_pools_and_the_books_are_those_of_runs(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as world:
            paper = PaperVenueSettings(latency_ms=50, failed_bps=0)
            settings = world.settings.model_copy(update={"paper": paper})
            async with PumpSwapTradingExecutor(settings) as executor:
                await executor.prepare(told(world))
                assert executor.calculate_position_size(told(world)) > 0
                bought = await executor.execute_trading_signal(told(world))
                assert (bought["status"], bought["is_paper"]) == ("executed", True), bought["message"]
                assert bought["position"] is not None
            async with PumpSwapTradingExecutor(settings) as executor:
                (held,) = await executor.positions()
                # Our own purchase is still missing from the pool: the value is what the first process saw.
                assert held["value_lamports"] == bought["position"]["value_lamports"]
                sold = await executor.execute_q50_signal(told(world, side="short", q50=None))
                assert (sold["status"], sold["base_units"]) == ("executed", bought["base_units"])
            assert world.signatures() == []
            with open_database(settings.database_target) as database:
                run = database.open_paper()
                assert run is not None
                assert run.states.load("market") is not None
                assert audit_run(run).is_right

    asyncio.run(story())


def test_a_coin_is_screened_through_the_chain_where_that_is_required(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as world:
            risk = world.settings.risk.model_copy(update={"require_screen": True})
            async with PumpSwapTradingExecutor(world.settings.model_copy(update={"risk": risk})) as executor:
                result = await executor.execute_q50_signal(told(world))
                assert (result["status"], result["reason"]) == ("rejected", "risk_limits_exceeded")
                (refusal,) = result["refusals"]
                assert refusal.startswith("screen: ") and "nobody has screened" not in refusal

    asyncio.run(story())


# ---------------------------------------------------------------------------------------------- what money needs


def test_a_state_as_old_as_its_feed_is_not_made_fresh_by_the_wish(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as world:
            clock = SystemClock()
            chain = ChainStates(world.settings, clock)
            state, _ = await chain.state(world.mint())
            await chain.aclose()
            book = PoolBook()
            hour_ago_ns = clock.now_ns() - 3_600 * NS_PER_SECOND
            book.apply(MarketUpdate(hour_ago_ns, str(state.address), state))
            settings = world.settings.model_copy(update={"run": RunSettings(mode="auto")})
            states = BookStates(book, clock)
            async with PumpSwapTradingExecutor(
                settings, live=True, signer=world.signer(GENEROUS), states=states
            ) as executor:
                result = await executor.execute_q50_signal(told(world))
                assert (result["status"], result["reason"]) == ("rejected", "risk_limits_exceeded"), result["message"]
                (refusal,) = result["refusals"]
                assert refusal.startswith("fresh state: ")
                assert executor.calculate_position_size(told(world)) == 0
                room = await executor.room()
                assert room.desk.parts.book.observed_ns(str(state.address)) == hour_ago_ns
            assert world.signatures() == []

    asyncio.run(story())


def test_a_signal_buys_with_money_after_a_passed_live_check_only_and_sells_without(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Later()
        async with served(tmp_path, is_checked=False) as world:
            async with live(world, clock=clock) as executor:
                refused = await executor.execute_q50_signal(told(world))
                assert (refused["status"], refused["reason"]) == ("skipped", "live_check_required")
                assert "pumpswap live check" in refused["message"]
            settings = world.settings.model_copy(update={"run": RunSettings(mode="approve")})
            states = ChainStates(settings, clock)
            by_hand = await SignalCall(settings, states, clock, world.signer(GENEROUS)).execute(told(world))
            await states.aclose()
            assert by_hand["reason"] == "live_check_required"
            assert world.signatures() == []
            await pass_check(world)
            async with live(world, clock=clock) as executor:
                assert (await executor.execute_q50_signal(told(world)))["status"] == "executed"
                clock.later_ns += 25 * 3_600 * NS_PER_SECOND  # a check is good for a day
                over = await executor.execute_q50_signal(told(world))
                assert (over["reason"], "more than 24 h ago" in over["message"]) == ("live_check_required", True)
                sold = await executor.execute_q50_signal(told(world, side="short", q50=None))
                assert sold["status"] == "executed", sold["message"]

    asyncio.run(story())


def test_analysis_and_paper_order_nothing_with_money_not_even_sales(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as world:
            async with live(world) as executor:
                assert (await executor.execute_q50_signal(told(world)))["status"] == "executed"
            sent, short = len(world.signatures()), told(world, side="short", q50=None)
            async with live(world, "paper") as executor:
                for data in (short, told(world, signal_id="another")):
                    refused = await executor.execute_q50_signal(data)
                    assert (refused["status"], refused["reason"]) == ("skipped", "approval_required")
                    assert "contradict each other" in refused["message"]
                (exits,) = await executor.check_exits()
                assert (exits["reason"], "not watched" in exits["message"]) == ("approval_required", True)
            settings = world.settings.model_copy(update={"run": RunSettings(mode="analysis")})
            states, clock = ChainStates(settings, SystemClock()), SystemClock()
            for data in (short, told(world, signal_id="third")):
                refused = await SignalCall(settings, states, clock, world.signer(GENEROUS)).execute(data)
                assert (refused["reason"], "analysis" in refused["message"]) == ("approval_required", True)
            await states.aclose()
            assert len(world.signatures()) == sent

    asyncio.run(story())


def test_a_fault_before_its_order_is_not_answered_with_the_order_of_another_call(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path) as world, live(world) as executor:
            room = await executor.room()
            assert isinstance(room, LiveRoom)
            schedules = room.trader.connection.schedules
            read, traded, calls = schedules.current, asyncio.Event(), 0

            async def current() -> Any:
                nonlocal calls
                calls += 1
                if calls == 2:  # the first call's, for its order; one before was for its state
                    await traded.wait()
                    raise ChainError("the fees cannot be read", hint="try again")
                return await read()

            schedules.current = current  # type: ignore[method-assign]
            first = asyncio.create_task(executor.execute_q50_signal(told(world, signal_id="A")))
            while calls < 2:
                await asyncio.sleep(0.01)
            second = await executor.execute_q50_signal(told(world, signal_id="B"))
            assert second["status"] == "executed", second["message"]
            traded.set()
            failed = await first
            assert (failed["status"], failed["order_id"]) == ("error", None), failed["message"]
            assert (failed["error"], failed["retry"]) == ("pool_data_unavailable", "later")
            assert room.executed.find(failed["signal_id"] or "") is None  # it may be tried again

    asyncio.run(story())
