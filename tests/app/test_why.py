"""Why: an order from its signal to the end of its round; a coin's decisions in lines; what stands in the way now."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.app.books import open_books
from pumpswap.app.why import Why, why
from pumpswap.clock import ManualClock
from pumpswap.errors import NotFound
from pumpswap.model import (
    ExitKind,
    Filled,
    Heartbeat,
    Intent,
    Side,
    TradeSide,
    TradingState,
)
from pumpswap.settings import Settings
from tests.support.market import always, at, graduate, moved, seen, settings
from tests.support.paper_life import PaperLife, paper_life
from tests.support.switching import switched

POOL, MINT = str(graduate().address), str(graduate().pool.base_mint)


def ask(chosen: Settings, text: str, second: float = 100, last: int = 10) -> Why:
    with open_books(chosen) as books:
        return why(books, text, chosen, ManualClock(at(second)), last=last)


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def traded(life: PaperLife) -> None:
    """Bought, and sold by its take-profit."""
    start = graduate()
    life.step(seen(start, 0, scored=True), seen(start, 2), seen(moved(start, 150), 30), seen(moved(start, 150), 40))


def test_an_order_is_told_from_its_signal_to_the_end_of_its_round(chosen: Settings) -> None:
    with paper_life(chosen.database_target, chosen) as life:
        traded(life)
        order, sale = life.run.orders()
        (position,) = life.run.positions()
    tale = ask(chosen, "o000001").tale
    assert tale is not None
    assert tale.decision.intent.signal is not None
    assert (tale.decision.decision_id, tale.name) == (order.decision_id, "TEST")
    assert tale.decision.accepted and tale.decision.sizing and tale.decision.verdicts
    assert tale.fate is not None and isinstance(tale.fate.outcome, Filled)
    assert tale.fate.order == order
    assert sum(entry.units for entry in tale.fate.entries if entry.asset == "SOL") < -order.quote_lamports
    assert tale.round is not None and tale.round.position == position
    assert tale.round.result_lamports == position.realised_lamports > 0
    assert [fate.order.order_id for fate in tale.round.exits] == [sale.order_id]
    assert ask(chosen, order.decision_id).tale == tale
    sold = ask(chosen, sale.order_id).tale
    assert sold is not None and sold.round is not None
    assert (sold.decision.intent.exit, sold.round.exits) == (ExitKind.TAKE_PROFIT, ())


def test_an_order_is_found_by_the_name_that_another_system_gave_it(chosen: Settings) -> None:
    with paper_life(chosen.database_target, chosen) as life:
        life.step(seen(graduate(), 0))
        wish = Intent(TradeSide.BUY, POOL, MINT, at(0), "by hand", quote_lamports=10**8, client_order_id="O-2026-1")
        assert life.engine.desk.decide(wish)[0]
        life.step(seen(graduate(), 5))
    told = ask(chosen, "O-2026-1")
    assert told.tale is not None and told.tale.fate is not None
    assert (told.tale.fate.order.order_id, told.tale.fate.order.client_order_id) == ("o000001", "O-2026-1")
    assert told.tale == ask(chosen, "o000001").tale


@pytest.mark.parametrize("text", [POOL, MINT, MINT[:8], "TEST", "test"])
def test_a_coin_is_found_by_whatever_people_call_it_and_its_decisions_are_lines(chosen: Settings, text: str) -> None:
    with paper_life(chosen.database_target, chosen) as life:
        traded(life)
        start = moved(graduate(), 150)
        for second in range(50, 90, 10):  # refused: its cool-down
            life.step(seen(start, second, scored=True))
    told = ask(chosen, text)
    assert told.tale is None and not told.left_out
    bought, sold, refused = told.lines
    assert [line.tale.decision.intent.side for line in told.lines] == [TradeSide.BUY, TradeSide.SELL, TradeSide.BUY]
    assert (bought.count, bought.tale.fate is not None, sold.count) == (1, True, 1)
    assert (refused.count, refused.tale.stored.repeats) == (4, 3)
    assert (refused.first_ns, refused.last_ns) == (at(50), at(80))
    assert [verdict.policy for verdict in refused.tale.decision.refusals] == ["cool-down"]
    newest = ask(chosen, text, last=1)
    assert (newest.lines, newest.left_out) == ((refused,), True)


def test_a_coin_that_was_only_refused_is_found_by_its_name(chosen: Settings) -> None:
    with paper_life(chosen.database_target, chosen, signaller=always(10.0)) as life:
        life.step(seen(graduate(3), 0, scored=True, name="DULL / SOL"))
    told = ask(chosen, "dull")
    assert [line.tale.name for line in told.lines] == ["DULL / SOL"]
    assert [standing.pool for standing in told.standings] == [str(graduate(3).address)]
    with pytest.raises(NotFound, match="'bright'"):
        ask(chosen, "bright")


def test_refusals_of_other_reasons_are_lines_of_their_own(chosen: Settings) -> None:
    scores = iter([10.0, 20.0, 90.0, 15.0])
    with paper_life(
        chosen.database_target, chosen, signaller=lambda row, past: always(next(scores))(row, past)
    ) as life:
        switched(life.engine.risk, TradingState.EXITS_ONLY, "a test")
        for second in (0, 10, 20, 30):
            life.step(seen(graduate(), second, scored=True))
    told = ask(chosen, POOL)
    policies = [[verdict.policy for verdict in line.tale.decision.refusals] for line in told.lines]
    assert policies == [["trading state", "signal"], ["trading state"], ["trading state", "signal"]]
    assert [line.count for line in told.lines] == [2, 1, 1]


def test_what_is_held_tells_its_exits_and_what_speaks_against_more(chosen: Settings) -> None:
    with paper_life(chosen.database_target, chosen) as life:
        start = graduate()
        life.step(seen(start, 0, scored=True), seen(start, 2))
        life.run.states.beat(Heartbeat(at(99), at(0), 7, "paper"))
    (standing,) = ask(chosen, POOL).standings
    assert standing.held is not None and standing.held.exits is not None and standing.is_running is True
    assert standing.held.exits.stop_loss is not None
    assert [verdict.policy for verdict in standing.obstacles] == ["one position"]


def test_locks_and_their_ends_are_told(chosen: Settings) -> None:
    with paper_life(chosen.database_target, chosen) as life:
        traded(life)
    told = ask(chosen, POOL)
    (standing,) = told.standings
    policies = {verdict.policy: verdict for verdict in standing.obstacles}
    assert set(policies) == {"mode", "cool-down"}
    assert policies["mode"].text == "no engine runs"
    assert policies["cool-down"].until_ns is not None and policies["cool-down"].until_ns > at(100)
    assert standing.is_running is False
    # When the cool-down is over it stands in nobody's way any more.
    later = ask(chosen, POOL, second=3_000).standings[0]
    assert [verdict.policy for verdict in later.obstacles] == ["mode"]


def test_the_trading_state_and_an_open_breaker_speak_against_every_buy(chosen: Settings) -> None:
    chosen = chosen.model_copy(update={"risk": settings(risk={"breaker_failures": 1}).risk})
    with paper_life(chosen.database_target, chosen) as life:
        start = graduate()
        dearer = moved(start, 60)
        life.step(seen(start, 0, scored=True), seen(dearer, 1), seen(dearer, 3))  # rejected at its limit
        with life.run.batch():
            switched(life.engine.risk, TradingState.HALTED, "halted by me")
            life.engine.risk.fault("feed", "silent")
        life.run.states.beat(Heartbeat(at(95), at(0), 7, "paper"))
    (standing,) = ask(chosen, POOL).standings
    found = {verdict.policy: verdict for verdict in standing.obstacles}
    assert {"trading state", "circuit breaker"} <= set(found)
    assert "halted by me" in found["trading state"].text
    until = found["circuit breaker"].until_ns
    assert until is not None and until > at(100)


def test_a_signal_that_sells_is_told_with_the_strategy_that_wished_it(chosen: Settings) -> None:
    sides = iter([Side.LONG, Side.SHORT])
    with paper_life(
        chosen.database_target, chosen, signaller=lambda row, past: always(90.0, next(sides))(row, past)
    ) as life:
        start = graduate()
        life.step(seen(start, 0, scored=True), seen(start, 10, scored=True), seen(start, 20))
    told = ask(chosen, POOL)
    assert [line.tale.decision.intent.strategy for line in told.lines] == ["follow-signals", "follow-signals"]
    assert told.lines[1].tale.decision.intent.exit is ExitKind.SIGNAL


def test_a_proposal_is_told_with_the_order_that_came_of_it(chosen: Settings) -> None:
    with paper_life(chosen.database_target, chosen, mode="approve") as life:
        start = graduate()
        life.step(seen(start, 0, scored=True), seen(start, 5))
        with life.run.batch():
            life.engine.desk.approve("d000001", "me@here")
        life.step(seen(start, 7))
    tale = ask(chosen, "d000001").tale
    assert tale is not None and tale.proposal is not None
    assert (tale.proposal.origin, tale.proposal.follow_up) == ("me@here", "d000002")
    assert tale.fate is not None and tale.fate.filled is not None
