"""A part of a chronicle begins with pools as they had come to be, and as they were known."""

from __future__ import annotations

from pumpswap.amm.acts import Told
from pumpswap.research.chronicle.slots import EvenSlots
from pumpswap.research.chronicle.step import Exactness, Step
from pumpswap.research.chronicle.window import Window
from tests.support.market import graduate


def test_what_was_only_told_before_a_part_is_not_exact_in_it() -> None:
    state = graduate()
    steps = [
        Step(1, 1, 0, "Inferred", Told(state), None, state, exactness=Exactness.TOLD),
        Step(2, 1, 1, "Read", Told(state), None, state),
        Step(3, 1, 2, "Inferred", None, state, state),
    ]
    found = list(Window(since_ns=10).of(iter(steps), EvenSlots()))
    assert [(step.pool, step.exactness) for step in found] == [
        ("Inferred", Exactness.TOLD),
        ("Read", Exactness.EXACT),
    ]
