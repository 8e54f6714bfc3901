"""Which message goes first, what holds up what, and what is told without the database."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from pumpswap.alerts.delivery import dispatcher as dispatcher_module
from pumpswap.alerts.delivery.dispatcher import Dispatcher
from pumpswap.alerts.delivery.worker import Worker, until_idle
from pumpswap.errors import StorageError
from pumpswap.model import Alert, DeliveryStatus
from pumpswap.storage import open_database
from tests.alerts.delivery.desk import Desk, Phone, SlowPhone
from tests.alerts.delivery.samples import CRITICAL, SECOND, START, settings_of
from tests.engine.supervised import locked

DAY = 86_400 * SECOND


def with_mail(desk: Desk, phone: Phone, mail: Phone) -> Dispatcher:
    """Two channels, by these names."""
    settings = settings_of()
    channel = settings.channels[0]
    both = (channel, channel.model_copy(update={"name": "mail"}))
    made = Dispatcher.of(desk.database, [phone, mail], settings.model_copy(update={"channels": both}), desk.clock, None)
    made.begin()
    return made


def test_a_message_that_a_service_refuses_holds_up_no_other(desk: Desk) -> None:
    desk.phone.refuses = "bad"
    dispatcher = desk.dispatcher(retry_seconds=5)
    desk.tell("bad")
    for n in range(20):
        desk.tell(f"text {n}", topic=f"topic {n}")
        desk.turn(dispatcher)
    assert desk.texts == [f"text {n}" for n in range(20)]
    assert desk.phone.asked == 20 + 3  # the bad one at 1, 6 and 16 seconds
    assert [one.tries for one in desk.database.deliveries.newest(9, status=DeliveryStatus.WAITING)] == [3]


def test_two_critical_messages_that_a_service_refuses_hold_up_no_other_for_long(desk: Desk) -> None:
    desk.phone.refuses = "bad"
    dispatcher = desk.dispatcher(retry_seconds=5)
    for text in ("bad one", "bad two"):
        desk.tell(text, CRITICAL)
    for n in range(40):
        desk.tell(f"text {n}", topic=f"topic {n}")
        desk.turn(dispatcher)
    desk.turn(dispatcher, 5)
    assert desk.texts == [f"text {n}" for n in range(40)]


def test_a_service_that_works_again_gets_what_is_critical_soon_and_the_rest_within_minutes(desk: Desk) -> None:
    dispatcher = desk.dispatcher(retry_seconds=5)
    desk.phone.reason = "it is broken"
    desk.tell("one")
    desk.tell("two")
    for _ in range(40):  # for half a day
        desk.turn(dispatcher, 1_080)
    assert desk.phone.asked < 80
    desk.tell("three")
    desk.turn(dispatcher)
    desk.phone.reason = ""
    desk.tell("large", CRITICAL)
    for _ in range(30):
        desk.turn(dispatcher)
    assert desk.texts[0] == "large"
    desk.phone.got.clear()
    desk.phone.reason = "it is broken"
    for n in range(3):
        desk.tell(f"text {n}")
    desk.turn(dispatcher, 7_200)
    desk.phone.reason = ""
    desk.turn(dispatcher, 300)
    assert set(desk.texts) >= {f"text {n}" for n in range(3)}


def test_what_is_critical_goes_before_everything_that_waits_longer(desk: Desk) -> None:
    dispatcher = desk.dispatcher(retry_seconds=5, burst=1_000)
    desk.phone.reason = "it is broken"
    for n in range(50):
        desk.tell(f"text {n}")
    desk.turn(dispatcher)
    desk.tell("large", CRITICAL)
    desk.phone.reason = ""
    desk.turn(dispatcher, 6)
    assert len(desk.phone.got) == 51
    assert desk.texts[0] == "large"
    assert desk.texts[-2:] == ["text 0", "text 1"]  # those that were tried go last


def test_a_slow_service_holds_up_neither_the_others_nor_the_next_turn(desk: Desk) -> None:
    slow, mail = SlowPhone(), Phone("mail")
    dispatcher = with_mail(desk, slow, mail)

    async def go() -> None:
        desk.tell("one")
        await dispatcher.turn()
        assert await asyncio.to_thread(slow.is_asked.wait, 10)
        desk.tell("two")
        await dispatcher.turn()
        await until_idle(worker for worker in dispatcher._outbox.workers if worker._name.endswith("mail"))
        assert [message.body.partition("\n")[0] for message in mail.got] == ["one", "two"]
        slow.may_answer.set()
        await dispatcher.settled()

    asyncio.run(go())
    assert len(slow.got) == 2


def test_after_the_end_a_service_gets_nothing_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowPhone()
    dispatcher = desk.dispatcher(slow)
    for n in range(3):
        desk.tell(f"text {n}", topic=f"topic {n}")
    asyncio.run(dispatcher.turn())
    assert slow.is_asked.wait(10)
    monkeypatch.setattr(dispatcher_module, "_LAST_SECONDS", 0.05)
    asyncio.run(dispatcher.finish())  # which waits no longer than that, and asyncio.run for nobody
    assert slow.asked == 0
    slow.may_answer.set()
    asyncio.run(dispatcher.settled())
    assert (slow.asked, len(slow.got)) == (1, 1)
    counts = desk.database.deliveries.counts()
    assert (counts[DeliveryStatus.SENT], counts[DeliveryStatus.WAITING]) == (1, 2)


def test_what_the_database_does_not_take_is_told_all_the_same_to_whom_it_concerns(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite", busy_ms=1) as database:
        settings = settings_of()
        channel = settings.channels[0]
        other = channel.model_copy(update={"name": "mail", "topics": ("entry",)})
        phone, mail = Phone(), Phone("mail")
        settings = settings.model_copy(update={"channels": (channel, other)})
        dispatcher = Dispatcher.of(database, [phone, mail], settings, Desk(tmp_path / "x.sqlite").clock, None)
        dispatcher.begin()
        with locked(tmp_path):
            asyncio.run(
                dispatcher.tell_directly(Alert(START, CRITICAL, "engine", "", "it broke <b>", run_kind="paper"))
            )
    (message,) = phone.got
    assert message.title == "[critical] engine (paper)"
    assert message.body.startswith("it broke ") and "<b>" not in message.body
    assert mail.got == []


def test_a_database_that_refuses_is_told_by_the_next_turn(tmp_path: Path) -> None:
    broken = Desk(tmp_path / "books.sqlite")
    with open_database(tmp_path / "books.sqlite", busy_ms=1) as database:
        dispatcher = Dispatcher.of(database, [broken.phone], settings_of(), broken.clock, None)
        dispatcher.begin()
        broken.tell("one")
        with locked(tmp_path), pytest.raises(StorageError, match="locked"):
            asyncio.run(dispatcher.turn())
        broken.turn(dispatcher)
        assert broken.texts == ["one"]
    broken.database.close()


def test_messages_of_long_ago_are_forgotten_and_what_waits_is_not(desk: Desk) -> None:
    dispatcher = desk.dispatcher(give_up_hours=24 * 365)
    desk.tell("one")
    desk.turn(dispatcher)
    desk.phone.reason = "it is broken"
    desk.tell("two")
    desk.turn(dispatcher)
    desk.clock.advance_to(START + 29 * DAY)
    desk.turn(dispatcher)
    assert len(desk.database.deliveries.newest(9)) == 2
    desk.turn(dispatcher, 2 * 86_400)
    assert [one.status for one in desk.database.deliveries.newest(9)] == [DeliveryStatus.WAITING]


# ---------------------------------------------------------------------------------------------- the thread


def test_a_worker_that_is_asked_while_it_works_works_once_more() -> None:
    began, go_on, times = threading.Event(), threading.Event(), list[int]()

    def work() -> None:
        times.append(1)
        began.set()
        assert go_on.wait(10)

    worker = Worker("test", work)
    worker.start()
    assert began.wait(10)
    worker.start()
    worker.start()
    go_on.set()
    asyncio.run(until_idle([worker]))
    assert len(times) == 2
    worker.stop()
    worker.start()
    assert not worker.is_busy


def test_what_breaks_a_worker_is_raised_once_where_somebody_asks() -> None:
    def work() -> None:
        raise ZeroDivisionError("a bug")

    worker = Worker("test", work)
    worker.start()
    asyncio.run(until_idle([worker]))
    with pytest.raises(ZeroDivisionError):
        worker.check()
    worker.check()
