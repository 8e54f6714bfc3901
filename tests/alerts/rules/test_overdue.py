"""Orders whose fate nobody knows for long."""

from __future__ import annotations

from pumpswap.alerts.rules.overdue import OverdueRule
from pumpswap.model import Denied, Order, Unknown
from tests.alerts.rules.heard import MINT, Heard, beat, bought
from tests.support.market import START_NS, at

ORDER, FILLED, POSITION = bought()


def after(rule: OverdueRule, heard: Heard, seconds: int) -> None:
    heard.now_ns = at(seconds)
    rule.on_beat(beat(at(seconds)))


def test_an_order_is_told_when_it_is_overdue_and_whenever_its_age_has_doubled() -> None:
    heard, still_open = Heard({"unknown_seconds": 60}), [ORDER]
    rule = OverdueRule(heard.context, lambda: still_open)
    rule.on_outcome(ORDER, Unknown("o1", at(30), "5sig", 777), None)
    told = []
    for seconds in range(0, 600, 10):
        before = len(heard.alerts)
        after(rule, heard, seconds)
        told += [seconds] * (len(heard.alerts) - before)
    assert told == [70, 150, 310]
    assert set(heard.told) == {("critical", "unknown outcome", MINT)}
    assert heard.alerts[0][3] == (
        "nobody knows for 1 min 10 s what has become of the buy o1 of TEST. It may land until height 777 (5sig). The "
        "chain is asked again and again; until it answers, nothing else is ordered on this token. Do not repeat the "
        "order by hand: `pumpswap why o1` has its state, `pumpswap doctor` looks at the endpoints"
    )
    still_open.clear()
    rule.on_outcome(ORDER, FILLED, POSITION)
    assert heard.alerts[-1] == ("info", "unknown outcome", MINT, "the buy o1 of TEST is known after 1 s: it has traded")
    after(rule, heard, 10_000)
    assert len(heard.alerts) == 4


def test_an_order_of_an_earlier_process_is_told_although_nobody_has_heard_of_it_here() -> None:
    heard = Heard({"unknown_seconds": 60})
    rule = OverdueRule(heard.context, lambda: [ORDER])
    after(rule, heard, 3_600)
    assert heard.told == [("critical", "unknown outcome", MINT)]
    assert "height" not in heard.text()
    rule.on_outcome(ORDER, Denied("o1", at(3_700), "expired", "gone"), None)
    assert heard.alerts[-1][3] == "the buy o1 of TEST is known after 1 h 1 min: it has not traded"


def test_one_that_ends_in_time_is_not_told_and_0_switches_it_off() -> None:
    orders: list[Order] = [ORDER]
    heard, off = Heard({"unknown_seconds": 60}), Heard({"unknown_seconds": 0})
    rule, silent = OverdueRule(heard.context, lambda: orders), OverdueRule(off.context, lambda: orders)
    after(rule, heard, 60)
    after(silent, off, 10_000)
    orders.clear()
    rule.on_outcome(ORDER, FILLED, POSITION)
    after(rule, heard, 10_000)
    assert (heard.alerts, off.alerts) == ([], [])
    assert ORDER.created_ns == START_NS
