"""A short day of few pools under the supervisor: the same as the long check, with counts that take seconds."""

from __future__ import annotations

from pathlib import Path

from tests.support.long_day import DAY_PACE, Sample, growth_mb_per_hour, run_day


def test_a_market_runs_to_its_end_and_leaves_balanced_books_and_no_task(tmp_path: Path) -> None:
    found = run_day(tmp_path / "day.sqlite", seed=3, pools=12, hours=3, pace=DAY_PACE)
    assert found.differences == []
    assert (found.tasks_before, found.tasks_after) == (1, 1)
    assert found.swaps > 1_000
    assert found.fills > 2
    assert found.rounds > 0
    assert found.longest_queue <= 2  # a market that waits for its turn never piles up
    assert len({sample.tasks for sample in found.samples[1:]}) == 1


def test_growth_is_the_slope_that_most_samples_agree_on() -> None:
    samples = [Sample(hour / 2, 100 + 3 * hour / 2, 1, 0, 0, 0, 0, 0) for hour in range(20)]
    samples[15] = Sample(7.5, 900, 1, 0, 0, 0, 0, 0)
    assert growth_mb_per_hour(samples, 2) == 3.0
    assert growth_mb_per_hour(samples[:1], 0) == 0.0
