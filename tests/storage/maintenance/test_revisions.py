"""Forward, and back: what a downgrade would drop is said before, and is what it drops."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.errors import NotFound, StorageError, UsageError
from pumpswap.storage import Database, migrate, open_database
from pumpswap.storage.engines import make_engine
from pumpswap.storage.maintenance import downgrade, plan_downgrade, upgrade, vacuum
from pumpswap.storage.tables import METADATA
from tests.storage import samples, stranger
from tests.storage.maintenance.full_books import fill, stored


def test_an_upgrade_makes_what_is_missing_and_says_what_was(target: str | Path) -> None:
    place, before = upgrade(target)
    assert before is None
    assert "postgresql+psycopg" in place or place == str(target)
    assert stranger.tables(target) == {*METADATA.tables, migrate.VERSION_TABLE}
    assert upgrade(target) == (place, migrate.HEAD)
    downgrade(target, "0001")
    assert upgrade(target) == (place, "0001")


def test_a_downgrade_says_what_it_would_drop_and_drops_that(database: Database, target: str | Path) -> None:
    fill(database, target)
    database.close()
    before = stored(target)
    plan = plan_downgrade(target, "0002")
    assert stored(target) == before
    gone = ("adoptions", "alerts", "balances", "equity", "ignored", "reconciliations")
    gone += ("collect_cycles", "collect_pools", "states", "commands", "proposals")
    gone += ("deliveries", "memory", "mutes", "pool_points", "spells", "what_ifs")
    gone += ("backtests", "sweeps", "trials")
    assert set(plan.tables) == {*(f"pumpswap_{name}" for name in gone), "q50_trading_history"}
    assert plan.tables == {name: len(before[name]) for name in plan.tables}
    told = ("q50_value", "vol_regime", "exit_kind", "slippage_bps", "strategy", "repeats", "repeated_ns")
    empty = {"pumpswap_ledger.note": 0, "pumpswap_orders.client_order_id": 0}
    assert plan.columns == empty | {f"pumpswap_decisions.{name}": 1 for name in told}
    assert (plan.before, plan.after) == (migrate.HEAD, "0002")
    downgrade(target, "0002")
    assert stranger.tables(target) == {*METADATA.tables, migrate.VERSION_TABLE} - set(plan.tables)
    assert plan_downgrade(target, "0001").columns["pumpswap_runs.wallet"] == 1


def test_a_downgrade_to_base_takes_everything_of_ours_and_nothing_of_others(
    database: Database, target: str | Path
) -> None:
    fill(database, target)
    database.close()
    stranger.execute(target, "CREATE TABLE pools (id VARCHAR(80) PRIMARY KEY)")
    assert set(plan_downgrade(target, "base").tables) == set(METADATA.tables)
    downgrade(target, "base")
    assert stranger.tables(target) == {"pools"}


@pytest.mark.parametrize("revision", [migrate.HEAD, "0999", "0998", "head", ""])
def test_only_a_revision_below_is_a_downgrade(database: Database, target: str | Path, revision: str) -> None:
    with pytest.raises(UsageError) as refused:
        downgrade(target, revision)
    assert refused.value.hint
    assert stranger.tables(target) == {*METADATA.tables, migrate.VERSION_TABLE}


def test_an_attached_database_is_detached_first(database: Database, target: str | Path) -> None:
    stranger.execute(target, "CREATE TABLE pumpswap_attachments (id INTEGER)")
    with pytest.raises(StorageError, match="is attached") as refused:
        downgrade(target, "base")
    assert "db detach" in refused.value.hint


def test_there_must_be_books_to_take_back(target: str | Path) -> None:
    with pytest.raises(NotFound):
        downgrade(target, "base")
    with pytest.raises(NotFound):
        vacuum(target)


def test_a_newer_revision_is_refused_by_all(database: Database, target: str | Path) -> None:
    stranger.execute(target, f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0999'")
    for attempt in (upgrade, vacuum, lambda each: downgrade(each, "0001")):
        with pytest.raises(StorageError, match="0999"):
            attempt(target)


def test_a_vacuum_gives_space_back_and_keeps_every_row(database: Database, target: str | Path) -> None:
    run = fill(database, target)
    # On PostgreSQL the first vacuum of a table makes two small files beside it: what is deleted must be more than that.
    with run.batch():
        for number in range(4_000):
            run.save_mark(samples.mark(at_ns=number, obstacle="x" * 200))
    stranger.execute(target, "DELETE FROM pumpswap_marks WHERE at_ns < 4000")
    before = stored(target)
    sizes = vacuum(target)
    assert stored(target) == before
    assert 0 < sizes.after_bytes < sizes.before_bytes
    assert run.save_mark(samples.mark()) is None


def test_the_password_of_a_url_is_shown_nowhere(postgresql_url: str) -> None:
    hidden = postgresql_url.replace("postgres:@", "postgres:open-sesame@") + "&sslpassword=open-sesame"
    place, _ = upgrade(hidden)
    assert "open-sesame" not in place
    assert "open-sesame" not in plan_downgrade(hidden, "base").place
    engine = make_engine(hidden)
    engine.dispose()
    with open_database(hidden) as database:
        assert "open-sesame" not in database.location
