"""The plan's integrated tests with our own engine and its strategy `q50`; tests/nautilus has them once more."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pumpswap.amm import current_schedule
from pumpswap.analytics.record import RunRecord
from pumpswap.analytics.summary import summarise
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.strategies import strategy_named
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate
from pumpswap.portfolio.ledger import ledger_line
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from tests.support.limit_checker import LimitChecker
from tests.support.plan_workflow import PlanWorkflow, Traded, newest_fees, plan_settings, recorded_market


def trade(settings: Settings, updates: Sequence[MarketUpdate]) -> Traded:
    book = PoolBook()
    venue = PaperVenue(book, settings.paper, newest_fees, max_state_age_seconds=settings.risk.max_state_age_seconds)
    strategies = [strategy_named("q50", settings)]
    parts = EngineParts(book, venue, None, newest_fees, settings, strategies=strategies)
    record, limits = RunRecord(), LimitChecker(settings, book, current_schedule())
    with open_database(settings.database_target) as database:
        run = database.start_run("paper", updates[0].at_ns, 0, settings.to_store())
        with StoreRecorder(run) as recorder:
            engine = Engine(parts, (record, recorder, limits))
            engine.run(updates, updates[0].at_ns, settings.paper.lamports("start_sol"))
        summary = summarise(record, engine.portfolio, venue.wallet.balances())
        run.finish(engine.clock.now_ns(), summary.to_json())
    return Traded(settings, updates, summary, [ledger_line(one) for one in record.entries], limits, run.run_id)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Traded:
    return trade(plan_settings(tmp_path_factory.mktemp("plan")), recorded_market())


class TestPumpSwapIntegration(PlanWorkflow):
    trade = staticmethod(trade)
