"""What a run has earned: every sale of the time, and nothing that was only put in or taken out."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pumpswap.analytics.metrics import max_drawdown
from pumpswap.analytics.performance import Performance
from pumpswap.app.books import chosen_books
from pumpswap.app.performance import DAY_NS, performance_of, performance_of_run
from pumpswap.model import EntryKind, EquityPoint, LedgerEntry
from pumpswap.portfolio.audit import audit_run
from pumpswap.sdk.executor import ExecutionResult, PumpSwapTradingExecutor
from pumpswap.sdk.executor.paper_room import PaperRoom
from pumpswap.sdk.realised import realised_since
from pumpswap.storage.database import open_database
from tests.sdk.executor_world import Market, signal
from tests.support.market import SOL

DAY_SECONDS = 86_400


def report(market: Market, days: int = 7) -> Performance:
    with open_database(market.settings.database_target) as database:
        books = chosen_books(database)
        assert books is not None
        now_ns = market.clock.now_ns()
        return performance_of(books, max(now_ns - days * DAY_NS, 0), now_ns + 1)


async def sell(executor: PumpSwapTradingExecutor, share: float) -> ExecutionResult:
    result = await executor.execute_q50_signal(signal(side="short", q50=-0.001, sell_fraction=share))
    assert result["status"] == "executed", result["message"]
    return result


def test_a_partial_sale_is_realised(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story() -> None:
        async with market.executor() as executor:
            bought = await executor.execute_q50_signal(signal())
            sold = await sell(executor, 0.9)
            await executor.positions()
            found = report(market)
            money = found.money
            assert (money.realised_lamports, found.rounds_closed.closed) == (sold["pnl_lamports"], 0)
            change = money.equity_change_lamports
            assert change is not None and bought["rent_paid_lamports"] is not None
            assert money.unrealised_lamports is not None and money.unexplained_lamports == 0
            assert abs(money.realised_lamports + money.unrealised_lamports - change) < SOL // 200

    asyncio.run(story())


def test_what_was_realised_before_the_time_is_not_of_it(tmp_path: Path) -> None:
    market = Market(tmp_path, risk={"max_signal_age_seconds": 60})

    async def story() -> tuple[ExecutionResult, ExecutionResult]:
        async with market.executor() as executor:
            await executor.execute_q50_signal(signal())
            early = await sell(executor, 0.25)
            market.pass_seconds(10 * DAY_SECONDS)
            return early, await sell(executor, 0.5)

    early, late = asyncio.run(story())
    assert early["pnl_lamports"] and late["pnl_lamports"]
    assert report(market).money.realised_lamports == late["pnl_lamports"]
    assert report(market, 30).money.realised_lamports == early["pnl_lamports"] + late["pnl_lamports"]
    run = market.run()
    assert realised_since(run, market.clock.now_ns() + 1) == 0
    assert audit_run(run).is_right


def test_a_day_that_is_over_is_told_as_it_ended(tmp_path: Path) -> None:
    """What was bought, sold and valued since then changes nothing of it."""
    market = Market(tmp_path, risk={"max_signal_age_seconds": 60})

    def first_day() -> Performance:
        return performance_of_run(market.run(), 0, day_ends_ns)

    async def story() -> tuple[Performance, Performance]:
        nonlocal day_ends_ns
        async with market.executor() as executor:
            await executor.execute_q50_signal(signal())
            await executor.positions()
            day_ends_ns = market.clock.now_ns() + 1
            before = first_day()
            market.pass_seconds(DAY_SECONDS)
            await executor.positions()  # marks again
            between = first_day()
            assert between.money.unvalued == 0 and between.money.unrealised_lamports is not None
            await sell(executor, 1.0)
            return before, first_day()

    day_ends_ns = 0
    before, after = asyncio.run(story())
    assert before.money.unrealised_lamports is not None and before.money.open_cost_lamports > 0
    assert before.money == after.money
    assert before.activity == after.activity
    assert (after.rounds_closed.closed, len(after.by_position), after.by_position[0].round.is_open) == (0, 1, True)


def test_a_withdrawal_is_no_fall_of_equity(tmp_path: Path) -> None:
    market = Market(tmp_path)

    async def story() -> None:
        async with market.executor() as executor:
            room = await executor.room()
            assert isinstance(room, PaperRoom)
            for lamports in (0, -20 * SOL, 30 * SOL):
                move(room, lamports, market)

    asyncio.run(story())
    found = report(market)
    fall = found.returns.drawdown
    assert (fall.lamports, fall.share, found.money.equity_change_lamports) == (0, 0.0, 0)


def move(room: PaperRoom, lamports: int, market: Market) -> None:
    """Somebody pays in or out, and a minute later the equity is measured."""
    market.pass_seconds(1)
    with room.writing():
        if lamports:
            entries = room.desk.parts.keeper.portfolio.deposit(lamports, market.clock.now_ns())
            room.run.append_entries(entries)
        market.pass_seconds(60)
        room.run.equity.add(room.desk.measure())


def test_capital_moves_the_peak_with_it() -> None:
    points = [EquityPoint(at, sol * SOL, 0, 0) for at, sol in ((1, 100), (3, 110), (5, 60), (7, 90))]
    moves = [
        LedgerEntry(number, at, "SOL", sol * SOL, EntryKind.DEPOSIT if sol > 0 else EntryKind.WITHDRAWAL)
        for number, (at, sol) in enumerate(((2, 50), (5, -40)), start=1)
    ]
    found = max_drawdown(points, moves)
    # 100, and 50 were paid in: 110 is a loss of 40. 40 were taken out: 60 is one of 50, from a peak of 110.
    assert (found.lamports, found.peak_ns, found.trough_ns) == (50 * SOL, 1, 5)
    assert found.share == 50 / 110
    assert max_drawdown(points).lamports == 50 * SOL
    assert max_drawdown([]).lamports == 0
