"""The bot against a Bot API of our own: conversations with an engine that runs, and everything that goes wrong."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pumpswap.app.chat.desk import ChatDesk
from pumpswap.app.chat.maker import StoredBookmark, chatting
from pumpswap.app.chat.telegram import TelegramBot
from pumpswap.app.companion import RunPlace
from pumpswap.app.run import run_paper
from pumpswap.app.run_order import RunOrder
from pumpswap.clock import NS_PER_SECOND, ManualClock, SystemClock
from pumpswap.engine.feed import FeedTools
from pumpswap.errors import ConfigError, PumpSwapError, SourceBusy, SourceDown, SourceRefused
from pumpswap.model import TradingState
from pumpswap.settings import Settings, TelegramSettings
from pumpswap.storage.database import Database, open_database
from tests.app.chat.bot_api import NAME, TOKEN, BotApi, bot_api
from tests.app.chat.test_desk import PIN
from tests.app.played import played
from tests.app.test_run import Counting
from tests.app.test_watching import MARKET
from tests.app.watching import until
from tests.support.market import engine as market_engine

CLOCK = SystemClock()


def telegram(api: BotApi, **more: Any) -> dict[str, Any]:
    return {"token": TOKEN, "chats": [77, 5], "allow_actions": True, "pin": PIN, "api_url": api.url} | more


class _Sink:
    def __init__(self) -> None:
        self.lives = 0

    def alive(self) -> None:
        self.lives += 1


@dataclass
class Told:
    """A bot, and how it has ended."""

    bot: TelegramBot
    sink: _Sink
    failed: BaseException | None = None


def talking(folder: Path, api: BotApi, work: Callable[[Told], Awaitable[None]], **more: Any) -> Told:
    """While a bot listens over the books of a run that nobody keeps."""
    settings = Settings.model_validate({"data_dir": folder, "telegram": telegram(api, **more)})

    async def main(database: Database) -> Told:
        desk = ChatDesk(settings, database, 1, CLOCK)
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        bot = TelegramBot(
            settings.telegram, desk, StoredBookmark(database, CLOCK, TOKEN), CLOCK, FeedTools(sleep=sleep)
        )
        told = Told(bot, _Sink())
        task = asyncio.create_task(bot.run(told.sink))  # type: ignore[arg-type]
        talk = asyncio.create_task(work(told))  # type: ignore[arg-type]
        await asyncio.wait([task, talk], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            told.failed = task.exception()
            talk.cancel()
        else:
            await talk
        task.cancel()
        await asyncio.gather(task, talk, return_exceptions=True)
        return told

    with open_database(folder / "pumpswap.sqlite") as database:
        return asyncio.run(main(database))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stopped")
    played(folder, MARKET, 200)
    return folder


@pytest.fixture
def books(stopped: Path, tmp_path: Path) -> Path:
    shutil.copytree(stopped, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_a_running_engine_is_asked_and_obeys_after_the_pin(tmp_path: Path) -> None:
    with bot_api() as api:
        settings = Settings.model_validate(
            {"data_dir": tmp_path, "telegram": telegram(api), "run": {"control_ms": 20, "heartbeat_seconds": 1}}
        )
        watching = Counting()

        async def talk() -> None:
            await until(lambda: watching.beats)
            api.write("/status")
            await until(lambda: len(api.said) == 1)
            api.write("pause")
            await until(lambda: len(api.said) == 2)
            number = api.write(PIN)
            await until(lambda: len(api.said) == 3 and api.removed)
            assert api.removed == [number]
            api.write("status")
            await until(lambda: len(api.said) == 4)
            api.write("close CACTUS")
            await until(lambda: len(api.said) == 5)
            api.write("/close_all")
            await until(lambda: len(api.said) == 6)
            api.write(PIN)
            await until(lambda: len(api.said) == 7)
            watching.stop()

        async def main() -> None:
            run = asyncio.create_task(
                run_paper(settings, RunOrder("simulated:3", seconds=600), watching.options(), watching.begun.append)
            )
            try:
                await talk()
            finally:
                watching.stop()
                await run

        asyncio.run(main())
        status, plan, done, after, close, everything, sold = api.texts
        assert "Mode paper" in status
        assert "Trading: active" in status
        assert "pause: no entries until you resume" in plan
        assert done.startswith("Done: ")
        assert "Trading: exits-only" in after
        assert close == "nothing is held of that: positions lists what is held"
        assert everything.startswith("Sell everything at the widest limits: nothing is held.")
        assert sold.startswith("Done: selling 0 positions at the widest limits")
        assert {one["chat_id"] for one in api.said} == {77}
        with open_database(tmp_path / "pumpswap.sqlite") as database:
            commands = database.run(1).commands.newest(2)
            assert [command.verb.value for command in commands] == ["panic", "pause"]
            assert {command.origin for command in commands} == {"telegram chat 77, @ann"}
            assert database.run(1).states.switch().trading is TradingState.EXITS_ONLY


def test_answers_are_one_block_in_which_nothing_is_a_link(books: Path) -> None:
    with bot_api() as api:

        async def work(_: Told) -> None:
            api.write("status")
            await until(lambda: api.said)

        talking(books, api, work)
        (said,) = api.said
        assert said["entities"] == [{"type": "pre", "offset": 0, "length": len(said["text"].encode("utf-16-le")) // 2}]
        assert "parse_mode" not in said


def test_strangers_and_bots_get_no_answer(books: Path) -> None:
    with bot_api() as api:

        async def work(told: Told) -> None:
            api.write("status", chat=99)
            api.write("status", chat=99, age=600)
            api.write("status", **{"from": {"id": 9, "is_bot": True}})
            api.put({"edited_message": {"text": "status"}})
            api.put({"message": {"odd": True}})
            api.put({"message": None})
            api.write("help")
            await until(lambda: api.said)
            await until(lambda: api.offsets[-1] == 8)

        told = talking(books, api, work)
        assert told.failed is None
        assert len(api.said) == 1
        assert api.texts[0].startswith("status – ")


def test_no_message_is_obeyed_twice_over_a_restart(books: Path) -> None:
    with bot_api() as api:

        async def act(_: Told) -> None:
            api.write("pause")
            await until(lambda: len(api.said) == 1)
            api.write(PIN)
            await until(lambda: len(api.said) == 2)

        async def wait(_: Told) -> None:
            await until(lambda: len(api.offsets) > 3)

        talking(books, api, act)
        api.offsets.clear()
        talking(books, api, wait)
        assert min(api.offsets) == 3
        assert len(api.said) == 2
        with open_database(books / "pumpswap.sqlite") as database:
            assert len(database.run(1).commands.newest(5)) == 1


def test_where_the_pin_cannot_be_removed_its_owner_is_told(books: Path) -> None:
    with bot_api() as api:
        api.may_remove = False

        async def work(_: Told) -> None:
            api.write("pause")
            await until(lambda: len(api.said) == 1)
            api.write(PIN)
            await until(lambda: len(api.said) == 3)

        talking(books, api, work)
        assert "remove it yourself" in api.texts[-1]


def test_a_pin_does_not_stay_in_the_chat_when_its_answer_cannot_be_said(books: Path) -> None:
    with bot_api() as api:

        async def work(_: Told) -> None:
            api.write("pause")
            await until(lambda: api.said)
            api.refusals["sendMessage"] = [(403, {"ok": False, "error_code": 403, "description": "Forbidden"})]
            api.write(PIN)
            await asyncio.Event().wait()

        failed = talking(books, api, work).failed
        assert isinstance(failed, SourceRefused)
        assert api.removed == [1_002]


def test_what_is_too_old_is_not_done_and_its_writer_is_told_once(books: Path, caplog: pytest.LogCaptureFixture) -> None:
    with bot_api() as api:
        api.write("pause", age=600)
        pin = api.write(f"/pin {PIN}", age=500)
        api.write("2026", age=400)
        api.write("pause", age=180, chat=5)
        alone = api.write(f" {PIN}\n", age=170, chat=5)
        api.write("pause", age=600, chat=99)  # a stranger: none of our business
        api.write(PIN, age=600, chat=99)

        async def work(_: Told) -> None:
            await until(lambda: len(api.said) == 2)
            api.write("help")
            await until(lambda: len(api.said) == 3)

        talking(books, api, work)
        assert api.removed == [pin, alone]
        assert [one["chat_id"] for one in api.said] == [77, 5, 77]
        first, second, _ = api.texts
        assert first.startswith("3 messages were up to 10 min")
        assert second.startswith("2 messages were up to 3 min")
        assert all("nothing was done" in text and "clock of my machine" in text for text in (first, second))
        with open_database(books / "pumpswap.sqlite") as database:
            assert database.run(1).commands.newest(5) == ()
    told = [record for record in caplog.records if record.message == "message-too-old"]
    assert len(told) == 5
    assert PIN not in caplog.text


def test_age_is_judged_by_the_machine_however_far_the_clock_of_the_run_is_ahead(books: Path) -> None:
    """A live run's clock keeps its step forward until the next start: the phone must not be deaf until then."""
    with bot_api() as api:
        settings = Settings.model_validate({"data_dir": books, "telegram": telegram(api)})

        async def main(database: Database) -> None:
            ahead = ManualClock(CLOCK.now_ns() + 86_400 * NS_PER_SECOND)
            place = RunPlace(settings, database, database.run(1), market_engine(), ahead, lambda _: None)
            (bot,) = chatting(place).helpers
            task = asyncio.create_task(bot.run(_Sink()))  # type: ignore[arg-type]
            api.write("status")
            await until(lambda: api.said)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        with open_database(books / "pumpswap.sqlite") as database:
            asyncio.run(main(database))
        assert api.texts[0].startswith("Run 1, simulated")


