"""The Q50 policy: golden decisions, once per row, nothing before the warm-up, nothing forgotten over a restart."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpswap.errors import BadInput, ConfigError
from pumpswap.model import Q50Frame, Side
from pumpswap.settings import Q50Settings
from pumpswap.signals.q50_policy import Q50Action, Q50Policy, Q50Verdict
from pumpswap.signals.q50_signal import Q50Signaller
from tests.signals.test_q50_signal import GOOD, SHORT, changed
from tests.support.q50 import HOUR_NS, frame_of, model_columns, series_of

POOL, MINT = "PoolPoolPoolPoolPoolPoolPoolPool1", "MintMintMintMintMintMintMintMint1"
FRAME = frame_of(300)
SERIES = FRAME.chosen()
SECOND = 10**9
HOLD: dict[str, Any] = {"q10": -0.002, "q50": 0.0000001, "q90": 0.002, "prob_up": 0.5}
HOLD |= {"tradeable": False, "economically_significant": False, "side": Side.HOLD}
FIRST = 200  # the row of hour 0: rows before it are warm-up and past


def scripted(*kinds: dict[str, Any]) -> Q50Signaller:
    """A frame whose rows from FIRST on are these, an hour each."""
    columns: dict[str, list[Any]] = {name: list(SERIES.column(name)) for name in GOOD}
    for place, figures in enumerate(kinds):
        for name, value in figures.items():
            columns[name][FIRST + place] = value
    return Q50Signaller(Q50Frame([changed(SERIES, **columns)]))


def moment(hours: float) -> int:
    return SERIES.times_ns[FIRST] + round(hours * 3_600) * SECOND


def asked(policy: Q50Policy, signaller: Q50Signaller | None, hours: float, position: int | None) -> Q50Verdict:
    return policy.decide(signaller, moment(hours), POOL, MINT, position)


# (hours since row 0, round held or 0, action, why): of rows long, long, hold, short, short, long
GOLDEN = [
    (0.00, 0, "wait", "warm-up: quote 1 of 2 of this pool"),
    (0.01, 0, "buy", "q50 100.0"),
    (0.02, 0, "wait", "wished a moment ago"),
    (0.09, 0, "wait", "wished a moment ago"),
    (0.10, 0, "buy", "q50 100.0"),  # what was wished 324 s ago has led to nothing
    (0.11, 1, "wait", "held already"),
    (0.50, 0, "wait", "this row was bought already"),  # an exit has sold it
    (1.00, 0, "buy", "q50 100.0"),  # the next row is another reason
    (1.01, 2, "wait", "held already"),
    (2.00, 2, "wait", "the row says hold"),
    (2.50, 0, "wait", "the row says hold"),
    (3.00, 0, "wait", "the row says short, and nothing is held"),
    (3.10, 3, "sell", "q50 turned short at score 100.0"),
    (3.20, 3, "wait", "this row has sold already"),
    (3.30, 4, "sell", "q50 turned short at score 100.0"),  # another round
    (4.00, 4, "sell", "q50 turned short at score 100.0"),  # another row
    (5.00, 4, "wait", "held already"),
    (5.01, 0, "wait", "this row was bought already"),
    (130.0, 0, "wait", "no row applies now"),  # the frame has ended: the newest row is too old
]


def test_golden_decisions() -> None:
    signaller = scripted(GOOD, GOOD, HOLD, SHORT, SHORT, GOOD)
    policy = Q50Policy(check_seconds=300, short_bps=5_000, warm_up_quotes=2)
    told = [(at, number, asked(policy, signaller, at, number or None)) for at, number, _, _ in GOLDEN]
    assert [(at, number, one.action.value, one.why) for at, number, one in told] == GOLDEN
    for _, _, one in told:
        assert one.pool == POOL
        assert (one.signal is not None) == (one.action is not Q50Action.WAIT)
        assert one.share_bps == (5_000 if one.action is Q50Action.SELL else 0)
    assert told[1][2].row_ns == SERIES.times_ns[FIRST]
    assert told[-1][2].row_ns is None


def test_the_signal_of_a_wish_is_the_signallers_own() -> None:
    signaller = scripted(GOOD)
    verdict = asked(Q50Policy(), signaller, 0.5, None)
    assert verdict.signal == signaller.signal_of(POOL, MINT, moment(0.5))
    assert verdict.signal is not None
    assert (verdict.signal.side, verdict.signal.q50, verdict.signal.at_ns) == (Side.LONG, 0.0009, moment(0.5))
    assert verdict.signal.win_probability == 0.65
    assert verdict.signal.reasons[0] == "BTCUSDT speaks for the market"


def test_without_a_frame_or_an_instrument_it_waits() -> None:
    policy = Q50Policy()
    assert asked(policy, None, 0, None).why == "there is no Q50 frame that can be used"
    alone = Q50Signaller(FRAME, Q50Settings(market_wide=False))
    assert asked(policy, alone, 0, None).why == "no instrument of the frame speaks for this pool"


def test_a_coins_own_instrument_speaks_before_the_market() -> None:
    own = series_of(model_columns(300, 5), instrument=MINT)
    own = changed(own, **{name: [value] * 300 for name, value in SHORT.items()})
    market = changed(
        SERIES, **{name: [*list(SERIES.column(name))[:FIRST], *[value] * 100] for name, value in GOOD.items()}
    )
    signaller = Q50Signaller(Q50Frame([market, own]), Q50Settings(instrument="BTCUSDT"))
    policy = Q50Policy()
    assert policy.decide(signaller, moment(1), POOL, MINT, 1).action is Q50Action.SELL
    other = policy.decide(signaller, moment(1), "other", "another", None)
    assert other.action is Q50Action.BUY
    named = Q50Signaller(Q50Frame([market, own]), Q50Settings(instrument="BTCUSDT", instruments={"other": MINT}))
    assert Q50Policy().decide(named, moment(1), "other", "another", 1).action is Q50Action.SELL


def test_a_share_of_nothing_sells_nothing() -> None:
    verdict = asked(Q50Policy(short_bps=0), scripted(SHORT), 0, 1)
    assert verdict.why == "the row says short, and the settings sell nothing on it"


def test_a_saved_state_goes_on_where_it_was() -> None:
    signaller = scripted(GOOD, SHORT)
    policy = Q50Policy(warm_up_quotes=2)
    for at in (0, 0.01):
        asked(policy, signaller, at, None)
    document = json.loads(json.dumps(policy.state()))
    restarted = Q50Policy(warm_up_quotes=2)
    restarted.restore(document)
    for at, position in ((0.02, None), (0.1, None), (0.2, 1), (0.3, None), (1.0, 1), (1.1, 1)):
        assert asked(restarted, signaller, at, position) == asked(policy, signaller, at, position)
    assert restarted.state() == policy.state()
    assert restarted.is_warm(POOL)
    assert not restarted.is_warm("another")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"version": 2, "pools": {}},
        {"version": 1, "pools": []},
        {"version": 1, "pools": {POOL: ["x"]}},
        {"version": 1, "pools": {POOL: [1, 2, 3, 4, 5, 6, 7, 8]}},
        {"version": 1, "pools": {POOL: 5}},
        {"version": 1, "pools": {POOL: [1.5]}},
    ],
)
def test_a_damaged_state_is_refused_and_changes_nothing(document: dict[str, Any]) -> None:
    policy = Q50Policy()
    asked(policy, scripted(GOOD), 0, None)
    before = policy.state()
    with pytest.raises(BadInput):
        policy.restore(document)
    assert policy.state() == before


@pytest.mark.parametrize("figures", [{"check_seconds": 0}, {"short_bps": 10_001}, {"warm_up_quotes": -1}])
def test_figures_that_cannot_be_are_refused(figures: dict[str, int]) -> None:
    with pytest.raises(ConfigError):
        Q50Policy(**figures)


def test_pools_that_nobody_tells_of_are_forgotten() -> None:
    policy, signaller = Q50Policy(), scripted(GOOD)
    for number in range(500):
        policy.decide(signaller, moment(number / 10), f"pool {number}", MINT, None)
    assert len(policy.state()["pools"]) < 260  # a day of them, and the hour between two looks


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.tuples(st.integers(1, 5_000), st.integers(0, 3)), min_size=1, max_size=60),
    seed=st.integers(0, 5),
)
def test_it_never_wishes_against_the_row_nor_twice_on_it(steps: list[tuple[int, int]], seed: int) -> None:
    """Whatever happens to what it wished: a buy only on a long row of which nothing was held, at most one per check; a
    sale only on a short row, once per round and row.
    """
    rng = random.Random(seed)
    signaller = scripted(*[rng.choice((GOOD, HOLD, SHORT)) for _ in range(60)])
    policy, at_ns = Q50Policy(check_seconds=600), moment(0)
    bought: list[tuple[int, int]] = []
    sold: list[tuple[int, int]] = []
    held_on: set[int] = set()
    for seconds, number in steps:
        at_ns += seconds * SECOND
        row_ns, side = signaller.side_at(at_ns, signaller.frame.chosen())
        assert side is signaller.decide(at_ns).side
        if number and row_ns is not None and side is Side.LONG:
            held_on.add(row_ns)
        verdict = policy.decide(signaller, at_ns, POOL, MINT, number or None)
        if verdict.action is Q50Action.BUY:
            assert (side, number) == (Side.LONG, 0)
            assert row_ns is not None
            assert row_ns not in held_on
            assert all(row != row_ns or at_ns - when >= 600 * SECOND for row, when in bought)
            bought.append((row_ns, at_ns))
        elif verdict.action is Q50Action.SELL:
            assert side is Side.SHORT
            assert row_ns is not None
            assert not sold or sold[-1] != (number, row_ns)
            sold.append((number, row_ns))


def test_a_tick_of_a_row_that_is_known_costs_no_new_look() -> None:
    """Of one row the decision is made once, however many ticks ask."""
    signaller = scripted(HOLD)
    asked_ns: list[int] = []
    decide = signaller.decide

    def counted(at_ns: int, series: Any = None) -> Any:
        asked_ns.append(at_ns)
        return decide(at_ns, series)

    signaller.decide = counted  # type: ignore[method-assign]
    policy = Q50Policy()
    for second in range(1, 1_000):
        policy.decide(signaller, moment(0) + second * SECOND, POOL, MINT, None)
    assert len(asked_ns) == 1
    assert HOUR_NS > 1_000 * SECOND
