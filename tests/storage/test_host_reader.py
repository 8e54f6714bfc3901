"""HostReader: reads another program's database at one moment, in nobody's way, and leaves nothing behind."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import SQLAlchemyError

from pumpswap.errors import ConfigError, NotFound, PumpSwapError, StorageError
from pumpswap.storage.host_reader import HostReader, is_database
from tests.support.postgres import fresh_database

MANY = 5_000


def fill(path: Path, mode: str, rows: int = MANY) -> Path:
    """A file with a table of numbered rows, closed again."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("CREATE TABLE pools (id INTEGER PRIMARY KEY, name TEXT)")
        connection.executemany("INSERT INTO pools VALUES (?, ?)", [(n, f"pool {n}") for n in range(rows)])
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_file_that_nobody_has_open_is_left_as_it_was_with_nothing_beside_it(tmp_path: Path, mode: str) -> None:
    path = fill(tmp_path / "host.db", mode)
    before = contents(tmp_path)
    with HostReader(path).moment() as moment:
        rows = list(moment.rows("pools", ("id", "name")))
        assert contents(tmp_path) == before
    assert rows[:2] == [{"id": "0", "name": "pool 0"}, {"id": "1", "name": "pool 1"}]
    assert len(rows) == MANY
    assert contents(tmp_path) == before


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_a_file_in_use_is_read_at_one_moment_while_its_owner_goes_on_writing(tmp_path: Path, mode: str) -> None:
    path = fill(tmp_path / "host.db", mode)
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as host:
        host.execute("INSERT INTO pools VALUES (-1, 'in the log only')")
        with HostReader(path).moment() as moment:
            rows = moment.rows("pools", ("id",), order=("id",))
            first = next(rows)
            host.execute("INSERT INTO pools VALUES (-2, 'later')")  # a lock of ours would fail this at once
            host.execute("DELETE FROM pools WHERE id >= 100")
            assert 1 + sum(1 for _ in rows) == MANY + 1
            assert len(list(moment.rows("pools", ("id",)))) == MANY + 1
        assert first == {"id": "-1"}
        with HostReader(path).moment() as moment:
            assert len(list(moment.rows("pools", ("id",)))) == 102


def test_a_server_is_read_at_one_moment_while_its_owner_goes_on_writing() -> None:
    url = fresh_database()
    with psycopg.connect(url, autocommit=True) as host:
        host.execute("SET lock_timeout = '1ms'")
        host.execute("CREATE TABLE pools AS SELECT n AS id FROM generate_series(1, 5000) n")
        with HostReader(url).moment() as moment:
            rows = moment.rows("pools", ("id",), order=("id",))
            first = next(rows)
            host.execute("INSERT INTO pools VALUES (-2)")
            host.execute("DELETE FROM pools WHERE id > 100")
            assert 1 + sum(1 for _ in rows) == MANY
            assert len(list(moment.rows("pools", ("id",)))) == MANY
        assert first == {"id": "1"}


@pytest.mark.parametrize("mode", ["delete", "wal", "postgresql"])
def test_nothing_can_be_written(tmp_path: Path, mode: str) -> None:
    target = fresh_database() if mode == "postgresql" else fill(tmp_path / "host.db", mode)
    with HostReader(target).moment() as moment, pytest.raises(SQLAlchemyError, match=r"read-?only"):
        moment._connection.exec_driver_sql("CREATE TABLE pumpswap_runs (id INTEGER)")


def test_nothing_can_be_written_into_a_file_that_its_owner_has_open(tmp_path: Path) -> None:
    path = fill(tmp_path / "host.db", "wal")
    with closing(sqlite3.connect(path, isolation_level=None)) as host:
        host.execute("DELETE FROM pools")
        with HostReader(path).moment() as moment, pytest.raises(SQLAlchemyError, match="readonly"):
            moment._connection.exec_driver_sql("INSERT INTO pools VALUES (1, 'ours')")


def test_rows_have_the_wanted_columns_that_exist_filtered_and_in_order(tmp_path: Path) -> None:
    with HostReader(fill(tmp_path / "host.db", "delete", rows=9)).moment() as moment:
        assert moment.columns("pools") == {"id", "name"}
        assert moment.columns("trades") == frozenset()
        assert list(moment.rows("trades", ("id",))) == []
        assert list(moment.rows("pools", ("other",))) == []
        wanted = moment.rows(
            "pools", ("id", "other"), only={"name": ("pool 1", "pool 7")}, order=("id", "other"), newest_first=True
        )
        assert list(wanted) == [{"id": "7"}, {"id": "1"}]
        assert list(moment.rows("pools", ("id",), only={"other": ("x",)})) == []


def test_values_of_a_server_are_texts_as_in_its_exports() -> None:
    url = fresh_database()
    with psycopg.connect(url, autocommit=True) as host:
        host.execute(
            "CREATE TABLE pools AS SELECT 1.2300::numeric AS a, 'NaN'::numeric AS b, NULL::text AS c, true AS d,"
            " '2025-10-03 10:00:00.5-06'::timestamptz AS e, 'infinity'::timestamp AS f, 0.1::float8 AS g,"
            """ '{"x": 1}'::jsonb AS h"""
        )
        host.execute(f"ALTER DATABASE {host.info.dbname} SET datestyle = 'German, DMY'")  # type: ignore[call-overload]
        host.execute(f"ALTER DATABASE {host.info.dbname} SET TimeZone = 'America/Denver'")  # type: ignore[call-overload]
    with HostReader(url).moment() as moment:
        (row,) = moment.rows("pools", "abcdefgh")
    assert list(row.values()) == [
        "1.2300", "NaN", "", "true", "2025-10-03 10:00:00.5-06", "infinity", "0.1", '{"x": 1}',
    ]  # fmt: skip


