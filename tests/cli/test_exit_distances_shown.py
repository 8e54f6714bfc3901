"""What the list of positions says about exits."""

from __future__ import annotations

from fractions import Fraction

from pumpswap.app.books import Held
from pumpswap.cli.positions_view import exits_json, exits_text
from pumpswap.execution.exit_distances import ExitDistances
from pumpswap.model import ExitKind, Mark, Position

HELD = Position("pool", "mint", 1, 0, base_units=5, cost_lamports=10**9)


def held(exits: ExitDistances | None) -> Held:
    return Held(HELD, 6, None, exits)


def test_every_exit_that_waits_is_told_in_words() -> None:
    exits = ExitDistances(
        stop_loss=Fraction(-1, 5),
        take_profit=Fraction(1),
        seconds_left=3_600,
        trailing_stop=Fraction(-1, 20),
        next_rung=Fraction(1, 4),
    )
    assert exits_text(held(exits)) == (
        "stop-loss 20 % away, take-profit 100 % away, trailing stop 5 % away, ladder 25 % away, time-out in 1 h"
    )


def test_an_exit_that_is_measured_at_the_cost_tells_both_distances() -> None:
    # Worth 1.25 times its cost: a stop 20 % below cost is 36 % away, a profit of 100 % is 60 % away.
    exits = ExitDistances(Fraction(-36, 100), Fraction(60, 100), None, Fraction(-1, 20), None)
    mark = Mark("pool", at_ns=1, state_ns=1, base_units=5, value_lamports=1_250_000_000)
    assert exits_text(Held(HELD, 6, mark, exits)) == (
        "stop-loss 20 % below cost (36 % away), take-profit 100 % above cost (60 % away), trailing stop 5 % away"
    )


def test_what_has_triggered_is_due_and_what_has_begun_is_told_first() -> None:
    exits = ExitDistances(None, None, None, Fraction(0), Fraction(-1, 10), selling=ExitKind.TRAILING_STOP)
    assert exits_text(held(exits)) == "selling now (trailing stop), trailing stop is due, ladder is due"


def test_scripts_get_the_same() -> None:
    exits = ExitDistances(None, Fraction(1, 2), 7, Fraction(-1, 4), None, selling=ExitKind.RUG)
    assert exits_json(held(exits)) == {
        "stop_loss": None,
        "take_profit": 0.5,
        "trailing_stop": -0.25,
        "next_rung": None,
        "seconds_left": 7,
        "selling": "rug",
    }
    assert exits_json(held(None)) is None
    assert exits_text(held(None)) == ""