def test_a_command_for_another_bot_in_the_group_is_not_obeyed(books: Path) -> None:
    with bot_api() as api:

        async def work(_: Told) -> None:
            api.write("/pause@paper_bot")
            api.write(PIN)  # for the other one: neither answered nor removed
            api.write("/pin@paper_bot " + PIN)
            api.write("/status@our_botx")
            api.write("/exits_only@our_BOT")  # names are alike whatever their case
            await until(lambda: len(api.said) == 1)
            api.write("/status@paper_bot")  # and does not take it back
            api.write(f"/pin@{NAME} {PIN}")
            await until(lambda: len(api.said) == 2 and api.removed)

        talking(books, api, work)
        assert api.texts[0].startswith("exits-only: ")
        assert api.texts[1].startswith("Done: ")
        assert api.removed == [1_007]
        with open_database(books / "pumpswap.sqlite") as database:
            (command,) = database.run(1).commands.newest(5)
            assert command.verb.value == "exits-only"


def test_until_its_name_is_known_nothing_is_obeyed_and_it_is_asked_for_again(books: Path) -> None:
    with bot_api() as api:
        api.refusals["getMe"] = [(500, {"ok": False, "error_code": 500, "description": "Internal"})]
        api.write("/pause@our_bot")

        async def wait(_: Told) -> None:
            await asyncio.Event().wait()

        assert isinstance(talking(books, api, wait).failed, SourceRefused)
        assert (api.said, api.offsets) == ([], [])

        async def work(_: Told) -> None:
            await until(lambda: api.said)

        assert talking(books, api, work).failed is None
        api.refusals["getMe"] = [(200, {"ok": True, "result": {"odd": True}})]
        assert isinstance(talking(books, api, wait).failed, SourceDown)


