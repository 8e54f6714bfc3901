"""DecisionTrace: everything that was decided in a run, line by line with its time, so that two runs can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import msgspec

from pumpswap.model import Decision, Order, RunObserver

__all__ = ["DecisionTrace", "Difference", "Line", "first_difference"]


class Line(msgspec.Struct, frozen=True):
    """One thing that was decided, as text without anything that differs between equal runs."""

    at_ns: int
    pool: str
    text: str


class Difference(msgspec.Struct, frozen=True):
    """The first line in which two runs differ; an empty text: there was none."""

    at_ns: int
    pool: str
    with_future: str
    without: str


class DecisionTrace(RunObserver):
    """Decisions, with their signals and every figure of every policy, and orders. ``ahead``: signals whose stamp lies
    after the moment at which they were acted on, by how much.
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.ahead: list[tuple[Line, int]] = []

    def on_decision(self, decision: Decision) -> None:
        wish, signal = decision.intent, decision.intent.signal
        told = "" if signal is None else f" on {signal!r}"
        verdicts = "; ".join(f"{one.policy} {one.passed} {one.text} {dict(one.numbers)}" for one in decision.verdicts)
        amounts = f"{decision.quote_lamports} lamports, {decision.base_units} units"
        state = "accepted" if decision.accepted else "refused"
        text = f"{wish.side.value} {state} {amounts}, {wish.reason}{told}: {verdicts}"
        line = Line(wish.at_ns, wish.pool, text)
        self.lines.append(line)
        if signal is not None and signal.at_ns > wish.at_ns:
            self.ahead.append((line, signal.at_ns - wish.at_ns))

    def on_order(self, order: Order) -> None:
        amounts = f"{order.quote_lamports} lamports, {order.base_units} units, limit {order.limit}"
        self.lines.append(Line(order.created_ns, order.pool, f"order to {order.side.value}: {amounts}, {order.reason}"))


def first_difference(full: Sequence[Line], other: Sequence[Line], before_ns: int) -> Difference | None:
    """Where two runs differ first before a moment; None where they are equal up to it."""
    mine = [line for line in full if line.at_ns < before_ns]
    theirs = [line for line in other if line.at_ns < before_ns]
    for one, two in zip_longest(mine, theirs):
        if one != two:
            first = one or two
            assert first is not None
            return Difference(first.at_ns, first.pool, "" if one is None else one.text, "" if two is None else two.text)
    return None
