"""Refusals that repeat themselves are counted, not stored: the books stay small, and nothing is left unsaid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.analytics.record import RunRecord
from pumpswap.engine.repeats import _STATES, RepeatedRefusals
from pumpswap.model import Decision, ExitKind, Intent, RunObserver, TradeSide, Verdict
from tests.support.market import SOL, START_NS, always, engine, feed, graduate, seen, settings
from tests.support.paper_life import paper_life

SECOND = 10**9


def refused(number: int, seconds: float, *policies: str, **wish: object) -> Decision:
    fields: dict[str, object] = {"side": TradeSide.BUY, "pool": "P", "mint": "M", "reason": "", "strategy": "s", **wish}
    intent = Intent(at_ns=int(seconds * SECOND), **fields)  # type: ignore[arg-type]
    verdicts = (Verdict("fine", True, ""), *(Verdict(policy, False, f"at {seconds}") for policy in policies))
    return Decision(f"d{number}", intent, not policies, verdicts)


def test_the_same_reasons_within_the_window_of_the_stored_one_are_a_repeat() -> None:
    memory = RepeatedRefusals(600)
    assert memory.take(refused(1, 0, "signal", "size")) is None
    found = [memory.take(refused(number, seconds, "signal", "size")) for number, seconds in ((2, 10), (3, 599.9))]
    assert [(repeat.of, repeat.count) for repeat in found if repeat is not None] == [("d1", 2), ("d1", 2)]
    # The window begins with the stored one: a refusal that goes on for hours has a row every ten minutes.
    assert memory.take(refused(4, 600, "signal", "size")) is None
    again = memory.take(refused(5, 601, "signal", "size"))
    assert again is not None and (again.of, again.count) == ("d4", 1)


@pytest.mark.parametrize(
    "other",
    [
        refused(2, 1, "signal"),
        refused(2, 1, "size", "signal"),
        refused(2, 1, "signal", "size", pool="Q"),
        refused(2, 1, "signal", "size", strategy="t"),
        refused(2, 1, "signal", "size", side=TradeSide.SELL),
        refused(2, 1, "signal", "size", exit=ExitKind.RUG),
        refused(2, 1, "signal", "size", quote_lamports=5),
        refused(2, 1),
    ],
)
def test_anything_else_is_stored(other: Decision) -> None:
    memory = RepeatedRefusals(600)
    memory.take(refused(1, 0, "signal", "size"))
    assert memory.take(other) is None


def test_a_state_that_has_another_reason_is_stored_and_its_running_numbers_are_no_reason() -> None:
    memory = RepeatedRefusals(600)

    def take(number: int, policy: str, text: str) -> str:
        intent = refused(number, number).intent
        repeat = memory.take(Decision(f"d{number}", intent, False, (Verdict(policy, False, text),)))
        return "" if repeat is None else repeat.of

    assert take(1, "trading state", "trading is exits-only: feed snapshots: no sign of life for 61.5 s") == ""
    assert take(2, "trading state", "trading is exits-only: feed snapshots: no sign of life for 62 s") == "d1"
    assert take(3, "trading state", "trading is halted: halted by alice") == ""
    assert take(4, "trading state", "trading is halted: halted by alice") == "d3"
    assert take(5, "venue", "the pool account has a layout that this version does not know: upgrade") == ""
    assert take(6, "venue", "no state of this pool is known") == ""
    assert take(7, "signal", "score 4.1 is below 75") == ""
    assert take(8, "signal", "the signal says hold, not long") == "d7"


class Named(RunObserver):
    """The policies that were asked."""

    def __init__(self) -> None:
        self.policies: set[str] = set()

    def on_decision(self, decision: Decision) -> None:
        self.policies |= {verdict.policy for verdict in decision.verdicts}


def test_every_policy_whose_words_count_is_one_that_is_asked() -> None:
    named = Named()
    engine(always(90.0), observers=[named]).run(feed(seen(graduate(), 0, scored=True)), START_NS, 50 * SOL)
    assert named.policies >= _STATES


def test_after_an_accepted_one_and_without_a_window_everything_is_stored() -> None:
    memory = RepeatedRefusals(600)
    for number, policies in ((1, ("signal",)), (2, ()), (3, ("signal",))):
        assert memory.take(refused(number, number, *policies)) is None
    off = RepeatedRefusals(0)
    assert [off.take(refused(number, number, "signal")) for number in range(3)] == [None] * 3


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["a", "b", ""]), st.integers(1, 400)), max_size=60))
def test_what_is_stored_and_what_is_counted_are_all_decisions(wishes: list[tuple[int, str, int]]) -> None:
    memory, counts, second, stored = RepeatedRefusals(600), {}, 0, {}
    for number, (pool, policy, pause) in enumerate(wishes):
        second += pause
        decision = refused(number, second, *([policy] if policy else []), pool=f"P{pool}")
        repeat = memory.take(decision)
        if repeat is None:
            stored[decision.decision_id] = decision
        else:
            counts[repeat.of] = repeat.count
            original = stored[repeat.of]
            assert [one.policy for one in original.refusals] == [one.policy for one in decision.refusals]
            assert original.intent.pool == decision.intent.pool
            assert decision.intent.at_ns - original.intent.at_ns < 600 * SECOND
    assert len(stored) + sum(counts.values()) == len(wishes)


def test_memory_does_not_grow_with_the_number_of_pools() -> None:
    memory = RepeatedRefusals(1)
    for number in range(45_000):
        memory.take(refused(number, number / 100, "signal", pool=f"P{number}"))
    assert len(memory._newest) < 25_000


def test_the_store_counts_what_the_record_hears(tmp_path: Path) -> None:
    chosen = settings(run={"repeat_refusal_seconds": 100})
    updates = [seen(graduate(), second, scored=True) for second in range(0, 250, 10)]
    record = RunRecord()
    engine(always(10.0), chosen, [record]).run(feed(*updates), START_NS, 50 * SOL)
    assert record.decisions == 25  # a replay's figures know all of them
    with paper_life(tmp_path / "books.sqlite", chosen, signaller=always(10.0)) as life:
        life.step(*updates)
        stored = list(life.run.decisions())
        assert [one.intent.at_ns - START_NS for one in stored] == [0, 100 * SECOND, 200 * SECOND]
        assert life.run.decided.repeated() == 22
        first = life.run.decided.get(stored[0].decision_id)
        assert first is not None and (first.repeats, first.repeated_ns) == (9, START_NS + 90 * SECOND)


def test_the_books_are_the_same_however_much_of_them_is_told(tmp_path: Path) -> None:
    updates = [seen(graduate(1 + second % 2), second, scored=True) for second in range(0, 60, 3)]
    ledgers = []
    for seconds in (0, 600):
        chosen = settings(run={"repeat_refusal_seconds": seconds})
        with paper_life(tmp_path / f"{seconds}.sqlite", chosen) as life:
            life.step(*updates)
            ledgers.append(list(life.run.ledger()))
            orders = [replace(order, decision_id="") for order in life.run.orders()]
    assert ledgers[0] == ledgers[1]
    assert orders
