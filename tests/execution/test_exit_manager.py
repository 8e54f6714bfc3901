"""ExitManager: an exit that has begun goes on until it is done, and tells when it cannot."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
import pytest

from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.exit_manager import ExitManager
from pumpswap.model import AlertLevel, Costs, Denied, ExitKind, ExitState, Rejected
from pumpswap.settings import ExitRules, LadderRung
from tests.execution.exit_world import HELD, MINT, POOL, Round, bought, denied, mark, rejected
from tests.support.market import SOL, at, graduate

RULES = ExitRules()
CALLED = f"{MINT[:4]}…{MINT[-4:]}"  # as long as nobody has told its name
LADDER = ExitRules(
    take_profit_ladder=(LadderRung(gain_bps=2_000, sell_bps=2_500), LadderRung(gain_bps=5_000, sell_bps=5_000))
)


def stopped(rules: ExitRules = RULES) -> Round:
    """A round whose stop-loss has triggered."""
    made = Round(rules)
    assert made.look(SOL // 2) is not None
    return made


def test_an_exit_goes_on_when_the_price_has_come_back() -> None:
    made = stopped()
    found = made.look(SOL)
    assert found is not None
    assert (found.exit, found.base_units, found.slippage_bps) == (ExitKind.STOP_LOSS, 1_000, 1_000)
    assert found.reason == "stop-loss: −50.0 % of cost, limit −20 %"


def test_a_sale_that_fails_waits_and_accepts_more_each_time_up_to_a_limit() -> None:
    made = stopped()
    accepted = []
    for second in range(60, 130, 10):
        found = made.look(SOL // 2, second)
        assert found is not None
        accepted.append(found.slippage_bps)
        made.fail(second)
        assert made.look(SOL // 2, second + 4.9) is None
    assert accepted == [1_000, 2_000, 3_000, 4_000, 5_000, 5_000, 5_000]


def test_the_first_failure_and_every_third_are_told() -> None:
    made = stopped()
    told = []
    for count in range(1, 10):
        made.fail(60 + 10 * count)
        told += [(count, alert.level, alert.topic) for alert in made.manager.take_alerts()]
    assert [count for count, _, _ in told] == [1, 3, 6, 9]
    assert {topic for *_, topic in told} == {"exit failed"}
    assert [level for _, level, _ in told] == [AlertLevel.WARNING, *[AlertLevel.ERROR] * 3]


def test_the_alert_of_a_failure_says_why_and_what_is_next() -> None:
    made = stopped()
    made.manager.ended(None, rejected(60), POOL)
    (alert,) = made.manager.take_alerts()
    assert alert.text == (
        f"{POOL[:4]}…{POOL[-4:]}: sale failed, the first time: ExceededSlippage: pays less; next try in 5 s, accepting "
        "20 %"
    )
    assert (alert.subject, alert.at_ns) == (POOL, at(60))
    assert made.manager.take_alerts() == []


def test_every_alert_says_which_coin_it_is_and_nothing_of_its_name_is_a_link_or_a_line() -> None:
    hostile = replace(HELD, name="claim-sol.com\nCRITICAL all sold t.me/x @everyone [a](http://b.c) \u202e")
    said = "claim-sol·com CRITICAL all sold t·me·x…"
    rugged = msgspec.structs.replace(graduate(), quote_vault=graduate().quote_vault // 4)
    made = Round(RULES, hostile, graduate())
    made.state = msgspec.structs.replace(rugged, base_reserve=rugged.base_reserve // 4)
    assert made.look(SOL) is not None  # rug
    made.manager.ended(None, rejected(61), POOL, hostile)
    made.manager.refused(hostile, "no", at(62))
    made.manager.ended(None, Denied("o2", at(63), "endpoints", "cannot\nbe reached"), POOL, hostile)
    made.manager.ended(None, rejected(64), POOL, hostile)
    made.manager.ended(None, rejected(65), POOL, hostile)
    for second in (70, 400):
        assert made.look(0, second, obstacle="the pool has no reserves") is None
    assert made.look(SOL, 500) is not None
    told = made.manager.take_alerts()
    assert {alert.topic for alert in told} == {"rug", "exit failed", "exit refused", "exit blocked"}
    assert {alert.level for alert in told if alert.topic == "exit blocked"} == {AlertLevel.ERROR, AlertLevel.INFO}
    for alert in told:
        assert said in alert.text
        assert alert.text.isprintable()
        assert not re.search(r"claim-sol\.|://|t\.me|@|\]\(", alert.text)


def test_an_outage_of_the_endpoints_does_not_widen_the_limit() -> None:
    made = stopped()
    pauses, second = [], 60
    for _ in range(6):
        made.manager.ended(None, Denied("o2", at(second), "endpoints", "cannot be reached"), POOL, HELD)
        pauses.append((made.known.retry_ns - at(second)) // NS_PER_SECOND)
        second += pauses[-1]
        found = made.look(SOL // 2, second)
        assert found is not None
        assert found.slippage_bps == RULES.slippage_bps
    assert pauses == [5, 10, 20, 30, 30, 30]
    (alert,) = made.manager.take_alerts()
    assert alert.text == (
        f"{CALLED}: sale not done, the first time: endpoints: cannot be reached; next try in 5 s, still accepting 10 %"
    )
    assert (alert.level, alert.topic) == (AlertLevel.WARNING, "exit failed")
    for _ in range(14):
        made.manager.ended(None, Denied("o2", at(second), "endpoints", "cannot be reached"), POOL, HELD)
    (again,) = made.manager.take_alerts()
    assert again.text.startswith(f"{CALLED}: sale not done, 20 times in a row: ")
    assert again.level is AlertLevel.ERROR


@pytest.mark.parametrize(
    ("outcome", "is_wider"),
    [
        (Denied("o2", at(60), "limit", "the sale pays less now"), True),
        (Denied("o2", at(60), "expired", "its transactions have expired"), True),
        (Rejected("o2", at(60), 1, 6004, "ExceededSlippage", "", Costs(), "s"), True),
        (Denied("o2", at(60), "insufficient funds", "the wallet has less"), False),
        (Denied("o2", at(60), "trading state", "trading is halted"), False),
        (Denied("o2", at(60), "key locked", "no key"), False),
        (Denied("o2", at(60), "simulation", "it would fail"), False),
        (Rejected("o2", at(60), 1, 11, "NonNativeHasBalance", "", Costs(), "s"), False),
        (Rejected("o2", at(60), 1, 6004, "Unknown", "of another program", Costs(), "s"), False),
        (Rejected("o2", at(60), 1, None, "NetworkFailure", "", Costs(), "s"), False),
    ],
    ids=lambda one: getattr(one, "rule", None) or getattr(one, "name", None),
)
def test_only_what_failed_by_its_price_accepts_more(outcome: Rejected | Denied, is_wider: bool) -> None:
    made = stopped()
    made.fail(60)
    made.manager.ended(None, outcome, POOL)
    found = made.look(SOL // 2, 65)
    assert found is not None
    assert found.slippage_bps == (3_000 if is_wider else 2_000), "what was widened by the price stays so"


def test_no_more_is_sold_than_the_wallet_has() -> None:
    made = stopped()
    found = made.manager.look(HELD, mark(SOL // 2), None, there=400)
    assert found is not None
    assert found.base_units == 400
    made.sell(400)
    assert (made.known.wanted, made.known.wanted_units) == (ExitKind.STOP_LOSS, 600)
    gone = mark(SOL // 2, 62, units=600)
    assert made.manager.look(made.held, gone, None, there=0) is None
    assert made.known.blocked_ns == at(62)
    found = made.manager.look(made.held, gone, None, there=600)
    assert found is not None
    assert found.base_units == 600


def test_a_success_forgets_the_failures() -> None:
    made = stopped()
    made.fail(60)
    made.sell(400, 70)
    assert (made.known.failures, made.known.retry_ns, made.known.wanted_units) == (0, 0, 600)
    found = made.look(SOL // 4, 71)
    assert found is not None
    assert (found.base_units, found.slippage_bps) == (600, 1_000)


def test_a_closed_round_is_over_and_forgotten() -> None:
    made = stopped()
    made.manager.take_changed()
    made.sell(1_000)
    assert made.manager.state(POOL) is None
    assert made.manager.take_changed() == [ExitState(POOL, 1, is_over=True)]
    assert ExitManager(RULES, [ExitState(POOL, 1, is_over=True)]).state(POOL) is None


def test_a_part_that_is_done_leaves_the_rest_to_the_rules() -> None:
    made = Round(LADDER)
    first = made.look(SOL * 130 // 100)
    assert first is not None
    assert (first.exit, first.base_units) == (ExitKind.LADDER, 250)
    made.sell(250)
    assert made.known.wanted is None
    assert made.look(SOL * 130 // 100 * 3 // 4, 70) is None
    second = made.look(SOL * 160 // 100 * 3 // 4, 80)
    assert second is not None
    assert second.base_units == 500
    made.sell(500, 81)
    assert made.look(SOL * 199 // 100 // 4, 90) is None
    stop = made.look(SOL // 4 * 8 // 10, 91)
    assert stop is not None
    assert (stop.exit, stop.base_units) == (ExitKind.STOP_LOSS, 250)


def test_an_exit_of_a_part_makes_way_for_one_of_all() -> None:
    made = Round(LADDER)
    assert made.look(SOL * 130 // 100) is not None
    made.fail(60)
    found = made.look(SOL // 2, 70)
    assert found is not None
    assert (found.exit, found.base_units) == (ExitKind.STOP_LOSS, 1_000)
    assert made.known.rungs == 1


def test_a_smaller_wish_does_not_stop_a_larger_exit() -> None:
    made = stopped()
    made.manager.want(HELD, ExitKind.SIGNAL, 500, "half")
    assert (made.known.wanted, made.known.wanted_units) == (ExitKind.STOP_LOSS, 1_000)
    made.manager.want(HELD, ExitKind.SIGNAL, 1_000, "all")  # that is on its way already
    assert (made.known.wanted, made.known.wanted_units) == (ExitKind.STOP_LOSS, 1_000)
    made.manager.want(HELD, ExitKind.PANIC, 5_000, "out")
    assert (made.known.wanted, made.known.wanted_units, made.known.wanted_reason) == (ExitKind.PANIC, 1_000, "out")


def test_a_wish_for_nothing_is_none() -> None:
    made = Round(RULES)
    made.manager.want(HELD, ExitKind.BY_HAND, 0, "nothing")
    assert made.known.wanted is None


@pytest.mark.parametrize(
    ("kind", "waits"), [(ExitKind.SIGNAL, True), (ExitKind.PANIC, False), (ExitKind.BY_HAND, False)]
)
def test_a_person_does_not_wait_for_a_retry(kind: ExitKind, waits: bool) -> None:
    made = stopped()
    made.fail(60)
    made.manager.want(HELD, kind, 1_000, "now")
    found = made.look(SOL, 61)
    assert (found is None) == waits
    assert found is None or found.slippage_bps == (5_000 if kind is ExitKind.PANIC else 2_000)


def test_while_nothing_may_be_ordered_nothing_is_asked_and_no_time_is_lost_afterwards() -> None:
    made = stopped()
    made.manager.refused(HELD, "something else", at(60))
    made.manager.refused(HELD, "something else", at(65))
    for second in range(66, 700, 2):
        assert made.manager.look(HELD, mark(SOL // 2, second), None, "trading is halted") is None
    assert made.known.blocked_ns == at(66)
    assert [alert.topic for alert in made.manager.take_alerts()] == ["exit refused", "exit blocked"]
    assert made.look(SOL // 2, 701) is not None
    (free,) = made.manager.take_alerts()
    assert free.text == f"{CALLED}: can be sold and valued again after 635 s; stop-loss goes on"
    assert (made.known.refusals, made.known.retry_ns) == (0, 0)


def test_what_the_gate_refuses_is_asked_less_and_less_often() -> None:
    made, second, waits = stopped(), 60.0, []
    for _ in range(6):
        made.manager.refused(HELD, "trading is halted", at(second))
        wait = (made.known.retry_ns - at(second)) // 10**9
        assert made.look(SOL, second + wait - 0.1, state_s=second + wait - 0.1) is None
        waits.append(wait)
        second += wait
        assert made.look(SOL, second) is not None
    assert waits == [5, 10, 20, 30, 30, 30]
    told = made.manager.take_alerts()
    assert [alert.topic for alert in told] == ["exit refused"] * 3
    assert told[0].text == f"{CALLED}: sale refused, the first time: trading is halted; next try in 5 s"


def test_a_pool_not_seen_for_too_long_is_not_sold_on() -> None:
    made = Round(RULES)
    assert made.look(SOL // 2, 121, state_s=60) is None
    assert made.known.wanted is ExitKind.STOP_LOSS
    assert made.look(SOL // 2, 120, state_s=60) is not None


def test_a_sale_that_is_impossible_for_long_is_told_once_until_it_is_possible() -> None:
    made = Round(RULES)
    made.manager.want(HELD, ExitKind.SIGNAL, 1_000, "out")
    for second in (10, 100, 309):
        assert made.look(0, second, obstacle="the pool has no reserves") is None
    assert made.manager.take_alerts() == []
    for second in (310, 900):
        assert made.look(0, second, obstacle="the pool has no reserves") is None
    (alert,) = made.manager.take_alerts()
    assert (alert.topic, alert.level) == ("exit blocked", AlertLevel.ERROR)
    assert alert.text == (
        f"{CALLED}: signal is due and could not be done for 300 s: the pool has no reserves; it goes on when possible"
    )
    assert made.look(SOL, 901) is not None
    assert (made.known.blocked_ns, made.known.blocked_told) == (0, False)
    (free,) = made.manager.take_alerts()
    assert (free.topic, free.level, free.subject) == ("exit blocked", AlertLevel.INFO, POOL)
    assert free.text == f"{CALLED}: can be sold and valued again after 891 s; signal goes on"
    assert made.look(0, 902, obstacle="the pool has no reserves") is None
    assert made.look(SOL, 903) is not None
    assert made.manager.take_alerts() == [], "what nobody was told of does not end either"


def test_a_restart_knows_that_a_block_was_told_and_tells_its_end() -> None:
    made = Round(RULES)
    made.manager.want(HELD, ExitKind.SIGNAL, 1_000, "out")
    for second in (10, 310):
        assert made.look(0, second, obstacle="the pool has no reserves") is None
    made.restart()
    assert made.look(SOL, 320) is not None
    assert [(one.topic, one.level) for one in made.manager.take_alerts()] == [("exit blocked", AlertLevel.INFO)]


def test_what_can_be_neither_sold_nor_valued_is_told_though_no_rule_wants_it_sold() -> None:
    made = Round(RULES)
    for second in (10, 310, 10_000):
        assert made.look(0, second, obstacle="the pool has no reserves") is None
    (alert,) = made.manager.take_alerts()
    assert alert.text == (
        f"{CALLED}: could not be sold or valued for 300 s: the pool has no reserves; until then no stop-loss can see a "
        "loss"
    )
    assert made.look(SOL, 10_001) is None
    (free,) = made.manager.take_alerts()
    assert free.text == f"{CALLED}: can be sold and valued again after 9991 s; its exits look after it again"
    assert (made.known.wanted, made.known.blocked_ns) == (None, 0)


def test_a_pool_that_is_only_old_blocks_nothing_that_nobody_wants_to_sell() -> None:
    made = Round(RULES)
    for second in (100, 1_000):
        assert made.look(SOL, second, state_s=0) is None
    assert made.known.blocked_ns == 0
    assert made.manager.take_alerts() == []


def test_a_sale_that_would_pay_nothing_waits() -> None:
    made = Round(RULES)
    assert made.look(0) is None
    assert (made.known.wanted, made.known.blocked_ns) == (ExitKind.STOP_LOSS, at(60))


def test_a_sale_larger_than_the_pool_can_pay_goes_in_parts() -> None:
    made = Round(RULES)
    first = made.look(SOL // 2, 60, sellable=600)
    assert first is not None
    assert first.base_units == 600
    made.sell(600, 61)
    assert made.look(SOL // 100 - 1, 70, sellable=10) is None
    assert made.known.blocked_ns == at(70)
    second = made.look(SOL // 100, 80, sellable=10)
    assert second is not None
    assert second.base_units == 10
    made.sell(10, 81)
    last = made.look(SOL // 1_000, 90)
    assert last is not None
    assert last.base_units == 390


def test_what_the_pool_can_pay_whole_is_not_split_further() -> None:
    made = Round(RULES)
    made.manager.want(HELD, ExitKind.SIGNAL, 300, "a part")
    found = made.look(SOL // 1_000, 60, sellable=400)  # the stop-loss wants all then, and a part is too little
    assert found is None
    other = Round(ExitRules(stop_loss_bps=0))
    other.manager.want(HELD, ExitKind.SIGNAL, 300, "a part")
    sale = other.look(SOL // 1_000, 60, sellable=400)
    assert sale is not None
    assert sale.base_units == 300


def test_a_rug_is_told_at_once() -> None:
    start = graduate()
    made = Round(RULES, replace(HELD, name="GRAVEL"), start)
    made.state = msgspec.structs.replace(
        start, quote_vault=start.quote_vault // 4, base_reserve=start.base_reserve // 4
    )
    found = made.look(SOL)
    assert found is not None
    assert (found.exit, found.slippage_bps) == (ExitKind.RUG, 5_000)
    (alert,) = made.manager.take_alerts()
    assert (alert.level, alert.topic) == (AlertLevel.CRITICAL, "rug")
    assert alert.text == (
        "selling all of GRAVEL: rug: the pool's product fell by 93.75 %, limit 5 %: liquidity was pulled"
    )


def test_our_own_sale_is_no_liquidity_flight() -> None:
    """The position is most of the pool: what it takes out itself is not held against the others."""
    start = graduate(quote_vault=10 * SOL)
    made = Round(ExitRules(rug_bps=0, stop_loss_bps=0, take_profit_bps=0), HELD, start)
    made.manager.want(HELD, ExitKind.SIGNAL, 500, "half")
    assert made.look(8 * SOL) is not None
    made.sell(500, gross=6 * SOL + 1_000, lp_fee=1_000)
    made.state = msgspec.structs.replace(start, quote_vault=4 * SOL)
    assert made.known.entry_quote_lamports == 4 * SOL
    assert made.look(2 * SOL) is None
    made.state = msgspec.structs.replace(start, quote_vault=2 * SOL)
    fled = made.look(2 * SOL)
    assert fled is not None
    assert fled.exit is ExitKind.LIQUIDITY_FLIGHT


def test_a_round_that_grows_ladders_on_all_that_it_has_bought() -> None:
    start = graduate()
    made = Round(LADDER, HELD, start)
    made.look(SOL * 130 // 100)
    made.sell(250)
    more = bought(1_000, 65, start)
    made.held = replace(made.held, base_units=1_750, cost_lamports=2 * SOL)
    made.manager.opened(made.held, start, more.executed)  # type: ignore[arg-type]
    assert made.known.bought_units == 2_000
    found = made.look(3 * SOL, 70)
    assert found is not None
    assert found.base_units == 1_000


def test_a_rung_of_less_than_one_unit_is_done_without_a_sale() -> None:
    tiny = replace(HELD, base_units=1)
    made = Round(ExitRules(take_profit_ladder=(LadderRung(gain_bps=1_000, sell_bps=5_000),)), tiny)
    assert made.look(SOL * 120 // 100) is None
    assert (made.known.rungs, made.known.wanted) == (1, None)


def test_the_next_round_begins_afresh() -> None:
    made = stopped()
    again = replace(HELD, round=2)
    assert made.manager.look(again, mark(SOL), None) is None
    assert made.known == ExitState(POOL, 2, bought_units=1_000)


def test_a_failure_of_a_round_that_nothing_was_known_of_counts_all_the_same() -> None:
    manager = ExitManager(RULES)
    manager.ended(HELD, denied(60), POOL)
    manager.ended(None, denied(60), "another pool")
    state = manager.state(POOL)
    assert state is not None
    assert (state.failures, state.retry_ns) == (1, at(65))
    assert manager.state("another pool") is None


def test_nothing_is_told_to_have_changed_that_has_not() -> None:
    made = Round(RULES, HELD, graduate())
    assert made.manager.take_changed() == [made.known]
    assert made.look(SOL) is None
    assert made.look(SOL + 5) is None
    assert made.manager.take_changed() == []
