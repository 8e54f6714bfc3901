"""The plan's record of Q50 signals: one row per decision on a frame's row, with the fate of its order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pumpswap.amm import current_schedule
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.q50_recorder import Q50Recorder
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.strategies import strategy_named
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import Costs, Denied, Order, Rejected, Unknown
from pumpswap.settings import Settings
from pumpswap.storage import Run, open_database
from tests.engine.test_strategy_q50 import HOUR, NAME, frame_file, quote
from tests.signals.test_q50_signal import GOOD, SHORT
from tests.support.market import SOL, START_NS


def traded(run: Run, path: Path, moments: list[float], **sections: Any) -> Engine:
    """The strategy through the engine, recorded into a run."""
    chosen, book = Settings(q50={"path": path, "warm_up_quotes": 1}, **sections), PoolBook()
    strategies = [strategy_named("q50", chosen)]
    venue = PaperVenue(book, chosen.paper, lambda _: current_schedule(), max_state_age_seconds=60)
    parts = EngineParts(book, venue, None, lambda _: current_schedule(), chosen, strategies=strategies)
    with StoreRecorder(run) as recorder:
        made = Engine(parts, [recorder])
        made.run(map(quote, moments), START_NS, 50 * SOL)
    return made


def test_what_was_traded_on_the_frame_is_recorded(tmp_path: Path) -> None:
    path = frame_file(tmp_path, GOOD, SHORT)
    with open_database(tmp_path / "books.db") as database:
        run = database.start_run("paper", START_NS, 0, {})
        made = traded(run, path, [60.0, 70, HOUR + 10, HOUR + 20])
        buy, sale = run.q50_history.rows()
        decision = next(iter(run.decisions(accepted=True)))
    assert not made.portfolio.positions.open_positions()
    assert buy == {
        "id": 1,
        "pool_id": f"solana_{NAME}",
        "timestamp": START_NS // 10**9 + 60,
        "q50_signal": buy["q50_signal"],
        "regime_classification": decision.intent.signal.regime if decision.intent.signal else "",
        "position_size": buy["position_size"],
        "nautilus_order_id": f"PS-{run.run_id}-o000001",
        "execution_status": "filled",
        "feature_vector_id": None,
    }
    assert float(buy["q50_signal"]) == 0.0009
    assert int(buy["position_size"] * 10**9) == decision.quote_lamports > 0
    assert (float(sale["q50_signal"]), sale["position_size"], sale["execution_status"]) == (-0.0009, 0, "filled")


def test_refusals_and_analysis_are_recorded_too(tmp_path: Path) -> None:
    path = frame_file(tmp_path, GOOD)
    with open_database(tmp_path / "books.db") as database:
        run = database.start_run("paper", START_NS, 0, {})
        traded(run, path, [60.0], risk={"min_liquidity_sol": "100000"})
        (row,) = run.q50_history.rows()
        assert (row["execution_status"], row["nautilus_order_id"], row["position_size"]) == ("refused", None, 0)


def test_the_fate_of_an_order_is_told_once_it_is_known(tmp_path: Path) -> None:
    """As after a restart: the recorder that made the order is gone."""
    path = frame_file(tmp_path, GOOD)
    with open_database(tmp_path / "books.db") as database:
        run = database.start_run("paper", START_NS, 0, {})
        traded(run, path, [60.0])
        (decision,) = run.decisions(accepted=True)
        (order,) = run.orders()
        named = Order(**{name: getattr(order, name) for name in order.__slots__ if name != "order_id"}, order_id="l7")
        first = Q50Recorder(run)
        first.decided(decision)
        first.ordered(named)
        statuses = []
        unknown = Unknown("l7", START_NS, "signature", 9)
        rejected = Rejected("l7", START_NS, 1, 6004, "ExceededSlippage", "too dear", Costs(5_000), "signature")
        for outcome in (unknown, rejected, Denied("l7", START_NS, "expired", "never landed")):
            Q50Recorder(run).ended(named, outcome)
            statuses.append(run.q50_history.rows()[-1]["execution_status"])
        assert statuses == ["unknown", "rejected", "rejected"]  # what is final stays