def test_a_bot_without_a_name_obeys_nothing_that_names_one(books: Path) -> None:
    with bot_api() as api:
        api.refusals["getMe"] = [(200, {"ok": True, "result": {"id": 1}})]

        async def work(_: Told) -> None:
            api.write("/pause@our_bot")
            api.write("help")
            await until(lambda: api.said)

        talking(books, api, work)
        assert len(api.said) == 1
        assert api.texts[0].startswith("status – ")


def test_a_second_listener_is_told_once_and_the_bot_goes_on(books: Path, caplog: pytest.LogCaptureFixture) -> None:
    conflict = (409, {"ok": False, "error_code": 409, "description": "Conflict: terminated by another request"})
    with bot_api() as api:
        api.refusals["getUpdates"] = [conflict]

        async def once(_: Told) -> None:
            api.write("help")
            await until(lambda: api.said)

        assert talking(books, api, once).failed is None
        with open_database(books / "pumpswap.sqlite") as database:
            assert [alert for alert in database.alerts.newest(100) if alert.subject == "chat"] == []
        api.refusals["getUpdates"] = [conflict] * 5

        async def often(_: Told) -> None:
            api.write("help")
            await until(lambda: len(api.said) == 2)

        assert talking(books, api, often).failed is None
        with open_database(books / "pumpswap.sqlite") as database:
            (told,) = [alert for alert in database.alerts.newest(100) if alert.subject == "chat"]
    assert (told.level.value, told.topic) == ("warning", "control")
    assert "with the same token" in told.text
    assert [record.message for record in caplog.records].count("telegram-token-used-twice") == 1


