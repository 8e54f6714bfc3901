"""Exit rules: order, inclusive bounds, and nothing invented without a value."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from pumpswap.amm import PoolState
from pumpswap.execution.exit_pool import begun
from pumpswap.execution.exits import DueExit, due_exit, ladder_units, trailing_line
from pumpswap.model import ExitKind, ExitState
from pumpswap.settings import ExitRules, LadderRung
from tests.execution.exit_world import HELD, POOL, mark
from tests.support.market import SOL, graduate, moved
from tests.support.material import ROOT

GOLDEN = ROOT / "tests" / "golden" / "host" / "golden_vectors.json"
OFF: dict[str, Any] = {
    "take_profit_bps": 0,
    "stop_loss_bps": 0,
    "max_hold_seconds": 0,
    "liquidity_flight_bps": 0,
    "rug_bps": 0,
    "sell_on_new_supply": False,
}
KNOWN = ExitState(POOL, 1, bought_units=1_000)


def due(
    percent_of_cost: int,
    *,
    after_s: float = 60,
    rules: ExitRules | None = None,
    obstacle: str = "",
    known: ExitState = KNOWN,
    pool: PoolState | None = None,
) -> DueExit | None:
    now = mark(SOL * percent_of_cost // 100, after_s, obstacle=obstacle)
    return due_exit(HELD, now, rules or ExitRules(), known, pool)


def kind(percent_of_cost: int, **more: Any) -> str:
    found = due(percent_of_cost, **more)
    assert found is None or found.units == 1_000
    assert found is None or found.reason.startswith(f"{found.kind.value}: ")
    return found.kind.value if found else ""


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(100, ""), (81, ""), (80, "stop-loss"), (1, "stop-loss"), (199, ""), (200, "take-profit"), (900, "take-profit")],
)
def test_bounds_are_inclusive_and_measured_on_cost(percent: int, expected: str) -> None:
    assert kind(percent) == expected


def test_the_time_out_is_strict() -> None:
    assert kind(100, after_s=86_400) == ""
    assert kind(100, after_s=86_401) == "time-out"


def test_golden_exits_of_the_host() -> None:
    """Its profile takes profit at 50 %; its last case is closed by the time."""
    cases = json.loads(GOLDEN.read_text(encoding="utf-8"))["exit_rules"]
    assert len(cases) == 9
    for case in cases:
        percent, seconds = round(case["price_over_entry"] * 100), case["hours_held"] * 3_600
        found = kind(percent, after_s=seconds, rules=ExitRules(take_profit_bps=5_000))
        expected = case["expect"]
        rule = "stop-loss" if expected["stop_loss"] else "take-profit" if expected["take_profit"] else ""
        assert found == (rule or ("time-out" if expected["close"] else "")), case


def test_zero_disables_a_rule() -> None:
    rules = ExitRules(**OFF)
    assert kind(1, after_s=10**6, rules=rules) == kind(10_000, rules=rules) == ""


def test_what_cannot_be_quoted_has_neither_profit_nor_loss_but_grows_old() -> None:
    assert kind(0, obstacle="the pool has no reserves") == ""
    assert kind(0, obstacle="the pool has no reserves", after_s=90_000) == "time-out"


def test_what_cost_nothing_has_no_profit_and_no_loss() -> None:
    adopted = replace(HELD, cost_lamports=0)
    ladder = ExitRules(take_profit_ladder=(LadderRung(gain_bps=1, sell_bps=10_000),))
    assert due_exit(adopted, mark(5 * SOL), ladder, KNOWN) is None


# ---------------------------------------------------------------------------------------------- trailing stop


def peak(percent_of_cost: int, units: int = 1_000) -> ExitState:
    return replace(KNOWN, peak_lamports=SOL * percent_of_cost // 100, peak_units=units)


TRAILING = ExitRules(**OFF, trailing_stop_bps=1_000)


@pytest.mark.parametrize(("percent", "expected"), [(150, ""), (136, ""), (135, "trailing stop"), (10, "trailing stop")])
def test_the_trailing_stop_follows_the_peak(percent: int, expected: str) -> None:
    assert kind(percent, rules=TRAILING, known=peak(150)) == expected


def test_the_peak_is_a_value_per_unit() -> None:
    """Two thousand units were once worth 3 SOL: for the thousand that are left, the line is at 1.35 SOL."""
    assert trailing_line(HELD, TRAILING, peak(300, units=2_000)) == 135 * SOL // 100
    assert kind(136, rules=TRAILING, known=peak(300, units=2_000)) == ""
    assert kind(135, rules=TRAILING, known=peak(300, units=2_000)) == "trailing stop"


def test_the_trailing_stop_waits_for_its_gain() -> None:
    rules = TRAILING.model_copy(update={"trailing_after_bps": 5_000})
    assert kind(50, rules=rules, known=peak(149)) == ""
    assert kind(50, rules=rules, known=peak(150)) == "trailing stop"
    assert trailing_line(HELD, rules, peak(149)) is None


def test_the_reason_of_a_trailing_stop_has_its_numbers() -> None:
    found = due(120, rules=TRAILING, known=peak(150))
    assert found is not None
    assert found.reason == "trailing stop: 20 % below the highest value of 1.5 SOL, limit 10 %"


# ---------------------------------------------------------------------------------------------- ladder

RUNGS = (
    LadderRung(gain_bps=2_500, sell_bps=3_333),
    LadderRung(gain_bps=5_000, sell_bps=3_333),
    LadderRung(gain_bps=10_000, sell_bps=3_334),
)
LADDER = ExitRules(**OFF, take_profit_ladder=RUNGS)


@pytest.mark.parametrize(
    ("percent", "done", "expected"),
    [
        (124, 0, None),
        (125, 0, (333, 1)),
        (125, 1, None),
        (150, 0, (666, 2)),
        (150, 1, (333, 2)),
        (300, 0, (1_000, 3)),
        (300, 2, (334, 3)),
        (300, 3, None),
    ],
)
def test_every_rung_sells_its_part_of_what_was_bought(percent: int, done: int, expected: Any) -> None:
    found = due(percent, rules=LADDER, known=replace(KNOWN, rungs=done))
    assert (None if found is None else (found.units, found.rungs)) == expected
    assert found is None or found.kind is ExitKind.LADDER


def test_rungs_are_rounded_so_that_together_they_are_the_whole() -> None:
    assert [ladder_units(LADDER, 1_001, rung, rung + 1) for rung in range(3)] == [333, 334, 334]
    assert ladder_units(LADDER, 1_001, 0, 3) == 1_001


def test_a_rung_sells_no_more_than_is_left() -> None:
    left = replace(HELD, base_units=100, cost_lamports=SOL // 10)
    found = due_exit(left, mark(SOL // 5, units=100), LADDER, KNOWN)
    assert found is not None
    assert (found.units, found.reason) == (100, "ladder: +100.0 % of cost, rungs 1 to 3 at +100 %")


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        ({"take_profit_ladder": [RUNGS[1], RUNGS[0]]}, "must rise"),
        ({"take_profit_ladder": [RUNGS[0].model_copy(update={"sell_bps": 9_000}), RUNGS[1]]}, "more than all"),
        ({"take_profit_ladder": RUNGS}, "comes before"),  # its last rung is at the take-profit's +100 %
        ({"take_profit_ladder": RUNGS, "take_profit_bps": 10_001}, ""),
        ({"take_profit_ladder": RUNGS, "take_profit_bps": 0}, ""),
        ({"slippage_bps": 6_000}, "below slippage_bps"),
    ],
)
def test_rules_that_cannot_work_are_refused(rules: dict[str, Any], complaint: str) -> None:
    if complaint:
        with pytest.raises(ValidationError, match=complaint):
            ExitRules(**rules)
    else:
        assert len(ExitRules(**rules).take_profit_ladder) == 3


def test_what_sells_all_comes_before_the_ladder() -> None:
    rules = LADDER.model_copy(update={"take_profit_bps": 10_000})
    assert kind(200, rules=rules) == "take-profit"


# ---------------------------------------------------------------------------------------------- the pool


def entered(state: PoolState) -> ExitState:
    return begun(HELD, state)


def with_reserves(state: PoolState, base_percent: int, quote_percent: int) -> PoolState:
    return msgspec.structs.replace(
        state,
        base_reserve=state.base_reserve * base_percent // 100,
        quote_vault=state.quote_vault * quote_percent // 100,
    )


def test_pulled_liquidity_is_a_rug_and_a_price_is_not() -> None:
    start = graduate()
    rules = ExitRules(**{**OFF, "rug_bps": 500})
    for percent in (-60, -20, 0, 50, 400):
        assert kind(100, rules=rules, known=entered(start), pool=moved(start, percent)) == ""
    assert kind(100, rules=rules, known=entered(start), pool=with_reserves(start, 98, 98)) == ""
    found = due(100, rules=rules, known=entered(start), pool=with_reserves(start, 97, 97))
    assert found is not None
    assert found.reason == "rug: the pool's product fell by 5.91 %, limit 5 %: liquidity was pulled"


def test_the_product_is_measured_against_the_entry_not_against_later_deposits() -> None:
    """Somebody who deposits and withdraws again has taken nothing of what we bought into, and must not be able to make
    us sell.
    """
    start = graduate()
    rules = ExitRules(**{**OFF, "rug_bps": 500})
    assert kind(100, rules=rules, known=entered(start), pool=with_reserves(start, 300, 300)) == ""
    assert kind(100, rules=rules, known=entered(start), pool=start) == ""


def test_an_emptied_pool_is_a_rug() -> None:
    start = graduate()
    assert kind(0, obstacle="no reserves", known=entered(start), pool=with_reserves(start, 0, 0)) == "rug"


def test_new_supply_is_a_rug_and_burnt_supply_is_not() -> None:
    start = graduate()
    rules = ExitRules(**{**OFF, "sell_on_new_supply": True})
    burnt = msgspec.structs.replace(start, base_supply=10**15 - 1)
    minted = msgspec.structs.replace(start, base_supply=10**15 + 7)
    assert kind(100, rules=rules, known=entered(start), pool=burnt) == ""
    found = due(100, rules=rules, known=entered(start), pool=minted)
    assert found is not None
    assert found.reason == "rug: the supply grew by 7 base units: the mint authority was used"
    assert kind(100, rules=ExitRules(**OFF), known=entered(start), pool=minted) == ""


def test_states_put_together_from_a_price_tell_of_no_rug() -> None:
    """A collector's row has no LP supply: its product is an estimate that wavers with the dollar."""
    start = graduate(lp_supply=0)
    known = entered(start)
    assert (known.entry_product, known.entry_supply) == (0, 0)
    assert kind(100, known=known, pool=with_reserves(start, 80, 80)) == ""


