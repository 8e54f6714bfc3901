"""What holds back the next signature of an order: everything of risk for a buy, a halt for a sale."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pumpswap.amm import buy_exact_quote, current_schedule
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Denied, Order, TradeSide, TradingState
from pumpswap.risk.signing import held_back
from pumpswap.risk.tracker import RiskTracker
from pumpswap.settings import RiskLimits
from tests.support.market import SOL, at, graduate
from tests.support.switching import switched

LIMITS = RiskLimits(breaker_failures=2)


def order(side: TradeSide = TradeSide.BUY, number: int = 1, seconds: float = 60) -> Order:
    quote = buy_exact_quote(graduate(), current_schedule(), SOL)
    return Order(f"o{number}", f"d{number}", side, "pool", "mint", at(seconds), 1, quote)


def fail(risk: RiskTracker, times: int = 2) -> None:
    for number in range(times):
        failed = order(number=10 + number)
        risk.ended(failed, Denied(failed.order_id, at(60), "endpoints", "gone"), None)


def lose(risk: RiskTracker) -> None:
    risk.measured(10 * SOL, at(1))
    risk.measured(SOL, at(2))


def lose_in_a_row(risk: RiskTracker) -> None:
    risk._round_closed(-1, at(60))
    for _ in range(LIMITS.max_losses_in_a_row):
        risk._round_closed(-1, at(60))


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (lambda risk: risk.fault("shutdown", "the engine is being stopped"), "shutdown: the engine is being stopped"),
        (lambda risk: switched(risk, TradingState.EXITS_ONLY, "paused by me"), "exits-only: paused by me"),
        (fail, "the circuit breaker is open after 2 failures in a row"),
        (lose, "the day's limit of losses was reached"),
        (lose_in_a_row, "entries pause after losses in a row"),
    ],
    ids=["fault", "person", "breaker", "losses of the day", "losses in a row"],
)
def test_a_buy_that_was_accepted_is_not_signed_after(happens: Callable[[RiskTracker], object], words: str) -> None:
    risk = RiskTracker(LIMITS)
    assert held_back(order(), risk, LIMITS, at(61)) == ""
    happens(risk)
    assert words in held_back(order(), risk, LIMITS, at(61))
    assert held_back(order(TradeSide.SELL), risk, LIMITS, at(61)) == "", "a sale is not held back"


def test_a_drawdown_holds_on_the_next_day() -> None:
    risk = RiskTracker(LIMITS)
    lose(risk)
    tomorrow = 86_400 * 2
    risk.measured(SOL, at(tomorrow))
    assert "below its highest" in held_back(order(seconds=tomorrow), risk, LIMITS, at(tomorrow))


def test_a_halt_holds_back_sales_too() -> None:
    risk = RiskTracker(LIMITS)
    switched(risk, TradingState.HALTED, "halted by me")
    for side in TradeSide:
        assert held_back(order(side), risk, LIMITS, at(61)) == "trading is halted: halted by me"


def test_of_a_half_open_breaker_only_trials_are_signed() -> None:
    risk = RiskTracker(LIMITS)
    fail(risk)
    later = 60 + LIMITS.breaker_seconds
    trial, other = order(number=1, seconds=later), order(number=2, seconds=later)
    risk.entered(trial)
    assert held_back(trial, risk, LIMITS, at(later)) == ""
    assert "no trial" in held_back(other, risk, LIMITS, at(later))


@pytest.mark.parametrize("key", ["max_signal_age_seconds", "max_state_age_seconds"])
def test_a_buy_that_has_grown_old_is_not_signed_again(key: str) -> None:
    limits, risk = LIMITS.model_copy(update={key: 20}), RiskTracker(LIMITS)
    assert held_back(order(), risk, limits, at(80)) == ""
    assert held_back(order(), risk, limits, at(80) + NS_PER_SECOND) == "it was decided 21 s ago, at most 20 s"
    assert held_back(order(TradeSide.SELL), risk, limits, at(500)) == ""
