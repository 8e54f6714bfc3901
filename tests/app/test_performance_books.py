"""Performance of random books: to the lamport the ledger's, over all of the time and over every part of it."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from pumpswap.analytics.performance import OUTSIDE, Performance
from pumpswap.app.performance import performance_of_run
from pumpswap.errors import LedgerMismatch, StorageError
from pumpswap.model import SOL, EntryKind, Filled, ForeignKind, Rejected
from pumpswap.portfolio.restore import recall_portfolio
from pumpswap.storage.database import Database, open_database
from pumpswap.storage.run import Run
from pumpswap.storage.tables import ORDERS, TRADES
from pumpswap.units import I64_MAX
from tests.portfolio.random_books import Life, lives
from tests.support.postgres import fresh_database

CAPITAL = (EntryKind.DEPOSIT, EntryKind.WITHDRAWAL)
FEES = (EntryKind.NETWORK_FEE, EntryKind.PRIORITY_FEE, EntryKind.TIP)
SEEDS = {"sqlite": 24, "postgresql": 3}


@pytest.fixture(scope="module", params=SEEDS)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def database(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    target = tmp_path_factory.mktemp("lives") / "books.db" if engine == "sqlite" else fresh_database()
    with open_database(target) as opened:
        yield opened


@pytest.fixture(scope="module")
def runs(database: Database, engine: str) -> list[Run]:
    return [life.run for _, life in lives(database, range(7_000, 7_000 + SEEDS[engine]), most_steps=40)]


@pytest.fixture(scope="module")
def whole_of(runs: list[Run]) -> dict[int, Performance]:
    """Performance over all of the time, by run."""
    return {run.run_id: performance_of_run(run) for run in runs}


def ledger(run: Run, since_ns: int, until_ns: int) -> dict[EntryKind, int]:
    """SOL by kind, straight from the entries."""
    sums: dict[EntryKind, int] = defaultdict(int)
    for entry in run.ledger():
        if entry.asset == SOL and since_ns <= entry.at_ns < until_ns:
            sums[entry.kind] += entry.units
    return sums


def by_hand(run: Run) -> int:
    """SOL of what its owner has bought and sold by hand."""
    kinds = (ForeignKind.MANUAL_BUY.value, ForeignKind.MANUAL_SELL.value)
    foreign = (entry for entry in run.ledger() if entry.asset == SOL and entry.kind is EntryKind.FOREIGN)
    return sum(entry.units for entry in foreign if entry.note in kinds)


def test_profit_and_loss_is_the_ledger_s_to_the_lamport(runs: list[Run], whole_of: dict[int, Performance]) -> None:
    sales = hands = 0
    for run in runs:
        found, moved = whole_of[run.run_id], ledger(run, 0, I64_MAX)
        positions = list(run.positions())
        money = found.money
        assert money.unexplained_lamports == 0
        assert money.realised_lamports == sum(one.realised_lamports for one in positions)
        assert money.open_cost_lamports == sum(one.cost_lamports for one in positions)
        # What the owner has traded by hand is capital, but what positions were given of it.
        traded, given = by_hand(run), sum(sale.received_lamports for sale in found.sales if not sale.order_id)
        assert money.capital_lamports == sum(moved[kind] for kind in CAPITAL) + traded - given
        assert money.outside_lamports == moved[EntryKind.FOREIGN] - traded
        portfolio = recall_portfolio(run)
        assert money.capital_lamports + money.adopted_lamports == portfolio.put_in_lamports
        # Nothing is marked, so what is held counts as its cost: by trades and by equity the same was earned.
        assert portfolio.equity_at(0).equity_lamports - portfolio.put_in_lamports == money.net_lamports
        hands += traded != given
        assert money.rent_lamports == -moved[EntryKind.RENT_PAID] - moved[EntryKind.RENT_RETURNED]
        adopted = sum(adoption.cost_lamports for adoption in run.owned.adoptions())
        assert money.adopted_lamports == adopted
        cash = money.capital_lamports + money.net_lamports + adopted - money.open_cost_lamports - money.rent_lamports
        assert cash == run.books.balance(SOL) == sum(moved.values())
        for kind, lamports in found.costs.items():
            assert lamports == -moved[kind], kind
        sales += len(found.sales)
    assert sales > 2 * len(runs) and hands > len(runs) // 2


def test_costs_of_no_trade_are_those_of_refused_orders_and_of_upkeep(
    runs: list[Run], whole_of: dict[int, Performance]
) -> None:
    for run in runs:
        money = whole_of[run.run_id].money
        refused = {outcome.order_id for outcome in run.outcomes() if isinstance(outcome, Rejected)}
        filled = {trade.order_id for trade in run.trades()}
        fees = [entry for entry in run.ledger() if entry.kind in FEES]
        assert money.failed_lamports == sum(entry.units for entry in fees if entry.order_id in refused)
        others = [entry for entry in fees if entry.order_id not in refused | filled]
        assert money.upkeep_lamports == sum(entry.units for entry in others)


def test_a_row_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.db") as database:
        (life,) = [life for _, life in lives(database, range(7_003, 7_004), most_steps=40)]
        assert life.counts["fills"]
        with database._connections.writing("a test") as connection:
            connection.execute(update(ORDERS).values(quote='{"total_quote":"many"}'))
        with pytest.raises(StorageError, match="a stored row cannot be read"):
            performance_of_run(life.run)


def test_rounds_are_those_of_the_books(runs: list[Run], whole_of: dict[int, Performance]) -> None:
    by_hand = 0
    for run in runs:
        found = whole_of[run.run_id]
        told = {(one.pool, one.number): one for one in (each.round for each in found.by_position)}
        stored = {(one.pool, one.round): one for one in run.positions()}
        assert told.keys() == stored.keys()
        for key, one in stored.items():
            other = told[key]
            assert (other.mint, other.opened_ns, other.closed_ns) == (one.mint, one.opened_ns, one.closed_ns)
            assert (other.base_units, other.cost_lamports, other.bought_lamports, other.sold_lamports) == (
                one.base_units, one.cost_lamports, one.bought_lamports, one.sold_lamports,
            )  # fmt: skip
            assert (other.realised_lamports, other.buys, other.sells) == (one.realised_lamports, one.buys, one.sells)
        by_hand += sum(sale.exit_kind == OUTSIDE for sale in found.sales)
    assert by_hand > len(runs) // 2


def test_parts_of_the_time_add_up(runs: list[Run], whole_of: dict[int, Performance]) -> None:
    rng = random.Random(7)
    for run in runs:
        whole, times = whole_of[run.run_id], sorted({entry.at_ns for entry in run.ledger()})
        cuts = sorted(rng.choice(times) + rng.choice((-1, 0, 1)) for _ in range(3))
        parts = [performance_of_run(run, *span) for span in zip([0, *cuts], [*cuts, I64_MAX], strict=True)]
        for name in ("realised", "failed", "upkeep", "outside", "capital", "rent", "adopted", "net"):
            each = [getattr(part.money, f"{name}_lamports") for part in parts]
            assert sum(each) == getattr(whole.money, f"{name}_lamports"), (run.run_id, name)
        assert [part.money.unexplained_lamports for part in parts] == [0] * len(parts)
        assert [sale for part in parts for sale in part.sales] == list(whole.sales)
        assert sum(part.activity.fills for part in parts) == whole.activity.fills
        assert sum(part.rounds_closed.closed for part in parts) == whole.rounds_closed.closed
        rounds = {(one.pool, one.number): one for one in (each.round for each in whole.by_position)}
        for part in parts:
            closed = [each.round for each in part.by_position if not each.round.is_open]
            assert [rounds[one.pool, one.number] for one in closed] == closed
        for kind, lamports in whole.costs.items():
            assert sum(part.costs[kind] for part in parts) == lamports
        assert parts[-1].money.open_cost_lamports == whole.money.open_cost_lamports


def test_every_way_to_cut_the_profit_adds_up_to_it(runs: list[Run]) -> None:
    rng = random.Random(8)
    for run in runs:
        since_ns = rng.choice([0, *(entry.at_ns for entry in run.ledger())])
        found = performance_of_run(run, since_ns)
        realised = found.money.realised_lamports
        assert realised == sum(sale.gain_lamports for sale in found.sales)
        for slices in (found.by_strategy, found.by_exit, found.by_token):
            assert sum(each.gain_lamports for each in slices) == realised
            assert sum(each.sales for each in slices) == len(found.sales)
            assert sum(each.closed for each in slices) == found.rounds_closed.closed
        assert sum(each.gain_lamports for each in found.by_position) == realised
        assert sum(day.gain_lamports for day in found.by_day) == realised
        assert sum(day.net_lamports for day in found.by_day) == found.money.net_lamports
        assert sum(day.capital_lamports for day in found.by_day) == found.money.capital_lamports
        _check_rounds(found)


def _check_rounds(found: Performance) -> None:
    figures = found.rounds_closed
    assert figures.won + figures.lost + figures.break_even == figures.closed
    closed = [each.round for each in found.by_position if not each.round.is_open]
    assert figures.gains_lamports - figures.losses_lamports == sum(one.realised_lamports for one in closed)


def test_a_fill_in_the_ledger_without_its_trade_is_refused_by_name(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.db") as database:
        (life,) = [life for _, life in lives(database, range(7_006, 7_007), most_steps=40)]
        taken = {adoption.mint for adoption in life.run.owned.adoptions()}
        of_taken = [order for order, (_, mint, _) in life.orders.items() if mint in taken and _filled(life, order)]
        assert of_taken
        trade = (TRADES.c.run_id == life.run.run_id, TRADES.c.order_id == of_taken[0])
        with database._connections.writing("a test") as connection:
            connection.execute(delete(TRADES).where(*trade))
        with pytest.raises(LedgerMismatch):
            performance_of_run(life.run)


def _filled(life: Life, order_id: str) -> bool:
    return isinstance(life.run.decided.outcome(order_id), Filled)
