"""The plan's integrated tests with NautilusTrader: its ticks, its orders and positions, our gate, venue and books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from nautilus_trader.backtest.engine import BacktestEngine

from pumpswap.amm import current_schedule
from pumpswap.model import MarketUpdate
from pumpswap.nautilus.backtest.curve import open_curve
from pumpswap.nautilus.backtest.feed import recorded_market as market_of
from pumpswap.nautilus.backtest.venue import add_market, add_pumpswap_venue, backtest_config, check_finished
from pumpswap.nautilus.constants import PUMPSWAP_VENUE, SOL
from pumpswap.nautilus.instruments import instrument_id
from pumpswap.nautilus.loaders.recording import load_market
from pumpswap.nautilus.money import lamports_of, units_of
from pumpswap.nautilus.statistics import STATISTICS
from pumpswap.nautilus.strategy import Q50PumpSwapStrategy
from pumpswap.nautilus.ticks import Tape
from pumpswap.portfolio.ledger import ledger_line
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from tests.app.test_plan_integration import trade as trade_alone
from tests.support.limit_checker import LimitChecker
from tests.support.plan_workflow import PlanWorkflow, Traded, newest_fees, plan_settings, recorded_market


@dataclass(frozen=True)
class TradedByNautilus(Traded):
    """With the engine and the strategy as they ended."""

    engine: BacktestEngine | None = None
    strategy: Q50PumpSwapStrategy | None = None


def trade(settings: Settings, updates: Sequence[MarketUpdate]) -> TradedByNautilus:
    """A back-test of NautilusTrader's own engine, put together as a user does."""
    loaded = load_market(updates, Tape(settings.nautilus.lamports("quote_sol")), schedule_for=newest_fees)
    market = market_of(updates, settings, schedule_for=newest_fees)
    limits = LimitChecker(settings, market.book, current_schedule())
    with open_curve(market, settings, (limits,)) as curve:
        engine = BacktestEngine(backtest_config(settings))
        module = add_pumpswap_venue(engine, curve)
        add_market(engine, loaded, market.tail_ns)
        strategy = Q50PumpSwapStrategy(settings=settings)
        engine.add_strategy(strategy)
        engine.run()
        check_finished(engine, loaded, module)
    assert curve.summary is not None
    ledger = [ledger_line(one) for one in curve.record.entries]
    return TradedByNautilus(settings, updates, curve.summary, ledger, limits, curve.run_id, True, engine, strategy)


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> TradedByNautilus:
    return trade(plan_settings(tmp_path_factory.mktemp("plan")), recorded_market())


class TestPumpSwapIntegration(PlanWorkflow):
    trade = staticmethod(trade)

    def test_it_trades_exactly_as_our_own_engine(self, traded: TradedByNautilus, tmp_path: Path) -> None:
        """The same strategy on the same market without NautilusTrader: the same ledger, to the byte."""
        alone = trade_alone(plan_settings(tmp_path), traded.updates)
        assert alone.ledger == traded.ledger
        assert alone.summary.equity_lamports == traded.summary.equity_lamports
        assert (alone.summary.decisions, alone.summary.orders) == (traded.summary.decisions, traded.summary.orders)
        assert alone.summary.refused_by_policy == traded.summary.refused_by_policy

    def test_nautilus_holds_what_we_hold(self, traded: TradedByNautilus) -> None:
        """Its cash and its positions are those of the ledger, and every order has ended."""
        engine = traded.engine
        assert engine is not None
        account = engine.cache.account_for_venue(PUMPSWAP_VENUE)
        assert lamports_of(account.balance_total(SOL)) == traded.summary.cash_lamports
        held = {one.position.pool: one.position.base_units for one in traded.summary.open}
        positions = engine.cache.positions_open()
        assert {one.instrument_id for one in positions} == {instrument_id(pool) for pool in held}
        for one in positions:
            assert units_of(one.quantity, 6) == held[one.instrument_id.symbol.value]
        assert not engine.cache.orders_open()
        assert not engine.cache.orders_inflight()

    def test_the_counts_are_kept_with_the_run(self, traded: TradedByNautilus) -> None:
        strategy, summary = traded.strategy, traded.summary
        assert strategy is not None
        counts = strategy.statistics
        assert counts.ticks == len(traded.updates)
        assert counts.filled == {"buy": 9, "sell": 8}
        assert sum(counts.filled.values()) == summary.fills
        assert counts.buys + counts.sales >= summary.orders - 2  # an exit of the engine is no wish of the strategy
        assert (counts.opened, counts.closed) == (len(summary.closed) + len(summary.open), len(summary.closed))
        # What the ledger moved for trades and their costs is what the fills have said.
        spent = summary.start_lamports - summary.cash_lamports - summary.rent_lamports - summary.failed_costs_lamports
        paid = ("network_fee", "priority_fee", "tip")
        network = sum(units for kind, units in summary.costs.items() if kind.value in paid)
        assert counts.bought_lamports - counts.sold_lamports + network - summary.failed_costs_lamports == spent
        with open_database(traded.settings.database_target) as database:
            stored = database.run(traded.run_id).states.load(f"{STATISTICS}/{strategy.id}")
        assert stored is not None
        assert stored.pop("at_ns")
        assert stored == counts.to_json()
        assert set(counts.denied) <= {"cool-down", "liquidity", "price after fees", "price impact", "size", "venue"}
        assert counts.rejected == {"6004 ExceededSlippage": 1}
