"""Trades by hand go through the same gate as the engine's: its memory is theirs, over processes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from pumpswap.app.control import RemoteControl
from pumpswap.clock import SystemClock
from pumpswap.localnet.faults import Fault, FaultKind
from pumpswap.model import BreakerState, CommandVerb, Denied, Intent, RiskState, TradeSide, TradingState
from pumpswap.sdk import PumpSwapSDK
from pumpswap.settings import RiskLimits
from tests.sdk.world import World, check_books, trader_of, world
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")

SOL = 10**9


async def in_world(folder: Path, story: Callable[[World], Awaitable[None]]) -> None:
    async with world(folder) as chain:
        await story(chain)


def failing_simulation() -> Fault:
    return Fault(FaultKind.SERVER_ERROR, frozenset({"simulateTransaction"}))


def remembered(sdk: PumpSwapSDK) -> RiskState:
    state = trader_of(sdk).books.run.states.risk()
    assert state is not None
    return state


def remote(sdk: PumpSwapSDK, verb: CommandVerb) -> None:
    """As another terminal gives it, while no engine runs."""
    trader = trader_of(sdk)
    settings = trader.connection.settings
    RemoteControl(trader.database, trader.books.run, settings, SystemClock(), lambda _: None).give(verb)


def test_entries_by_hand_count_in_the_rates_also_in_the_next_process(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        limits = chain.settings.risk.model_copy(update={"max_trades_per_hour": 2})
        async with chain.sdk(risk=limits) as sdk:
            assert (await sdk.buy(chain.mint(0), "0.1"))["status"] == "filled"
            assert len(remembered(sdk).entries_ns) == 1
        async with chain.sdk(risk=limits) as sdk:
            assert (await sdk.buy(chain.mint(1), "0.1"))["status"] == "filled"
            third = await sdk.buy(chain.mint(0), "0.1")
            assert third["status"] == "refused", third
            assert any("hour" in reason for reason in third["refusals"]), third["refusals"]
            assert (await sdk.sell(chain.mint(0)))["status"] == "filled", "exits are not held back"
            await check_books(sdk)

    asyncio.run(in_world(tmp_path, story))


def test_what_somebody_has_set_holds_for_trades_by_hand(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        async with chain.sdk() as sdk:
            assert (await sdk.buy(chain.mint(0), "0.2"))["status"] == "filled"
            remote(sdk, CommandVerb.HALT)  # it is heard by a trader that is open
            assert (await sdk.buy(chain.mint(1), "0.1"))["status"] == "refused"
            assert (await sdk.sell(chain.mint(0), "1000"))["status"] == "refused"
            assert trader_of(sdk).books.run.states.switch().trading is TradingState.HALTED
        async with chain.sdk() as sdk:
            assert (await sdk.buy(chain.mint(1), "0.1"))["status"] == "refused"
            remote(sdk, CommandVerb.EXITS_ONLY)
            assert (await sdk.buy(chain.mint(1), "0.1"))["status"] == "refused"
            assert (await sdk.sell(chain.mint(0)))["status"] == "filled"
            remote(sdk, CommandVerb.RESUME)
            assert (await sdk.buy(chain.mint(1), "0.1"))["status"] == "filled"
            await check_books(sdk)

    asyncio.run(in_world(tmp_path, story))


def test_a_halt_between_the_gate_and_the_signature_stops_the_buy(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        async with chain.sdk() as sdk:
            trader = trader_of(sdk)
            state, at_ns = chain.now(), trader.connection.clock.now_ns()
            buy = Intent(TradeSide.BUY, str(state.address), chain.mint(), at_ns, "a test", quote_lamports=SOL // 10)
            traded = await trader.trade(buy, state, made=lambda _: remote(sdk, CommandVerb.HALT))
            assert isinstance(traded.outcome, Denied), traded
            assert traded.outcome.rule == "trading state"
            assert "halted by" in traded.outcome.text
            assert chain.signatures() == []
            await check_books(sdk)

    asyncio.run(in_world(tmp_path, story))


def test_a_fault_between_the_gate_and_the_signature_stops_the_buy_and_a_halt_stops_the_sale(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        async with chain.sdk() as sdk:
            trader = trader_of(sdk)
            assert (await sdk.buy(chain.mint(), "0.1"))["status"] == "filled"
            before = chain.signatures()
            risk, state, at_ns = trader.desk.parts.risk, chain.now(1), trader.connection.clock.now_ns()
            buy = Intent(TradeSide.BUY, str(state.address), chain.mint(1), at_ns, "a test", quote_lamports=SOL // 10)
            traded = await trader.trade(buy, state, made=lambda _: risk.fault("shutdown", "being stopped") and None)
            assert isinstance(traded.outcome, Denied), traded
            assert (traded.outcome.rule, "shutdown: being stopped" in traded.outcome.text) == ("trading state", True)
            state, at_ns = chain.now(), trader.connection.clock.now_ns()
            units = trader.books.held(str(state.address))
            sale = Intent(TradeSide.SELL, str(state.address), chain.mint(), at_ns, "a test", base_units=units)
            traded = await trader.trade(sale, state, made=lambda _: remote(sdk, CommandVerb.HALT))
            assert isinstance(traded.outcome, Denied), traded
            assert (traded.outcome.rule, "halted by" in traded.outcome.text) == ("trading state", True)
            assert chain.signatures() == before
            remote(sdk, CommandVerb.EXITS_ONLY)
            assert (await sdk.sell(chain.mint()))["status"] == "filled"
            await check_books(sdk)

    asyncio.run(in_world(tmp_path, story))


def test_failures_by_hand_open_the_circuit_breaker(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        limits = chain.settings.risk.model_copy(update={"breaker_failures": 1, "allow_permissionless_pools": True})
        async with chain.sdk(risk=limits) as sdk:
            chain.faults.add(failing_simulation())
            assert (await sdk.buy(chain.mint(0), "0.1"))["status"] == "denied"
            chain.faults.clear()
            assert remembered(sdk).breaker is BreakerState.OPEN
            assert (await sdk.buy(chain.mint(1), "0.1"))["status"] == "refused"

    asyncio.run(in_world(tmp_path, story))


def test_what_is_held_counts_at_its_value_and_money_that_comes_and_goes_is_no_gain_or_loss(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        wide = {
            "max_position_sol": 10, "max_token_sol": 10, "max_impact_bps": 1_500, "max_pool_share_bps": 1_000,
            "max_daily_loss_fraction": "0.05",
        }  # fmt: skip
        limits = RiskLimits(**chain.settings.risk.model_dump() | wide)
        async with chain.sdk(risk=limits) as sdk:
            bought = await sdk.buy(chain.mint(0), "3")
            assert bought["status"] == "filled", bought
        # The next process has marked nothing: without a look at the pool 6 % of the wallet would be gone.
        async with chain.sdk(risk=limits) as sdk:
            assert (await sdk.buy(chain.mint(1), "0.1"))["status"] == "filled"
            before = remembered(sdk)
            assert (before.day_is_lost, before.day_start_lamports) == (False, 50 * SOL)
        chain.pay_in(20 * SOL)
        async with chain.sdk(risk=limits) as sdk:
            assert remembered(sdk).day_start_lamports == 70 * SOL
            assert (await sdk.buy(chain.mint(1), "0.1"))["status"] == "filled"
            orders = list(trader_of(sdk).books.run.orders())
            assert [order.side for order in orders] == [TradeSide.BUY] * 3
            await check_books(sdk)

    asyncio.run(in_world(tmp_path, story))


def test_what_was_bought_by_hand_has_exits_that_an_engine_takes_up(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        async with chain.sdk() as sdk:
            assert (await sdk.buy(chain.mint(0), "0.2"))["status"] == "filled"
            (known,) = trader_of(sdk).books.run.states.exits()
            assert (known.pool, known.round) == (str(chain.pools[0].address), 1)
            assert known.entry_product > 0
            assert (await sdk.sell(chain.mint(0)))["status"] == "filled"
            assert trader_of(sdk).books.run.states.exits() == ()

    asyncio.run(in_world(tmp_path, story))
