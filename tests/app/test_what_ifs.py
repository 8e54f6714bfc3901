"""What refused buys would have earned: followed with exact quotes, bounded, over restarts, and never made up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from pumpswap.amm import PoolState, buy_exact_quote, current_schedule, sell_exact_base
from pumpswap.app.run import run_paper
from pumpswap.app.run_order import RunOrder
from pumpswap.app.what_ifs import HORIZONS_SECONDS, RefusedBuys
from pumpswap.market.book import PoolBook
from pumpswap.model import (
    STOPPING,
    Decision,
    EquityPoint,
    Intent,
    MarketUpdate,
    Side,
    Signal,
    SizingStep,
    TradeSide,
    Verdict,
)
from pumpswap.settings import Settings
from pumpswap.storage import Database, open_database
from tests.app.watching import RunWatcher
from tests.support.examples import examples
from tests.support.market import SOL, START_NS, at, graduate, moved, settings

SCHEDULE = current_schedule()


@dataclass(kw_only=True)
class Stopping(RunWatcher):
    """Stops the run after so many refusals."""

    after_refusals: int = 10**9

    def on_decision(self, decision: Decision) -> None:
        self.after_refusals -= not decision.accepted
        if self.after_refusals == 0:
            self.stop()


class World:
    """A pool book, a run, and who follows what was refused; what is stored is stored at once."""

    def __init__(self, database: Database, *, is_complete: bool = False) -> None:
        self.book = PoolBook()
        self.run = database.open_paper() or database.start_run("paper", START_NS)
        self.following = RefusedBuys(
            *(self.run, self.book, lambda _: SCHEDULE, settings(), lambda store: store()), is_complete=is_complete
        )
        self._number = 0

    def see(self, state: PoolState, seconds: float) -> None:
        update = MarketUpdate(at(seconds), str(state.address), state)
        self.book.apply(update)
        self.following.on_update(update)

    def refuse(
        self, state: PoolState, seconds: float, *rules: str, side: Side = Side.LONG, sized: tuple[int, ...] = ()
    ) -> Decision:
        self._number += 1
        pool, mint = str(state.address), str(state.pool.base_mint)
        signal = Signal(pool, at(seconds), side, 80.0, 0.8, "test", mint=mint)
        intent = Intent(TradeSide.BUY, pool, mint, at(seconds), "a reason", signal)
        verdicts = tuple(Verdict(rule, False, "no") for rule in rules)
        steps = tuple(SizingStep("step", lamports) for lamports in sized)
        decision = Decision(f"{seconds}-{self._number}", intent, not rules, verdicts, steps)
        self.run.save_decision(decision)
        self.following.on_decision(decision)
        return decision


@contextmanager
def world(folder: Path, *, is_complete: bool = False) -> Iterator[World]:
    with open_database(folder / "books.sqlite") as database:
        yield World(database, is_complete=is_complete)


def test_a_refused_buy_is_bought_and_sold_at_exact_quotes_at_every_horizon(tmp_path: Path) -> None:
    state = graduate()
    with world(tmp_path) as here:
        here.see(state, 0)
        here.refuse(state, 1, "exposure", "size", sized=(3 * SOL, SOL, 0))
        bought = buy_exact_quote(state, SCHEDULE, SOL)
        stored = here.run.what_ifs.since(0)
        assert [(one.horizon_seconds, one.rule, one.spent_lamports, one.base_units) for one in stored] == [
            (seconds, "exposure", bought.total_quote, bought.base_out) for seconds in HORIZONS_SECONDS
        ]
        for seconds, percent in ((301, 50), (3_601, -50), (86_401, 0)):
            here.see(moved(state, percent), seconds)
        values = [sell_exact_base(moved(state, percent), SCHEDULE, bought.base_out) for percent in (50, -50, 0)]
        found = here.run.what_ifs.since(0)
        assert [one.value_lamports for one in found] == [value.user_quote_out for value in values]
        assert [one.measured_ns for one in found] == [at(301), at(3_601), at(86_401)]
        gains = [one.gain_lamports or 0 for one in found]
        assert gains[0] > 0 > gains[2] > gains[1]  # a pool that stands still costs its fees
        assert len(here.following) == 0


def test_the_smallest_position_is_followed_where_risk_has_sized_nothing(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        here.see(graduate(), 0)
        here.refuse(graduate(), 1, "mode")
        (first, *_) = here.run.what_ifs.open()
        assert first.spent_lamports <= settings().risk.lamports("min_position_sol") < first.spent_lamports + 1_000


def test_what_nobody_wished_or_what_was_traded_or_has_no_price_is_not_followed(tmp_path: Path) -> None:
    state = graduate()
    with world(tmp_path) as here:
        here.refuse(state, 1, "venue")  # the pool is not known
        here.see(state, 2)
        here.refuse(state, 3)  # accepted
        here.refuse(state, 3, "signal", side=Side.HOLD)
        here.refuse(state, 3, "size", "one position")
        here.refuse(state, 100, "fresh state")  # its price is not known any more
        here.see(graduate(2, quote_mint=graduate(3).pool.base_mint), 101)
        here.refuse(graduate(2, quote_mint=graduate(3).pool.base_mint), 102, "exposure")
        assert here.run.what_ifs.open() == []


def test_the_first_refusal_of_a_pool_is_followed_and_then_none_for_an_hour(tmp_path: Path) -> None:
    state = graduate()
    with world(tmp_path) as here:
        for seconds in (1, 60, 3_599, 3_602):
            here.see(state, seconds)
            here.refuse(state, seconds, "exposure")
        assert sorted({one.at_ns for one in here.run.what_ifs.since(0)}) == [at(1), at(3_602)]


def test_a_restart_goes_on_with_what_is_waited_for_and_does_not_follow_it_again(tmp_path: Path) -> None:
    state = graduate()
    with world(tmp_path) as here:
        here.see(state, 0)
        here.refuse(state, 1, "exposure")
    with world(tmp_path) as here:
        assert len(here.following) == 3
        here.see(state, 200)
        here.refuse(state, 201, "exposure")
        assert len(here.following) == 3
        here.see(moved(state, 10), 302)
        assert [one.horizon_seconds for one in here.run.what_ifs.open()] == [3_600, 86_400]
    with world(tmp_path) as here:  # a day later: what was due meanwhile is not known, and not made up
        here.see(moved(state, 10), 2 * 86_400)
        assert here.run.what_ifs.open() == []
        five_minutes, hour, day = here.run.what_ifs.since(0)
        assert five_minutes.value_lamports is not None
        assert [(one.value_lamports, bool(one.obstacle)) for one in (hour, day)] == [(None, True), (None, True)]


def test_a_pool_that_nobody_told_of_has_no_value_but_where_every_trade_is_heard(tmp_path: Path) -> None:
    for is_complete in (False, True):
        folder = tmp_path / str(is_complete)
        folder.mkdir()
        with world(folder, is_complete=is_complete) as here:
            here.see(graduate(), 0)
            here.refuse(graduate(), 1, "exposure")
            for seconds in range(300, 600, 10):
                here.following.on_equity(EquityPoint(at(seconds), 0, 0, 0))
            first = here.run.what_ifs.since(0)[0]
            assert (first.value_lamports is not None) is is_complete
            assert first.obstacle == ("" if is_complete else "the state of its pool was not known at that time")


def test_a_state_from_before_its_time_is_waited_over_and_is_no_value(tmp_path: Path) -> None:
    day = HORIZONS_SECONDS[-1]
    rugged = moved(graduate(), -90)
    for number, (seen, value) in enumerate((((day + 900,), True), ((), False))):
        folder = tmp_path / str(number)
        folder.mkdir()
        with world(folder) as here:
            here.see(graduate(), 0)
            here.refuse(graduate(), 1, "exposure")
            here.see(graduate(), day - 8_000)  # and nobody has heard of it for two hours
            for seconds in range(day, day + 7_200, 300):
                if seconds in seen:
                    here.see(rugged, seconds)
                here.following.on_equity(EquityPoint(at(seconds), 0, 0, 0))
            last = here.run.what_ifs.since(0)[-1]
            assert (last.horizon_seconds, last.value_lamports is not None, not last.obstacle) == (day, value, value)
            if value:
                assert last.measured_ns == at(day + 900)
                assert (last.value_lamports or 0) < last.spent_lamports // 2


def test_a_pool_that_is_read_all_along_has_its_value_at_the_time(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        for seconds in range(0, 301, 50):
            here.see(graduate(), seconds)
            here.refuse(graduate(), seconds, "exposure")
        here.following.on_equity(EquityPoint(at(310), 0, 0, 0))
        (first, *_) = here.run.what_ifs.since(0)
        assert (first.due_ns, first.measured_ns, first.obstacle) == (at(300), at(300), "")


def test_the_states_that_are_needed_soon_are_asked_for(tmp_path: Path) -> None:
    with world(tmp_path) as here:
        for number in range(1, 41):
            here.see(graduate(number), number / 10)
            here.refuse(graduate(number), number / 10, "exposure")
        assert here.following.pools(at(200)) == []
        asked = list(here.following.pools(at(300)))
        assert asked == [str(graduate(number).address) for number in range(1, 21)]


def test_a_pool_of_absurd_figures_stops_nobody(tmp_path: Path) -> None:
    absurd = graduate(base_reserve=2**64 - 1, quote_vault=30 * SOL, base_supply=2**64 - 1)
    with world(tmp_path) as here:
        here.see(absurd, 0)
        here.refuse(absurd, 1, "exposure", sized=(40 * SOL,))
        assert here.run.what_ifs.open() == []  # more units than books can hold
        here.see(graduate(2), 0)
        here.refuse(graduate(2), 1, "exposure", sized=(SOL,))
        here.see(graduate(2, quote_vault=2**64 - 1), 301)
        assert here.run.what_ifs.since(0)[0].measured_ns == at(301)


def test_a_run_follows_what_it_refuses_and_records_when_it_could_buy(tmp_path: Path) -> None:
    def go(**more: Any) -> None:
        chosen = Settings(data_dir=tmp_path, risk={"max_open_positions": 1})
        order = RunOrder("simulated:3", is_fast=True, seconds=1_200)
        watching = Stopping(**more)
        asyncio.run(run_paper(chosen, order, watching.options(), watching.begun.append))

    go(after_refusals=30)
    go()
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        (header,) = database.runs()
        run = database.run(header.run_id)
        followed = run.what_ifs.since(0)
        refused = {one.decision_id for one in run.decisions(accepted=False)}
        assert {one.decision_id for one in followed} <= refused
        assert {one.rule for one in followed} >= {"open positions"}
        assert any(one.value_lamports for one in followed)
        assert not any(one.obstacle for one in followed if one.value_lamports is None)
        spells = run.spells.since(0)
        assert len({one.started_ns for one in spells}) == 2
        assert [one.reason for one in spells].count(STOPPING) == 2


@hypothesis_settings(max_examples=examples(30))
@given(steps=st.lists(st.tuples(st.integers(1, 9), st.floats(1, 50_000), st.integers(-60, 80)), max_size=40))
def test_what_is_followed_is_measured_once_at_its_time(steps: list[tuple[int, float, int]]) -> None:
    with TemporaryDirectory() as folder, world(Path(folder)) as here:
        now = 0.0
        for number, pause, percent in steps:
            now += pause
            here.see(moved(graduate(number), percent), now)
            here.refuse(graduate(number), now, "exposure")
        every = here.run.what_ifs.since(0)
        assert len(here.following) == len(here.run.what_ifs.open())
        for one in every:
            assert one.is_open or one.measured_ns is not None
            if one.measured_ns is not None:
                assert one.measured_ns >= one.due_ns
                assert (one.value_lamports is None) == bool(one.obstacle)
            else:
                assert one.due_ns > at(now) - 3_700 * 10**9
