"""Strategies: what they may see and say, by which name they are found, and what an error in one of them does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from pumpswap.engine.strategies import STRATEGIES, FollowSignals, Momentum, PlanLoop, Q50Strategy, strategy_named
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.engine.trading_switch import hear_switch, turn
from pumpswap.errors import UsageError
from pumpswap.model import AlertLevel, CommandVerb, Intent, Mark, Position, Side, Signal, Swap, TradeSide
from pumpswap.settings import ExitRules, RunSettings, Settings
from pumpswap.storage import open_database
from tests.engine.strategy_world import market_engine, run, said, swapped
from tests.support.market import SOL, graduate, moved, seen

FIRST, SECOND = graduate(1), graduate(2)
NAME = str(FIRST.address)


def test_every_strategy_of_the_settings_exists_under_its_name() -> None:
    names = get_args(RunSettings.model_fields["strategy"].annotation)
    assert set(names) == set(STRATEGIES)
    made = [strategy_named(name, Settings()) for name in names if name != Q50Strategy.name]  # it has a file to read
    assert [type(one) for one in made] == [FollowSignals, PlanLoop, Momentum]
    assert [*[one.name for one in made], Q50Strategy.name] == list(names)
    assert made[1].every_seconds == 300


def test_a_name_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError) as refused:
        strategy_named("martingale", Settings())
    assert refused.value.hint == "run.strategy is one of: follow-signals, plan-loop, momentum, q50"
    assert "martingale" not in refused.value.what


@pytest.mark.parametrize(("exits", "share"), [({}, 5_000), ({"short_signal_bps": 10_000}, 10_000)])
def test_the_plan_sells_half_unless_the_settings_say_otherwise(exits: dict[str, Any], share: int) -> None:
    loop = strategy_named("plan-loop", Settings(exits=ExitRules(**exits)))
    made, heard, signals = market_engine([loop])
    short = said(FIRST, 10, 80)
    run(made, signals, said(FIRST, 0, 90), said(SECOND, 3, 10))
    held = made.portfolio.positions.open_round(NAME)
    assert held is not None
    intents = list(loop.on_signal(_short(short[1]), made._wishes))
    assert [intent.base_units for intent in intents] == [held.base_units * share // 10_000]
    assert heard.failed == []


def _short(signal: Signal) -> Signal:
    return replace(signal, side=Side.SHORT)


class Curious(Strategy):
    """Writes down what it was told, and wishes what it was given."""

    name = "curious"
    every_seconds = 10

    def __init__(self) -> None:
        self.told: list[str] = []
        self.seen: list[int] = []

    def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
        self.told.append("signal")
        state = desk.state(signal.pool)
        assert state is not None
        if desk.position(signal.pool) is None and signal.score > 50:
            yield desk.buy(signal, "curious")

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        self.told.append("swap")
        return ()

    def on_position(self, position: Position, mark: Mark, desk: Wishes) -> Iterable[Intent]:
        self.told.append("position")
        self.seen.append(mark.value_lamports)
        assert [held.pool for held in desk.positions()] == [position.pool]
        if mark.value_lamports > position.cost_lamports:
            yield desk.sell(position, "enough", share_bps=2_500)

    def on_time(self, at_ns: int, desk: Wishes) -> Iterable[Intent]:
        self.told.append("time")
        assert at_ns == desk.now_ns
        return ()


def test_a_strategy_hears_signals_swaps_positions_and_time() -> None:
    strategy = Curious()
    made, heard, signals = market_engine([strategy])
    up = moved(FIRST, 20)
    run(
        made,
        signals,
        said(FIRST, 0, 80),
        swapped(SECOND, 4, 1, "somebody"),
        said(FIRST, 9, 10),
        said(up, 10, 10),
        said(up, 12, 10),
        said(up, 13, 10),
    )
    # An order on its way hides its position: no news about it until it has ended.
    assert strategy.told == [
        "signal", "time", "swap", "position", "signal", "position", "signal", "time", "position", "signal", "signal",
    ]  # fmt: skip
    held = heard.fills[0][1].executed.base_out  # type: ignore[union-attr]
    assert heard.sold[0] == (NAME, held // 4)
    assert heard.decisions[0].intent.reason == "curious"
    assert {decision.intent.strategy for decision in heard.decisions} == {"curious"}
    assert len(strategy.seen) == 3


class Broken(Strategy):
    """Fails at its third signal."""

    name = "broken"

    def __init__(self) -> None:
        self.heard = 0

    def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
        self.heard += 1
        yield desk.buy(signal)
        if self.heard >= 3:
            raise ZeroDivisionError("no odds")


def test_an_error_in_a_strategy_stops_entries_not_the_engine() -> None:
    """What it wished before it failed in the same breath is not done either; exits and the other strategies go on."""
    made, heard, signals = market_engine([Broken()])
    down = moved(FIRST, -60)
    run(
        made,
        signals,
        said(FIRST, 0, 90),
        said(SECOND, 3, 90),
        said(graduate(3), 6, 90),
        said(graduate(4), 7, 90),
        said(down, 10, 90),
        said(down, 13, 90),
    )
    assert heard.bought == [NAME, str(SECOND.address)]
    assert heard.sold == [(NAME, heard.fills[0][1].executed.base_out)]  # type: ignore[union-attr]
    assert dict(made.risk.state.faults) == {"strategy broken": "ZeroDivisionError: no odds"}
    told = [alert for alert in heard.alerts if alert.topic == "strategy"]
    assert [(alert.level, alert.subject, alert.text) for alert in told] == [
        (AlertLevel.ERROR, "broken", "ZeroDivisionError: no odds")
    ]


def test_a_resume_tries_a_strategy_again_that_has_failed(tmp_path: Path) -> None:
    broken = Broken()
    made, heard, signals = market_engine([broken])
    run(made, signals, *[said(graduate(number), number, 90) for number in (1, 2, 3, 4)])
    assert set(dict(made.risk.state.faults)) == {"strategy broken"}
    made.risk.fault("feed", "silent")
    broken.heard = -1_000
    with open_database(tmp_path / "books.sqlite") as database:
        turn(kept := database.start_run("paper", 1), CommandVerb.RESUME, "me", 1)
        hear_switch(kept, made.risk)
    assert dict(made.risk.state.faults) == {"feed": "silent"}
    made.risk.lift("feed")
    run(made, signals, said(graduate(5), 10, 90), seen(FIRST, 12))
    assert heard.bought[-1] == str(graduate(5).address)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (None, "a handler gave NoneType: it gives wishes, or () for none"),
        ([None], "a handler wished NoneType: desk.buy and desk.sell make wishes"),
        (["buy"], "a handler wished str: desk.buy and desk.sell make wishes"),
        (
            [Intent(TradeSide.BUY, NAME, "mint", 0, "mine", quote_lamports=40 * SOL)],
            "a handler named a budget: desk.buy leaves the size to risk",
        ),
    ],
)
def test_what_is_no_wish_is_a_fault_that_says_what_to_do(answer: Any, complaint: str) -> None:
    class Odd(Strategy):
        name = "odd"

        def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
            return answer  # type: ignore[no-any-return]

    made, heard, signals = market_engine([Odd()])
    run(made, signals, swapped(FIRST, 0, 1, "somebody"), said(SECOND, 1, 90))
    assert dict(made.risk.state.faults) == {"strategy odd": f"TypeError: {complaint}"}
    assert heard.orders == []


def test_an_error_anywhere_is_held_back() -> None:
    """Each handler may fail; the position is sold by the stop-loss all the same."""

    class Hopeless(Strategy):
        name = "hopeless"
        every_seconds = 1

        def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
            yield desk.buy(signal)

        def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
            raise KeyError("swap")

        def on_position(self, position: Position, mark: Mark, desk: Wishes) -> Iterable[Intent]:
            raise RuntimeError("position")

        def on_time(self, at_ns: int, desk: Wishes) -> Iterable[Intent]:
            raise OSError("time") if desk.positions() else ValueError("early")

    made, heard, signals = market_engine([Hopeless()])
    down = moved(FIRST, -60)
    run(made, signals, said(FIRST, 0, 90), seen(FIRST, 2), swapped(FIRST, 3, 1, "x"), seen(down, 10), seen(down, 12))
    assert heard.bought == [NAME]
    assert [units for _, units in heard.sold] == [heard.fills[0][1].executed.base_out]  # type: ignore[union-attr]
    assert set(dict(made.risk.state.faults)) == {"strategy hopeless"}


def test_strategies_stand_side_by_side() -> None:
    """Two that wish the same: the second wish is refused, since the first is on its way."""
    made, heard, signals = market_engine([FollowSignals(), FollowSignals()])
    run(made, signals, said(FIRST, 0, 90), said(SECOND, 3, 10))
    assert [bool(decision) for decision in heard.decisions[:2]] == [True, False]
    assert len(heard.fills) == 1
    assert heard.fills[0][0].quote_lamports == SOL


def test_a_strategy_that_does_nothing_is_allowed() -> None:
    made, heard, signals = market_engine([Strategy()])
    run(made, signals, said(FIRST, 0, 90), swapped(FIRST, 1, 5, "somebody"))
    assert heard.decisions == []
