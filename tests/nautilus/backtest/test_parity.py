"""One strategy, one market, two systems: the same ledger to the byte, and every lamport of profit explained."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nautilus_trader.model.enums import OrderStatus

from pumpswap.errors import ConfigError
from pumpswap.market.tape import open_recording
from pumpswap.model import EntryKind, TradeSide
from pumpswap.nautilus.backtest.comparison import compare_with_ours
from pumpswap.nautilus.backtest.curve import KIND
from pumpswap.nautilus.backtest.feed import chronicle_market
from pumpswap.nautilus.backtest.venue import CurveBacktest, run_on_curve
from pumpswap.nautilus.config import Q50PumpSwapStrategyConfig
from pumpswap.nautilus.mirror import MIRROR
from pumpswap.nautilus.strategy import Q50PumpSwapStrategy
from pumpswap.portfolio.ledger import ledger_sha256
from pumpswap.research.backtest.runner import Backtest
from pumpswap.research.chronicle.step import Chronicle
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from tests.nautilus.backtest.world import (
    GOOD,
    SHORT,
    chronicle,
    compared,
    frame_file,
    ours_recorded,
    settings_for,
    spec_for,
    theirs_alone,
)
from tests.support.material import material, requires_material


def _settings(folder: Path, **sections: Any) -> Any:
    path = frame_file(folder, [GOOD, SHORT, GOOD, SHORT])
    return settings_for(folder, q50={"path": path, "warm_up_quotes": 5}, **sections)


@dataclass(frozen=True)
class Pair:
    """One market, traded by both systems."""

    settings: Settings
    market: Chronicle
    ours: Backtest
    theirs: CurveBacktest


def _pair(folder: Path, impact: str) -> Pair:
    ladder = [{"gain_bps": 100, "sell_bps": 3_000}, {"gain_bps": 200, "sell_bps": 3_333}]
    exits = {"stop_loss_bps": 1_200, "take_profit_ladder": ladder}
    settings, market = _settings(folder, exits=exits), chronicle(seed=7, minutes=15, pools=4)
    return Pair(settings, market, *compared(market, settings, impact=impact))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Pair]]:
    made = {impact: _pair(tmp_path_factory.mktemp(impact), impact) for impact in ("naive", "counterfactual")}
    yield made
    for pair in made.values():
        pair.theirs.engine.dispose()


@pytest.mark.parametrize("impact", ["naive", "counterfactual"])
def test_both_systems_make_the_same_ledger(pairs: dict[str, Pair], impact: str) -> None:
    settings, ours, theirs = pairs[impact].settings, pairs[impact].ours, pairs[impact].theirs
    found = compare_with_ours(ours.record, theirs)
    assert found.is_equal, "\n".join(found.lines())
    assert found.first_difference is None
    # All of it really happened: every tick was heard, signals led to orders, orders were filled, exits mirrored.
    assert theirs.module.quotes == theirs.market.quotes > 1_500
    (strategy,) = theirs.engine.trader.strategies()
    assert strategy.statistics.ticks == theirs.market.quotes
    assert strategy.statistics.buys > 1
    assert strategy.statistics.sales > 0
    assert strategy.statistics.filled.total() == len(theirs.curve.record.trades)
    sides = [trade.order.side for trade in theirs.curve.record.trades]
    assert sides.count(TradeSide.BUY) > 1
    assert sides.count(TradeSide.SELL) > 1
    orders = theirs.engine.cache.orders()
    filled = [order for order in orders if order.status == OrderStatus.FILLED]
    assert len(filled) == len(sides)
    assert any(order.tags and order.tags[0] == MIRROR for order in filled)
    # Nautilus' cash is the wallet; the books add up to it.
    cash = sum(entry.units for entry in theirs.curve.record.entries if entry.asset == "SOL")
    assert theirs.curve.wallet_lamports == cash
    assert theirs.module.adjustments == 0
    with open_database(settings.database_target) as database:
        (header,) = [one for one in database.runs() if one.run_id == theirs.curve.run_id]
        assert (header.kind, header.finished_ns is not None) == (KIND, True)
        stored = list(database.run(header.run_id).books.entries())
    assert ledger_sha256(stored) == ledger_sha256(ours.record.entries)


@requires_material("real", "host_export")
def test_a_real_day_of_trades_makes_the_same_ledger(tmp_path: Path) -> None:
    path = material("real", "host_export", "trades_one_pool.csv")
    assert path is not None
    updates = list(open_recording(path).updates())
    rows = [(GOOD, SHORT)[hour % 2] for hour in range(24)]
    frame = frame_file(tmp_path, rows, 3_600, start_ns=updates[0].at_ns)
    settings = settings_for(tmp_path, q50={"path": frame})
    theirs = run_on_curve(
        path, settings, lambda _loaded: [Q50PumpSwapStrategy(Q50PumpSwapStrategyConfig(), settings=settings)]
    )
    found = compare_with_ours(ours_recorded(updates, settings), theirs)
    assert found.is_equal, "\n".join(found.lines())
    assert (theirs.module.quotes, theirs.curve.stepped) == (5_301, 6_740)
    assert len(theirs.curve.record.trades) > 10
    theirs.engine.dispose()


def test_two_runs_give_the_same_bytes(pairs: dict[str, Pair]) -> None:
    settings, market = pairs["counterfactual"].settings, pairs["counterfactual"].market
    again = theirs_alone(market, settings, impact="counterfactual")
    first = pairs["counterfactual"].theirs.curve.record.entries
    assert len(first) > 20
    assert ledger_sha256(again.curve.record.entries) == ledger_sha256(first)
    again.engine.dispose()


def test_failures_of_the_network_are_the_same_and_cost_the_same(tmp_path: Path) -> None:
    settings = _settings(tmp_path, paper={"failed_bps": 5_000, "priority": "observed"})
    ours, theirs = compared(chronicle(seed=7, minutes=7, pools=4), settings, seed=5)
    found = compare_with_ours(ours.record, theirs)
    assert found.is_equal, "\n".join(found.lines())
    assert len(theirs.curve.record.rejections) > 0
    paid = [one for one in theirs.curve.record.entries if one.kind is EntryKind.PRIORITY_FEE]
    assert len(paid) > 0
    theirs.engine.dispose()


def test_what_differs_is_told(pairs: dict[str, Pair]) -> None:
    ours, theirs = deepcopy(pairs["counterfactual"].ours.record), pairs["counterfactual"].theirs
    entry = ours.entries[-1]
    ours.entries[-1] = type(entry)(entry.sequence, entry.at_ns, entry.asset, entry.units + 1, entry.kind)
    found = compare_with_ours(ours, theirs)
    assert not found.is_equal
    assert found.first_difference is not None
    assert found.first_difference[0] != found.first_difference[1]
    assert any("part here" in line for line in found.lines())
    assert "ledger" in [one.name for one in found.figures if not one.is_equal]
    del ours.entries[-2:]
    shorter = compare_with_ours(ours, theirs)
    assert shorter.first_difference is not None
    assert shorter.first_difference[0] == "the end"


def test_other_settings_than_the_specs_are_refused(tmp_path: Path) -> None:
    settings, market = _settings(tmp_path), chronicle(minutes=1, pools=1)
    spec = spec_for(market, settings)
    with pytest.raises(ConfigError, match="not those of the back-test"):
        chronicle_market(spec, market, _settings(tmp_path, risk={"max_position_sol": "3"}), ())
