"""What is missing is named before anything begins, each with what to do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pumpswap.app.run_market import MarketPlaces, simulated_market
from pumpswap.app.run_needs import needs_rows, require_chain, require_signals
from pumpswap.app.run_order import RunOrder
from pumpswap.app.run_parts import MarketSide, ScoringSide
from pumpswap.app.run_scoring import open_scoring
from pumpswap.clock import SystemClock
from pumpswap.engine.feeds.errand import Errand
from pumpswap.engine.feeds.watch_list import WatchList
from pumpswap.errors import ConfigError
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from tests.market.q50_files import FLAT, as_file


def settings(folder: Path, run: dict[str, Any], **sections: Any) -> Settings:
    return Settings(data_dir=folder, run=run, **sections)  # type: ignore[arg-type]


def missing(folder: Path, run: dict[str, Any], **sections: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        require_signals(settings(folder, run, **sections))
    return refused.value.what


def test_a_frame_that_is_not_there_is_named_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "frame.csv"
    assert str(path) in missing(tmp_path, {"signals": ["q50"]}, q50={"path": path})
    assert "set q50.path" in missing(tmp_path, {"signals": ["analyser", "q50"]})
    as_file(tmp_path, FLAT, "frame.csv")
    require_signals(settings(tmp_path, {"signals": ["q50"]}, q50={"path": path}))


def test_without_signals_a_strategy_that_waits_for_them_cannot_begin(tmp_path: Path) -> None:
    assert "--strategy momentum" in missing(tmp_path, {"signals": []})
    require_signals(settings(tmp_path, {"signals": [], "strategy": "momentum"}))


def test_who_follows_is_told_the_setting(tmp_path: Path) -> None:
    assert "follow.wallets" in missing(tmp_path, {"signals": ["follow"]})


def test_a_strategy_on_trades_needs_no_rows_unless_signals_are_asked_for(tmp_path: Path) -> None:
    assert needs_rows(settings(tmp_path, {}))
    assert not needs_rows(settings(tmp_path, {"strategy": "momentum"}))
    assert needs_rows(settings(tmp_path, {"strategy": "momentum", "signals": ["analyser"]}))
    chain: Any = {"network": "localnet", "endpoints": [{"url": "http://127.0.0.1:9"}]}
    require_chain(settings(tmp_path, {"strategy": "momentum"}, chain=chain))


def test_a_fresh_database_has_no_rows_yet_and_nobody_is_sent_in_a_circle(tmp_path: Path) -> None:
    with open_database(tmp_path / "pumpswap.sqlite"):
        pass
    with pytest.raises(ConfigError) as refused:
        require_chain(settings(tmp_path, {}))
    assert "there are none in" in refused.value.what
    assert "pumpswap collect" in refused.value.what
    assert "pumpswap init" in refused.value.hint
    with pytest.raises(ConfigError) as refused:
        require_chain(settings(tmp_path, {}, risk={"max_open_positions": 3}))  # as after `init`
    assert "pumpswap init" not in refused.value.hint


def test_a_frame_that_vanishes_later_is_a_fault_that_names_it(tmp_path: Path) -> None:
    path = as_file(tmp_path, FLAT, "frame.csv")
    q50 = settings(tmp_path, {"signals": ["q50"]}, q50={"path": path})

    async def go() -> None:
        clock = SystemClock()
        market: MarketSide = simulated_market(q50, RunOrder("simulated"), MarketPlaces({}, {}), clock, None)
        scoring: ScoringSide = await open_scoring(q50, market, WatchList(10, 75.0), None, clock)
        (monitor,), (helper,) = scoring.monitors, scoring.helpers
        assert (monitor.name, monitor.obstacle()) == ("q50", "")
        assert isinstance(helper, Errand)
        path.unlink()
        work = asyncio.ensure_future(helper.run(_Deaf()))
        while not monitor.obstacle():
            await asyncio.sleep(0.01)
        work.cancel()
        assert monitor.obstacle() == f"the Q50 frame {path} cannot be used: the file is gone"

    asyncio.run(go())


def test_a_frame_that_lacks_an_instrument_of_the_settings_is_a_fault_too(tmp_path: Path) -> None:
    """It can be read, and gives no signal at all: nobody would be told."""
    path = as_file(tmp_path, FLAT, "frame.csv")
    q50 = settings(tmp_path, {"signals": ["q50"]}, q50={"path": path, "instruments": {"coin": "NOBODY"}})

    async def go() -> None:
        clock = SystemClock()
        market: MarketSide = simulated_market(q50, RunOrder("simulated"), MarketPlaces({}, {}), clock, None)
        (monitor,) = (await open_scoring(q50, market, WatchList(10, 75.0), None, clock)).monitors
        assert "q50.instruments gives coin to 'NOBODY'" in monitor.obstacle()

    asyncio.run(go())


class _Deaf:
    """A sink that hears nothing."""

    async def put(self, update: object, place: object = None) -> None:
        raise AssertionError("an errand brings no news")

    async def turn(self, make: object, place: object = None) -> bool:
        raise AssertionError("an errand brings no news")

    def alive(self) -> None:
        """The errand was done."""
