"""Comparisons over markets: nothing of the future in a decision, every missing datum told, the real export as it is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pumpswap.amm import buy_exact_quote, schedule_at, sell_exact_base
from pumpswap.analytics.comparison import VerdictKind
from pumpswap.analytics.comparison.outcomes import ENDS, NO_PRICE
from pumpswap.app.signal_compare import (
    CompareRequest,
    SignalComparison,
    compare_recording,
    compare_simulated,
    compare_updates,
)
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput, NotFound
from pumpswap.market.tape import open_recording
from pumpswap.settings import Settings
from pumpswap.signals import NewPoolsSignalAnalyzer, PoolFacts, PumpSwapSignalAnalyzer
from tests.market.export_folder import OTHER_POOL, POOL, TIMES, later, snapshot, trade, write_export
from tests.support.market import graduate, seen
from tests.support.material import material, requires_material

EXPORT = ("real", "host_export")
TAPE = (*EXPORT, "trades_one_pool.csv")
SEEN = "2025-10-03 16:41:58"
MINUTE_NS = 60 * NS_PER_SECOND


def export(folder: Path, *, trades: int = 6, **changes: str) -> Path:
    """One snapshot of 100 SOL in the pool, then a trade every thirty seconds with a falling price."""
    rows = [
        trade(later(SEEN, 30 * number), sol="2", token=str(5_000_000 + 500_000 * number))
        for number in range(1, trades + 1)
    ]
    return write_export(folder, [snapshot(**changes)], rows, times=[TIMES])


def compare(path: Path, **changes: object) -> SignalComparison:
    horizons = (2 * MINUTE_NS, 60 * MINUTE_NS)
    return compare_recording(path, Settings(), CompareRequest(**{"horizons_ns": horizons, **changes}))  # type: ignore[arg-type]


def test_a_snapshot_is_scored_as_the_analysers_score_it_and_traded_exactly(tmp_path: Path) -> None:
    path = export(tmp_path)
    found = compare(path)
    (one,) = found.comparison.observations
    updates = [update for update in open_recording(path).updates() if update.state is not None]
    row = updates[0].snapshot
    assert row is not None
    base = NewPoolsSignalAnalyzer().analyze_pool_signals(row.metrics)
    schedule = schedule_at(row.at_ns // NS_PER_SECOND)
    assert updates[0].state is not None
    enhanced = PumpSwapSignalAnalyzer().enhance(base, PoolFacts(updates[0].state, schedule, row.at_ns))
    assert (one.base, one.enhanced) == (base.signal_score, enhanced.enhanced_score)
    assert sum(one.shifts.values()) == pytest.approx(one.enhanced - one.base)

    due = row.at_ns + 2 * MINUTE_NS
    entry = next(update for update in updates[1:] if update.at_ns >= row.at_ns + 1_200_000_000)
    leave = [update for update in updates if update.at_ns <= due][-1]
    assert entry.state is not None
    assert leave.state is not None
    bought = buy_exact_quote(entry.state, schedule, 10**9)
    trip = one.trips[0]
    assert trip is not None
    assert (trip.entry_ns, trip.exit_ns, trip.deadline_ns) == (entry.at_ns, leave.at_ns, due)
    assert trip.received_lamports == sell_exact_base(leave.state, schedule, bought.base_out).user_quote_out
    # two signatures of 5,000 lamports, two priority fees of 300,000 units at 0.1 lamports
    assert trip.paid_lamports == bought.total_quote + 2 * (5_000 + 30_000)
    assert trip.result < 0
    assert one.trips[1] is None
    assert found.comparison.horizons[1].missing == {ENDS: 1}
    assert found.later_pools == 1


def test_size_latency_and_costs_are_settings(tmp_path: Path) -> None:
    path = export(tmp_path)
    paper = {"latency_ms": 40_000, "tip_lamports": 7, "compute_unit_price_micro_lamports": 0}
    settings = Settings(paper=paper)  # type: ignore[arg-type]
    found = compare_recording(path, settings, CompareRequest(size_lamports=5 * 10**8, horizons_ns=(2 * MINUTE_NS,)))
    (one,) = found.comparison.observations
    assert one.trips[0] is not None
    assert one.trips[0].entry_ns == one.at_ns + 60 * NS_PER_SECOND - 500_000_000  # the second trade: SEEN is 58.5
    assert one.trips[0].paid_lamports <= 5 * 10**8 + 2 * 5_007
    assert (found.size_lamports, found.network_lamports, found.latency_ms) == (5 * 10**8, 5_007, 40_000)


def test_the_future_changes_no_score(tmp_path: Path) -> None:
    short, whole = export(tmp_path / "a", trades=1), export(tmp_path / "b", trades=6)
    first, second = compare(short).comparison.observations[0], compare(whole).comparison.observations[0]
    assert (first.base, first.enhanced, first.shifts) == (second.base, second.enhanced, second.shifts)


def test_history_is_only_what_came_before(tmp_path: Path) -> None:
    rows = [
        snapshot(id=str(number), volume_usd_h24=volume, collected_at=f"2025-10-03 10:4{number}:00-06")
        for number, volume in enumerate(("1000", "2000", "1700", "1900"))
    ]
    found = compare(write_export(tmp_path, rows)).comparison.observations
    metrics = [update.snapshot.metrics for update in open_recording(tmp_path).updates() if update.snapshot]
    analyzer = NewPoolsSignalAnalyzer()
    expected = [analyzer.analyze_pool_signals(row, metrics[:number][::-1]) for number, row in enumerate(metrics)]
    assert [one.base for one in found] == [each.signal_score for each in expected]
    assert len({one.base for one in found}) == 4


def test_without_pumpswap_data_the_base_score_stays_and_nothing_is_traded(tmp_path: Path) -> None:
    found = compare(export(tmp_path, reserve_in_usd="0")).comparison
    (one,) = found.observations
    assert (one.is_available, one.enhanced, one.trips) == (False, one.base, (None, None))
    assert found.unavailable == {"the pool has no reserve": 1}
    assert [returns.missing for returns in found.horizons] == [{}, {}]


def test_other_exchanges_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [snapshot(), snapshot(id="2", pool_id=f"solana_{OTHER_POOL}", address=OTHER_POOL, dex_id="raydium")]
    found = compare(write_export(tmp_path, rows, times=[TIMES, {**TIMES, "id": "2"}]))
    assert found.comparison.elsewhere == {"raydium": 1}
    assert [one.pool for one in found.comparison.observations] == [POOL]
    assert found.snapshots == 2


def test_figures_that_cannot_be_read_are_no_score_of_zero_that_depth_lifts() -> None:
    update = seen(graduate(), 0, scored=True)
    assert update.snapshot is not None
    broken = replace(update, snapshot=replace(update.snapshot, metrics={"volume_usd_h24": "much"}))
    found = compare_updates([broken], Settings(), CompareRequest(), source="a feed").comparison
    assert found.unavailable == {"the figures of the base score cannot be read": 1}
    assert found.observations[0].enhanced == found.observations[0].base == 0


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        compare(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="no snapshot to score"):
        compare(write_export(tmp_path, []))


def test_a_simulated_market_is_the_same_for_its_seed_and_full_of_outcomes() -> None:
    first, second = (compare_simulated(3, Settings(), CompareRequest(), pools=12, minutes=15) for _ in range(2))
    assert first == second
    other = compare_simulated(4, Settings(), CompareRequest(), pools=12, minutes=15)
    assert other.comparison != first.comparison
    found = first.comparison
    assert found.pools == first.later_pools == 12
    assert [returns.pools for returns in found.horizons[:2]] == [12, 12]
    assert found.verdict.kind is VerdictKind.NOT_SHOWN  # twelve pools
    gaps = Counter(one.pool for one in found.observations)
    assert max(gaps.values()) <= 15  # one look a minute, not four
    assert first.command == (
        "pumpswap signal compare --simulated 3 --threshold 75 --size-sol 1 --horizon 60s --horizon 300s --horizon 900s"
    )


def test_a_page_does_not_name_the_folder_of_its_source(tmp_path: Path) -> None:
    page = compare(export(tmp_path / "secret" / "export")).page()
    assert page.title == "Base and enhanced score: export"
    assert "secret" not in page.command
    assert page.command.startswith("pumpswap signal compare export --threshold 75 ")


# ---------------------------------------------------------------------------------------------- the real data


@pytest.fixture(scope="module")
def real() -> SignalComparison:
    path = material(*EXPORT)
    assert path is not None
    return compare_recording(path, Settings(), CompareRequest())


@requires_material(*EXPORT)
def test_the_real_export_has_496_snapshots_to_compare(real: SignalComparison) -> None:
    found = real.comparison
    assert (real.snapshots, len(found.observations), found.pools) == (4_720, 496, 496)
    assert sum(found.elsewhere.values()) == 4_224
    assert (found.elsewhere["pump-fun"], found.elsewhere["meteora-dbc"]) == (2_913, 615)
    assert sum(found.unavailable.values()) == 19
    assert found.unavailable["the pool has no reserve"] == 18
    assert any(why.startswith("its prices contradict each other") for why in found.unavailable)


@requires_material(*EXPORT)
def test_the_real_export_shows_how_differently_the_scores_are_spread(real: SignalComparison) -> None:
    found = real.comparison
    assert found.base is not None
    assert found.enhanced is not None
    assert (found.base.at_or_above, round(100 * found.base.share, 1)) == (236, 47.6)
    assert (found.enhanced.at_or_above, round(100 * found.enhanced.share, 1)) == (378, 76.2)
    agreement = found.agreement
    assert (agreement.both, agreement.only_base, agreement.only_enhanced, agreement.neither) == (227, 9, 151, 109)
    assert found.enhanced.at_highest == 248  # half of all reach 100 and are not told apart any more
    assert found.ranks.spearman == pytest.approx(0.872, abs=0.001)
    assert found.ranks.kendall == pytest.approx(0.748, abs=0.001)
    assert all(mover.part == "boost" for mover in found.ranks.risen)
    assert all(mover.part == "depth" for mover in found.ranks.fallen)
    for one in found.observations:
        assert 0 <= one.enhanced <= 100
        assert sum(one.shifts.values()) == pytest.approx(one.enhanced - one.base, abs=1e-9)
        assert one.is_available or one.enhanced == one.base


@requires_material(*EXPORT)
def test_the_real_export_shows_nothing_about_which_score_predicts(real: SignalComparison) -> None:
    found = real.comparison
    assert real.later_pools == 2
    assert found.verdict.kind is VerdictKind.NOT_SHOWN
    assert [returns.observations for returns in found.horizons] == [1, 1, 0]
    assert found.horizons[0].missing == {NO_PRICE: 474, ENDS: 2}
    assert (found.horizons[0].median_wait_s, found.horizons[0].median_price_age_s) == (23.5, 36.5)
    # The one pool that can be followed collapsed.
    assert found.horizons[0].base.mean == pytest.approx(-0.6914, abs=1e-4)
    assert found.horizons[1].base.mean == pytest.approx(-1, abs=1e-4)
    assert all(returns.mean_difference is None for returns in found.horizons)
    assert "1 snapshot has an outcome, in 1 pool" in found.verdict.sentence


@requires_material(*TAPE)
def test_the_real_tape_is_one_pool_however_many_snapshots() -> None:
    path = material(*TAPE)
    assert path is not None
    found = compare_recording(path, Settings(), CompareRequest()).comparison
    assert found.pools == 1
    assert len(found.observations) > 1_000
    assert found.horizons[0].observations > 1_000
    assert found.horizons[0].everything.separate < found.horizons[0].observations / 3
    assert found.verdict.kind is VerdictKind.NOT_SHOWN
