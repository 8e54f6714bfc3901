"""The report of an account says what became of the signals of a Q50 frame."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.analytics.tear_sheet import q50_figures, sheet_json
from pumpswap.app.books import open_books
from pumpswap.app.report_time import Time
from pumpswap.app.reports import report_of, write_report_page
from pumpswap.storage.q50_history import NAUTILUS_STATISTICS
from pumpswap.units import I64_MAX
from tests.app.test_plan_integration import trade
from tests.support.plan_workflow import plan_settings, recorded_market

ALL = Time(0, I64_MAX, "all", "all of it", "UTC", True, "all")


def test_signals_by_regime_and_the_counts_of_nautilus(tmp_path: Path) -> None:
    settings = plan_settings(tmp_path)
    traded = trade(settings, recorded_market())
    with open_books(settings) as books:
        rows = books.run.q50_history.rows()
        sheet = report_of(books, settings, ALL)
        assert sheet.q50 is not None
        assert sheet.q50.signals == len(rows)
        assert sheet.q50.statuses == ["filled", "refused"]
        for regime, counts in sheet.q50.by_regime.items():
            for status, count in counts.items():
                same = [r for r in rows if (r["regime_classification"], r["execution_status"]) == (regime, status)]
                assert len(same) == count
        half = (traded.updates[0].at_ns + traded.updates[-1].at_ns) // 2
        early = report_of(books, settings, Time(0, half, "all", "", "UTC", True, "all")).q50
        late = report_of(books, settings, Time(half, I64_MAX, "all", "", "UTC", True, "all")).q50
        assert early is not None
        assert late is not None
        assert early.signals + late.signals == len(rows)
        counts = {"ticks": 4_120, "buys": 3, "sales": 1, "filled": {"buy": 2}, "denied": {"liquidity": 1}}
        books.run.states.save(f"{NAUTILUS_STATISTICS}/Q50-001", counts, 1)
        sheet = report_of(books, settings, ALL)
        assert sheet.q50 is not None
        assert sheet.q50.counted["Q50-001"]["reasons"] == [("denied", "liquidity", 1)]
        told = sheet_json(sheet)["q50"]
        assert told["nautilus"]["Q50-001"]["fills"] == 2
        page = write_report_page(tmp_path / "report.html", sheet).read_text(encoding="utf-8")
    assert "Q50 signals by regime" in page
    assert "Q50-001 in NautilusTrader, in all of this run: 4,120 quotes decided on" in page


def test_without_a_frame_there_is_no_such_part() -> None:
    assert q50_figures([], {}) is None


@pytest.mark.parametrize("document", [{}, {"ticks": "many", "denied": 5, "filled": []}, {"filled": {"buy": "x"}}])
def test_counts_of_another_version_break_no_report(document: dict[str, object]) -> None:
    found = q50_figures([], {"Q50-001": document})
    assert found is not None
    assert found.counted["Q50-001"]["ticks"] == found.counted["Q50-001"]["fills"] == 0
