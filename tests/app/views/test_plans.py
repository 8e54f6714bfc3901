"""Plans: whatever a page asks is found by an index. Nothing here is measured: SQLite says how it would look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pumpswap.app.books import chosen_books
from pumpswap.app.views.alerts import alerts
from pumpswap.app.views.decisions import DecisionFilter, decision, decisions
from pumpswap.app.views.health import health
from pumpswap.app.views.ledger import LedgerFilter, ledger
from pumpswap.app.views.orders import execution, orders
from pumpswap.app.views.overview import Period, frame_view, overview
from pumpswap.app.views.page import PageWish
from pumpswap.app.views.pools import pool, pools
from pumpswap.app.views.positions import positions
from pumpswap.app.views.proposals import proposals
from pumpswap.app.views.refused import refused_buys
from pumpswap.app.views.runs import near_runs, runs
from pumpswap.app.views.sight import Sight
from pumpswap.app.views.signals import signals
from pumpswap.clock import ManualClock
from pumpswap.model import SOL, EntryKind, TradeSide
from pumpswap.settings import Settings
from pumpswap.storage import Database, open_database
from pumpswap.storage.browse import DecisionWish, Place
from tests.support.market import at
from tests.support.statements import Statement, plan_of, statements_of
from tests.web.serving import MINT, NOW, POOL, books_in

NEXT = PageWish(50, Place(at(NOW), 10**6))
SELL = TradeSide.SELL

PAGES: dict[str, Callable[[Sight], object]] = {
    "frame": frame_view,
    "overview": lambda sight: [overview(sight, period) for period in Period],
    "positions": lambda sight: [positions(sight, wish, closed=over) for wish in (None, NEXT) for over in (False, True)],
    "decisions": lambda sight: [decisions(sight, None, wish) for wish in (None, NEXT)],
    "decisions of a kind": lambda sight: [
        decisions(sight, DecisionFilter(accepted, side, address))
        for accepted in (None, True, False)
        for side in (None, *TradeSide)
        for address in ("", POOL, MINT, "nobody's")
    ],
    "decisions by policy": lambda sight: decisions(sight, DecisionFilter(policy="liquidity")),
    "a decision": lambda sight: [decision(sight, name) for name in ("d000001", "o000002")],
    "orders": lambda sight: [orders(sight, (), None), orders(sight, ("denied",), NEXT), execution(sight)],
    "ledger": lambda sight: [
        ledger(sight, LedgerFilter(kind, asset, "", since_ns), wish)
        for kind in (None, EntryKind.TIP)
        for asset in ("", SOL, MINT)
        for since_ns in (0, at(NOW))
        for wish in (None, NEXT)
    ],
    "an order in the ledger": lambda sight: ledger(sight, LedgerFilter(order="o000001")),
    "proposals": proposals,
    "refused buys": refused_buys,
    "pools": lambda sight: [pools(sight, wish) for wish in (None, NEXT)],
    "a pool": lambda sight: pool(sight, POOL),
    "signals": lambda sight: [signals(sight, wish) for wish in (None, NEXT)],
    "alerts": lambda sight: [
        alerts(sight.books.database, at(NOW), wish, unseen=unseen) for wish in (None, NEXT) for unseen in (False, True)
    ],
    "health": health,
    "runs": lambda sight: [near_runs(sight), runs(sight.books.database, sight.settings, sight.clock)],
}

# Index by what is asked of a run: another one would find the same, after looking at all of it.
INDEXES: dict[str, tuple[Callable[[Sight], object], str]] = {
    "closed positions": (
        lambda sight: sight.browse.closed_positions(50, Place(at(NOW), 9)),
        "ix_pumpswap_positions_run_id_closed_ns_realised_lamports (run_id=? AND closed_ns",
    ),
    "what closed ones have realised": (
        lambda sight: sight.browse.position_sums(),
        "COVERING INDEX ix_pumpswap_positions_run_id_closed_ns_realised_lamports (run_id=? AND closed_ns>?)",
    ),
    "pools by their last trades": (
        lambda sight: sight.browse.pools(50),
        "SEARCH pumpswap_positions USING INDEX ix_pumpswap_positions_run_id_last_trade_ns (run_id=?)",
    ),
    "pools further down": (
        lambda sight: sight.browse.pools(50, Place(at(NOW), 9)),
        "INDEX ix_pumpswap_positions_run_id_last_trade_ns (run_id=? AND last_trade_ns<?)",
    ),
    "trades of a pool": (
        lambda sight: sight.books.run.history.trades_in(POOL, 500),
        "INDEX ix_pumpswap_trades_run_id_pair_address_at_ns (run_id=? AND pair_address=?)",
    ),
    "trades of a round": (
        lambda sight: sight.books.run.history.trades_between(POOL, 1, 2),
        "INDEX ix_pumpswap_trades_run_id_pair_address_at_ns (run_id=? AND pair_address=? AND at_ns>? AND at_ns<?)",
    ),
    "a round": (
        lambda sight: sight.books.run.history.round_at(POOL, 1),
        "INDEX sqlite_autoindex_pumpswap_positions_1 (run_id=? AND pair_address=?)",
    ),
    "unseen alerts": (
        lambda sight: sight.browse.unseen_alerts([7]),
        "COVERING INDEX ix_pumpswap_alerts_unseen_level",
    ),
    "the newest of them": (
        lambda sight: sight.books.database.alerts.newest(50, unseen=True),
        "INDEX ix_pumpswap_alerts_unseen_id",
    ),
    "older unseen alerts": (
        lambda sight: sight.books.database.alerts.newest(50, unseen=True, before=9),
        "INDEX ix_pumpswap_alerts_unseen_id",
    ),
    "sales": (
        lambda sight: sight.browse.decisions(DecisionWish(side=SELL), 50),
        "INDEX ix_pumpswap_decisions_sales (run_id=? AND accepted=?)",
    ),
    "accepted decisions of a pool": (
        lambda sight: sight.browse.decisions(DecisionWish(True, None, POOL), 50),
        "INDEX ix_pumpswap_decisions_run_id_pool_at_ns (run_id=? AND pool=?)",
    ),
    "sales of a coin": (
        lambda sight: sight.browse.decisions(DecisionWish(True, SELL, MINT), 50),
        "INDEX ix_pumpswap_decisions_run_id_mint_at_ns (run_id=? AND mint=?)",
    ),
    "spells of a day": (
        lambda sight: sight.books.run.spells.since(5),
        "INDEX ix_pumpswap_spells_run_id_ended_ns (run_id=? AND ended_ns>?)",
    ),
    "what was put in": (
        lambda sight: sight.browse.put_in_since(5),
        "INDEX ix_pumpswap_ledger_run_id_order_id_sequence (run_id=? AND order_id=?)",
    ),
    "what a day has cost": (
        lambda sight: sight.browse.costs_since(5),
        "COVERING INDEX ix_pumpswap_ledger_costs (run_id=? AND kind=? AND at_ns>?)",
    ),
    "decimals of a coin": (
        lambda sight: sight.books.run.history.decimals(MINT),
        "INDEX ix_pumpswap_ledger_run_id_asset_sequence (run_id=? AND asset=?)",
    ),
    "trades of a coin": (
        lambda sight: list(sight.books.run.history.trades_of(MINT)),
        "INDEX ix_pumpswap_ledger_run_id_asset_sequence (run_id=? AND asset=?)",
    ),
    "marks of pools": (
        lambda sight: sight.browse.marks({POOL}),
        "INDEX ix_pumpswap_marks_run_id_pool_at_ns (run_id=? AND pool=?)",
    ),
}

# Few rows, or read whole on purpose: a count is all of what is counted.
_UNSEEN = "pumpswap_alerts USING {} ix_pumpswap_alerts_unseen_{}"
_WHOLE = ("pumpswap_runs", "pumpswap_mutes", _UNSEEN.format("COVERING INDEX", "level"), _UNSEEN.format("INDEX", "id"))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return books_in(tmp_path_factory.mktemp("books"))


@pytest.fixture(scope="module")
def database(settings: Settings) -> Iterator[Database]:
    with open_database(settings.database_target) as opened:
        yield opened


def asked(database: Database, settings: Settings, ask: Callable[[Sight], object]) -> list[tuple[Statement, list[str]]]:
    """Everything that is asked, with the plan of each."""
    file = settings.database_target
    assert isinstance(file, Path)
    books = chosen_books(database)
    assert books is not None
    with statements_of(database) as seen:
        ask(Sight(books, settings, ManualClock(at(NOW))))
    assert seen
    return [(one, plan_of(file, one)) for one in seen]


@pytest.mark.parametrize("name", PAGES)
def test_no_page_reads_the_whole_of_a_table(database: Database, settings: Settings, name: str) -> None:
    for statement, plan in asked(database, settings, PAGES[name]):
        if "WHERE" not in statement.sql and "LIMIT" in statement.sql:
            continue  # the newest rows, whatever they are: the scan ends with the page
        scanned = [step.removeprefix("SCAN ") for step in plan if step.startswith("SCAN pumpswap_")]
        assert [step for step in scanned if not step.startswith(_WHOLE)] == [], statement.sql


@pytest.mark.parametrize("name", INDEXES)
def test_each_list_is_found_by_its_own_index(database: Database, settings: Settings, name: str) -> None:
    ask, index = INDEXES[name]
    plans = [plan for _, plan in asked(database, settings, ask)]
    assert any(index in step for plan in plans for step in plan), plans