def test_strangers_cannot_keep_the_database_busy(books: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    save = StoredBookmark.save

    def counted(bookmark: StoredBookmark, offset: int) -> None:
        saved.append(offset)
        save(bookmark, offset)

    monkeypatch.setattr(StoredBookmark, "save", counted)
    with bot_api() as api:
        for _ in range(50):
            api.write("status", chat=99)

        async def work(_: Told) -> None:
            await until(lambda: api.offsets[-1:] == [51])
            api.write("help")
            await until(lambda: api.offsets[-1] == 52)

        talking(books, api, work)
    assert saved == [51, 52]


def test_another_bot_counts_its_own_messages(books: Path) -> None:
    """Its numbers may be lower: with the bookmark of the one before it would hear nothing."""
    with open_database(books / "pumpswap.sqlite") as database:
        StoredBookmark(database, CLOCK, TOKEN).save(900_000_000)
        assert StoredBookmark(database, CLOCK, TOKEN.replace("AAF", "BBF")).load() == 900_000_000
        other = StoredBookmark(database, CLOCK, "5555:AAFakeTokenOfAnotherBot")
        assert other.load() == 0
        other.save(12)
        assert StoredBookmark(database, CLOCK, TOKEN).load() == 900_000_000


def test_what_telegram_wants_to_wait_for_is_waited_for(books: Path) -> None:
    with bot_api() as api:
        busy = (
            429,
            {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 7}},
        )
        api.refusals["sendMessage"] = [busy]

        async def work(_: Told) -> None:
            api.write("help")
            await until(lambda: api.said)

        assert talking(books, api, work).failed is None


@pytest.mark.parametrize(
    ("answer", "kind", "hint"),
    [
        ((401, {"ok": False, "error_code": 401, "description": f"Unauthorized {TOKEN}"}), SourceRefused, "BotFather"),
        (
            (409, {"ok": False, "error_code": 409, "description": "Conflict: a webhook is active"}),
            SourceRefused,
            "Telegram's own words",
        ),
        ((502, b"<html>bad gateway</html>"), SourceDown, "api_url"),
        ((429, {"ok": False, "parameters": {"retry_after": 1}}), SourceBusy, "again"),
    ],
)
def test_what_goes_wrong_is_named_without_the_token(
    books: Path, answer: Any, kind: type[PumpSwapError], hint: str
) -> None:
    with bot_api() as api:
        api.refusals["getUpdates"] = [answer] * 3

        async def work(_: Told) -> None:
            await asyncio.Event().wait()

        failed = talking(books, api, work).failed
        assert isinstance(failed, kind)
        assert hint in failed.hint
        assert TOKEN not in f"{failed!r} {failed.what} {failed.hint}"
        assert failed.__cause__ is None


def test_a_service_that_is_gone_is_named_without_the_token(books: Path) -> None:
    with bot_api() as api:
        gone = telegram(api) | {"api_url": "http://127.0.0.1:9"}

        async def work(_: Told) -> None:
            await asyncio.Event().wait()

        failed = talking(books, api, work, **gone).failed
        assert isinstance(failed, SourceDown)
        assert TOKEN not in f"{failed!r} {failed.what}"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.telegram.org",
        "ftp://x",
        "api.telegram.org",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example:81",
        "http://127.0.0.1@evil.example",
        "http://[::1",
    ],
)
def test_the_token_goes_nowhere_in_the_clear(books: Path, url: str) -> None:
    settings = Settings.model_validate({"data_dir": books, "telegram": {"token": TOKEN, "api_url": url}})
    with open_database(books / "pumpswap.sqlite") as database:
        desk = ChatDesk(settings, database, 1, CLOCK)
        with pytest.raises(ConfigError, match="https://"):
            TelegramBot(settings.telegram, desk, StoredBookmark(database, CLOCK, TOKEN), CLOCK)
        with pytest.raises(ConfigError, match=r"telegram\.token is missing"):
            TelegramBot(TelegramSettings(), desk, StoredBookmark(database, CLOCK, TOKEN), CLOCK)


def test_the_number_of_a_strangers_chat_is_logged_once(books: Path, caplog: pytest.LogCaptureFixture) -> None:
    with bot_api() as api:

        async def work(_: Told) -> None:
            for _ in range(3):
                api.write("hello, a secret", chat=99)
            api.write("help")
            await until(lambda: api.said)

        talking(books, api, work)
    told = [record for record in caplog.records if record.message == "chat-not-allowed"]
    assert [record.__dict__["chat"] for record in told] == [99]
    assert "a secret" not in caplog.text
