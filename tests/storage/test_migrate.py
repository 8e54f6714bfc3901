"""Migrations: they make what tables.py says, go up and down, and keep what is stored."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from pumpswap.errors import StorageError
from pumpswap.storage import migrate, open_database
from pumpswap.storage.engines import make_engine
from pumpswap.storage.tables import METADATA
from tests.storage import samples


@pytest.fixture
def engine(target: Path) -> Iterator[Engine]:
    made = make_engine(target)
    yield made
    made.dispose()


def schema(path: Path) -> dict[str, list[str]]:
    """Every statement that made this database, by name; a table's columns in order, its constraints in any."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    made = {}
    for name, sql in rows:
        columns, *constraints = re.split(r",? CONSTRAINT ", " ".join(sql.split()).removesuffix(" )"))
        made[name] = [columns, *sorted(constraints)]
    return made


def tables(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return names


def test_the_migrations_and_the_tables_agree(engine: Engine, target: Path, tmp_path: Path) -> None:
    migrate.upgrade(engine)
    with engine.connect() as connection:
        options = {"version_table": migrate.VERSION_TABLE, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
    # Autogenerate does not look at everything, for example not at CHECK: the statements themselves must be equal.
    direct = make_engine(tmp_path / "direct.sqlite")
    METADATA.create_all(direct)
    direct.dispose()
    migrated = schema(target)
    assert migrated.pop(migrate.VERSION_TABLE)
    assert migrated == schema(tmp_path / "direct.sqlite")


def test_the_known_revisions_are_the_files_of_the_package() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    newest_first = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(newest_first)) == migrate.REVISIONS
    assert scripts.get_heads() == [migrate.HEAD]


def test_up_down_and_up_again(engine: Engine, target: Path) -> None:
    assert migrate.current(engine) is None
    migrate.upgrade(engine)
    assert migrate.current(engine) == migrate.HEAD
    assert tables(target) == {*METADATA.tables, migrate.VERSION_TABLE}
    migrate.downgrade(engine)
    assert migrate.current(engine) is None
    assert tables(target) == set()
    migrate.upgrade(engine)
    assert migrate.current(engine) == migrate.HEAD


def test_an_upgrade_keeps_what_is_stored(engine: Engine, target: Path) -> None:
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


def test_foreign_tables_and_their_own_versions_stay_untouched(engine: Engine, target: Path) -> None:
    with sqlite3.connect(target) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("CREATE TABLE pools (id VARCHAR(200) PRIMARY KEY, name TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('005')")
        connection.execute("INSERT INTO pools VALUES ('solana_x', 'X')")
    connection.close()
    migrate.upgrade(engine)
    migrate.downgrade(engine)
    with sqlite3.connect(target) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == [("005",)]
        assert connection.execute("SELECT * FROM pools").fetchall() == [("solana_x", "X")]
    connection.close()
    assert tables(target) == {"alembic_version", "pools"}


def test_a_migration_that_fails_leaves_nothing_behind(target: Path) -> None:
    target.parent.mkdir()
    with sqlite3.connect(target) as connection:
        connection.execute("CREATE TABLE pumpswap_marks (somebody_elses INTEGER)")
    connection.close()
    with pytest.raises(StorageError, match="already exists"):
        open_database(target)
    assert tables(target) == {"pumpswap_marks"}


def test_a_database_of_a_newer_version_is_refused(engine: Engine, target: Path) -> None:
    open_database(target).close()
    with sqlite3.connect(target) as connection:
        connection.execute(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0999'")
    connection.close()
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
