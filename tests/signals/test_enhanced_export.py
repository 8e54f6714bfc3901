"""The enhanced analyser over the real PumpSwap rows of the host's export."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache

import msgspec
import pytest

from pumpswap.amm import PoolState, schedule_at
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.rebuild import rebuild
from pumpswap.market.snapshot_file import SnapshotFile
from pumpswap.model import PoolSnapshot
from pumpswap.signals import EnhancedResult, PoolFacts, PumpSwapSignalAnalyzer
from tests.support.material import material, requires_material

pytestmark = requires_material("real", "host_export")
ANALYZER = PumpSwapSignalAnalyzer()


@cache
def rows() -> tuple[PoolSnapshot, ...]:
    path = material("real", "host_export", "new_pools_history.csv")
    assert path is not None
    return tuple(one for one in SnapshotFile(path).snapshots if one.dex == "pumpswap")


def enhanced(row: PoolSnapshot, state: PoolState | None, size: int | None = None) -> EnhancedResult:
    schedule = schedule_at(row.at_ns // NS_PER_SECOND)
    facts = None if state is None else PoolFacts(state, schedule, row.at_ns, data_source="snapshot")
    return ANALYZER.enhance(ANALYZER.analyze_pool_signals(row.metrics), facts, intended_lamports=size)


def state_of(row: PoolSnapshot) -> PoolState | None:
    state = rebuild(row)
    return state if isinstance(state, PoolState) else None


@pytest.fixture(scope="module")
def priced() -> list[tuple[PoolSnapshot, PoolState]]:
    return [(row, state) for row in rows() if (state := state_of(row)) is not None]


def test_all_pumpswap_rows_are_there(priced: list[tuple[PoolSnapshot, PoolState]]) -> None:
    assert len(rows()) == 496
    assert len(priced) >= 470


def test_every_score_is_within_its_bounds(priced: list[tuple[PoolSnapshot, PoolState]]) -> None:
    scores = [enhanced(row, state) for row, state in priced]
    assert all(0 <= one.enhanced_score <= 100 for one in scores)
    assert all(0 <= one.feasibility_score <= 1 for one in scores)
    assert all(one.is_available for one in scores)
    assert len({one.enhanced_score for one in scores}) > 100


@pytest.mark.parametrize("times", [2, 7])
def test_more_depth_at_the_same_price_never_lowers_a_score(
    priced: list[tuple[PoolSnapshot, PoolState]], times: int
) -> None:
    rose = 0
    for row, state in priced:
        deeper = msgspec.structs.replace(
            state, base_reserve=state.base_reserve * times, quote_vault=state.quote_vault * times
        )
        before, after = enhanced(row, state), enhanced(row, deeper)
        assert after.enhanced_score >= before.enhanced_score, row.pool
        rose += after.enhanced_score > before.enhanced_score
    assert rose > 100


def test_more_impact_never_raises_a_score(priced: list[tuple[PoolSnapshot, PoolState]]) -> None:
    """A larger intended size has the larger impact; depth and the largest size stay as they are."""
    fell = 0
    for row, state in priced:
        small, large = enhanced(row, state, 10**8), enhanced(row, state, 10**10)
        assert small.feasibility is not None
        assert large.feasibility is not None
        assert (small.feasibility.intended.impact or 0) <= (large.feasibility.intended.impact or 0), row.pool
        assert large.enhanced_score <= small.enhanced_score, row.pool
        fell += large.enhanced_score < small.enhanced_score
    assert fell > 100


def test_rows_without_a_state_fall_back_to_exactly_the_base_result() -> None:
    for row in rows():
        base = ANALYZER.analyze_pool_signals(row.metrics)
        result = enhanced(row, None)
        merged = result.as_dict()
        assert {name: merged[name] for name in asdict(base)} == asdict(base)
        assert merged["signal_score"] == merged["final_signal_score"] == base.signal_score
        assert not result.tradeable
