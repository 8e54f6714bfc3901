"""The difference of two runs by cause: exact, and each cause is what its name says."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pumpswap.analytics.drift import Cause, DriftFill, DriftRound, DriftSide, drift_between, matched, rounds_of, split
from pumpswap.model import Position

SOL = 10**9
# 1 SOL for 1,000 units, sold for 1.2 SOL, as quoted; 1 % of fees each way, 5,000 lamports a transaction.
ROUND = DriftRound(
    "pool", "mint", "NAME", 100, 200,
    spent_lamports=SOL, bought_units=1_000_000, units_as_quoted=1_000_000, received_lamports=1_200_000_000,
    venue_fee_lamports=22_000_000, cost_lamports=10_000,
)  # fmt: skip

amounts = st.integers(0, 2**50)
rounds = st.builds(
    DriftRound,
    pool=st.sampled_from(["a", "b", "c"]),
    mint=st.just("m"),
    name=st.just("n"),
    opened_ns=st.integers(0, 1_000),
    closed_ns=st.none(),
    spent_lamports=st.integers(1, 2**50),
    bought_units=st.integers(1, 2**60),
    units_as_quoted=st.integers(0, 2**60),
    received_lamports=amounts,
    lost_lamports=st.integers(-(2**40), 2**40),
    venue_fee_lamports=amounts,
    cost_lamports=amounts,
    value_lamports=amounts,
)
not_bought = rounds.map(lambda one: replace(one, spent_lamports=0, bought_units=0))
sides = st.builds(
    DriftSide,
    label=st.just("run"),
    run_id=st.just(1),
    first_ns=st.integers(0, 500),
    last_ns=st.integers(400, 1_000),
    gain_lamports=st.integers(-(2**60), 2**60),
    rounds=st.lists(st.one_of(rounds, not_bought), max_size=12),
    idle_lamports=st.integers(-(2**40), 0),
    offset_ns=st.integers(0, 100),
)


def named(first: DriftRound, second: DriftRound) -> dict[str, int]:
    """The causes that are not nothing."""
    return {cause.name: lamports for cause, lamports in split(first, second).items() if lamports}


@given(rounds, rounds)
def test_the_causes_of_a_pair_sum_to_its_difference(first: DriftRound, second: DriftRound) -> None:
    assert sum(split(first, second).values()) == first.gain_lamports - second.gain_lamports
    assert not any(split(first, first).values())


@given(sides, sides, st.integers(0, 300))
def test_every_lamport_of_a_difference_has_a_cause_and_every_round_a_place(
    first: DriftSide, second: DriftSide, within: int
) -> None:
    drift = drift_between(first, second, within)
    assert sum(drift.parts.values()) == drift.difference_lamports == first.gain_lamports - second.gain_lamports
    assert drift.parts.keys() == set(Cause)
    back = drift_between(second, first, within)
    assert back.difference_lamports == -drift.difference_lamports
    assert {(id(one.first), id(one.second)) for one in drift.pairs} == {(id(x.second), id(x.first)) for x in back.pairs}
    paired = {id(pair.first) for pair in drift.pairs}
    alone = [one for one in first.rounds if id(one) not in paired]
    inside = [one for one in alone if drift.since_ns <= one.opened_ns <= drift.until_ns]
    assert sorted(map(id, drift.only_first)) == sorted(map(id, inside))
    assert drift.parts[Cause.ONLY_FIRST] == sum(one.gain_lamports for one in drift.only_first)


def test_each_cause_is_what_its_name_says() -> None:
    assert named(ROUND, ROUND) == {}
    twice = replace(
        ROUND, spent_lamports=2 * SOL, bought_units=2_000_000, units_as_quoted=2_000_000,
        received_lamports=2_400_000_000, venue_fee_lamports=44_000_000,
    )  # fmt: skip
    assert named(twice, ROUND) == {"SIZE": 178_000_000}
    later = replace(ROUND, bought_units=900_000, units_as_quoted=900_000, received_lamports=1_080_000_000)
    assert named(later, ROUND) == {"ENTRY_PRICE": -120_000_000}
    slipped = replace(ROUND, bought_units=900_000, received_lamports=1_080_000_000)
    assert named(slipped, ROUND) == {"ENTRY_SLIPPAGE": -120_000_000}
    sold_better = replace(ROUND, received_lamports=1_500_000_000)
    assert named(sold_better, ROUND) == {"EXITS": 300_000_000}
    sold_late = replace(ROUND, received_lamports=1_150_000_000, lost_lamports=50_000_000)
    assert named(sold_late, ROUND) == {"EXIT_SLIPPAGE": -50_000_000}
    assert named(replace(ROUND, venue_fee_lamports=23_000_000), ROUND) == {"VENUE_FEES": -1_000_000}
    assert named(replace(ROUND, cost_lamports=110_000), ROUND) == {"TRANSACTION_COSTS": -100_000}
    held = replace(ROUND, closed_ns=None, received_lamports=0, value_lamports=1_200_000_000)
    assert named(held, ROUND) == {}


def test_the_nearest_rounds_of_a_pool_are_the_same_chance_and_what_was_given_is_none() -> None:
    def opened(at_ns: int, pool: str = "pool") -> DriftRound:
        return replace(ROUND, opened_ns=at_ns, pool=pool)

    first = [opened(100), opened(200), opened(900), opened(100, "other")]
    given_away = replace(opened(101), spent_lamports=0, bought_units=0)
    pairs, left, other_left = matched(first, [given_away, opened(190), opened(120), opened(500)], 50)
    assert [(one.opened_ns, other.opened_ns) for one, other in pairs] == [(100, 120), (200, 190)]
    assert [(one.opened_ns, one.pool) for one in left] == [(100, "other"), (900, "pool")]
    assert [one.opened_ns for one in other_left] == [101, 500]
    assert len(matched(first, [opened(1_100)], 50, second_later_ns=1_000)[0]) == 1


def test_times_that_only_one_was_there_are_a_cause_of_their_own() -> None:
    early, both = replace(ROUND, opened_ns=50), replace(ROUND, opened_ns=150)
    first = DriftSide("first", 1, 0, 300, 2 * ROUND.gain_lamports, (early, both))
    second = DriftSide("second", 2, 100, 200, ROUND.gain_lamports, (both,))
    drift = drift_between(first, second, 10)
    assert {cause for cause, lamports in drift.parts.items() if lamports} == {Cause.OUTSIDE_FIRST}
    assert (drift.since_ns, drift.until_ns, drift.has_common_time) == (100, 200, True)
    later = replace(ROUND, opened_ns=1_050)
    apart = drift_between(first, replace(second, first_ns=1_000, last_ns=1_100, rounds=(later,)), 10)
    assert not apart.has_common_time
    assert apart.pairs == []
    assert apart.per_pair.value is None


def test_fills_belong_to_the_round_that_was_open() -> None:
    def fill(at_ns: int, *, is_buy: bool, units: int = 10, quote: int = 110, exit_kind: str = "") -> DriftFill:
        return DriftFill(f"o{at_ns}", "pool", at_ns, is_buy, units, 100, quote, 5, 10, 100, exit_kind)

    positions = [Position("pool", "mint", number, at, 0, closed_ns=at + 50) for number, at in ((1, 100), (2, 200))]
    fills = [
        fill(99, is_buy=True),  # its block's clock is a little behind
        fill(150, is_buy=False, quote=90, exit_kind="stop-loss"),
        fill(200, is_buy=True),
        replace_pool(fill(120, is_buy=True), "unknown"),
    ]
    first, second = rounds_of(positions, fills, {("pool", 2): 77})
    assert (first.spent_lamports, first.received_lamports, first.venue_fee_lamports) == (100, 100, 20)
    assert (first.cost_lamports, first.exit_kind, first.lost_lamports, first.units_as_quoted) == (
        10,
        "stop-loss",
        10,
        11,
    )
    assert first.gain_lamports == 90 - 110 - 10
    assert (second.value_lamports, second.gain_lamports) == (77, 77 - 110 - 5)


def replace_pool(fill: DriftFill, pool: str) -> DriftFill:
    return DriftFill(**{name: getattr(fill, name) for name in fill.__struct_fields__} | {"pool": pool})
