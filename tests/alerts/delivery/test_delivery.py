"""From the database to a service: each alert once, over failures, restarts, several processes and other settings."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pumpswap.alerts.delivery.dispatcher import Dispatcher
from pumpswap.alerts.delivery.gatherer import MEMORY
from pumpswap.clock import ManualClock
from pumpswap.model import Alert, DeliveryStatus, Mute
from pumpswap.storage import open_database
from tests.alerts.delivery.desk import Desk, Phone, SlowPhone, turned
from tests.alerts.delivery.samples import CRITICAL, ERROR, INFO, SECOND, START, WARNING, settings_of

HOUR = 3_600 * SECOND
both_databases = pytest.mark.parametrize("desk", ["sqlite", "postgresql"], indirect=True)


def test_what_was_there_before_the_first_start_is_not_told(desk: Desk) -> None:
    desk.tell("old")
    dispatcher = desk.dispatcher()
    desk.tell("new")
    desk.turn(dispatcher)
    assert desk.texts == ["new"]


def test_what_came_between_two_processes_is_told(desk: Desk) -> None:
    desk.turn(desk.dispatcher())
    desk.tell("in between")
    desk.turn(desk.dispatcher(), 3_600)
    assert desk.texts == ["in between"]


def test_a_channel_that_nobody_has_served_for_long_begins_anew(desk: Desk) -> None:
    desk.turn(desk.dispatcher(give_up_hours=24))
    desk.tell("of last week")
    desk.clock.advance_to(START + 25 * HOUR)
    dispatcher = desk.dispatcher(give_up_hours=24)
    desk.tell("of now")
    desk.turn(dispatcher)
    assert desk.texts == ["of now"]


def test_what_was_gathered_survives_a_restart(desk: Desk) -> None:
    first = desk.dispatcher(burst=1, digest_seconds=60)
    for n in range(5):
        desk.tell(f"text {n}")
    desk.turn(first)
    assert desk.texts == ["text 0"]
    second = desk.dispatcher(burst=1, digest_seconds=60)
    desk.turn(second, 60)
    assert [message.alerts for message in desk.phone.got] == [1, 4]


def test_the_last_words_are_sent_at_the_end(desk: Desk) -> None:
    dispatcher = desk.dispatcher(burst=1)
    desk.tell("one", CRITICAL)
    desk.tell("two", CRITICAL)
    asyncio.run(dispatcher.finish())
    assert [message.alerts for message in desk.phone.got] == [1, 1]


def test_the_end_waits_for_a_service_that_is_answering_and_sends_the_rest(desk: Desk) -> None:
    slow = SlowPhone()
    dispatcher = desk.dispatcher(slow, burst=1_000)

    async def ended_in_the_middle() -> None:
        desk.tell("one")
        await dispatcher.turn()
        await asyncio.to_thread(slow.is_asked.wait, 10)
        for n in range(45):
            desk.tell(f"text {n}")
        end = asyncio.create_task(dispatcher.finish())
        await asyncio.sleep(0)
        slow.may_answer.set()
        await end

    asyncio.run(ended_in_the_middle())
    assert sum(message.alerts for message in slow.got) == 46
    assert desk.database.deliveries.counts()[DeliveryStatus.WAITING] == 0


def test_a_service_that_fails_is_asked_again_after_twice_the_pause(desk: Desk) -> None:
    dispatcher = desk.dispatcher(retry_seconds=5)
    desk.phone.reason = "it is broken"
    desk.tell("one")
    asked = []
    for second in range(1, 80):
        before = desk.phone.asked
        desk.turn(dispatcher)
        asked += [second] * (desk.phone.asked - before)
    assert asked == [1, 6, 16, 36, 76]
    (waiting,) = desk.database.deliveries.newest(9)
    assert (waiting.status, waiting.tries, waiting.error) == (DeliveryStatus.WAITING, 5, "it is broken")
    desk.phone.reason = ""
    desk.turn(dispatcher, 90)
    (sent,) = desk.database.deliveries.newest(9)
    assert (sent.status, sent.tries, sent.error, sent.sent_ns) == (DeliveryStatus.SENT, 6, "", desk.clock.now_ns())


def test_a_service_that_fails_with_two_messages_is_left_alone_and_a_critical_one_goes_first(desk: Desk) -> None:
    dispatcher = desk.dispatcher(retry_seconds=5)
    desk.phone.reason = "it is broken"
    desk.tell("small")
    desk.turn(dispatcher)
    desk.tell("large", CRITICAL)
    for _ in range(3):
        desk.turn(dispatcher)
    assert desk.phone.asked == 2
    desk.phone.reason = ""
    desk.turn(dispatcher, 5)
    assert desk.texts == ["large", "small"]


def test_a_clock_that_is_set_back_keeps_no_message_waiting(desk: Desk) -> None:
    dispatcher = desk.dispatcher(retry_seconds=600)
    desk.phone.reason = "it is broken"
    for text in ("one", "two", "three"):
        desk.tell(text)
        desk.turn(dispatcher)
    assert desk.phone.asked == 2  # and now the channel rests
    desk.phone.reason = ""
    desk.clock = dispatcher._gatherer._clock = ManualClock(START - 24 * HOUR)
    for lane in dispatcher._outbox._lanes:
        lane._clock = desk.clock
    asyncio.run(turned(dispatcher))
    assert sorted(desk.texts) == ["one", "three", "two"]


def test_messages_are_sent_in_the_order_of_their_alerts(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    levels = [INFO, WARNING, INFO, ERROR, CRITICAL, INFO]
    for n, level in enumerate(levels):
        desk.tell(f"text {n}", level, topic=f"topic {n}")
    desk.turn(dispatcher)
    assert [message.first for message in desk.phone.got] == [5, 1, 2, 3, 4, 6]


def test_a_message_says_of_which_run_it_is(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    run = desk.database.start_run("paper", START)
    run.alert(Alert(START, INFO, "entry", "", "bought"))
    desk.turn(dispatcher)
    (message,) = desk.phone.got
    assert message.title == "[info] entry (paper)" and f"paper run {run.run_id}" in message.body


def test_one_service_that_fails_does_not_hold_up_another(desk: Desk) -> None:
    mail = Phone("mail")
    settings = settings_of()
    settings = settings.model_copy(
        update={"channels": (*settings.channels, settings.channels[0].model_copy(update={"name": "mail"}))}
    )
    dispatcher = Dispatcher.of(desk.database, [desk.phone, mail], settings, desk.clock, None)
    dispatcher.begin()
    desk.phone.reason = "it is broken"
    for n in range(30):
        desk.tell(f"text {n}", topic=f"topic {n}")
    desk.turn(dispatcher)
    desk.turn(dispatcher)
    assert len(mail.got) == 30 and desk.phone.asked == 2


def test_a_message_is_given_up_after_its_time_and_that_is_an_alert(desk: Desk) -> None:
    dispatcher = desk.dispatcher(give_up_hours=1, retry_seconds=600)
    desk.phone.reason = "it is broken"
    desk.tell("one")
    for _ in range(20):
        desk.turn(dispatcher, 600)
    (failed,) = desk.database.deliveries.newest(9)
    assert failed.status is DeliveryStatus.FAILED
    alerts = desk.database.alerts.newest(9, topic="delivery")
    assert [(one.level, one.subject) for one in alerts] == [(ERROR, "phone")]
    assert "was given up after" in alerts[0].text and "it is broken" in alerts[0].text
    desk.phone.reason = ""
    desk.turn(dispatcher, 3_600)
    assert desk.phone.got == []  # neither the old message, nor the news that this channel did not work


def test_messages_to_a_channel_that_is_gone_are_given_up_after_their_time(desk: Desk) -> None:
    first = desk.dispatcher()
    desk.phone.reason = "it is broken"
    desk.tell("one")
    desk.turn(first)
    other = desk.dispatcher(Phone("other"), channel={"name": "other"})
    desk.turn(other, 3_600)
    assert desk.database.deliveries.counts()[DeliveryStatus.WAITING] == 1  # another engine may know it
    desk.turn(other, 25 * 3_600)
    assert desk.database.deliveries.newest(9, status=DeliveryStatus.FAILED)[0].error == "it is broken"


@both_databases
def test_two_dispatchers_on_one_database_tell_each_alert_once(desk: Desk) -> None:
    with open_database(desk.target) as again:
        settings, other_phone = settings_of(burst=1_000), Phone()
        one = desk.dispatcher(burst=1_000)
        other = Dispatcher.of(again, [other_phone], settings, desk.clock, None)
        other.begin()

        async def both() -> None:
            for n in range(100):
                desk.tell(f"text {n}")
                await asyncio.gather(one.turn(), other.turn())
            await turned(one)
            await turned(other)

        asyncio.run(both())
    told = desk.phone.got + other_phone.got
    assert sorted(message.first for message in told) == list(range(1, 101))


@both_databases
def test_a_message_that_was_taken_by_a_process_that_died_is_sent_again(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    desk.tell("one")
    asyncio.run(asyncio.to_thread(dispatcher._gatherer.turn))
    (waiting,) = desk.database.deliveries.due(desk.clock.now_ns(), 9, "phone")
    taken = desk.database.deliveries.take(waiting, desk.clock.now_ns() + 60 * SECOND)
    assert taken == replace(waiting, tries=1, due_ns=desk.clock.now_ns() + 60 * SECOND)
    assert desk.database.deliveries.take(waiting, desk.clock.now_ns() + 60 * SECOND) is None
    desk.turn(dispatcher)
    assert desk.phone.got == []
    desk.turn(dispatcher, 60)
    assert desk.texts == ["one"]


def test_a_mute_keeps_alerts_from_being_sent_until_it_is_over(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    desk.database.mutes.add(Mute("entry", "", START + 10 * SECOND, START, "me"))
    desk.tell("muted")
    desk.tell("not this", CRITICAL)
    desk.turn(dispatcher, 5)
    desk.turn(dispatcher, 10)
    desk.tell("heard")
    desk.turn(dispatcher)
    assert desk.texts == ["not this", "heard"]


def test_an_older_database_that_was_restored_is_gone_on_with(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    desk.tell("one")
    desk.turn(dispatcher)
    document = desk.database.memory.load(MEMORY)
    assert document is not None
    document["channels"]["phone"]["cursor"] = 1_000  # type: ignore[index]
    desk.database.memory.save(MEMORY, document, START)
    dispatcher = desk.dispatcher()
    desk.tell("two")
    desk.turn(dispatcher)
    assert desk.texts == ["one", "two"]


def test_where_nobody_is_to_be_told_there_is_nothing_to_do(desk: Desk) -> None:
    none = settings_of().model_copy(update={"channels": ()})
    assert not Dispatcher.of(desk.database, [], none, desk.clock, None)
