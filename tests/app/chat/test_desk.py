"""What a chat is told equals the books; what it may do asks for the PIN; whatever a coin is called stays harmless."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pumpswap.alerts.texts import coin_text, signed_sol, sol_text
from pumpswap.app.chat.desk import ChatDesk, Reply
from pumpswap.app.chat.door import Visitor
from pumpswap.app.chat.words import WORDS
from pumpswap.clock import NS_PER_SECOND, ManualClock, SystemClock
from pumpswap.errors import ConfigError
from pumpswap.model import CommandStatus, Heartbeat, Proposal, ProposalStatus, TradingState
from pumpswap.settings import Settings
from pumpswap.storage.database import Database, open_database
from pumpswap.storage.run import Run
from tests.app.played import played
from tests.app.test_watching import MARKET
from tests.support.market import SOL

PIN = "739155"
ANN, STRANGER = Visitor(77, 5, "@ann"), Visitor(99, 6, "@eve")
PRIVATE = Visitor(5, 5, "@ann")
TELEGRAM = {"token": "1:a", "chats": [77, 5], "allow_actions": True, "pin": PIN}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books")
    played(folder, MARKET, 700)
    return folder


@pytest.fixture
def database(books: Path, tmp_path: Path) -> Iterator[Database]:
    """Books of a run that nobody keeps now; each test has its own."""
    shutil.copytree(books, tmp_path, dirs_exist_ok=True)
    with open_database(tmp_path / "pumpswap.sqlite") as found:
        yield found


def desk(folder: Path, database: Database, **telegram: Any) -> ChatDesk:
    settings = Settings.model_validate({"data_dir": folder, "telegram": TELEGRAM | telegram})
    return ChatDesk(settings, database, 1, ManualClock(SystemClock().now_ns()))


def said(reply: Reply | None) -> str:
    assert reply is not None
    return reply.text


LOOKING = [name for name, word in WORDS.items() if not word.is_action and not word.takes]


@pytest.mark.parametrize("word", LOOKING)
def test_every_word_answers_in_lines_of_a_phone(books: Path, word: str) -> None:
    with open_database(books / "pumpswap.sqlite") as database:
        reply = desk(books, database).answer(ANN, f"/{word}")
    assert 0 < len(said(reply)) <= 3_500
    assert not said(reply).startswith(("that is no word", "Error"))
    assert not reply.hides  # type: ignore[union-attr]


def test_figures_are_those_of_the_books(books: Path) -> None:
    with open_database(books / "pumpswap.sqlite") as database:
        one, run = desk(books, database), database.run(1)
        point = run.equity.latest()
        assert point is not None
        status, profit, balance = (said(one.answer(ANN, word)) for word in ("status", "profit", "balance"))
        assert f"Equity {sol_text(point.equity_lamports)}" in status
        assert f"In all {signed_sol(point.equity_lamports - 50 * 10**9)} after all costs" in profit
        assert balance.startswith(f"{sol_text(run.balances()['SOL'])} by the books of run 1")
        held = said(one.answer(ANN, "positions"))
        for position in run.open_positions():
            assert coin_text(position.name) in held
            assert sol_text(position.cost_lamports) in held


def test_why_tells_the_reasons_of_a_refusal_and_the_fate_of_an_order(books: Path) -> None:
    with open_database(books / "pumpswap.sqlite") as database:
        one, run = desk(books, database), database.run(1)
        refused = next(decision for decision in run.decisions(accepted=False))
        told = said(one.answer(ANN, f"why {refused.decision_id}"))
        assert "refused" in told
        assert all(f"✗ {verdict.policy}: " in told for verdict in refused.refusals)
        filled = next(run.trades())
        assert f"{filled.order_id} bought for 1 SOL, as quoted" in said(one.answer(ANN, f"why {filled.order_id}"))
        assert "o000002 bought for 1 SOL, 2.61 % better than quoted" in said(one.answer(ANN, "why o000002"))
        name = next(position.name for position in run.positions()).removesuffix(" / SOL")
        assert "accepted" in said(one.answer(ANN, f"why {name}"))
        assert said(one.answer(ANN, "why o999999")) == "run 1 has no o999999: logs and positions name what there is"
        assert "knows no order" in said(one.answer(ANN, "why nothing-of-that-name"))


def test_a_chat_that_is_not_allowed_gets_no_answer_at_all(books: Path) -> None:
    with open_database(books / "pumpswap.sqlite") as database:
        one = desk(books, database)
        assert [one.answer(STRANGER, text) for text in ("status", "/start", "pause", PIN)] == [None] * 4
        assert desk(books, database, chats=[]).answer(ANN, "status") is None


def test_without_leave_nothing_is_done_and_the_pin_is_not_asked_for(books: Path) -> None:
    with open_database(books / "pumpswap.sqlite") as database:
        one = desk(books, database, allow_actions=False)
        assert "telegram.allow_actions is off" in said(one.answer(ANN, "pause"))
        assert said(one.answer(PRIVATE, PIN)) == "Nothing waits for a PIN."
        assert database.run(1).states.switch().trading is TradingState.ACTIVE


def test_in_a_group_digits_of_somebody_who_asked_for_nothing_are_left_alone(books: Path) -> None:
    with open_database(books / "pumpswap.sqlite") as database:
        one = desk(books, database)
        assert one.answer(ANN, "2026") is None
        assert not one.hides(ANN, "2026")
        assert not one.hides(STRANGER, "/pin 2026")
        for visitor, text in ((PRIVATE, "2026"), (ANN, "/pin 2026"), (ANN, "pin 2026")):
            assert one.answer(visitor, text) == Reply("Nothing waits for a PIN.", hides=True)
            assert one.hides(visitor, text)


def test_where_bots_hear_only_commands_the_pin_comes_as_one(tmp_path: Path, database: Database) -> None:
    one = desk(tmp_path, database)
    assert "(in a group: /pin and the PIN)" in said(one.answer(ANN, "/pause"))
    done = one.answer(ANN, f"/pin@our_bot {PIN}")
    assert said(done).startswith("Done: ")
    assert done is not None and done.hides
    assert database.run(1).states.switch().trading is TradingState.EXITS_ONLY


def test_an_action_is_done_after_its_pin_and_recorded_with_its_origin(tmp_path: Path, database: Database) -> None:
    one, run = desk(tmp_path, database), database.run(1)
    asked = one.answer(ANN, "/exits_only")
    assert "Send your PIN within 60 s" in said(asked)
    assert run.states.switch().trading is TradingState.ACTIVE
    done = one.answer(ANN, PIN)
    assert said(done).startswith("Done: ")
    assert "Trading: exits-only" in said(done)
    assert done is not None
    assert done.hides
    assert run.states.switch().trading is TradingState.EXITS_ONLY
    command = run.commands.newest(1)[0]
    assert (command.verb.value, command.origin) == ("exits-only", "telegram chat 77, @ann")
    assert command.status is CommandStatus.DONE
    assert said(one.answer(ANN, PIN)) == "Nothing waits for a PIN."


def test_somebody_elses_pin_does_not_carry_out_my_wish(tmp_path: Path, database: Database) -> None:
    one = desk(tmp_path, database)
    one.answer(ANN, "pause")
    assert one.answer(Visitor(77, 6), PIN) is None
    assert database.run(1).states.switch().trading is TradingState.ACTIVE


def test_who_changes_his_mind_writes_anything_else(tmp_path: Path, database: Database) -> None:
    one = desk(tmp_path, database)
    one.answer(ANN, "pause")
    one.answer(ANN, "status")
    assert said(one.answer(ANN, PIN)) == "Nothing waits for a PIN."


def test_a_wish_whose_time_is_over_is_not_carried_out(tmp_path: Path, database: Database) -> None:
    one = desk(tmp_path, database)
    one.answer(ANN, "pause")
    clock = one._clock
    assert isinstance(clock, ManualClock)
    clock.advance_to(clock.now_ns() + 61 * NS_PER_SECOND)
    assert said(one.answer(ANN, PIN)) == "Nothing waits for a PIN."


def test_wrong_pins_are_counted_told_and_remembered_over_a_restart(tmp_path: Path, database: Database) -> None:
    one = desk(tmp_path, database)
    one.answer(ANN, "pause")
    assert said(one.answer(ANN, "000000")) == "Wrong PIN: 2 more tries."
    assert said(one.answer(ANN, "000000")) == "Wrong PIN: 1 more try."
    again = desk(tmp_path, database)  # the engine was started again
    again.answer(ANN, "pause")
    assert "you cannot act from here until" in said(again.answer(ANN, "000000"))
    assert "you cannot act from here until" in said(desk(tmp_path, database).answer(ANN, "pause"))
    told = [(alert.level.value, alert.text) for alert in database.alerts.newest(3) if alert.subject == "chat"]
    assert [level for level, _ in told] == ["critical", "warning", "warning"]
    assert all("@ann" in text and "000000" not in text for _, text in told)
    assert database.run(1).states.switch().trading is TradingState.ACTIVE


def test_one_person_cannot_lock_out_another_and_several_make_the_chat_rest(tmp_path: Path, database: Database) -> None:
    one = desk(tmp_path, database)
    one.answer(ANN, "pause")
    for person in range(100, 103):
        guess(one, Visitor(77, person))
    assert one.door.locked_until_ns(ANN, one._clock.now_ns()) is None
    guess(one, Visitor(77, 103))
    assert "nobody acts from this chat until" in said(one.answer(ANN, PIN))
    assert "nobody acts from this chat until" in said(one.answer(ANN, "pause"))
    assert "Send your PIN" in said(one.answer(PRIVATE, "pause"))
    told = [alert for alert in database.alerts.newest(100) if alert.subject == "chat"]
    assert (len(told), sum(alert.level.value == "critical" for alert in told)) == (12, 4)
    assert "no actions from that chat until" in told[0].text
    assert "no actions of that person until" in told[3].text


def guess(one: ChatDesk, visitor: Visitor) -> None:
    one.answer(visitor, "pause")
    for _ in range(3):
        one.answer(visitor, "000000")


def test_two_engines_on_the_same_books_count_wrong_pins_together(tmp_path: Path, database: Database) -> None:
    one, other = desk(tmp_path, database), desk(tmp_path, database)
    for each in (one, other):
        each.answer(ANN, "pause")
    assert said(one.answer(ANN, "000000")) == "Wrong PIN: 2 more tries."
    assert said(other.answer(ANN, "000000")) == "Wrong PIN: 1 more try."
    assert "you cannot act from here until" in said(one.answer(ANN, "000000"))
    assert "you cannot act from here until" in said(other.answer(ANN, PIN))
    assert database.run(1).states.switch().trading is TradingState.ACTIVE


class Engine(threading.Thread):
    """Acts on the first answer to a proposal, as an engine does."""

    def __init__(self, run: Run, status: ProposalStatus) -> None:
        super().__init__(daemon=True)
        self._run, self._status = run, status

    def run(self) -> None:
        for _ in range(1_000):
            for proposal in self._run.proposals.decided():
                follow_up = "d000002" if proposal.status is ProposalStatus.APPROVED else ""
                self._run.proposals.save(replace(proposal, status=self._status, follow_up=follow_up))
                return
            time.sleep(0.01)


@pytest.mark.parametrize(
    ("word", "status", "says"),
    [
        ("approve", ProposalStatus.ORDERED, "Done: ordered; why d000002 says more."),
        ("approve", ProposalStatus.REFUSED, "Not done: by now the gate refuses it; why d000002 says more."),
        ("decline", ProposalStatus.DECLINED, "Done: declined."),
    ],
)
def test_a_buy_that_waits_is_answered_after_the_pin(
    tmp_path: Path, database: Database, word: str, status: ProposalStatus, says: str
) -> None:
    one, run = desk(tmp_path, database), database.run(1)
    now_ns = one._clock.now_ns()
    assert said(one.answer(ANN, "proposals")) == "Nothing waits for you."
    run.proposals.save(Proposal("d000001", "pool", "mint", HOSTILE, SOL, now_ns, now_ns + 90 * NS_PER_SECOND))
    run.states.beat(Heartbeat(now_ns, now_ns, 1, "approve"))
    assert said(one.answer(ANN, "proposals")).endswith(f"buy {coin_text(HOSTILE)} for 1 SOL, 1 min 30 s left")
    assert said(one.answer(ANN, f"{word} d000009")).startswith("no such proposal waits")
    plan = said(one.answer(ANN, f"/{word} d000001"))
    assert f"the buy of {coin_text(HOSTILE)} for 1 SOL. It waits 90 s more." in plan
    engine = Engine(run, status)
    engine.start()
    assert said(one.answer(ANN, PIN)) == says
    engine.join()
    answered = run.proposals.get("d000001")
    assert (answered.status, answered.origin) == (status, "telegram chat 77, @ann")


def test_without_an_engine_nothing_is_approved(tmp_path: Path, database: Database) -> None:
    one, now_ns = desk(tmp_path, database), SystemClock().now_ns()
    run = database.run(1)
    run.proposals.save(Proposal("d000001", "pool", "mint", "X", SOL, now_ns, now_ns + 90 * NS_PER_SECOND))
    assert "nobody can act on proposals" in said(one.answer(ANN, "approve d000001"))
    assert said(one.answer(ANN, PIN)) == "Nothing waits for a PIN."
    assert run.proposals.get("d000001").status is ProposalStatus.WAITING


def test_a_name_is_understood_as_it_was_told(tmp_path: Path, database: Database) -> None:
    one, run = desk(tmp_path, database), database.run(1)
    run.save_position(replace(next(run.open_positions()), name=HOSTILE))
    now_ns = one._clock.now_ns()
    run.states.beat(Heartbeat(now_ns, now_ns, 1, "paper"))
    assert coin_text(HOSTILE) in said(one.answer(ANN, f"close {coin_text(HOSTILE)}"))


def test_a_pin_is_hidden_and_answered_although_the_books_cannot_be_written(tmp_path: Path, database: Database) -> None:
    one = desk(tmp_path, database)
    one.answer(ANN, "pause")
    database.close()
    with sqlite3.connect(tmp_path / "pumpswap.sqlite") as other:
        other.execute("drop table pumpswap_memory")
    reply = one.answer(ANN, PIN)
    assert reply is not None and reply.hides
    assert not reply.text.startswith("Done")


def test_what_needs_an_engine_says_so_before_the_pin(tmp_path: Path, database: Database) -> None:
    one = desk(tmp_path, database)
    assert "nobody can sell" in said(one.answer(ANN, "close-all"))
    assert said(one.answer(ANN, PIN)) == "Nothing waits for a PIN."


def test_an_answer_is_no_longer_than_a_messenger_takes(books: Path) -> None:
    with open_database(books / "pumpswap.sqlite") as database:
        shown = desk(books, database)._shown("🪙" * 5_000)
    assert len(shown.encode("utf-16-le")) // 2 <= 3_500
    assert shown == "🪙" * 1_749 + "…"


def test_half_a_letter_is_no_name(books: Path) -> None:
    with open_database(books / "pumpswap.sqlite") as database:
        assert "knows no order" in said(desk(books, database).answer(ANN, "why \ud800"))


HOSTILE = "\x1b[2J<script>alert(1)</script> [x](http://evil.example) @everyone /close_all \u202e https://evil.example"


def test_whatever_a_coin_is_called_stays_harmless(tmp_path: Path, database: Database) -> None:
    run = database.run(1)
    position = next(run.open_positions())
    run.save_position(replace(position, name=HOSTILE))
    old = next(decision for decision in run.decisions(accepted=False) if decision.intent.signal is not None)
    intent = replace(old.intent, reason=HOSTILE)
    run.save_decision(replace(old, decision_id="d999999", intent=intent))
    one = desk(tmp_path, database)
    told = [said(one.answer(ANN, word)) for word in ("positions", "balance", "why d999999", "logs")]
    for text in told:
        assert not any(sign in text for sign in ("<", "@", "://", "](", "\x1b", "\u202e"))
        assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.parametrize("pin", [None, "123", "abcd", "١٢٣٤"])
def test_actions_without_a_pin_that_is_one_are_refused_at_the_start(books: Path, pin: str | None) -> None:
    with (
        open_database(books / "pumpswap.sqlite") as database,
        pytest.raises(ConfigError, match="needs a PIN") as refused,
    ):
        desk(books, database, pin=pin)
    assert "telegram.pin" in refused.value.hint
    assert str(pin) not in refused.value.what


def test_addresses_of_others_are_not_sent_whole(books: Path) -> None:
    with open_database(books / "pumpswap.sqlite") as database:
        one, run = desk(books, database), database.run(1)
        pools = {position.pool for position in run.positions()}
        told = "".join(said(one.answer(ANN, word)) for word in ("positions", "logs", "locks", "health"))
    assert not any(pool in told for pool in pools)
