"""The Q50 strategy through the real engine: bought on a long row, sold on a short one, refusals tried again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pumpswap.engine.engine import Engine
from pumpswap.engine.strategies import Q50Strategy, strategy_named
from pumpswap.engine.strategies.q50 import FrameSignaller, frame_loader
from pumpswap.engine.strategy import Strategy
from pumpswap.errors import ConfigError, NotFound
from pumpswap.model import ExitKind, MarketUpdate, Side, TradeSide
from pumpswap.settings import Settings
from tests.engine.strategy_world import Heard, Said, market_engine, run
from tests.signals.test_q50_signal import GOOD, SHORT
from tests.support.market import START_NS, at, graduate, mint
from tests.support.q50 import SIDE_CODES, published_frame

POOL = graduate(1)
NAME = str(POOL.address)
HOUR = 3_600
SECTIONS: dict[str, Any] = {"exits": {"timeout_hours": 0}}


def frame_file(folder: Path, *kinds: dict[str, Any]) -> Path:
    """A frame whose last rows are these, an hour each; the first of them is stamped when the market begins."""
    rows = 150 + len(kinds)
    frame = published_frame(rows, start="2018-08-02")
    for place, figures in enumerate(kinds):
        for name, value in figures.items():
            told = SIDE_CODES[value] if isinstance(value, Side) else value
            frame.iloc[150 + place, frame.columns.get_loc(name)] = told
    import pandas as pd

    times = pd.to_datetime([START_NS + (number - 150) * HOUR * 10**9 for number in range(rows)])
    frame.index = pd.MultiIndex.from_product([["BTCUSDT"], times], names=["instrument", "datetime"])
    path = folder / "macro_features.pkl"
    frame.to_pickle(path)
    return path


def traded(path: Path, *updates: MarketUpdate, **sections: Any) -> tuple[Engine, Heard]:
    chosen = {"q50": {"path": path, "warm_up_quotes": 2}, **sections}
    strategy = strategy_named("q50", Settings(**chosen))
    made, heard, signals = market_engine([strategy], **chosen)
    assert isinstance(signals, dict)
    run(made, Said(), *updates)
    return made, heard


def quote(seconds: float) -> MarketUpdate:
    return MarketUpdate(at(seconds), NAME, POOL)


def test_a_long_row_is_bought_once_and_a_short_one_sells(tmp_path: Path) -> None:
    path = frame_file(tmp_path, GOOD, GOOD, SHORT)
    moments = [60.0, 70, 80, 90, HOUR + 10, HOUR + 20, 2 * HOUR + 10, 2 * HOUR + 20, 2 * HOUR + 30]
    made, heard = traded(path, *map(quote, moments))
    assert heard.bought == [NAME]
    buy = heard.decisions[0]
    assert buy.accepted
    assert (buy.intent.at_ns, buy.intent.strategy) == (at(70), "q50")  # the second quote: the first is warm-up
    assert buy.intent.signal is not None
    assert buy.intent.signal.source == "q50"
    assert [step.rule for step in buy.sizing][:2] == ["base fraction", "Kelly"]
    ((_, units),) = heard.sold
    sale = heard.decisions[-1]
    assert (sale.intent.side, sale.intent.exit, sale.intent.at_ns) == (
        TradeSide.SELL,
        ExitKind.SIGNAL,
        at(2 * HOUR + 10),
    )
    assert sale.intent.signal is not None
    assert sale.intent.signal.side is Side.SHORT
    assert units == heard.fills[0][1].executed.base_out  # type: ignore[union-attr]
    assert len(heard.decisions) == 2
    assert made.portfolio.positions.open_positions() == []


def test_what_the_gate_refuses_is_tried_again_after_a_while(tmp_path: Path) -> None:
    path = frame_file(tmp_path, GOOD)
    _, heard = traded(path, *[quote(10 * number) for number in range(1, 100)], risk={"min_liquidity_sol": "100000"})
    assert {decision.accepted for decision in heard.decisions} == {False}
    assert [(one.intent.at_ns - START_NS) // 10**9 for one in heard.decisions] == [20, 320, 620, 920]


def test_part_of_it_is_sold_where_the_settings_say_so(tmp_path: Path) -> None:
    path = frame_file(tmp_path, GOOD, SHORT, SHORT)
    moments = [10.0, 20, 30, HOUR + 10, HOUR + 20, 2 * HOUR + 10, 2 * HOUR + 20]
    _, heard = traded(path, *map(quote, moments), exits={"short_signal_bps": 5_000})
    bought = heard.fills[0][1].executed.base_out  # type: ignore[union-attr]
    assert [units for _, units in heard.sold] == [bought // 2, (bought - bought // 2) // 2]


def test_no_pool_of_another_currency_is_told_of() -> None:
    told: list[str] = []

    class Listener(Strategy):
        def on_state(self, pool: str, desk: Any) -> tuple[()]:
            told.append(pool)
            return ()

    made, _, _ = market_engine([Listener()])
    other = graduate(2, quote_mint=mint(77))
    made.step(MarketUpdate(at(1), str(other.address), other))
    made.step(quote(2))
    made.step(MarketUpdate(at(3), NAME))
    assert told == [NAME]


def test_a_strategy_without_a_frame_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no Q50 file") as caught:
        strategy_named("q50", Settings())
    assert "q50.path" in caught.value.hint
    with pytest.raises(NotFound):
        strategy_named("q50", Settings(q50={"path": tmp_path / "nothing.pkl"}))


def test_a_new_file_is_taken_up_and_one_that_does_not_fit_stops_entries(tmp_path: Path) -> None:
    path = frame_file(tmp_path, GOOD)
    chosen = Settings(q50={"path": path, "instrument": "BTCUSDT"})
    loader = frame_loader(chosen)
    frames = FrameSignaller(loader, chosen)
    assert frames() is None
    assert frames.why_none == "no Q50 frame: not loaded yet"
    loader.load()
    first = frames()
    assert first is not None
    assert frames() is first
    assert frames.why_none == ""
    frame_file(tmp_path, SHORT)
    assert loader.refresh()
    assert frames() is not first
    mapped = Settings(q50={"path": path, "instruments": {"coin": "NOBODY"}})
    misfit = FrameSignaller(loader, mapped)
    other = FrameSignaller(frame_loader(mapped), mapped)
    other.loader.load()
    assert misfit() is not None  # the loader's settings count, and they name nobody
    assert other() is None
    assert other.why_none.startswith("the Q50 frame does not fit the settings: q50.instruments gives coin")
    strategy = Q50Strategy(other, Q50Strategy.of_settings(chosen).policy)
    made, heard, _ = market_engine([strategy])
    made.step(quote(1))
    assert heard.decisions == []
    assert not made.risk.state.faults
