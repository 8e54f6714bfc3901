"""A paper run is taken up where its last process was: books, wallet with its deposits, locks, exits; nothing twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pumpswap.engine.restore import LOST, restore_paper, restore_states
from pumpswap.errors import LedgerMismatch
from pumpswap.execution.wallet import PaperWallet
from pumpswap.model import (
    SOL as ASSET,
)
from pumpswap.model import (
    Denied,
    EntryKind,
    ExitState,
    LedgerEntry,
    Mark,
    Proposal,
    ProposalStatus,
    RiskState,
    TradingState,
)
from pumpswap.portfolio.audit import audit_run
from pumpswap.storage import open_database
from tests.storage import samples
from tests.support.market import SOL, START_NS, at, graduate, moved, seen, settings
from tests.support.paper_life import paper_life
from tests.support.switching import switched

POOL = str(graduate().address)


def test_a_new_run_begins_with_nothing(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        found = restore_paper(database.start_run("paper", START_NS), START_NS)
    assert found.is_new
    assert (found.decisions, found.orders, found.lost, found.wallet.balances()) == (0, 0, (), {})
    assert (found.restored.risk, found.restored.exits) == (None, ())


def test_books_wallet_and_memory_go_on_and_rent_comes_back_when_the_coin_is_sold(tmp_path: Path) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True), seen(start, 2))
        before, wallet = life.engine.portfolio, life.engine.parts.venue.wallet
        risk, exits = life.engine.risk.state, life.engine.desk.parts.exits.state(POOL)
    assert len(before.positions.open_positions()) == 1
    with paper_life(tmp_path / "books.sqlite", now_ns=at(10)) as life:
        after = life.engine.portfolio
        assert life.run.run_id == 1
        assert life.engine.parts.venue.wallet == wallet
        assert after.ledger.balances() == before.ledger.balances()
        assert after.positions.open_positions() == before.positions.open_positions()
        assert after.equity_at(5) == before.equity_at(5)  # marked as it was: nothing seems lost
        assert life.engine.risk.state == risk
        assert life.engine.desk.parts.exits.state(POOL) == exits
        life.step(seen(moved(start, 150), 30), seen(moved(start, 150), 40))
        (entry,) = [one for one in life.run.ledger() if one.kind is EntryKind.RENT_RETURNED]
        assert isinstance(wallet, PaperWallet)
        assert entry.units == wallet.accounts[str(start.pool.base_mint)]
        assert audit_run(life.run).is_right
        assert life.run.states.exits() == ()  # the round is closed, and nothing of it is remembered
        ids = [order.order_id for order in life.run.orders()]
        assert ids == ["o000001", "o000002"]


def test_an_order_on_its_way_has_died_with_its_process(tmp_path: Path) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True))
        assert len(life.engine.desk.orders) == 1
    with paper_life(tmp_path / "books.sqlite", now_ns=at(5)) as life:
        (lost,) = life.taken_up.lost
        (outcome,) = life.run.outcomes()
        assert outcome == Denied(
            lost.order_id, at(5), LOST, "the process that imitated its venue has ended before it landed"
        )
        assert life.engine.desk.orders == ()
        assert life.engine.risk.state.entries_ns == (START_NS,)  # it was sent, and counts
        life.step(seen(start, 10, scored=True), seen(start, 12))
        assert [order.order_id for order in life.run.orders()] == ["o000001", "o000002"]
        assert len(list(life.run.trades())) == 1
    with paper_life(tmp_path / "books.sqlite", now_ns=at(20)) as life:
        assert life.taken_up.lost == ()


def test_locks_and_the_trading_state_stay(tmp_path: Path) -> None:
    with paper_life(tmp_path / "books.sqlite") as life, life.run.batch():
        switched(life.engine.risk, TradingState.EXITS_ONLY, "paused by me")
    with paper_life(tmp_path / "books.sqlite", now_ns=at(5)) as life:
        life.step(seen(graduate(), 6, scored=True))
        (decision,) = life.run.decisions()
        assert "paused by me" in " ".join(verdict.text for verdict in decision.refusals)


def test_what_is_held_is_worth_what_it_was_until_its_pool_is_heard_of_again(tmp_path: Path) -> None:
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True), seen(start, 2))
        equity = life.engine.desk.measure().equity_lamports
        marks = len(list(life.run.marks()))
    with paper_life(
        tmp_path / "books.sqlite", settings(risk={"max_daily_loss_fraction": "0.001"}), now_ns=at(60)
    ) as life:
        for second in (61, 62, 90):
            with life.run.batch():
                life.engine.tick(at(second))
        assert life.engine.desk.measure().equity_lamports == equity
        assert not life.engine.risk.state.day_is_lost
        assert len(list(life.run.marks())) == marks  # nothing was valued, so nothing is told
        life.step(seen(moved(start, -10), 95))
        assert life.engine.desk.measure().equity_lamports < equity


def test_a_mark_of_a_pool_that_could_not_be_read_makes_nobody_poorer(tmp_path: Path) -> None:
    """Somebody has looked at the positions meanwhile, and his endpoint knew nothing of the pool."""
    start = graduate()
    with paper_life(tmp_path / "books.sqlite") as life:
        life.step(seen(start, 0, scored=True), seen(start, 2))
        before = life.engine.portfolio.equity_at(at(5))
        (held,) = life.engine.portfolio.positions.open_positions()
    with open_database(tmp_path / "books.sqlite") as database:
        database.run(1).save_mark(Mark(POOL, at(7), at(7), held.base_units, 0, "there is no such pool"))
    with paper_life(tmp_path / "books.sqlite", now_ns=at(10)) as life:
        assert before.marks_lamports > 0
        assert life.engine.portfolio.equity_at(at(5)) == before


def test_a_buy_that_risk_had_not_stored_yet_is_counted_all_the_same(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("live", 1)
        run.save_decision(samples.decision())
        run.save_order(samples.order(created_ns=START_NS))
        assert restore_states(run, START_NS + 5).risk == RiskState(entries_ns=(START_NS,))
        run.states.save_risk(RiskState(entries_ns=(START_NS - 9, START_NS), peak_lamports=7), 5)
        assert restore_states(run, START_NS + 5).risk == RiskState(entries_ns=(START_NS - 9, START_NS), peak_lamports=7)
        run.states.save_risk(RiskState(entries_ns=(START_NS - 9,)), 5)
        assert restore_states(run, START_NS + 5).risk == RiskState(entries_ns=(START_NS - 9, START_NS))


def test_exits_of_rounds_that_are_over_are_forgotten_and_proposals_have_expired(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("live", 1)
        run.save_position(samples.position())
        for state in (ExitState(samples.POOL, 1), ExitState("Other", 3)):
            run.states.save_exits(state, 5)
        proposals = []
        for number, status in ((1, ProposalStatus.WAITING), (2, ProposalStatus.APPROVED), (3, ProposalStatus.ORDERED)):
            run.save_decision(samples.decision(number))
            proposals.append(Proposal(f"d{number:06d}", "p", "m", "X", 5, number, 9, status, "me" * (number - 1)))
            run.proposals.save(proposals[-1])
        assert restore_states(run, 77).exits == (ExitState(samples.POOL, 1),)
        assert run.states.exits() == (ExitState(samples.POOL, 1),)
        ended = "the process that proposed it has ended"
        assert run.proposals.all() == (
            replace(proposals[0], origin=ended, status=ProposalStatus.EXPIRED, decided_ns=77),
            replace(proposals[1], status=ProposalStatus.EXPIRED, decided_ns=77),
            proposals[2],
        )


def test_rent_that_no_account_explains_is_not_taken_up(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("paper", 1)
        run.append_entries(
            [
                LedgerEntry(1, 1, ASSET, 50 * SOL, EntryKind.DEPOSIT),
                LedgerEntry(2, 2, ASSET, -7, EntryKind.RENT_PAID, order_id="o000001"),
            ]
        )
        with pytest.raises(LedgerMismatch, match="7 lamports of rent"):
            restore_paper(run, 5)


@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(st.tuples(st.integers(1, 4), st.sampled_from([-60, -30, 0, 60, 150]), st.booleans()), max_size=25),
    ends=st.sets(st.integers(0, 24), max_size=4),
)
def test_a_life_with_restarts_keeps_its_books(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[int, int, bool]], ends: set[int]
) -> None:
    """Buys and sales over several pools; at some moments the process ends and another goes on."""
    target = tmp_path_factory.mktemp("life") / "books.sqlite"
    chosen = settings(risk={"cooldown_seconds": 0, "max_drawdown_fraction": "1", "max_daily_loss_fraction": "1"})
    pieces: list[list[tuple[int, int, bool]]] = [[]]
    for place, move in enumerate(moves):
        pieces[-1].append(move)
        if place in ends:
            pieces.append([])
    second = 0
    for piece in pieces:
        with paper_life(target, chosen, now_ns=at(second)) as life:
            risk = life.engine.risk.state
            assert life.run.states.risk() in (risk, None)
            for number, change, scored in piece:
                second += 3
                state = graduate(number)
                life.step(seen(moved(state, change) if change else state, second, scored=scored))
            life.engine.portfolio.ledger.check_against(life.engine.parts.venue.wallet.balances())
    with open_database(target) as database:
        (header,) = database.runs()
        run = database.run(header.run_id)
        assert audit_run(run).differences == ()
        orders = [order.order_id for order in run.orders()]
        assert len(set(orders)) == len(orders)
        assert {state.pool for state in run.states.exits()} >= {one.pool for one in run.open_positions()}
        restore_paper(run, at(second + 9))  # raises where rent or balances do not fit