def test_liquidity_flight_is_measured_on_real_quote_since_the_entry() -> None:
    start = graduate(virtual_quote_reserves=17_584_505_294, quote_vault=60 * SOL)
    rules = ExitRules(**{**OFF, "liquidity_flight_bps": 5_000})
    assert (
        kind(100, rules=rules, known=entered(start), pool=msgspec.structs.replace(start, quote_vault=30 * SOL + 1))
        == ""
    )
    found = due(100, rules=rules, known=entered(start), pool=msgspec.structs.replace(start, quote_vault=30 * SOL))
    assert found is not None
    assert found.reason == "liquidity flight: the pool holds 30 SOL, 50 % less, limit 50 %"


def test_a_rug_comes_before_everything_and_flight_before_the_value() -> None:
    start = graduate()
    known = entered(start)
    assert kind(50, known=known, pool=with_reserves(start, 40, 40)) == "rug"
    assert kind(50, rules=ExitRules(rug_bps=0), known=known, pool=with_reserves(start, 40, 40)) == "liquidity flight"
    assert kind(50, rules=ExitRules(rug_bps=0, liquidity_flight_bps=0), known=known, pool=start) == "stop-loss"
    assert kind(50, known=known, pool=start, after_s=90_000) == "stop-loss"
    assert kind(250, rules=TRAILING.model_copy(update={"take_profit_bps": 10_000}), known=peak(900)) == "take-profit"
    aged = TRAILING.model_copy(update={"max_hold_seconds": 1})
    assert kind(100, rules=aged, known=peak(900)) == "trailing stop"
