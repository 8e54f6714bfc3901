"""Bursts of refusals: told once each, whatever comes meanwhile."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pumpswap.alerts.rules.bursts import LOCKS, Burst, RefusedBurstRule
from pumpswap.model import Decision, Intent, TradeSide, Verdict
from pumpswap.risk.policies import BUY_POLICIES
from tests.alerts.rules.heard import MINT, POOL, Heard
from tests.support.market import at


@given(st.lists(st.integers(0, 30), max_size=120), st.integers(1, 12), st.integers(0, 60))
def test_a_burst_is_told_when_so_many_came_in_the_window_and_not_again_while_it_lasts(
    pauses: list[int], count: int, window: int
) -> None:
    burst, times, is_on = Burst(count, window), list[int](), False
    for pause in pauses:
        now = (times[-1] if times else 0) + pause
        before = [one for one in times if now - one <= window]
        times.append(now)
        if is_on and len(before) < -(-count // 2):
            is_on = False
        took = burst.add(now)
        expected = not is_on and len(before) + 1 >= count
        assert (took is not None) == expected
        if expected:
            is_on = True
            assert took == now - times[-count]


def refused(seconds: float, *policies: str) -> Decision:
    intent = Intent(TradeSide.BUY, POOL, MINT, at(seconds), "test 90.0")
    verdicts = tuple(Verdict(policy, False, f"{policy} says no") for policy in policies)
    return Decision(f"d{seconds:g}", intent, False, verdicts)


def test_each_policy_has_its_own_count_and_the_text_says_how_to_go_on() -> None:
    heard = Heard({"refused_burst": 3, "refused_burst_seconds": 60})
    rule = RefusedBurstRule(heard.context)
    for seconds in (0, 10, 20, 30):
        rule.on_decision(refused(seconds, "price", "size") if seconds else refused(seconds, "size"))
    assert heard.told == [("warning", "refused burst", "size"), ("warning", "refused burst", "price")]
    assert heard.alerts[0][3] == (
        "3 refusals by size within 20 s; the last: TEST: size says no; `pumpswap status` counts them, "
        "`pumpswap why d20` has the numbers"
    )


def test_repeated_refusals_count_and_what_is_held_already_does_not() -> None:
    heard = Heard({"refused_burst": 3, "refused_burst_seconds": 60})
    rule = RefusedBurstRule(heard.context)
    for number in range(10):
        rule.on_repeat(refused(number, "one position", "cool-down", "drawdown"), "d1", number)
    assert heard.alerts == []
    for number in range(3):
        rule.on_repeat(refused(20 + number, "price"), "d1", number)
    assert heard.told == [("warning", "refused burst", "price")]


def test_0_switches_it_off_and_accepted_wishes_do_not_count() -> None:
    off, on = Heard({"refused_burst": 0}), Heard({"refused_burst": 1})
    RefusedBurstRule(off.context).on_decision(refused(0, "price"))
    accepted = Decision("d1", refused(0).intent, True, (Verdict("price", True, "fine"),))
    RefusedBurstRule(on.context).on_decision(accepted)
    assert (off.alerts, on.alerts) == ([], [])


def test_the_policies_that_are_left_out_are_called_so() -> None:
    assert frozenset(policy.__name__.replace("_", " ") for policy in BUY_POLICIES) >= LOCKS
