"""Momentum: exact flows in a window, bursts of many buyers, a flow that turns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.engine.strategies import Momentum
from pumpswap.model import ExitKind, MarketUpdate, Swap
from tests.engine.strategy_world import Heard, market_engine, run, swapped
from tests.support.market import SOL, at, graduate

POOL = graduate(quote_vault=100 * SOL)
NAME = str(POOL.address)
OTHER = graduate(2)


def traded(*updates: MarketUpdate, **changes: Any) -> Heard:
    made, heard, signals = market_engine([Momentum(**changes)])
    run(made, signals, *updates)
    return heard


def burst(total_sol: float = 3, buyers: int = 5, start: float = 0) -> list[MarketUpdate]:
    """Buys of the same size by different wallets, a second apart; they leave the pool as it is, for round figures."""
    return [swapped(POOL, start + number, total_sol / buyers, f"wallet {number}") for number in range(buyers)]


def test_a_burst_of_many_buyers_is_bought() -> None:
    heard = traded(*burst())
    assert heard.bought == [NAME]
    (decision,) = heard.decisions
    signal = decision.intent.signal
    assert signal is not None
    assert (signal.score, signal.source, signal.at_ns) == (75.0, "momentum", at(4))
    assert signal.reasons == ("5 trades, 5 buyers in 60 s: net buying of 3 SOL, 3.00 % of what the pool holds",)
    assert decision.intent.strategy == "momentum"


@pytest.mark.parametrize(("sol", "score"), [(3.2, 80.0), (4.0, 100.0), (50.0, 100.0)])
def test_more_buying_is_a_higher_score(sol: float, score: float) -> None:
    (decision,) = traded(*burst(sol)).decisions
    assert decision.intent.signal is not None
    assert decision.intent.signal.score == pytest.approx(score)


def test_a_lamport_less_is_no_burst() -> None:
    almost = [*burst()[:4], MarketUpdate(at(4), NAME, POOL, swap=Swap(NAME, at(4), True, 1, 6 * SOL // 10 - 1, "w"))]
    assert traded(*almost).decisions == []


def test_one_wallet_that_buys_from_itself_is_no_burst() -> None:
    assert traded(*[swapped(POOL, second, 2, "same") for second in range(10)]).decisions == []


def test_sales_count_against_it() -> None:
    assert traded(swapped(POOL, 0, -0.5, "seller"), *burst(start=1)).decisions == []
    assert len(traded(swapped(POOL, 0, -0.5, "seller"), *burst(3.5, start=1)).decisions) == 1


def test_what_is_older_than_the_window_is_forgotten() -> None:
    early, late = burst()[:2], burst(start=60)[2:]
    assert traded(*early, *late).decisions == []
    assert (
        len(traded(*early, *[swapped(POOL, 59 + number, 0.6, f"late {number}") for number in range(3)]).decisions) == 0
    )
    assert (
        len(traded(*early, *[swapped(POOL, 58 + number / 2, 0.6, f"late {number}") for number in range(3)]).decisions)
        == 1
    )


def test_a_burst_is_told_once_in_a_window() -> None:
    """Every further buy of it would only be refused: the gate would have a decision for each."""
    heard = traded(*burst(), *burst(3, 30, start=5))
    assert len(heard.decisions) == 1


@pytest.mark.parametrize(("last_sol", "leaves"), [(-0.98, False), (-1.1, True)])
def test_it_leaves_when_the_flow_turns(last_sol: float, leaves: bool) -> None:
    """3 SOL bought and 3 sold again; then what is sold is 1 % of the pool, or not quite."""
    heard = traded(
        *burst(), swapped(POOL, 30, -3, "a"), swapped(POOL, 40, last_sol, "b"), swapped(POOL, 43, 0.001, "d")
    )
    assert len(heard.sold) == leaves
    if leaves:
        assert heard.sold == [(NAME, heard.fills[0][1].executed.base_out)]  # type: ignore[union-attr]
        assert heard.fills[1][0].reason == "the flow has turned: net selling of 1.1 SOL, 1.10 % of what the pool holds"
        assert heard.decisions[1].intent.exit is ExitKind.SIGNAL


def test_a_quiet_pool_is_not_kept_in_mind() -> None:
    strategy = Momentum()
    made, _, signals = market_engine([strategy])
    run(made, signals, *burst(1), swapped(OTHER, 70, 0.1, "x"), swapped(OTHER, 130, 0.1, "x"))
    assert list(strategy._flows) == [str(OTHER.address)]
    assert strategy._wished_ns == {}


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(-(2 * SOL), 2 * SOL).filter(bool), st.integers(0, 9)),
        min_size=1,
        max_size=60,
    )
)
def test_the_flow_is_the_exact_sum_of_the_window(trades: list[tuple[int, int, int]]) -> None:
    """Against a reference that adds up the whole history every time."""
    strategy = Momentum()
    made, _, signals = market_engine([strategy], risk={"max_position_sol": "0.01"})
    second, history = 0, []
    for wait, lamports, trader in trades:
        second += wait
        history.append((second, lamports, trader))
        swap = Swap(NAME, at(second), lamports > 0, 1, abs(lamports), f"wallet {trader}")
        made.step(MarketUpdate(at(second), NAME, POOL, swap=swap))
        window = [each for each in history if each[0] > second - 60]
        flow = strategy._flows[NAME]
        assert flow.net_lamports == sum(each[1] for each in window)
        assert flow.buyers == len({each[2] for each in window if each[1] > 0})
    made.finish()
    assert signals == {}


@pytest.mark.parametrize("sol", [3.0, 3.2, 50.0])
def test_full_size_says_the_same_score_at_full_strength(sol: float) -> None:
    (graded,), (full,) = traded(*burst(sol)).decisions, traded(*burst(sol), full_size=True).decisions
    assert graded.intent.signal is not None
    assert full.intent.signal is not None
    assert full.intent.signal.strength == 1.0
    assert full.intent.signal.score == graded.intent.signal.score == pytest.approx(graded.intent.signal.strength * 100)
