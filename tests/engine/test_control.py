"""Commands from other terminals: done once, answered after they are stored, never raising the state by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pumpswap.engine.control import Control, set_state
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
)
from pumpswap.risk.tracker import RiskTracker
from pumpswap.settings import RiskLimits
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


def test_a_resume_lifts_every_lock_and_says_what_still_waits() -> None:
    locked = RiskState(
        trading=TradingState.HALTED, faults=(("feed", "silent"),), breaker=BreakerState.OPEN, failures_in_a_row=9,
        losses_until_ns=99, is_drawn_down=True, day_is_lost=True, peak_lamports=100,
    )  # fmt: skip
    tracker = RiskTracker(RiskLimits(), locked)
    answer = set_state(tracker, CommandVerb.RESUME, "me")
    assert "feed: silent" in answer
    assert tracker.state == RiskState(
        trading_reason="resumed by me", faults=(("feed", "silent"),)
    )  # the peak and the day are measured anew
    with pytest.raises(UsageError, match="no trading state"):
        set_state(tracker, CommandVerb.PANIC, "me")


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


def test_a_command_is_done_once_although_its_answer_could_not_be_stored(tmp_path: Path) -> None:
    with paper_life(tmp_path / "books.sqlite") as life:
        fails = [True]

        def flush() -> None:
            if fails.pop():
                fails.append(False)
                raise StorageError("the database is locked", hint="wait")
            fails.append(False)

        stops: list[int] = []
        control = Control(life.run, life.engine, lambda: stops.append(1), flush, life.engine.clock.now_ns)
        control.poll()
        number = life.run.commands.add(Command(1, CommandVerb.STOP, "me"))
        with pytest.raises(StorageError):
            control.poll()
        assert life.run.commands.get(number).status is CommandStatus.WAITING
        control.poll()
        assert life.run.commands.get(number).status is CommandStatus.DONE
        assert stops == [1]


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
