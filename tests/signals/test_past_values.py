"""Percentiles of a sliding window equal those of numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.errors import BadInput, ConfigError
from pumpswap.signals.past_values import PastValues, percentile

VALUES = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60)


@given(values=VALUES, share=st.floats(0, 1), size=st.integers(1, 40))
def test_a_window_has_the_percentiles_of_numpy(values: list[float], share: float, size: int) -> None:
    past = PastValues(size)
    for value in values:
        past.add(value)
    window = values[-size:]
    assert list(past) == window
    assert math.isclose(past.percentile(share), np.percentile(window, 100 * share), rel_tol=1e-9, abs_tol=1e-6)
    probe = window[0]
    assert past.below(probe) == sum(value < probe for value in window)
    assert past.up_to(probe) == sum(value <= probe for value in window)
    assert past.last(5) == window[-5:]


def test_forgetting_starts_anew() -> None:
    past = PastValues(3)
    for value in (3.0, 1.0, 2.0, 5.0):
        past.add(value)
    assert (len(past), past.percentile(0.5)) == (3, 2.0)
    past.clear()
    assert len(past) == 0


def test_what_is_no_value_is_refused() -> None:
    past = PastValues(3)
    for value in (float("nan"), float("inf")):
        with pytest.raises(BadInput):
            past.add(value)
    with pytest.raises(ConfigError):
        past.percentile(0.5)
    with pytest.raises(ConfigError):
        PastValues(0)
    with pytest.raises(ConfigError):
        percentile([1.0], 1.5)
