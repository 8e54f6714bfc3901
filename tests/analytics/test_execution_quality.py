"""What became of the signals: each is counted once, on the step where it ended."""

from __future__ import annotations

from fractions import Fraction
from itertools import count
from typing import Any

import pytest

from pumpswap.amm import buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.analytics.execution_quality import ExecutionQuality, slippage_figures
from pumpswap.model import (
    Costs,
    Decision,
    Denied,
    Filled,
    Intent,
    Order,
    Outcome,
    Rejected,
    Side,
    Signal,
    TradeSide,
    Unknown,
    Verdict,
)
from tests.support.market import SOL, graduate

STATE, SCHEDULE = graduate(), current_schedule()
QUOTE = buy_exact_quote(STATE, SCHEDULE, SOL)
WORSE = buy_exact_quote(STATE.after(QUOTE), SCHEDULE, SOL)
SALE = sell_exact_base(STATE, SCHEDULE, 10**12)
_numbers = count(1)


def decided(*refused: str, side: TradeSide = TradeSide.BUY, **changes: Any) -> Decision:
    """A decision that these policies refused, and "size" let pass."""
    signal = Signal("pool", 0, Side.LONG, 90.0, 0.9, "test")
    verdicts = (*(Verdict(policy, False, "no") for policy in refused), Verdict("size", True, "yes"))
    intent = Intent(side, "pool", "mint", 0, "test", **{"signal": signal, **changes})
    return Decision(f"d{next(_numbers)}", intent, not refused, verdicts)


def order_of(decision: Decision) -> Order:
    quote = QUOTE if decision.intent.side is TradeSide.BUY else SALE
    return Order(f"o{decision.decision_id}", decision.decision_id, decision.intent.side, "pool", "mint", 0, 1, quote)


def filled(order: Order, executed: Any = QUOTE) -> Filled:
    return Filled(order.order_id, 1, 1, executed, Costs(), "s")


def heard(*steps: tuple[Decision, Outcome | None]) -> ExecutionQuality:
    quality = ExecutionQuality()
    for decision, outcome in steps:
        quality.on_decision(decision)
        if outcome is not None:
            quality.on_outcome(order_of(decision), outcome, None)
    return quality


def test_a_signal_is_counted_on_every_step_that_it_reached() -> None:
    accepted, lost = decided(), decided()
    quality = heard(
        (decided("signal", "venue"), None),
        (decided("venue"), None),
        (decided("open positions", "per token"), None),
        (accepted, filled(order_of(accepted))),
        (lost, Rejected("o", 1, 1, 6040, "TooMuch", "moved", Costs(), "s")),
        (decided(), None),
    )
    funnel = quality.funnel
    assert (funnel.signals, funnel.tradeable, funnel.available, funnel.accepted) == (6, 5, 4, 3)
    assert (funnel.executed, funnel.open) == (1, 1)
    assert funnel.executed_share == 0.5
    assert funnel.raw_share == pytest.approx(1 / 6)
    assert quality.refusals == {"signal": 1, "venue": 2, "open positions": 1, "per token": 1}
    assert quality.first_refusals == {"signal": 1, "venue": 1, "open positions": 1}
    assert quality.failures == {"rejected: TooMuch": 1}


def test_an_unknown_outcome_ends_nothing_until_the_final_one() -> None:
    decision = decided()
    order = order_of(decision)
    quality = heard((decision, Unknown(order.order_id, 1, "s", 9)))
    assert (quality.funnel.open, quality.funnel.executed_share) == (1, None)
    quality.on_outcome(order, filled(order), None)
    assert (quality.funnel.open, quality.funnel.executed_share) == (0, 1.0)


def test_wishes_without_a_signal_and_sales_are_no_signals() -> None:
    sale = decided(side=TradeSide.SELL)
    quality = heard((decided(signal=None), None), (sale, Denied("o", 1, "expired", "gone")))
    assert quality.funnel.signals == 0
    assert quality.sale_failures == {"denied: expired": 1}
    assert quality.failures == {}
    assert quality.to_json()["executed_share"] is None


def test_a_repeated_refusal_counts_as_a_signal() -> None:
    quality = ExecutionQuality()
    quality.on_repeat(decided("signal"), "d000001", 3)
    assert quality.funnel.signals == 1


def test_slippage_is_that_of_the_fills_worse_ones_positive() -> None:
    first, second = decided(), decided()
    quality = heard((first, filled(order_of(first))), (second, filled(order_of(second), WORSE)))
    figures = quality.slippage
    assert figures is not None
    assert figures.fills == 2
    assert figures.percentiles[50] == 0.0
    assert figures.worst == figures.percentiles[99] == float(Fraction(QUOTE.base_out, WORSE.base_out) - 1) > 0.02
    assert figures.mean == pytest.approx(figures.worst / 2)
    shown = quality.to_json()["slippage"]
    assert isinstance(shown, dict)
    assert shown["p50"] == 0.0


def test_percentiles_are_values_that_so_many_do_not_exceed() -> None:
    figures = slippage_figures([Fraction(number, 100) for number in range(1, 101)])
    assert figures is not None
    assert figures.percentiles == {1: 0.01, 5: 0.05, 25: 0.25, 50: 0.5, 75: 0.75, 95: 0.95, 99: 0.99}
    assert slippage_figures([]) is None
