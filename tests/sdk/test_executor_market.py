"""The executor on the simulated market: signals of every kind, latency, exits; the books agree at the end."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

from pumpswap.app.paper import DEMO_START_NS
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.market.book import PoolBook
from pumpswap.market.simulator import MarketSimulator
from pumpswap.portfolio.audit import audit_run
from pumpswap.portfolio.restore import recall_portfolio
from pumpswap.sdk.executor import BookStates, ExecutionResult, PumpSwapTradingExecutor
from pumpswap.sdk.executor.paper_room import OF_A_BOOK
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database

SEED = 11
LIMITS: dict[str, Any] = {
    "risk": {
        "max_open_positions": 4,
        "cooldown_seconds": 60,
        "max_daily_loss_fraction": "1",
        "max_drawdown_fraction": "1",
        "max_losses_in_a_row": 1_000,
    },
    "exits": {"max_hold_seconds": 120},
}


class Played:
    """A simulated market whose time is moved by whoever waits: every trade of others until then happens first."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.clock = ManualClock(DEMO_START_NS)
        self.book = PoolBook()
        self.states = BookStates(self.book, self.clock)
        self.updates = MarketSimulator(self.book, seed=seed, start_ns=DEMO_START_NS, duration_s=900, pools=12).updates()
        self.settings = Settings(data_dir=folder, **LIMITS)

    async def until(self, at_ns: int) -> None:
        while self.clock.now_ns() < at_ns:
            update = next(self.updates, None)
            if update is None:
                self.clock.advance_to(at_ns)
                return
            self.clock.advance_to(update.at_ns)
            self.book.apply(update)

    def executor(self) -> PumpSwapTradingExecutor:
        return PumpSwapTradingExecutor(self.settings, states=self.states, clock=self.clock, wait=self.until)


def drawn(rng: random.Random, pool: str, market: Played) -> dict[str, Any]:
    """A signal as a model might give it, now and then one that says nothing or nonsense."""
    q50 = rng.gauss(0.0003, 0.001)
    data = {
        "pool_data": {"pool_id": f"solana_{pool}"},
        "signal_score": rng.uniform(60, 100),
        "side": 1 if q50 > 0 else 0,
        "q50": q50,
        "vol_regime": rng.choice(["low", "medium", "high", "extreme"]),
        "tradeable": rng.random() < 0.9,
        "economically_significant": True,
        "pumpswap_available": True,
        "timestamp": market.clock.now_ns(),
    }
    if rng.random() < 0.1:
        data[rng.choice(list(data))] = rng.choice([None, "x", -1, 10**30])
    return data


def test_a_quarter_of_an_hour_of_signals_leaves_books_that_agree_with_every_answer(tmp_path: Path) -> None:
    market, rng = Played(tmp_path, SEED), random.Random(SEED)
    answers: list[ExecutionResult] = []

    async def part(seconds: int) -> None:
        end_ns = market.clock.now_ns() + seconds * NS_PER_SECOND
        async with market.executor() as executor:
            while market.clock.now_ns() < end_ns:
                await market.until(market.clock.now_ns() + 5 * NS_PER_SECOND)
                pools = list(market.book)
                if pools:
                    wishes = [drawn(rng, rng.choice(pools), market) for _ in range(3)]
                    answers.extend(await asyncio.gather(*map(executor.execute_q50_signal, wishes)))
                    answers.extend([await executor.execute_q50_signal(wishes[0])])  # told twice
                answers.extend(await executor.check_exits())
                portfolio = (await executor.room()).desk.parts.keeper.portfolio
                assert len(portfolio.positions.open_positions()) <= 4
                assert portfolio.cash >= market.settings.risk.lamports("native_reserve_sol")

    for _ in range(3):  # three processes, one after the other, on the same books
        asyncio.run(part(280))

    with open_database(market.settings.database_target) as database:
        run = database.open_paper(OF_A_BOOK)
        assert run is not None
        report = audit_run(run)
        assert report.is_right, report
        executed = [one for one in answers if one["status"] == "executed"]
        stored = {f"executor-{run.run_id}-{trade.order_id}": trade for trade in run.trades()}
        assert sorted(str(one["trade_id"]) for one in executed) == sorted(stored)
        sold = sum(one["pnl_lamports"] or 0 for one in executed if one["action"] == "sell")
        positions = list(run.positions())
        assert sold == sum(one.realised_lamports for one in positions)
        bought = sum(
            int(str(one["quote_lamports"])) + int(str(one["gas_used"])) for one in executed if one["action"] == "buy"
        )
        assert bought == sum(one.bought_lamports for one in positions)
        assert recall_portfolio(run).cash == run.balances()["SOL"]
    counts = Counter(one["status"] for one in answers)
    assert counts["executed"] >= 6, counts
    assert {"executed", "hold", "skipped", "rejected"} <= set(counts), counts
    assert counts["unknown"] == 0
