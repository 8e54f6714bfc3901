"""Charts: what is drawn is what is known, exactly where a reader can point at it."""

from __future__ import annotations

import json
from pathlib import Path

from pumpswap.app.views.pools import pool
from pumpswap.clock import ManualClock
from pumpswap.model import EquityPoint
from pumpswap.settings import Settings
from pumpswap.web.pages.figures import equity_figure, pool_figure
from pumpswap.web.store import Store
from tests.support.market import at
from tests.web.serving import NASTY, NOW, POOL, lived

SOL = 10**9


def test_equity_and_the_fall_below_its_highest() -> None:
    points = [
        EquityPoint(at(0), 50 * SOL, 0, 0),
        EquityPoint(at(1), 50 * SOL, 2 * SOL, 0),
        EquityPoint(at(2), 39 * SOL, 0, 0),
    ]
    figure = equity_figure(points)
    equity, fall = figure["data"]
    assert equity["y"] == [50.0, 52.0, 39.0]
    assert fall["y"] == [0.0, 0.0, -25.0]
    assert equity["hovertext"][1] == "Equity 52 SOL, 2 of it in positions"
    assert figure["layout"]["shapes"][0]["y0"] == 50.0


def test_equity_of_nothing_is_no_division_by_zero() -> None:
    assert equity_figure([EquityPoint(at(0), 0, 0, 0), EquityPoint(at(1), 0, 0, 0)])["data"][1]["y"] == [0.0, 0.0]


def test_trades_stand_at_their_price_and_a_name_is_only_text(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    lived(settings, name=NASTY)
    store = Store(settings, ManualClock(at(NOW)))
    view = pool(store.sight(), POOL)
    store.close()
    figure = pool_figure(view)
    assert figure is not None
    marks = {one["name"]: one for one in figure["data"] if one.get("name")}
    bought = [trade for trade in view.trades if trade.side.value == "buy"]
    assert view.decimals is not None
    scale = 10 ** (view.decimals + 6) / SOL
    assert marks["Bought"]["y"] == [scale * one.quote_lamports / one.base_units for one in bought]
    assert "<script" not in json.dumps(figure)
