"""Migrations: they make what tables.py says, go up and down, and keep what is stored."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from pumpswap.errors import StorageError
from pumpswap.model import EntryKind, Intent, TradeSide
from pumpswap.storage import migrate, open_database
from pumpswap.storage.engines import make_engine
from pumpswap.storage.tables import METADATA
from tests.storage import samples, stranger
from tests.storage.stranger import schema, tables


@pytest.fixture
def engine(target: str | Path) -> Iterator[Engine]:
    made = make_engine(target)
    yield made
    made.dispose()


def test_the_migrations_and_the_tables_agree(engine: Engine, target: str | Path, other_target: str | Path) -> None:
    migrate.upgrade(engine)
    with engine.connect() as connection:
        options = {"version_table": migrate.VERSION_TABLE, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
    # Autogenerate does not look at everything, for example not at CHECK: the statements themselves must be equal.
    direct = make_engine(other_target)
    METADATA.create_all(direct)
    direct.dispose()
    migrated = schema(target)
    assert migrated.pop(migrate.VERSION_TABLE)
    assert migrated == schema(other_target)


def test_the_known_revisions_are_the_files_of_the_package() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    newest_first = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(newest_first)) == migrate.REVISIONS
    assert scripts.get_heads() == [migrate.HEAD]


def test_up_down_and_up_again(engine: Engine, target: str | Path) -> None:
    assert migrate.current(engine) is None
    migrate.upgrade(engine)
    assert migrate.current(engine) == migrate.HEAD
    assert tables(target) == {*METADATA.tables, migrate.VERSION_TABLE}
    migrate.downgrade(engine)
    assert migrate.current(engine) is None
    assert tables(target) == set()
    migrate.upgrade(engine)
    assert migrate.current(engine) == migrate.HEAD


def test_an_upgrade_keeps_what_is_stored(engine: Engine, target: str | Path) -> None:
    with open_database(target) as database:
        run = database.start_run("test", 1, 7, {"a": 1})
        run.save_decision(samples.decision())
        run.save_order(samples.order())
        run.save_outcome(samples.filled())
        run.append_entries([samples.entry()])
    migrate.upgrade(engine)
    migrate.upgrade(engine, migrate.HEAD)
    for _ in range(2):
        with open_database(target) as database:
            (header,) = database.runs()
            run = database.run(header.run_id)
            assert [*run.decisions()] == [samples.decision()]
            assert [*run.orders()] == [samples.order()]
            assert [*run.trades()] == [samples.filled()]
            assert [*run.ledger()] == [samples.entry()]


def test_foreign_tables_and_their_own_versions_stay_untouched(engine: Engine, target: str | Path) -> None:
    stranger.execute(
        target,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        "CREATE TABLE pools (id VARCHAR(200) PRIMARY KEY, name TEXT)",
        "INSERT INTO alembic_version VALUES ('005')",
        "INSERT INTO pools VALUES ('solana_x', 'X')",
    )
    migrate.upgrade(engine)
    migrate.downgrade(engine)
    assert stranger.query(target, "SELECT * FROM alembic_version") == [("005",)]
    assert stranger.query(target, "SELECT * FROM pools") == [("solana_x", "X")]
    assert tables(target) == {"alembic_version", "pools"}


def test_a_migration_that_fails_leaves_nothing_behind(target: str | Path) -> None:
    stranger.execute(target, "CREATE TABLE pumpswap_marks (somebody_elses INTEGER)")
    with pytest.raises(StorageError, match="already exists"):
        open_database(target)
    assert tables(target) == {"pumpswap_marks"}


def test_a_database_of_a_newer_version_is_refused(engine: Engine, target: str | Path) -> None:
    open_database(target).close()
    stranger.execute(target, f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0999'")
    before = schema(target)
    for attempt in (lambda: open_database(target), lambda: migrate.upgrade(engine), lambda: migrate.downgrade(engine)):
        with pytest.raises(StorageError, match="0999") as refused:
            attempt()
        assert "upgrade pumpswap" in refused.value.hint
    assert schema(target) == before


def test_migrations_are_silent(
    engine: Engine, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        migrate.upgrade(engine)
        migrate.downgrade(engine)
    assert [record.name for record in caplog.records if record.name.startswith("alembic")] == []
    assert capsys.readouterr() == ("", "")


def test_an_upgrade_from_the_second_revision_adds_up_what_is_in_the_ledger(engine: Engine, target: str | Path) -> None:
    migrate.upgrade(engine, "0002")
    largest, smallest = 2**63 - 1, -(2**63)
    moves = {
        (1, "SOL", "deposit"): [largest, largest, largest, 5],
        (1, "SOL", "network_fee"): [-5_000, -5_000],
        (1, "M", "trade_base"): [smallest, smallest, 7],
        (2, "SOL", "deposit"): [1],
    }
    rows = [
        f"({run}, {number}, 1, '{asset}', {units}, '{kind}', 0)"
        for number, (run, asset, kind, units) in enumerate(
            ((*key, units) for key, amounts in moves.items() for units in amounts), 1
        )
    ]
    stranger.execute(
        target,
        "INSERT INTO pumpswap_runs (kind, started_ns, settings) VALUES ('live', 1, '{}'), ('live', 2, '{}')",
        f"INSERT INTO pumpswap_ledger (run_id, sequence, at_ns, asset, units, kind, slot) VALUES {', '.join(rows)}",
    )
    migrate.upgrade(engine)
    with open_database(target) as database:
        books = {number: database.run(number).books for number in (1, 2)}
        for (run, asset, kind), amounts in moves.items():
            assert books[run].counted()[asset, EntryKind(kind)] == (sum(amounts), len(amounts))
        for one in books.values():
            assert one.counted() == one.recount()
        assert books[1].balances() == {"SOL": 3 * largest + 5 - 10_000, "M": 2 * smallest + 7}
    migrate.downgrade(engine, "0002")
    assert len(stranger.query(target, "SELECT * FROM pumpswap_ledger")) == len(rows)


def test_an_upgrade_gives_every_trade_the_score_of_its_own_signal(engine: Engine, target: str | Path) -> None:
    with open_database(target) as database:
        run = database.start_run("test", 1)
        for number in (1, 2, 3):
            score = 90.0 + number
            signal = None if number == 3 else replace(samples.SIGNAL, score=score, strength=score / 100)
            wish = Intent(TradeSide.BUY, samples.POOL, samples.MINT, 5, "", signal)
            run.save_decision(samples.decision(number, intent=wish))
            run.save_order(samples.order(number))
            run.save_outcome(samples.filled(number))
    migrate.downgrade(engine, "0004")
    query = "SELECT signal_score, signal_strength FROM pumpswap_trades ORDER BY id"
    told = stranger.query(target, query)
    if isinstance(target, Path):  # on SQLite that was so for all trades
        stranger.execute(target, "UPDATE pumpswap_trades SET signal_score = 91.0, signal_strength = 0.91")
    migrate.upgrade(engine)
    assert stranger.query(target, query) == told
    assert [None if score is None else float(score) for score, _ in told] == [91.0, 92.0, None]
