"""The plan's integrated tests, whichever system trades: five by name, over one finished run and what it has stored.

Heirs give ``traded``: a run of the Q50 strategy over ``recorded_market()``, with the frame of ``q50_frame``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pumpswap.amm import FeeSchedule, current_schedule
from pumpswap.analytics.summary import RunSummary
from pumpswap.app.books import Books, chosen_books
from pumpswap.app.performance import performance_of
from pumpswap.app.plan_metrics import Evidence, Standing, plan_metrics
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.strategies.q50 import frame_loader
from pumpswap.engine.trial import TRIAL_START_NS
from pumpswap.errors import NotFound
from pumpswap.market.book import PoolBook
from pumpswap.market.simulator import MarketSimulator
from pumpswap.model import MarketUpdate, PoolSnapshot, Side, TradeSide
from pumpswap.portfolio.ledger import ledger_line
from pumpswap.settings import Settings
from pumpswap.signals.pool_facts import PoolFacts, known_facts
from pumpswap.signals.pumpswap_analyzer import PumpSwapSignalAnalyzer
from pumpswap.signals.regimes import RegimeDetector
from pumpswap.storage.database import Database, open_database
from tests.support.limit_checker import LimitChecker
from tests.support.q50 import SIDE_CODES, published_frame

__all__ = ["GOOD", "SHORT", "PlanWorkflow", "Traded", "newest_fees", "plan_settings", "q50_frame", "recorded_market"]

# A row that every rule lets through, and one that sells.
GOOD: Mapping[str, Any] = {
    "q10": -0.002,
    "q50": 0.0009,
    "q90": 0.006,
    "prob_up": 0.65,
    "tradeable": True,
    "economically_significant": True,
    "side": Side.LONG,
}
SHORT: Mapping[str, Any] = {
    "q10": -0.006,
    "q50": -0.0009,
    "q90": 0.002,
    "prob_up": 0.35,
    "tradeable": False,
    "economically_significant": False,
    "side": Side.HOLD,
}
_ROWS_BEFORE = 150
_STEP_SECONDS = 300


def newest_fees(_unix_seconds: int) -> FeeSchedule:
    return current_schedule()


def q50_frame(
    folder: Path,
    kinds: Sequence[Mapping[str, Any]] = (GOOD, SHORT, GOOD, GOOD, SHORT, GOOD),
    *,
    start_ns: int = TRIAL_START_NS,
    step_seconds: int = _STEP_SECONDS,
) -> Path:
    """A frame at the published scale whose last rows are ``kinds``, the first of them stamped ``start_ns``.

    As CSV, which every environment reads alike.
    """
    rows = _ROWS_BEFORE + len(kinds)
    frame = published_frame(rows)
    for place, figures in enumerate(kinds):
        for name, value in figures.items():
            told = SIDE_CODES[value] if isinstance(value, Side) else value
            frame.iloc[_ROWS_BEFORE + place, frame.columns.get_loc(name)] = told
    moments = [start_ns + (number - _ROWS_BEFORE) * step_seconds * NS_PER_SECOND for number in range(rows)]
    names = pd.MultiIndex.from_product([["BTCUSDT"], pd.to_datetime(moments)], names=["instrument", "datetime"])
    frame.index = names
    path = folder / "macro_features.csv"
    frame.reset_index().to_csv(path, index=False, date_format="%Y-%m-%d %H:%M:%S.%f")
    return path


def recorded_market(seed: int = 7, seconds: int = 1_800, pools: int = 6) -> list[MarketUpdate]:
    """A simulated market as it was without us."""
    book = PoolBook()
    market = MarketSimulator(book, seed=seed, start_ns=TRIAL_START_NS, duration_s=seconds, pools=pools)
    updates = []
    for update in market.updates(lambda _: None):
        book.apply(update)
        updates.append(update)
    return updates


def plan_settings(folder: Path, **sections: Any) -> Settings:
    """Settings of a run: a row of the frame is five minutes long here, so it is looked at every minute."""
    return Settings(data_dir=folder, q50={"path": q50_frame(folder)}, run={"check_seconds": 60}, **sections)


@dataclass(frozen=True)
class Traded:
    """A finished run. ``limits`` were judged from outside while it ran; ``has_client_ids``: another system has given
    names to its orders.
    """

    settings: Settings
    updates: Sequence[MarketUpdate]
    summary: RunSummary
    ledger: Sequence[str]
    limits: LimitChecker
    run_id: int
    has_client_ids: bool = False


class _Facts:
    """Facts of pools as a run knew them."""

    def __init__(self, book: PoolBook, at_ns: int) -> None:
        self._book, self._at_ns = book, at_ns

    async def pool_facts(self, pool_data: Mapping[str, object]) -> PoolFacts:
        facts, why = known_facts(self._book, str(pool_data["address"]), self._at_ns, newest_fees, "book")
        if facts is None:
            raise NotFound(why)
        return facts


class PlanWorkflow:
    """The plan's five tests. Everything is read back from the database, where somebody else would look for it.

    ``trade`` lets the system under test trade the Q50 strategy over updates.
    """

    trade: Callable[[Settings, Sequence[MarketUpdate]], Traded]

    def test_signal_analysis_enhancement(self, traded: Traded) -> None:
        """The pools of this market, analysed as the host does and enhanced: the base result stays as it is."""
        book, newest = PoolBook(), dict[str, PoolSnapshot]()
        for update in traded.updates:
            book.apply(update)
            if update.snapshot is not None:
                newest[update.pool] = update.snapshot
        assert len(newest) == 6
        told = PumpSwapSignalAnalyzer(source=_Facts(book, traded.updates[-1].at_ns))
        alone = PumpSwapSignalAnalyzer()
        available = 0
        for row in (_row(snapshot) for snapshot in newest.values()):
            base = told.analyze_pool_signals(row)
            enhanced = asyncio.run(told.analyze_pool_enhanced(row))
            without = asyncio.run(alone.analyze_pool_enhanced(row))
            assert enhanced["base_signal_score"] == without["base_signal_score"] == float(base.signal_score)
            assert without["signal_score"] == float(base.signal_score)
            assert without["pumpswap_available"] is False
            assert without["pumpswap_error"] == "no source of PumpSwap data is configured"
            assert 0 <= enhanced["final_signal_score"] <= 100
            assert 0 <= enhanced["execution_feasibility_score"] <= 1
            available += enhanced["pumpswap_available"]
        assert available >= 4

    def test_trading_execution(self, traded: Traded) -> None:
        """Tick → signal → regime → risk → PumpSwap → database → metrics."""
        summary = traded.summary
        assert summary.updates == len(traded.updates)  # every tick
        with _Opened(traded) as (database, books):
            rows = books.run.q50_history.rows()  # signals
            assert {row["execution_status"] for row in rows} <= {"filled", "rejected", "refused"}
            assert sum(row["execution_status"] == "filled" for row in rows) >= 10
            _check_regimes(traded, rows)
            decisions = {one.decision_id: one for one in books.run.decisions()}  # risk
            buys = [one for one in decisions.values() if one and one.intent.side is TradeSide.BUY]
            for decision in buys:
                assert [step.rule for step in decision.sizing][:2] == ["base fraction", "Kelly"]
                assert "regime" in [step.rule for step in decision.sizing]
                assert all(verdict.passed for verdict in decision.verdicts)
            fills = list(books.run.trades())  # PumpSwap, exactly, and the database
            assert len(fills) == summary.fills >= 10
            ours = [order for order in books.run.orders() if order.client_order_id]
            wished = [row for row in rows if row["execution_status"] != "refused"]
            if traded.has_client_ids:
                assert {row["nautilus_order_id"] for row in wished} == {order.client_order_id for order in ours}
            else:
                assert not ours
                assert all(row["nautilus_order_id"].startswith(f"PS-{traded.run_id}-") for row in wished)
            found = {one.number: one for one in plan_metrics(books, Evidence(None), now_ns=traded.updates[-1].at_ns)}
            assert found["M5"].figures["accepted"] == len(buys)  # metrics
            assert found["M6"].figures["fills"] == len(fills)
            assert found["M6"].standing is Standing.MET
            assert found["M8"].standing is not Standing.MISSED
            assert database.location

    def test_position_tracking(self, traded: Traded) -> None:
        """Positions, ledger and wallet agree with books that were kept beside them by other rules."""
        books_beside, summary = traded.limits.books, traded.summary
        assert summary.balances == summary.wallet
        assert {asset: units for asset, units in books_beside.balances.items() if units} == dict(summary.balances)
        with _Opened(traded) as (_, books):
            positions = list(books.run.open_positions())
            held = {one.pool: (one.units, one.cost) for one in books_beside.held.values() if one.units}
            assert {one.pool: (one.base_units, one.cost_lamports) for one in positions} == held
            assert [ledger_line(entry) for entry in books.run.ledger()] == list(traded.ledger)
            closed = [one for one in books.run.positions() if not one.is_open]
            assert len(closed) == len(summary.closed) >= 5
            realised = sum(one.realised_lamports for one in books.run.positions())
            assert realised == summary.realised_lamports

    def test_risk_management(self, traded: Traded, tmp_path: Path) -> None:
        """No limit was passed by anything that was ordered; and limits that allow nothing let nothing through."""
        assert [str(one) for one in traded.limits.found] == []
        assert traded.limits.accepted >= 10
        assert traded.limits.refused >= 10
        for risk in ({"max_position_sol": "999", "max_position_fraction": "1"}, {"min_liquidity_sol": "100000"}):
            other = type(self).trade(plan_settings(tmp_path, risk=risk), traded.updates[:1_500])
            assert [str(one) for one in other.limits.found] == []
            if "min_liquidity_sol" in risk:
                assert other.summary.orders == 0
                assert other.limits.refused >= 5
                with _Opened(other) as (_, books):
                    assert {row["execution_status"] for row in books.run.q50_history.rows()} == {"refused"}

    def test_performance_monitoring(self, traded: Traded) -> None:
        """The report of the stored run says what the ledger says."""
        with _Opened(traded) as (_, books):
            performance = performance_of(books)
            assert performance.money.realised_lamports == traded.summary.realised_lamports
            assert performance.rounds_closed.closed == len(traded.summary.closed)
            assert len(performance.fills) == traded.summary.fills
            assert performance.money.unexplained_lamports == 0
            assert sum(one.sales for one in performance.by_exit if one.key == "signal") >= 5
            equity = list(books.run.equity.points())
            assert equity[-1].equity_lamports == traded.summary.equity_lamports


def _row(snapshot: PoolSnapshot) -> dict[str, Any]:
    """A snapshot as a row of the host."""
    return {
        "pool_id": snapshot.pool_id,
        "address": snapshot.pool,
        "base_token_id": snapshot.base_mint,
        "dex_id": snapshot.dex,
        **snapshot.metrics,
    }


def _check_regimes(traded: Traded, rows: Sequence[Mapping[str, Any]]) -> None:
    """The regime of every signal, told again by the detector, from the frame's rows up to that one."""
    loader = frame_loader(traded.settings)
    loader.load()
    assert loader.frame is not None
    series = loader.frame.chosen()
    for row in rows:
        applied = loader.row_at(int(row["timestamp"]) * NS_PER_SECOND)
        assert applied is not None
        detector = RegimeDetector(traded.settings)
        detector.load_historical_data(list(series.column("vol_risk"))[: applied.index])
        info = detector.classify_regime({"vol_risk": applied.vol_risk})
        assert info["vol_regime"] == row["regime_classification"] is not None


class _Opened:
    """The books of a run, as any terminal opens them."""

    def __init__(self, traded: Traded) -> None:
        self._traded = traded

    def __enter__(self) -> tuple[Database, Books]:
        self._database = open_database(self._traded.settings.database_target)
        books = chosen_books(self._database, self._traded.run_id)
        assert books is not None
        return self._database, books

    def __exit__(self, *_: object) -> None:
        self._database.close()
