"""From the database to a service: each alert once, over failures, restarts, several processes and other settings."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pumpswap.alerts.delivery.dispatcher import Dispatcher
from pumpswap.alerts.delivery.gatherer import MEMORY
from pumpswap.alerts.delivery.message import Message
from pumpswap.clock import ManualClock
from pumpswap.errors import ConfigError
from pumpswap.model import Alert, AlertLevel, DeliveryStatus, Mute
from pumpswap.storage import Database, open_database
from tests.alerts.delivery.samples import CRITICAL, ERROR, INFO, SECOND, START, WARNING, settings_of
from tests.support.host_tables import create_shape
from tests.support.postgres import fresh_database

HOUR = 3_600 * SECOND
both_databases = pytest.mark.parametrize("desk", ["sqlite", "postgresql"], indirect=True)


class Phone:
    """A service that can be out of order."""

    def __init__(self, name: str = "phone") -> None:
        self.name, self.reason = name, ""
        self.got: list[Message] = []
        self.asked = 0

    def send(self, message: Message, seconds: float) -> str:
        self.asked += 1
        if not self.reason:
            self.got.append(message)
        return self.reason


class Desk:
    """A database, a clock, and dispatchers on it."""

    def __init__(self, target: str | Path) -> None:
        self.target, self.clock, self.phone = target, ManualClock(START), Phone()
        self.database: Database = open_database(target)

    def tell(self, text: str, level: AlertLevel = INFO, topic: str = "entry", subject: str = "") -> int:
        return self.database.alerts.add(Alert(self.clock.now_ns(), level, topic, subject, text))

    def dispatcher(self, *channels: Phone, file: Path | None = None, **changes: Any) -> Dispatcher:
        settings = settings_of(**changes)
        found = Dispatcher.of(self.database, list(channels) or [self.phone], settings, self.clock, file)
        found.begin()
        return found

    def turn(self, dispatcher: Dispatcher, seconds: float = 1.0) -> None:
        self.clock.advance_to(self.clock.now_ns() + int(seconds * SECOND))
        asyncio.run(dispatcher.turn())

    @property
    def texts(self) -> list[str]:
        return [message.body.partition("\n")[0] for message in self.phone.got]


@pytest.fixture
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    is_server = getattr(request, "param", "sqlite") == "postgresql"
    made = Desk(fresh_database() if is_server else tmp_path / "books.sqlite")
    yield made
    made.database.close()


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


class SlowPhone(Phone):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked, self.may_answer = threading.Event(), threading.Event()

    def send(self, message: Message, seconds: float) -> str:
        self.is_asked.set()
        assert self.may_answer.wait(10)
        return super().send(message, seconds)


def test_the_end_waits_for_a_service_that_is_answering_and_sends_the_rest(desk: Desk) -> None:
    slow = SlowPhone()
    dispatcher = desk.dispatcher(slow, burst=1_000)

    async def ended_in_the_middle() -> None:
        desk.tell("one")
        turn = asyncio.create_task(dispatcher.turn())
        await asyncio.to_thread(slow.is_asked.wait, 10)
        turn.cancel()
        for n in range(45):  # more than are sent at once
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


def test_while_a_service_fails_it_is_asked_with_one_message_and_a_critical_one_goes_first(desk: Desk) -> None:
    dispatcher = desk.dispatcher(retry_seconds=5)
    desk.phone.reason = "it is broken"
    desk.tell("small")
    desk.turn(dispatcher)
    desk.tell("large", CRITICAL)
    for _ in range(3):
        desk.turn(dispatcher)
    assert desk.phone.asked == 1
    desk.phone.reason = ""
    desk.turn(dispatcher, 5)
    assert desk.texts == ["large", "small"]


def test_a_clock_that_is_set_back_keeps_no_message_waiting(desk: Desk) -> None:
    dispatcher = desk.dispatcher(retry_seconds=600)
    desk.phone.reason = "it is broken"
    desk.tell("one")
    desk.turn(dispatcher)
    desk.phone.reason = ""
    for again in (dispatcher, desk.dispatcher()):
        again._outbox._clock = again._gatherer._clock = ManualClock(START - 24 * HOUR)
        asyncio.run(again.turn())
    assert desk.texts == ["one"]


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
    assert len(mail.got) == 30 and desk.phone.asked == 1


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

        asyncio.run(both())
        asyncio.run(one.turn())
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


def test_the_file_has_a_line_for_every_alert_once(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "alerts.jsonl"
    desk.tell("before")
    dispatcher = desk.dispatcher(file=file, burst=1)
    for n in range(300):
        desk.tell(f"text {n} \x1b[31m\u202e", WARNING, subject="M")
    desk.turn(dispatcher)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["number"] for line in lines] == list(range(2, 302))
    assert lines[0] == {
        "number": 2,
        "at": "2026-09-21T14:13:20+00:00",
        "at_ns": str(START),
        "level": "warning",
        "topic": "entry",
        "subject": "M",
        "text": "text 0 \x1b[31m\u202e",
    }
    assert "\x1b" not in file.read_text() and file.stat().st_mode & 0o77 == 0


def test_a_crash_between_the_file_and_the_database_writes_nothing_twice(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    dispatcher = desk.dispatcher(file=file)
    before = desk.database.memory.load("alert mirrors")
    assert before is not None
    desk.tell("one")
    desk.tell("two")
    desk.turn(dispatcher)
    desk.database.memory.save("alert mirrors", before, START)  # as if the transaction had been lost
    desk.tell("three")
    with file.open("ab") as opened:
        opened.write(b'{"number": 3, "at')  # and the next line had been cut
    desk.turn(desk.dispatcher(file=file))
    lines = file.read_text().splitlines()
    assert [json.loads(line)["text"] for line in lines if line.endswith("}")] == ["one", "two", "three"]
    assert lines[2] == '{"number": 3, "at'


def test_the_host_gets_every_alert_once_whatever_is_muted(tmp_path: Path) -> None:
    path = tmp_path / "host.sqlite"
    create_shape(f"sqlite:///{path}", "start-up")
    hosted = Desk(path)
    hosted.database.mutes.add(Mute("entry", "", 2**62, START, "me"))
    hosted.tell("before")
    none = settings_of().model_copy(update={"channels": ()})
    dispatcher = Dispatcher.of(hosted.database, [], none, hosted.clock, None)
    assert dispatcher
    dispatcher.begin()
    for n in range(5):
        hosted.tell(f"text {n}")
    hosted.turn(dispatcher)
    hosted.turn(dispatcher)
    assert hosted.database.host_alerts.count() == 5
    assert hosted.database.deliveries.newest(9) == []
    hosted.database.close()


def test_where_nobody_is_to_be_told_there_is_nothing_to_do(desk: Desk) -> None:
    none = settings_of().model_copy(update={"channels": ()})
    assert not Dispatcher.of(desk.database, [], none, desk.clock, None)


def test_a_file_that_cannot_be_written_is_said_at_the_start(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        desk.dispatcher(file=tmp_path / "taken" / "alerts.jsonl")
