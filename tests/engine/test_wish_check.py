"""Whatever a strategy or a signal source gives, the engine goes on: one field at a time, through the real engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.amm import current_schedule
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.strategies import FollowSignals
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.engine.wish_check import check_signal, wishes_of
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import ExitKind, Intent, Side, Signal, TradeSide
from tests.engine.strategy_world import Heard, market_engine, run, said, swapped
from tests.support.market import SOL, START_NS, graduate, seen, settings

FIRST, OTHER = graduate(), graduate(2)
SIGNAL = said(FIRST, 1, 90.0)[1]
BUY = Intent(TradeSide.BUY, SIGNAL.pool, SIGNAL.mint or "", START_NS, "wished", SIGNAL)
SANE = Intent(TradeSide.BUY, str(OTHER.address), str(OTHER.pool.base_mint), START_NS, "sane")
SELL = Intent(TradeSide.SELL, SIGNAL.pool, SIGNAL.mint or "", START_NS, "wished", base_units=5, exit=ExitKind.SIGNAL)

WRONG: list[tuple[str, Any, str]] = [
    ("side", "buy", "side is of type str, not TradeSide"),
    ("pool", None, "pool is of type NoneType, not str"),
    ("pool", ["a"], "pool is of type list, not str"),
    ("mint", b"mint", "mint is of type bytes, not str"),
    ("at_ns", None, "at_ns is of type NoneType, not int"),
    ("at_ns", 1.5, "at_ns is of type float, not int"),
    ("at_ns", 2**63, f"at_ns is {2**63}, not within 0 to {2**63 - 1}"),
    ("reason", 7, "reason is of type int, not str"),
    ("signal", "strong", "a signal source gave str, not a Signal"),
    ("signal", replace(SIGNAL, score="high"), "signal.score is of type str, not number"),  # type: ignore[arg-type]
    ("base_units", 2.0, "base_units is of type float, not int"),
    ("base_units", -1, f"base_units is -1, not within 0 to {2**63 - 1}"),
    ("quote_lamports", SOL, "a handler named a budget: desk.buy leaves the size to risk"),
    ("most_lamports", 0.5, "most_lamports is of type float, not int"),
    ("exit", "panic", "exit is of type str, not ExitKind"),
    ("slippage_bps", True, "slippage_bps is of type bool, not int"),
    ("slippage_bps", 10_001, "slippage_bps is 10001, not within 0 to 10000"),
    ("strategy", None, "strategy is of type NoneType, not str"),
    ("client_order_id", 7, "client_order_id is of type int, not str"),
    ("proposed_ns", START_NS, "a handler wished what was proposed before: only approvals do that"),
]


class Odd(Strategy):
    """Wishes what it was given."""

    name = "odd"

    def __init__(self, wish: Any) -> None:
        self._wish = wish

    def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
        yield self._wish


class OddThenSane(Odd):
    """After that it wishes what anybody may."""

    def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
        if signal.pool == SANE.pool:
            return [SANE]
        return super().on_signal(signal, desk)


def test_every_field_of_a_wish_and_of_a_signal_is_checked() -> None:
    assert {name for name, *_ in WRONG} == {field.name for field in fields(Intent)}
    for field in fields(Signal):
        wrong: dict[str, Any] = {field.name: object()}
        with pytest.raises(TypeError, match=f"signal.{field.name}"):
            check_signal(replace(SIGNAL, **wrong))
    check_signal(SIGNAL)
    check_signal(replace(SIGNAL, mint=None, reasons=("because",), vol_risk=1, q50=-0.5))
    with pytest.raises(TypeError, match=r"signal\.reasons is of type int"):
        check_signal(replace(SIGNAL, reasons=(1,)))  # type: ignore[arg-type]


@pytest.mark.parametrize(("field", "value", "complaint"), WRONG)
def test_a_wrong_field_is_a_fault_of_the_strategy_and_the_engine_goes_on(
    field: str, value: Any, complaint: str
) -> None:
    for wish in (BUY, SELL):
        made, heard, signals = market_engine([Odd(replace(wish, **{field: value}))])
        run(made, signals, said(FIRST, 1, 90.0), seen(FIRST, 3))
        ((name, reason),) = made.risk.state.faults
        assert name == "strategy odd"
        assert reason.partition(": ")[2] == complaint
        assert [alert.topic for alert in heard.alerts] == ["strategy"]
        assert heard.orders == []


_ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.binary(max_size=3),
    st.sampled_from([*Side, *TradeSide, *ExitKind]), st.lists(st.integers(), max_size=2), st.just(SIGNAL),
)  # fmt: skip


@given(st.sampled_from([BUY, SELL]), st.dictionaries(st.sampled_from([f.name for f in fields(Intent)]), _ANYTHING))
def test_no_wish_ends_the_engine(wish: Intent, changes: dict[str, Any]) -> None:
    made, heard, signals = market_engine([OddThenSane(replace(wish, **changes))])
    run(made, signals, said(FIRST, 1, 90.0), seen(FIRST, 3), said(OTHER, 4, 90.0), seen(OTHER, 6))
    assert [decision.intent.reason for decision in heard.decisions if decision.intent.pool == SANE.pool] == ["sane"]


def test_a_wish_that_names_another_time_counts_now() -> None:
    for at_ns in (0, START_NS * 2):
        made, heard, signals = market_engine([Odd(replace(BUY, at_ns=at_ns))])
        run(made, signals, said(FIRST, 1, 90.0), seen(FIRST, 3))
        assert [decision.intent.at_ns for decision in heard.decisions] == [SIGNAL.at_ns]
        assert made.risk.state.entries_ns == (SIGNAL.at_ns,)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "<script>", ""])
def test_no_name_that_a_stranger_gives_a_coin_is_a_fault(name: str) -> None:
    made, heard, signals = market_engine([FollowSignals()])
    update, signal = said(FIRST, 1, 90.0)
    run(made, signals, (update, replace(signal, name=name, reasons=(name,))), seen(FIRST, 3))
    assert made.risk.state.faults == ()
    assert heard.bought == [SIGNAL.pool]


def test_what_desk_words_itself_passes() -> None:
    assert wishes_of((BUY, SELL)) == [BUY, SELL]
    assert wishes_of(()) == []


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (ValueError("bad wallet list"), "ValueError: bad wallet list"),
        ("buy", "TypeError: a signal source gave str, not a Signal"),
        (replace(SIGNAL, at_ns=None), "TypeError: signal.at_ns is of type NoneType, not int"),  # type: ignore[arg-type]
    ],
)
def test_a_swap_signaller_that_fails_is_told_and_the_engine_goes_on(answer: Any, complaint: str) -> None:
    def broken(swap: object, seen: object) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    book, used, heard = PoolBook(), settings(), Heard()
    venue = PaperVenue(book, used.paper, lambda _: current_schedule(), max_state_age_seconds=60)
    parts = EngineParts(book, venue, None, lambda _: current_schedule(), used, swap_signaller=broken)
    made = Engine(parts, [heard])
    made.clock.advance_to(START_NS)
    made.deposit(5 * SOL)
    for second in range(1, 20):
        made.step(swapped(FIRST, second, 1.0))
    (alert,) = heard.alerts  # once an hour
    assert (alert.topic, alert.subject, alert.text) == ("signals", SIGNAL.pool, complaint)
    assert heard.decisions == []


def test_a_signaller_that_gives_no_signal_is_told() -> None:
    made, heard, signals = market_engine([])
    update, signal = said(FIRST, 1, 90.0)
    signals[(signal.pool, signal.at_ns)] = None  # type: ignore[assignment]
    made.step(update)
    (alert,) = heard.alerts
    assert (alert.topic, alert.text) == ("signals", "TypeError: a signal source gave NoneType, not a Signal")
