"""Whatever the rows are, every figure is a finite number or says why there is none."""

from __future__ import annotations

import math
import random
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec
from hypothesis import given as property_of
from hypothesis import settings
from hypothesis import strategies as st

from pumpswap.analytics.performance import Estimate, Performance, measure
from pumpswap.model import EquityPoint
from pumpswap.model.booked import BookedMove, BookedRound
from tests.analytics.performance.rows import DAY, HOUR, SOL, START, closed_round, deposit, fill, given, sale
from tests.support.examples import examples

SIZES = (0, 1, 7, 5_000, SOL, 10**15, 2**62)


def anything(seed: int) -> Performance:
    rng = random.Random(seed)

    def size() -> int:
        return rng.randint(0, rng.choice(SIZES))

    def when() -> int:
        return START + rng.choice((0, 1, rng.randint(0, HOUR), rng.randint(0, 400 * DAY)))

    some = rng.choice((0, 1, 2, 30))
    equity = [EquityPoint(when(), size(), size(), size(), rng.choice((None, size()))) for _ in range(some)]
    moves = [deposit(when(), rng.choice((1, -1)) * (size() / SOL + 1e-9)) for _ in range(rng.randint(0, some))]
    moves += [BookedMove(when(), "network_fee", -size(), rng.choice(("failed", "upkeep", ""))) for _ in range(some)]
    rounds = [
        closed_round(rng.choice((1, -1)) * size(), paid=size(), at_ns=when(), held_ns=size()) for _ in range(some)
    ]
    rounds += [
        BookedRound(f"open-{number}", "mint", 1, when(), None, 5, size(), size(), size(), 0, 1, 0,
                    value_lamports=rng.choice((None, size())))
        for number in range(rng.randint(0, some))
    ]  # fmt: skip
    return measure(
        given(
            sorted(equity, key=lambda point: point.at_ns),
            sorted(moves, key=lambda move: move.at_ns),
            rounds=sorted(rounds, key=lambda one: one.opened_ns),
            fills=[
                fill(when(), is_buy=rng.random() < 0.5, lamports=size(), base_units=size(), quoted_lamports=size(),
                     quoted_units=size())
                for _ in range(some)
            ],
            sales=[sale(when(), size(), size(), exit_kind=rng.choice(("", "rug"))) for _ in range(some)],
            begins_here=rng.random() < 0.5,
            is_past=rng.random() < 0.5,
        )
    )  # fmt: skip


def floats(value: Any) -> list[float]:
    """Every float in it, however deep."""
    if isinstance(value, float):
        return [value]
    if isinstance(value, tuple):
        return [found for each in value for found in floats(each)]
    if is_dataclass(value):
        return [found for one in fields(value) for found in floats(getattr(value, one.name))]
    if isinstance(value, msgspec.Struct):
        return [found for name in value.__struct_fields__ for found in floats(getattr(value, name))]
    return []


def estimates(value: Any) -> list[Estimate]:
    if isinstance(value, Estimate):
        return [value]
    return (
        [found for one in fields(value) for found in estimates(getattr(value, one.name))] if is_dataclass(value) else []
    )


@settings(max_examples=examples(300))
@property_of(st.integers(0, 2**32))
def test_whatever_the_rows_are(seed: int) -> None:
    found = anything(seed)
    assert all(map(math.isfinite, floats(found)))
    for one in estimates(found):
        assert (one.value is None) == bool(one.reason)
        if one.value is not None and one.low is not None and one.high is not None:
            assert one.low <= one.value <= one.high
    assert 0 <= found.returns.drawdown.current_share <= found.returns.drawdown.share <= 1
    assert all(point.index >= 0 for point in found.curve)
    time_in_market = found.activity.time_in_market.value
    assert time_in_market is None or 0 <= time_in_market <= 1