@given(st.decimals(allow_nan=False, allow_infinity=False).filter(lambda d: len(d.as_tuple().digits) <= 15))
def test_decimals_of_up_to_15_digits_come_back_from_a_file(number: Decimal) -> None:
    """However they got in: SQLite reads a text into the nearest float, or into the one beside it."""
    if number and not -60 <= number.adjusted() <= 60:
        number = number.scaleb(-number.adjusted())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "host.db")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("SELECT CAST('0.5' AS REAL)")  # LiteSVM in this process spoils the first conversion
            connection.execute("CREATE TABLE pools (a NUMERIC(20, 10), b NUMERIC(20, 10))")
            connection.execute("INSERT INTO pools VALUES (?, ?)", (str(number), float(number)))
        with HostReader(path).moment() as moment:
            (row,) = moment.rows("pools", ("a", "b"))
    assert [Decimal(row["a"]), Decimal(row["b"])] == [number, number]


@given(st.floats(allow_nan=False))
def test_any_float_comes_back_at_most_one_step_beside_itself(value: float) -> None:
    from math import isinf, ulp

    from pumpswap.storage.host_reader import _digits

    shown = float(_digits(value))
    assert shown == value if isinf(value) else abs(shown - value) <= ulp(value)


def test_text_that_is_no_text_is_shown_and_bytes_are_read(tmp_path: Path) -> None:
    path = fill(tmp_path / "host.db", "delete", rows=0)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO pools VALUES (1, CAST(x'41ff42' AS TEXT)), (2, x'4142')")
    with HostReader(path).moment() as moment:
        names = [row["name"] for row in moment.rows("pools", ("name",), order=("id",))]
    assert names == ["A\N{REPLACEMENT CHARACTER}B", "AB"]


# ---------------------------------------------------------------- targets


def test_a_location_shows_neither_password_nor_options() -> None:
    for url in (
        "postgresql://me:hunter2@db.example/gecko",
        "postgres://me:hunter2@db.example/gecko?options=hunter2",
        "postgresql+psycopg://me@db.example/gecko?password=hunter2",
    ):
        reader = HostReader(url)
        assert "hunter2" not in reader.location + repr(reader)
        assert reader.location.startswith("postgresql://me")
        assert reader.location.endswith("@db.example/gecko")


def test_an_error_shows_no_password(tmp_path: Path) -> None:
    for url in (
        f"postgresql://me:hunter2@/gecko?host={tmp_path}",
        f"postgresql://me@/gecko?host={tmp_path}&password=hunter2",
        f"postgresql://me:hunter2@/gecko?host={tmp_path}&no_such_option=1",
    ):
        with pytest.raises(PumpSwapError) as caught, HostReader(url).moment():
            pass
        assert "hunter2" not in str(caught.value) + caught.value.hint
        assert "\n" not in caught.value.what
        assert caught.value.hint


def test_what_is_no_database_is_refused_and_not_touched(tmp_path: Path) -> None:
    text, empty = tmp_path / "text.db", tmp_path / "empty.db"
    text.write_text("hello, this is a text of more than a hundred bytes\n" * 9)
    empty.touch()
    for path, error in (
        (text, StorageError),
        (empty, StorageError),
        (tmp_path, StorageError),
        (tmp_path / "missing.db", NotFound),
    ):
        with pytest.raises(error), HostReader(path).moment():
            pass
    for url in ("mysql://host/db", "sqlite://", ":memory:", "nonsense://"):
        with pytest.raises(ConfigError):
            HostReader(url)
    assert contents(tmp_path) == {"text.db": text.read_bytes(), "empty.db": b""}


def test_a_damaged_file_is_named_and_not_repaired(tmp_path: Path) -> None:
    path = fill(tmp_path / "host.db", "delete")
    data = bytearray(path.read_bytes())
    data[4096 * 2 : 4096 * 6] = b"\xff" * 4096 * 4
    path.write_bytes(data)
    with pytest.raises(StorageError, match=r"failed: .*malformed"), HostReader(path).moment() as moment:
        list(moment.rows("pools", ("id", "name")))
    assert path.read_bytes() == data


def test_a_database_is_told_from_a_file_of_data(tmp_path: Path) -> None:
    path = fill(tmp_path / "host.db", "delete", rows=0)
    (tmp_path / "trades.csv").write_text("id,pool_id\n")
    assert is_database(path)
    assert is_database(str(path))
    assert is_database("postgresql://host/db")
    assert not is_database(tmp_path / "trades.csv")
    assert not is_database(tmp_path)
    assert not is_database(tmp_path / "missing")


@pytest.mark.parametrize("kind", ["TEXT", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"])
@pytest.mark.parametrize("is_server", [False, True])
def test_rows_of_some_days_are_found_in_columns_of_every_type(tmp_path: Path, kind: str, is_server: bool) -> None:
    times = [f"2026-11-{day} 12:30:00" for day in (24, 25, 26, 27)]
    table = f"CREATE TABLE rows (id INTEGER, collected_at {kind})"
    if is_server:
        target: str | Path = fresh_database()
        with psycopg.connect(str(target), autocommit=True) as host:
            host.execute(table)  # type: ignore[arg-type]
            for number, time in enumerate(times):
                host.execute("INSERT INTO rows VALUES (%s, %s)", (number, time))
    else:
        target = tmp_path / "host.db"
        with closing(sqlite3.connect(target)) as connection, connection:
            connection.execute(table)
            connection.executemany("INSERT INTO rows VALUES (?, ?)", enumerate(times))
    with HostReader(target).moment() as moment:
        found = moment.rows_of_days("rows", ("id",), "collected_at", "2026-11-25", "2026-11-27")
        assert [row["id"] for row in found] == ["2", "1"]
