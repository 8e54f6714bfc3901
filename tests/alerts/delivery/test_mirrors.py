"""Every alert in a file and in the host's table: once, over crashes, and whatever one of them does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from pumpswap.alerts.delivery.alert_file import AlertFile
from pumpswap.alerts.delivery.dispatcher import Dispatcher
from pumpswap.alerts.delivery.worker import until_idle
from pumpswap.errors import ConfigError
from pumpswap.model import Mute
from pumpswap.storage import open_database
from tests.alerts.delivery.desk import Desk, turned
from tests.alerts.delivery.samples import ERROR, INFO, START, WARNING, settings_of
from tests.support.host_tables import create_shape, run_script


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


def test_a_file_that_cannot_be_written_is_said_at_the_start(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        desk.dispatcher(file=tmp_path / "taken" / "alerts.jsonl")


class Gone:
    """A file that can become one that nobody can write."""

    def __init__(self, path: Path) -> None:
        self.path, self.aside = path, path.with_suffix(".aside")

    def goes(self) -> None:
        self.path.rename(self.aside)
        self.path.mkdir()

    def comes_back(self) -> None:
        self.path.rmdir()
        self.aside.rename(self.path)

    def texts(self) -> list[str]:
        return [json.loads(line)["text"] for line in self.path.read_text().splitlines()]


def test_a_file_that_cannot_be_written_any_more_silences_nobody_and_misses_nothing(desk: Desk, tmp_path: Path) -> None:
    file = Gone(tmp_path / "alerts.jsonl")
    dispatcher = desk.dispatcher(file=file.path)
    desk.tell("one")
    desk.turn(dispatcher)
    file.goes()
    for n in range(3):
        desk.tell(f"text {n}", topic=f"topic {n}")
        desk.turn(dispatcher, 61)
    assert desk.texts[:2] == ["one", "text 0"]
    (told,) = desk.database.alerts.newest(9, topic="delivery")
    assert (told.level, told.subject) == (ERROR, "alerts.file")
    assert told.text.startswith(f"alerts are not written to the file {file.path} any more: Is a directory.")
    assert any("alerts are not written to" in text for text in desk.texts)
    file.comes_back()
    desk.turn(dispatcher, 61)
    desk.turn(dispatcher, 61)
    again, _ = desk.database.alerts.newest(9, topic="delivery")
    assert (again.level, again.text) == (
        INFO,
        f"alerts are written to the file {file.path} again; none is missing there",
    )
    assert file.texts() == [alert.text for alert in desk.database.alerts.all()]


def test_the_last_words_are_sent_whatever_the_file_does(desk: Desk, tmp_path: Path) -> None:
    file = Gone(tmp_path / "alerts.jsonl")
    dispatcher = desk.dispatcher(file=file.path)
    desk.tell("one")
    file.goes()
    asyncio.run(dispatcher.finish())
    assert desk.texts == ["one"]


def test_a_table_of_the_host_that_takes_nothing_of_ours_silences_nobody(tmp_path: Path) -> None:
    path, file = tmp_path / "host.sqlite", tmp_path / "alerts.jsonl"
    columns = (
        "level, collector_type, message, timestamp, acknowledged, resolved, alert_metadata, created_at, updated_at"
    )
    more = ", ".join(f"{name} VARCHAR" for name in columns.split(", "))
    create = f"CREATE TABLE system_alerts (alert_id VARCHAR PRIMARY KEY, {more}, tenant VARCHAR NOT NULL)"
    run_script(f"sqlite:///{path}", create)
    hosted = Desk(path)
    dispatcher = hosted.dispatcher(file=file)
    hosted.tell("one")
    for _ in range(3):
        hosted.turn(dispatcher, 61)
    assert hosted.texts[0] == "one"
    told = hosted.database.alerts.newest(9, topic="delivery")
    assert [one.subject for one in told] == ["system_alerts"]
    assert "tenant" in told[0].text
    assert [json.loads(line)["text"] for line in file.read_text().splitlines()] == ["one", told[0].text]
    hosted.database.close()


def test_a_file_that_hangs_holds_up_nobody_who_writes_to_the_database(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    dispatcher = desk.dispatcher(file=file)

    async def go() -> None:
        with AlertFile(file).held():
            desk.tell("one")
            await dispatcher.turn()
            await until_idle(dispatcher._outbox.workers)
            assert desk.texts == ["one"]
            assert dispatcher._mirroring.is_busy
            desk.tell("two")
        await dispatcher.turn()
        await dispatcher.settled()

    asyncio.run(go())
    assert [json.loads(line)["text"] for line in file.read_text().splitlines()] == ["one", "two"]


def test_two_engines_with_files_of_their_own_each_write_every_alert(desk: Desk, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.jsonl", "other.jsonl", "other.jsonl")]
    with open_database(desk.target) as again:
        settings = settings_of()
        places = (desk.database, desk.database, again)
        made = [
            Dispatcher.of(place, [desk.phone], settings, desk.clock, file)
            for place, file in zip(places, files, strict=True)
        ]
        for one in made:
            one.begin()

        async def all_of_them() -> None:
            for n in range(20):
                desk.tell(f"text {n}")
                await asyncio.gather(*(one.turn() for one in made))
            for one in made:
                await turned(one)

        asyncio.run(all_of_them())
    for file in files:
        numbers = [json.loads(line)["number"] for line in file.read_text().splitlines()]
        assert numbers == list(range(1, 21))
