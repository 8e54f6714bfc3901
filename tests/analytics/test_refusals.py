"""What refused buys would have earned: counted by rule and horizon, every pool once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.analytics.refusals import ALL_RULES, refused_figures
from pumpswap.model import WhatIf

what_ifs = st.builds(
    WhatIf,
    decision_id=st.just("d"),
    pool=st.sampled_from("abcdef"),
    mint=st.just("m"),
    rule=st.sampled_from(["exposure", "size", "signal"]),
    at_ns=st.integers(0, 100),
    horizon_seconds=st.sampled_from([300, 3_600]),
    due_ns=st.just(0),
    spent_lamports=st.integers(1, 2**40),
    base_units=st.just(1),
    measured_ns=st.one_of(st.none(), st.integers(0, 9)),
    value_lamports=st.one_of(st.none(), st.integers(0, 2**41)),
)


def what_if(pool: str, rule: str, gain: int | None, *, measured: bool = True, seconds: int = 300) -> WhatIf:
    value = None if gain is None else 1_000 + gain
    return WhatIf("d", pool, "m", rule, 0, seconds, 0, 1_000, 1, 1 if measured else None, value)


@given(st.lists(what_ifs, max_size=60))
def test_rules_add_up_to_all_of_them(found: list[WhatIf]) -> None:
    figures = refused_figures(found)
    for seconds in (300, 3_600):
        rows = [one for one in figures if one.horizon_seconds == seconds]
        whole = [one for one in rows if one.rule == ALL_RULES]
        parts = [one for one in rows if one.rule != ALL_RULES]
        for name in ("followed", "measured", "waiting", "unknown", "spent_lamports", "gain_lamports"):
            assert sum(getattr(one, name) for one in whole) == sum(getattr(one, name) for one in parts)
        assert all(one.followed == one.measured + one.waiting + one.unknown for one in rows)
        assert all((one.mean_return.value is None) == (one.pools == 0) for one in rows)


def test_a_pool_counts_once_however_often_it_was_refused() -> None:
    lucky = [what_if("a", "exposure", 500)] * 50
    (_, exposure) = refused_figures([*lucky, what_if("b", "exposure", -100)])
    assert (exposure.measured, exposure.pools) == (51, 2)
    assert exposure.mean_return.value == pytest.approx(0.2)
    assert exposure.won.value == 0.5
    assert exposure.verdict == "too few"


def test_a_verdict_needs_an_interval_on_one_side() -> None:
    losing = [what_if(f"p{number}", "liquidity", -300 - number) for number in range(30)]
    (whole, liquidity) = refused_figures(losing)
    assert whole.verdict == liquidity.verdict == "would have lost"
    (_, winning) = refused_figures([what_if(f"p{number}", "size", 300 + number) for number in range(30)])
    assert winning.verdict == "would have earned"
    (_, mixed) = refused_figures([what_if(f"p{number}", "size", 300 * (-1) ** number) for number in range(30)])
    assert mixed.verdict == "no difference shown"


def test_what_waits_or_is_not_known_is_no_result() -> None:
    (whole, one) = refused_figures([what_if("a", "mode", None, measured=False), what_if("b", "mode", None)])
    assert (one.followed, one.measured, one.waiting, one.unknown) == (2, 0, 1, 1)
    assert whole.verdict == "none measured"
    assert whole.mean_return.reason
    assert refused_figures([]) == []
