"""A few simulated pools on paper, as the long check does with a thousand."""

from __future__ import annotations

import pytest

from tests.acceptance.paper_thousand import lines_of
from tests.support.paper_thousand import paper_market


@pytest.mark.parametrize("source", ["analyser", "q50+analyser"])
def test_accepted_signals_are_executed_and_booked_as_the_reference_books_them(source: str) -> None:
    report = paper_market(5, source, pools=14, minutes=12)
    assert report.differences == ()
    assert report.keeper.accuracy == 1.0
    funnel = report.quality.funnel
    assert funnel.signals >= funnel.tradeable >= funnel.available >= funnel.accepted >= funnel.executed > 5
    # Of a dozen orders one or two fail as transactions do on mainnet; the share is the business of the long check.
    assert funnel.executed + sum(report.quality.failures.values()) == funnel.accepted
    assert report.quality.slippage is not None
    assert report.quality.slippage.mean < 0.05
    assert any("executed" in line for line in lines_of(source, report))
