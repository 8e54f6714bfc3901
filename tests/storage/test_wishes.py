"""Wishes: every buy that was wished, and what became of it, without its documents."""

from __future__ import annotations

from dataclasses import replace

from pumpswap.analytics.execution_quality import Funnel, funnel_of
from pumpswap.model import Denied, Proposal, TradeSide, Verdict
from pumpswap.storage import Run
from tests.storage.samples import NS, POOL, buy_quote, decision, filled, order

OPEN = Verdict("open positions", True, "2 open, at most 20", {"open_positions": "2", "max_open_positions": "20"})


def test_a_wish_tells_who_refused_it_how_often_and_what_its_order_has_come_to(run: Run) -> None:
    accepted = decision(1, verdicts=(OPEN,))
    refused = decision(
        2, accepted=False, verdicts=(Verdict("size", False, "0"), OPEN, Verdict("exposure", False, "too much"))
    )
    by_hand = replace(decision(3), intent=replace(decision(3).intent, signal=None, quote_lamports=5))
    for one in (accepted, refused, by_hand, decision(4)):
        run.save_decision(one)
    run.save_decision(replace(decision(5), intent=replace(decision(5).intent, side=TradeSide.SELL)))
    run.decided.repeat("d000002", 6, NS + 9)
    run.save_order(order(1))
    run.save_outcome(filled(1), None)
    run.save_order(order(3))
    run.proposals.save(Proposal("d000004", POOL, "M", "", 5, NS, NS + 9))
    first, second, third, fourth = run.listings.wishes.since(0)
    assert (first.accepted, first.refused_by, first.status, first.most_open) == (True, (), "filled", 20)
    assert (first.budget_lamports, first.spent_lamports) == (10**9, buy_quote().total_quote)
    assert first.filled_ns == filled(1).at_ns
    assert (second.accepted, second.refused_by, second.repeats) == (False, ("size", "exposure"), 6)
    assert (second.status, second.budget_lamports, second.spent_lamports) == (None, None, None)
    assert (third.has_signal, third.status, third.most_open) == (False, "pending", None)
    assert (fourth.was_proposed, third.was_proposed) == (True, False)
    assert list(run.listings.wishes.since(NS + 1)) == []


def test_the_funnel_of_stored_wishes_counts_repeats_and_leaves_out_what_was_asked_first(run: Run) -> None:
    for number, rules in enumerate(
        (("signal",), ("venue",), ("size", "exposure"), (), (), (), ()),
        start=1,
    ):
        verdicts = tuple(Verdict(rule, False, "no") for rule in rules)
        run.save_decision(decision(number, accepted=not rules, verdicts=verdicts))
    run.decided.repeat("d000003", 4, NS)
    for number in (4, 5, 6):
        run.save_order(order(number))
    run.save_outcome(filled(4), None)
    run.save_outcome(Denied("o000005", NS, "expired", "never landed"), None)
    run.proposals.save(Proposal("d000007", POOL, "M", "", 5, NS, NS + 9))
    funnel, refusals = funnel_of(run.listings.wishes.since(0))
    assert funnel == Funnel(signals=10, tradeable=9, available=8, accepted=3, executed=1, open=1)
    assert funnel.executed_share == 0.5
    assert refusals == {"size": 5}


def test_decisions_near_a_moment_are_those_made_or_repeated_then(run: Run) -> None:
    for number in (1, 2, 3):
        one = decision(number, accepted=False)
        run.save_decision(replace(one, intent=replace(one.intent, at_ns=NS + 100 * number)))
    run.decided.repeat("d000001", 3, NS + 190)

    def near(since: int, until: int, newest: int = 9) -> list[str]:
        found = run.decided.near(POOL, NS + since, NS + until, newest)
        return [each.decision.decision_id for each in found]

    assert near(150, 250) == ["d000001", "d000002"]
    assert near(195, 200) == ["d000002"]
    assert near(100, 300, 2) == ["d000002", "d000003"]
    assert run.decided.near("other", 0, NS * 2, 9) == []
