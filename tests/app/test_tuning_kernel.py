"""A search by the kernel is the search by the engine, to the byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from pumpswap.amm.acts import Told
from pumpswap.app import tuning
from pumpswap.app.backtest import BacktestOrder
from pumpswap.app.tuning import TuneOrder, tune
from pumpswap.app.tuning_store import outcome_json
from pumpswap.research.chronicle.step import Step
from pumpswap.research.tuning.kernel_factory import packed
from pumpswap.research.tuning.trials import Split
from pumpswap.settings import RiskLimits, Settings
from tests.research.kernel.test_layout import Written
from tests.research.tuning.played import factory, history, window
from tests.support.market import at, graduate

pytest.importorskip("numba")

LIVELY = {"full_size": "True", "burst_bps": "20", "min_buyers": "1", "turn_bps": "20"}
ORDER = TuneOrder(
    BacktestOrder("simulated:7", "momentum", tuple(LIVELY.items()), minutes=9),
    "strategy.window_seconds=20|40, exits.stop_loss_bps=500|2000",
    objective="net",
    null_draws=1,
    network_draws=1,
    jobs=1,
)


def test_kernel_and_engine_find_the_same(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, risk=RiskLimits(cooldown_seconds=10))
    quick, slow = tune(ORDER, settings), tune(replace(ORDER, uses_engine=True), settings)
    assert (quick.why_engine, slow.why_engine) == ((), ("it was asked for",))
    assert quick.outcome.by_engine + sum(quick.outcome.handed_over.values()) < quick.outcome.trials == 4
    assert slow.outcome.by_engine == 4
    same = {"by_engine": 0, "handed_over": {}}
    one, two = (outcome_json(done.outcome) | same for done in (quick, slow))
    assert msgspec.json.encode(one) == msgspec.json.encode(two)
    assert one["evidence"]["out_of_sample"]["rounds"] > 0


def test_a_packed_history_gives_the_same_trials() -> None:
    split = Split(window(history()))
    params = (("strategy.burst_bps", "100"),)
    far = packed(factory(), history())
    assert far.base.open_history is None
    assert far.open().run(0, params, split) == factory().open().run(0, params, split)


def test_a_history_that_the_kernel_cannot_hold_is_searched_by_the_engine() -> None:
    """It is no reason to stop: the engine plays it, and the search says why."""
    told, why = tuning._columns(history())
    assert told is not None
    assert why == ()
    state = graduate()
    strange = msgspec.structs.replace(state, pool=state.pool.with_changes(tail=b"\1" * 14))
    told, why = tuning._columns(Written(Step(at(0), 0, 0, str(state.address), Told(strange), None, strange)))
    assert told is None
    assert len(why) == 1
    assert "has a layout that this version does not know" in why[0]
