"""What whoever looks on stores: messages, mutes, memory, spells, refused buys."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pumpswap.errors import AmountOutOfRange, NotFound, StorageError
from pumpswap.model import Alert, AlertLevel, Delivery, DeliveryStatus, Mute, Spell, WhatIf
from pumpswap.storage import Database, Run
from tests.storage import samples

DELIVERY = Delivery("me", AlertLevel.CRITICAL, "an unknown outcome", "line\n\0line", 5, 6, 3, 1, 3)


def test_a_delivery_waits_until_it_is_due_and_is_not_tried_after_it_was_sent(database: Database) -> None:
    database.deliveries.add([DELIVERY, replace(DELIVERY, channel="you", due_ns=9)])
    assert database.deliveries.due(5, 10) == []
    (due,) = database.deliveries.due(6, 10)
    assert due == replace(DELIVERY, number=due.number, body="line\n\N{REPLACEMENT CHARACTER}line")
    sent = replace(due, status=DeliveryStatus.SENT, tries=1, sent_ns=7)
    database.deliveries.change(sent)
    assert [one.channel for one in database.deliveries.due(100, 10)] == ["you"]
    assert sent in database.deliveries.newest(10)
    assert database.deliveries.counts() == {
        DeliveryStatus.WAITING: 1,
        DeliveryStatus.SENT: 1,
        DeliveryStatus.FAILED: 0,
    }


def test_a_delivery_is_taken_by_one_at_a_time(database: Database) -> None:
    database.deliveries.add([DELIVERY])
    (due,) = database.deliveries.due(6, 10, "me")
    taken = database.deliveries.take(due, 100)
    assert taken == replace(due, tries=1, due_ns=100)
    assert database.deliveries.take(due, 100) is None
    assert database.deliveries.due(99, 10) == []
    assert database.deliveries.due(100, 10, "you") == []
    assert database.deliveries.due(100, 10, "me") == [taken]
    assert database.deliveries.due(50, 10, "me", beyond_ns=99) == [taken]
    assert database.deliveries.due(50, 10, "me", beyond_ns=100) == []
    database.deliveries.change(replace(taken, status=DeliveryStatus.SENT))
    assert database.deliveries.take(taken, 200) is None


def test_deliveries_are_chosen_by_status_page_and_channel(database: Database) -> None:
    failed = replace(DELIVERY, channel="you", status=DeliveryStatus.FAILED)
    database.deliveries.add([DELIVERY, failed, replace(DELIVERY, channel="gone", created_ns=4)])
    by_channel = {one.channel: one.number for one in database.deliveries.newest(9)}
    assert [one.channel for one in database.deliveries.newest(9, status=DeliveryStatus.FAILED)] == ["you"]
    assert [one.channel for one in database.deliveries.newest(1, before=by_channel["gone"])] == ["you"]
    assert [one.channel for one in database.deliveries.forsaken(["me"], 5, 9)] == ["gone"]
    assert [one.channel for one in database.deliveries.forsaken([], 6, 9)] == ["me", "gone"]
    assert database.deliveries.forsaken(["me", "gone"], 6, 9) == []


def test_what_is_critical_is_due_first_then_what_was_tried_least_then_the_oldest(database: Database) -> None:
    calm = replace(DELIVERY, level=AlertLevel.INFO)
    tried = [
        replace(calm, tries=2),
        calm,
        replace(calm, tries=1),
        replace(DELIVERY, tries=3),
        replace(DELIVERY, tries=1),
    ]
    database.deliveries.add([*tried, calm])
    first = database.deliveries.newest(9)[-1].number
    assert [one.number - first for one in database.deliveries.due(6, 9)] == [4, 3, 1, 5, 2, 0]
    assert [one.number - first for one in database.deliveries.due(6, 2)] == [4, 3]
    assert [one.number - first for one in database.deliveries.due(6, 9, least_tried=True)] == [1, 5, 4, 2, 0, 3]


def test_old_deliveries_are_removed_some_at_a_time(database: Database) -> None:
    sent, failed = (replace(DELIVERY, status=status) for status in (DeliveryStatus.SENT, DeliveryStatus.FAILED))
    database.deliveries.add([sent, failed, sent, DELIVERY, replace(sent, due_ns=7)])
    assert database.deliveries.remove(6, 9) == 0
    assert database.deliveries.remove(7, 2) == 2
    assert database.deliveries.remove(7, 2) == 1
    assert database.deliveries.remove(7, 2) == 0
    left = database.deliveries.newest(9)
    assert [(one.status, one.due_ns) for one in left] == [(DeliveryStatus.SENT, 7), (DeliveryStatus.WAITING, 6)]


def test_the_same_database_can_be_had_with_connections_of_its_own(database: Database) -> None:
    with database.another(busy_ms=100) as another:
        assert another.location == database.location
        another.deliveries.add([DELIVERY])
        with database.batch():
            assert [one.channel for one in another.deliveries.newest(9)] == ["me"]  # it reads while the other writes
    assert [one.channel for one in database.deliveries.newest(9)] == ["me"]


def test_a_delivery_that_is_not_stored_cannot_change(database: Database) -> None:
    with pytest.raises(NotFound, match="no delivery 7"):
        database.deliveries.change(replace(DELIVERY, number=7))
    with pytest.raises(AmountOutOfRange):
        database.deliveries.add([replace(DELIVERY, due_ns=2**63)])
    assert database.deliveries.newest(1) == []


def test_a_batch_of_the_database_is_stored_whole_or_not_at_all(database: Database) -> None:
    def half() -> None:
        with database.batch():
            database.deliveries.add([DELIVERY])
            database.memory.save("alerts", {"number": "3"}, 5)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        half()
    assert database.deliveries.newest(1) == []
    assert database.memory.load("alerts") is None


def test_memory_is_replaced(database: Database) -> None:
    database.memory.save("alerts", {"number": "3"}, 5)
    database.memory.save("alerts", {"number": "4"}, 6)
    assert database.memory.load("alerts") == {"number": "4"}


def test_a_mute_holds_until_its_time_or_its_end(database: Database) -> None:
    first = database.mutes.add(Mute("entry", "", 100, 5, "me@here"))
    second = database.mutes.add(Mute("entry", "M", 100, 5, "me@here"))
    assert database.mutes.holding(99) == [first, second]
    assert database.mutes.holding(100) == []
    assert database.mutes.end("entry", "M", 50) == 1
    assert database.mutes.holding(60) == [first]


def test_alerts_are_paged_and_tell_who_has_seen_them(database: Database) -> None:
    numbers = [database.alerts.add(Alert(at, AlertLevel.INFO, "entry", "M", f"text {at}")) for at in range(5)]
    assert [one.number for one in database.alerts.after(numbers[2], 10)] == numbers[3:]
    assert [one.number for one in database.alerts.newest(2)] == [numbers[4], numbers[3]]
    assert [one.number for one in database.alerts.newest(2, before=numbers[3])] == [numbers[2], numbers[1]]
    database.alerts.acknowledge(numbers[4], 9, "me@here")
    assert [one.number for one in database.alerts.newest(9, unseen=True)] == numbers[3::-1]
    assert database.alerts.newest(1)[0].acknowledged_by == "me@here"


def test_alerts_are_chosen_by_level_and_topic_and_acknowledged_together(database: Database) -> None:
    levels = (AlertLevel.INFO, AlertLevel.ERROR, AlertLevel.CRITICAL)
    numbers = [database.alerts.add(Alert(5, level, level.value * 2, "M", "text")) for level in levels]
    loud = database.alerts.newest(9, levels=(AlertLevel.ERROR, AlertLevel.CRITICAL))
    assert [one.number for one in loud] == numbers[:0:-1]
    assert [one.number for one in database.alerts.newest(9, topic="infoinfo")] == numbers[:1]
    database.alerts.acknowledge(numbers[0], 6, "me")
    assert database.alerts.acknowledge_all(numbers[1], 7, "you") == 1
    assert [one.acknowledged_by for one in database.alerts.all()] == ["me", "you", ""]
    assert database.alerts.acknowledge_all(numbers[2], 8) == 1


def test_a_spell_grows_and_the_next_one_is_another_row(run: Run) -> None:
    spell = Spell(1, 10, 10, is_able=True)
    run.spells.save(spell)
    run.spells.save(replace(spell, ended_ns=20))
    after = Spell(1, 21, 22, is_able=False, reason="sending")
    run.spells.save(after)
    assert run.spells.since(0) == [replace(spell, ended_ns=20), after]
    assert run.spells.since(21) == [after]


def test_a_refused_buy_is_open_until_it_is_measured(run: Run) -> None:
    run.save_decision(samples.decision(1, accepted=False))
    one = WhatIf("d000001", samples.POOL, samples.MINT, "price impact", 5, 300, 305, 1_000, 77)
    other = replace(one, horizon_seconds=60, due_ns=65)
    run.what_ifs.save(one)
    run.what_ifs.save(other)
    assert run.what_ifs.open() == [other, one]
    measured = replace(other, measured_ns=66, value_lamports=900)
    run.what_ifs.save(measured)
    assert run.what_ifs.open() == [one]
    assert measured.gain_lamports == -100
    assert {each.horizon_seconds: each for each in run.what_ifs.since(5)} == {60: measured, 300: one}
    run.save_decision(samples.decision(2, accepted=False))
    later = replace(one, decision_id="d000002", at_ns=6)
    run.what_ifs.save(later)
    assert run.what_ifs.since(5, 1) == [later] == run.what_ifs.since(6)
    assert [each.at_ns for each in run.what_ifs.since(5, 9)] == [5, 5, 6]
    with pytest.raises(StorageError, match="contradicts"):
        run.what_ifs.save(replace(one, decision_id="d000009"))
