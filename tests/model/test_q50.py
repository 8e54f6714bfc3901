"""A Q50 frame is immutable, and a look-up sees the past only."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.errors import BadInput, ConfigError, NotFound
from pumpswap.model import Q50Frame, Q50Series, Side

ROW: dict[str, Any] = {"q10": -0.01, "q50": 0.001, "q90": 0.02, "vol_raw": 0.1, "vol_risk": 0.01, "prob_up": 0.6}
ROW |= {"economically_significant": True, "high_quality": False, "tradeable": True}


def series(times: list[int], name: str | None = "BTC", **columns: Any) -> Q50Series:
    return Q50Series(name, times, {key: [value] * len(times) for key, value in ROW.items()} | columns)


@given(
    steps=st.lists(st.integers(1, 50), min_size=1, max_size=40),
    at=st.integers(-10, 2_200),
    tolerance=st.none() | st.integers(0, 200),
)
def test_a_look_up_gives_the_newest_row_that_is_past_and_young_enough(
    steps: list[int], at: int, tolerance: int | None
) -> None:
    times = [sum(steps[: place + 1]) for place in range(len(steps))]
    found = series(times)
    row = found.at(at, tolerance)
    past = [time for time in times if time <= at]
    behind = sorted(steps[1 : len(past)]) or [0]
    allowed = behind[(len(behind) - 1) // 2] if tolerance is None else tolerance
    if past and at - past[-1] <= allowed:
        assert row is not None
        assert row.at_ns == past[-1]
        assert row.index == bisect_right(times, at) - 1
    else:
        assert row is None


def test_the_spacing_is_the_median_step_so_far_and_the_default_tolerance() -> None:
    found = series([0, 10, 20, 100, 110])
    assert found.spacing_ns == 10
    assert found.at(30) is not None
    assert found.at(31) is None
    assert found.at(31, 11) is not None
    uneven = series([0, 10, 40, 100])
    assert [uneven.spacing_at(place) for place in range(4)] == [0, 10, 10, 30]
    assert uneven.spacing_ns == 30


def test_the_spacing_follows_a_frame_that_changes_its_pace() -> None:
    times = [60 * row for row in range(200)] + [60 * 199 + 5 * row for row in range(1, 200)]
    found = series(times)
    assert (found.spacing_at(199), found.spacing_at(230), found.spacing_ns) == (60, 60, 5)


def test_the_times_of_later_rows_change_no_look_up() -> None:
    for later in ([40, 50], [1_000, 2_000, 3_000], []):
        found = series([0, 10, 20, *later])
        assert found.at(30) is not None
        assert found.at(31) is None


def test_the_first_row_does_not_know_when_the_second_will_come() -> None:
    for later in ([10], [1_000, 2_000], []):
        found = series([0, *later])
        assert found.at(0) is not None
        assert found.at(5) is None


def test_a_single_row_applies_only_at_its_own_time() -> None:
    found = series([50])
    assert found.spacing_ns == 0
    assert found.at(50) is not None
    assert found.at(51) is None
    assert found.at(51, 1) is not None
    assert found.newest(49) is None


def test_a_range_holds_both_ends() -> None:
    found = series([0, 10, 20, 30])
    assert list(found.between(10, 20)) == [1, 2]
    assert list(found.between(11, 19)) == []
    assert list(found.between(-5, 99)) == [0, 1, 2, 3]


def test_a_row_carries_its_figures_and_a_name_for_its_side() -> None:
    found = series([0, 10], side=[Side.SHORT, Side.HOLD], extra=[1.5, float("nan")], note=["a", None])
    row = found.row(0)
    assert (row.instrument, row.at_ns, row.q50, row.tradeable, row.side) == ("BTC", 0, 0.001, True, Side.SHORT)
    assert found.values(1)["extra"] is None
    assert found.values(1)["side"] == "hold"
    assert found.values(0) == {**ROW, "side": "short", "extra": 1.5, "note": "a"}


@pytest.mark.parametrize(
    ("q50", "tradeable", "side"),
    [(0.1, True, Side.LONG), (-0.1, True, Side.SHORT), (0.1, False, Side.HOLD), (0.0, True, Side.HOLD)],
)
def test_without_a_side_it_follows_from_the_rules(q50: float, tradeable: bool, side: Side) -> None:
    found = series([0], q50=[q50], tradeable=[tradeable])
    assert not found.has_side
    assert found.row(0).side is side


def test_nobody_can_change_a_frame() -> None:
    times, values = array("q", [0, 10]), array("d", [1.0, 2.0])
    found = series([0, 10], q50=memoryview(values))
    shared = Q50Series("BTC", memoryview(times), {key: [value] * 2 for key, value in ROW.items()})
    values[0], times[0] = 9.0, 5
    assert list(found.column("q50")) == [1.0, 2.0]
    assert list(shared.times_ns) == [0, 10]
    for column in ("q50", "tradeable", "side"):
        with pytest.raises(TypeError):
            found.column(column)[0] = 7.0  # type: ignore[index]
    with pytest.raises(AttributeError):
        found.row(0).q50 = 7.0  # type: ignore[misc]


def test_the_label_cannot_get_in() -> None:
    with pytest.raises(BadInput, match="label"):
        series([0], truth=[0.1])


@pytest.mark.parametrize("times", [[10, 0], [10, 10]])
def test_times_must_rise(times: list[int]) -> None:
    with pytest.raises(BadInput, match="do not rise"):
        series(times)


def test_columns_must_be_there_and_equally_long() -> None:
    with pytest.raises(BadInput, match="not equally long"):
        series([0, 1], q50=[0.1])
    with pytest.raises(BadInput, match="missing: q50"):
        Q50Series(None, [0], {key: [value] for key, value in ROW.items() if key != "q50"})
    with pytest.raises(NotFound, match="no column rsi"):
        series([0]).column("rsi")


def test_a_frame_gives_the_series_that_is_meant() -> None:
    one, two, unnamed = series([0]), series([0, 1], "SOL"), series([0], None)
    assert Q50Frame([one]).chosen() is one
    assert Q50Frame([one, two]).chosen("SOL") is two
    assert Q50Frame([unnamed]).chosen("whatever") is unnamed
    assert Q50Frame([one, two]).find("ETH") is None
    assert len(Q50Frame([one, two])) == 3
    with pytest.raises(ConfigError, match="2 instruments: BTC, SOL"):
        Q50Frame([one, two]).chosen()
    with pytest.raises(ConfigError, match="no instrument 'ETH'"):
        Q50Frame([one]).chosen("ETH")
    for empty in ([], [series([])]):
        with pytest.raises(BadInput, match="no rows"):
            Q50Frame(empty)
    with pytest.raises(BadInput, match="twice"):
        Q50Frame([one, one])
