"""Commands from other terminals: done once, answered after they are stored, never raising the state by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pumpswap.engine.control import Control
from pumpswap.engine.engine import Engine
from pumpswap.engine.outbox import Outbox
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.restore import restore_states
from pumpswap.engine.trading_switch import turned
from pumpswap.errors import StorageError, UsageError
from pumpswap.model import (
    BreakerState,
    Command,
    CommandStatus,
    CommandVerb,
    ExitKind,
    ProposalStatus,
    RiskState,
    TradeSide,
    TradingState,
    TradingSwitch,
)
from pumpswap.storage import open_database
from pumpswap.storage.run import Run
from tests.support.market import at, graduate, seen, settings
from tests.support.paper_life import PaperLife, paper_life

POOL = str(graduate().address)
MINT = str(graduate().pool.base_mint)


def ask(life: PaperLife, verb: CommandVerb, arguments: Mapping[str, str] | None = None) -> Command:
    """Give a command, let the engine look, and read the answer."""
    number = life.run.commands.add(Command(life.engine.clock.now_ns(), verb, "me@here", arguments or {}))
    life.poll()
    return life.run.commands.get(number)


def state_of(life: PaperLife) -> TradingState:
    return life.engine.risk.state.trading


@pytest.mark.parametrize(
    ("verb", "state", "says"),
    [
        (CommandVerb.PAUSE, TradingState.EXITS_ONLY, "paused"),
        (CommandVerb.EXITS_ONLY, TradingState.EXITS_ONLY, "exits only"),
        (CommandVerb.HALT, TradingState.HALTED, "halted"),
    ],
)
def test_what_lowers_the_state_stops_entries_until_somebody_resumes(
    tmp_path: Path, verb: CommandVerb, state: TradingState, says: str
) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite", settings(run={"repeat_refusal_seconds": 0})) as life:
        answered = ask(life, verb)
        assert (answered.status, answered.origin) == (CommandStatus.DONE, "me@here")
        assert says in answered.answer
        assert life.engine.risk.state.trading is state
        assert life.run.states.risk() == life.engine.risk.state
        life.step(seen(start, 1, scored=True))
        assert ask(life, CommandVerb.RESUME).answer.startswith("resumed")
        life.step(seen(start, 2, scored=True))
        refused, accepted = life.run.decisions()
        assert (refused.accepted, accepted.accepted) == (False, True)
        assert [alert.topic for alert in life.database.alerts.all()] == ["control", "control"]


def test_a_pause_of_what_is_halted_raises_nothing(tmp_path: Path) -> None:
    with paper_life(tmp_path / "books.sqlite") as life:
        ask(life, CommandVerb.HALT)
        answered = ask(life, CommandVerb.PAUSE)
        assert answered.status is CommandStatus.FAILED
        assert "halted" in answered.answer
        assert state_of(life) is TradingState.HALTED
        ask(life, CommandVerb.EXITS_ONLY)  # a person says so
        assert state_of(life) is TradingState.EXITS_ONLY


def test_a_resume_lifts_every_lock_and_says_what_still_waits(tmp_path: Path) -> None:
    locked = RiskState(
        trading=TradingState.HALTED, faults=(("feed", "silent"),), breaker=BreakerState.OPEN, failures_in_a_row=9,
        losses_until_ns=99, is_drawn_down=True, day_is_lost=True, peak_lamports=100,
    )  # fmt: skip
    with paper_life(tmp_path / "books.sqlite") as life:
        life.run.states.save_risk(locked, 1)
    with paper_life(tmp_path / "books.sqlite") as life:
        assert life.engine.risk.state == replace(locked, faults=())
        life.engine.risk.fault("feed", "silent")
        assert "feed: silent" in ask(life, CommandVerb.RESUME).answer
        assert life.engine.risk.state == RiskState(
            trading_reason="resumed by me@here", faults=(("feed", "silent"),), switch=1, resumed=1
        )  # the peak and the day are measured anew
    with pytest.raises(UsageError, match="no trading state"):
        turned(TradingSwitch(), CommandVerb.CLOSE, "me")


def test_panic_sells_everything_at_the_widest_limits_and_what_was_on_its_way_too(tmp_path: Path) -> None:
    held, coming = graduate(1), graduate(2)
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(held, 0, scored=True), seen(held, 2), seen(coming, 3, scored=True))
        ask(life, CommandVerb.HALT)  # panic sells even then
        answered = ask(life, CommandVerb.PANIC)
        assert answered.status is CommandStatus.DONE
        assert "selling 1 position" in answered.answer
        assert "1 on the way is sold as soon as bought" in answered.answer
        assert life.engine.risk.state.trading is TradingState.EXITS_ONLY
        life.step(seen(held, 5), seen(coming, 5))
        life.poll()
        life.step(seen(held, 7), seen(coming, 7), seen(coming, 9))
        assert life.engine.portfolio.positions.open_positions() == []
        sales = [decision for decision in life.run.decisions() if decision.intent.side is TradeSide.SELL]
        assert {decision.intent.exit for decision in sales} == {ExitKind.PANIC}
        widest = life.engine.parts.settings.exits.max_slippage_bps
        assert {order.slippage_bps for order in life.run.orders() if order.side is TradeSide.SELL} == {widest}
        life.step(seen(held, 20, scored=True))
        assert list(life.run.decisions())[-1].accepted is False


def test_a_panic_goes_on_after_a_restart(tmp_path: Path) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True), seen(start, 2))
        ask(life, CommandVerb.PANIC)
    with paper_life(tmp_path / "books.sqlite", now_ns=at(4)) as life:
        life.poll()
        life.step(seen(start, 5), seen(start, 7))
        assert life.engine.portfolio.positions.open_positions() == []
        assert life.engine.risk.state.trading is TradingState.EXITS_ONLY


@pytest.mark.parametrize("text", [POOL, MINT, MINT[:8], "TEST", "test"])
def test_close_sells_a_part_of_what_it_names(tmp_path: Path, text: str) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True), seen(start, 2))
        before = life.engine.portfolio.positions.open_positions()[0].base_units
        answered = ask(life, CommandVerb.CLOSE, {"what": text, "share_bps": "2500"})
        assert (answered.status, answered.answer) == (CommandStatus.DONE, "selling 25 % of TEST")
        life.step(seen(start, 4), seen(start, 6))
        (left,) = life.engine.portfolio.positions.open_positions()
        assert left.base_units == before - before // 4
        assert list(life.run.decisions())[-1].intent.exit is ExitKind.BY_HAND


HOSTILE = "claim-sol.com\nCRITICAL t.me/x @all \u202e<b>"
SAID = "claim-sol·com CRITICAL t·me·x ·all ·b·"


def test_what_is_said_of_a_command_names_coins_harmlessly(tmp_path: Path) -> None:
    first, second = graduate(1), graduate(2)
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(first, 0, scored=True, name=HOSTILE), seen(first, 2))
        life.step(seen(second, 3, scored=True, name=HOSTILE), seen(second, 5))
        answers = [
            ask(life, CommandVerb.CLOSE, {"what": str(first.address), "share_bps": "2500"}).answer,
            ask(life, CommandVerb.CLOSE, {"what": str(first.address)}).answer,
            ask(life, CommandVerb.HALT).answer,
            ask(life, CommandVerb.CLOSE, {"what": str(second.address)}).answer,
            ask(life, CommandVerb.PANIC).answer,
        ]
        texts = [alert.text for alert in life.database.alerts.all() if alert.topic == "control"]
    assert [SAID in answer for answer in answers] == [True, True, False, True, True]
    for text in [*answers, *texts]:
        assert text.isprintable()
        assert not any(sign in text for sign in ("claim-sol.com", "t.me", "@all", "<"))


def test_a_close_understands_a_name_as_it_was_told_but_prefers_the_one_that_is_so(tmp_path: Path) -> None:
    first, second = graduate(1), graduate(2)
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(first, 0, scored=True, name="A\u200bB"), seen(first, 2))
        life.step(seen(second, 3, scored=True, name=HOSTILE), seen(second, 5))
        assert ask(life, CommandVerb.CLOSE, {"what": SAID}).answer == f"selling {SAID}"
        assert ask(life, CommandVerb.CLOSE, {"what": "AB", "share_bps": "1000"}).answer == "selling 10 % of AB"
    with paper_life(tmp_path / "other.sqlite") as life:
        life.step(seen(first, 0, scored=True, name="A\u200bB"), seen(first, 2))
        life.step(seen(second, 3, scored=True, name="AB"), seen(second, 5))
        assert ask(life, CommandVerb.CLOSE, {"what": "AB"}).answer == "selling AB"
        assert [order.pool for order in life.engine.desk.orders] == [str(second.address)]


def test_what_cannot_be_done_is_answered_as_failed(tmp_path: Path) -> None:
    with paper_life(tmp_path / "books.sqlite") as life:
        for arguments in ({"what": "nothing"}, {"what": ""}, {}, {"what": POOL, "share_bps": "10001"}):
            answered = ask(life, CommandVerb.CLOSE, arguments)
            assert answered.status is CommandStatus.FAILED
        assert life.run.commands.waiting() == ()


def test_stop_ends_the_run(tmp_path: Path) -> None:
    with paper_life(tmp_path / "books.sqlite") as life:
        assert ask(life, CommandVerb.STOP).status is CommandStatus.DONE
        assert life.stopped == 1


def test_what_an_earlier_process_was_asked_is_only_done_where_it_makes_things_safer(tmp_path: Path) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True), seen(start, 2))
        verbs = (CommandVerb.PANIC, CommandVerb.RESUME, CommandVerb.STOP, CommandVerb.PAUSE)
        numbers = [life.run.commands.add(Command(1, verb, "me")) for verb in verbs]
    with paper_life(tmp_path / "books.sqlite", now_ns=at(4)) as life:
        life.poll()
        answers = [life.run.commands.get(number) for number in numbers]
        assert [answer.status for answer in answers] == [CommandStatus.FAILED] * 3 + [CommandStatus.DONE]
        assert "ask again" in answers[0].answer
        assert (life.stopped, life.engine.risk.state.trading) == (0, TradingState.EXITS_ONLY)
        assert len(life.engine.portfolio.positions.open_positions()) == 1


def test_a_command_is_done_once_although_its_answer_could_not_be_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with paper_life(tmp_path / "books.sqlite") as life:
        outbox = Outbox(life.run, StoreRecorder(life.run))
        stops: list[int] = []
        control = Control(life.run, life.engine, lambda: stops.append(1), outbox, life.engine.clock.now_ns)
        number = life.run.commands.add(Command(1, CommandVerb.STOP, "me"))
        with monkeypatch.context() as patch:
            patch.setattr(type(life.run), "batch", refusing)
            with pytest.raises(StorageError):
                control.poll()
        assert life.run.commands.get(number).status is CommandStatus.WAITING
        control.poll()
        outbox.flush()  # as the supervisor does it every moment
        assert life.run.commands.get(number).status is CommandStatus.DONE
        assert stops == [1]


def refusing(_run: Run) -> None:
    raise StorageError("the database is locked", hint="wait")


def test_an_approved_buy_is_judged_again_and_ordered(tmp_path: Path) -> None:
    with paper_life(tmp_path / "books.sqlite", mode="approve") as life:
        start = graduate()
        life.step(seen(start, 0, scored=True), seen(start, 5))
        life.run.proposals.decide("d000001", ProposalStatus.APPROVED, "me@here", at(5))
        life.poll()
        life.poll()
        (proposal,) = life.run.proposals.all()
        assert (proposal.status, proposal.origin, proposal.follow_up) == (ProposalStatus.ORDERED, "me@here", "d000002")
        (order,) = life.engine.desk.orders
        assert order.decision_id == "d000002"
        assert life.run.proposals.decided() == ()
        life.poll()
        assert (life.control._acted, life.control._taken) == (set(), set())  # what is stored need not be remembered


def test_an_approved_buy_may_be_refused_by_then_and_the_refusal_is_stored(tmp_path: Path) -> None:
    with paper_life(tmp_path / "books.sqlite", mode="approve") as life:
        start = graduate()
        life.step(seen(start, 0, scored=True))
        ask(life, CommandVerb.PAUSE)
        life.run.proposals.decide("d000001", ProposalStatus.APPROVED, "me@here", at(5))
        life.poll()
        (proposal,) = life.run.proposals.all()
        assert proposal.status is ProposalStatus.REFUSED
        stored = life.run.decided.get(proposal.follow_up)
        assert stored is not None and not stored.decision.accepted
        assert life.engine.desk.orders == ()


def test_a_declined_buy_is_dropped_and_one_whose_time_is_over_has_expired(tmp_path: Path) -> None:
    chosen = settings(run={"approve_seconds": 10})
    with paper_life(tmp_path / "books.sqlite", chosen, mode="approve") as life:
        life.step(seen(graduate(1), 0, scored=True))
        life.run.proposals.decide("d000001", ProposalStatus.DECLINED, "me@here", at(5))
        life.poll()
        life.poll()
        assert life.run.proposals.get("d000001").status is ProposalStatus.DECLINED
        assert life.engine.desk.proposals == {}
        life.step(seen(graduate(2), 1, scored=True))
        # Approved in the very moment in which its time is over: the row says approved, the engine has dropped it.
        with life.run.batch():
            life.engine.tick(at(12))
        assert life.run.proposals.get("d000002").status is ProposalStatus.EXPIRED
        late = life.run.proposals.get("d000002")
        life.run.proposals.save(replace(late, status=ProposalStatus.APPROVED))
        life.poll()
        assert life.run.proposals.get("d000002").status is ProposalStatus.EXPIRED
        assert life.engine.desk.orders == ()


@pytest.mark.parametrize("verb", [CommandVerb.PAUSE, CommandVerb.EXITS_ONLY])
def test_a_pause_after_a_panic_does_not_end_it(tmp_path: Path, verb: CommandVerb) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True))  # a buy is on its way
        ask(life, CommandVerb.PANIC)
        ask(life, verb)
        for second in (2, 4, 6, 8):
            life.step(seen(start, second))
            life.poll()
        assert [order.side for order in life.run.orders()] == [TradeSide.BUY, TradeSide.SELL]
        assert life.engine.portfolio.positions.open_positions() == []
        ask(life, CommandVerb.RESUME)
        assert life.engine.risk.state.panic == ""


def test_a_close_of_what_the_gate_holds_back_says_so_and_is_done_later(tmp_path: Path) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True), seen(start, 2))
        ask(life, CommandVerb.HALT)
        answered = ask(life, CommandVerb.CLOSE, {"what": POOL})
        assert answered.status is CommandStatus.FAILED
        assert "trading is halted: halted by me@here: it is tried again" in answered.answer
        ask(life, CommandVerb.EXITS_ONLY)
        for second in (90, 92, 94):
            life.step(seen(start, second))
        assert life.engine.portfolio.positions.open_positions() == []


def test_a_close_while_an_order_on_its_token_is_out_waits_for_it(tmp_path: Path) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True), seen(start, 2))
        assert ask(life, CommandVerb.CLOSE, {"what": POOL, "share_bps": "5000"}).answer == "selling 50 % of TEST"
        answered = ask(life, CommandVerb.CLOSE, {"what": POOL})
        assert (answered.status, answered.answer) == (
            CommandStatus.DONE,
            "to be sold as soon as possible: TEST: an order on its token has not ended",
        )


def test_a_crash_before_the_answer_leaves_nothing_of_the_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True), seen(start, 2))
    with paper_life(tmp_path / "books.sqlite", now_ns=at(3)) as life:
        outbox = Outbox(life.run, StoreRecorder(life.run))
        engine = Engine(life.engine.parts, (outbox,))
        engine.clock.advance_to(at(3))
        engine.step(seen(start, 3))
        control = Control(life.run, engine, lambda: None, outbox, engine.clock.now_ns)
        number = life.run.commands.add(Command(at(3), CommandVerb.CLOSE, "me", {"what": POOL}))
        with monkeypatch.context() as patch:
            patch.setattr(type(life.run.commands), "answer", crash)
            with pytest.raises(KeyboardInterrupt):
                control.poll()
        assert engine.desk.orders, "ordered, but nobody was told"
    with paper_life(tmp_path / "books.sqlite", now_ns=at(4)) as life:
        assert [order.side for order in life.run.orders()] == [TradeSide.BUY]
        exits = life.engine.desk.parts.exits.state(POOL)
        assert exits is not None and exits.wanted is None
        life.poll()
        answered = life.run.commands.get(number)
        assert answered.status is CommandStatus.FAILED and "ask again" in answered.answer


def test_a_panic_whose_process_ended_before_its_answer_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True), seen(start, 2))
        number = life.run.commands.add(Command(at(2), CommandVerb.PANIC, "me"))
        with monkeypatch.context() as patch:
            patch.setattr(type(life.run.commands), "answer", crash)
            with pytest.raises(KeyboardInterrupt):
                life.control.poll()
    with paper_life(tmp_path / "books.sqlite", now_ns=at(4)) as life:
        life.step(seen(start, 4))
        life.poll()
        answered = life.run.commands.get(number)
        assert (answered.status, "goes on" in answered.answer) == (CommandStatus.DONE, True)
        life.step(seen(start, 70), seen(start, 72), seen(start, 74))
        assert life.engine.portfolio.positions.open_positions() == []


def crash(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_a_person_declined_is_not_proposed_again_until_its_cool_down_is_over_restarts_included(
    tmp_path: Path,
) -> None:
    books, start = tmp_path / "books.sqlite", graduate(1)
    chosen = settings(risk={"cooldown_seconds": 100}, run={"repeat_refusal_seconds": 0})
    with paper_life(books, chosen, mode="approve") as life:
        life.step(seen(start, 0, scored=True))
        life.run.proposals.decide("d000001", ProposalStatus.DECLINED, "me@here", at(5))
        life.poll()
        life.step(seen(start, 7, scored=True))
        assert life.engine.desk.proposals == {}
        stored = life.run.decided.get("d000002")
        assert stored is not None
        (refusal,) = stored.decision.refusals
        assert (refusal.policy, refusal.until_ns) == ("declined", at(100))
        run_id = life.run.run_id
    with open_database(books) as database:
        assert restore_states(database.run(run_id), at(50)).declined == {str(start.pool.base_mint): at(0)}
