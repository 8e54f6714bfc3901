"""Detach: nothing is lost, nothing of the host's breaks, and what it would break is named."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pumpswap.errors import NotFound, StorageError
from pumpswap.storage import open_database
from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.detach import detach, look
from pumpswap.storage.migrate import HEAD
from tests.storage import samples
from tests.storage.host.booking import book
from tests.storage.host.hosts import ONE, POOLS, image, pool
from tests.support import host_image
from tests.support.host_image import connect
from tests.support.host_tables import run_script


def attached_host(url: str, more: str = "") -> None:
    run_script(url, POOLS + pool(ONE) + more)
    attach(url, 1)


def plain(value: Any) -> Any:
    """A stored value as JSON has it."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    return value


def test_the_export_holds_every_value_of_every_table(small_host: str, tmp_path: Path) -> None:
    attached_host(small_host)
    book(small_host, ONE)
    with open_database(small_host) as database:
        run = database.start_run("live", 2**63 - 1, seed=2**80, settings={"ü": "\u2028"}, wallet="w", network="n")
        run.append_entries([samples.entry()])
    ours = {
        name.split(".")[-1]: columns
        for name, columns in host_image.columns(small_host).items()
        if "pumpswap" in name or "q50" in name
    }
    with connect(small_host) as connection:
        stored = {
            table.strip('"'): connection.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
            for table, columns in ours.items()
        }
    done = detach(small_host, tmp_path / "a" / "export", 7)
    assert done.export is not None
    folder = done.export.folder
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["schema"], manifest["revision"], manifest["at_ns"]) == ("pumpswap.export", HEAD, 7)
    assert manifest["tables"].keys() == stored.keys() == done.export.rows.keys()
    for table, rows in stored.items():
        about, columns = manifest["tables"][table], ours.get(table) or ours[f'"{table}"']
        raw = (folder / about["file"]).read_bytes()
        assert hashlib.sha256(raw).hexdigest() == about["sha256"]
        assert about["rows"] == len(rows)
        read = [json.loads(line) for line in raw.decode().splitlines()] if raw else []
        assert read == [{name: plain(value) for name, value in zip(columns, row, strict=True)} for row in rows]
    assert sum(len(rows) for rows in stored.values()) >= 12
    assert {file.name for file in folder.iterdir()} == {"manifest.json", *(f"{table}.jsonl" for table in stored)}


def test_what_is_not_attached_cannot_be_detached(small_host: str, tmp_path: Path) -> None:
    run_script(small_host, POOLS)
    for _ in range(2):
        with pytest.raises(NotFound, match="not attached"):
            look(small_host)
        with pytest.raises(NotFound, match="not attached") as refused:
            detach(small_host, tmp_path / "export", 1)
        assert "db downgrade" in refused.value.hint
        open_database(small_host).close()  # our tables alone are no attachment
    assert not (tmp_path / "export").exists()


def test_an_export_overwrites_nothing(small_host: str, tmp_path: Path) -> None:
    attached_host(small_host)
    before = image(small_host)
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "mine").write_text("x")
    with pytest.raises(StorageError, match="exists and is not empty"):
        detach(small_host, tmp_path / "export", 1)
    assert image(small_host) == before
    assert [file.name for file in (tmp_path / "export").iterdir()] == ["mine"]


def test_a_dry_run_exports_and_changes_nothing(small_host: str, tmp_path: Path) -> None:
    attached_host(small_host)
    before = image(small_host)
    done = detach(small_host, tmp_path / "export", 1, dry_run=True)
    assert (done.export, done.plan.kept) == (None, False)
    assert any("DROP TABLE pumpswap_trades" in line for line in done.plan.sql)
    assert image(small_host) == before
    assert list(tmp_path.glob("export*")) == []


DEPENDENTS = {
    "a view of the column": "CREATE VIEW v AS SELECT id, pumpswap_pair_address FROM pools",
    "a view of our table": "CREATE VIEW v AS SELECT mint_address FROM pumpswap_trades",
    "an index of the column": "CREATE INDEX v ON pools (pumpswap_pair_address)",
    "a key to our table": "CREATE TABLE v (id INTEGER PRIMARY KEY, run_id BIGINT REFERENCES pumpswap_runs (run_id))",
}


@pytest.mark.parametrize("made", DEPENDENTS.values(), ids=DEPENDENTS)
def test_what_depends_on_us_is_named_and_nothing_changes(small_host: str, tmp_path: Path, made: str) -> None:
    attached_host(small_host)
    run_script(small_host, made)
    before = image(small_host)
    for dry_run in (True, False):
        with pytest.raises(StorageError, match=r"\bv\b") as refused:
            detach(small_host, tmp_path / "export", 1, dry_run=dry_run)
        assert refused.value.hint
        assert image(small_host) == before
    assert list(tmp_path.glob("export*")) == []
    kind = made.split()[1]
    run_script(small_host, f"DROP {kind} v")
    detach(small_host, tmp_path / "export", 1)


def test_a_trigger_that_needs_the_column_is_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'host.sqlite'}"
    attached_host(url, "CREATE TABLE log (n TEXT);")
    body = "BEGIN INSERT INTO log VALUES (NEW.pumpswap_pair_address); END"
    run_script(url, f"CREATE TRIGGER noted AFTER INSERT ON pools {body}")
    before = image(url)
    with pytest.raises(StorageError, match="the trigger noted of the host would break"):
        detach(url, tmp_path / "export", 1)
    assert image(url) == before


def test_a_trigger_on_our_own_table_is_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'host.sqlite'}"
    attached_host(url, "CREATE TABLE log (n TEXT);")
    run_script(url, "CREATE TRIGGER noted AFTER INSERT ON pumpswap_alerts BEGIN INSERT INTO log VALUES ('x'); END")
    with pytest.raises(StorageError, match="the trigger noted of the host would break"):
        detach(url, tmp_path / "export", 1)


def test_what_was_broken_before_does_not_matter(tmp_path: Path) -> None:
    """SQLite lets a view outlive its table, and then refuses every change of the schema."""
    url = f"sqlite:///{tmp_path / 'host.sqlite'}"
    script = "CREATE TABLE gone (n); CREATE VIEW broken AS SELECT * FROM gone; DROP TABLE gone;"
    trigger = "CREATE TABLE log (n); CREATE TRIGGER t AFTER UPDATE ON pools BEGIN INSERT INTO log VALUES (1); END;"
    run_script(url, POOLS + pool(ONE) + script + trigger + "DROP TABLE log;")
    before = image_of_tables(url)
    attach(url, 1)
    detach(url, tmp_path / "export", 1)
    assert image_of_tables(url) == before


def image_of_tables(url: str) -> object:
    return host_image.schema(url), host_image.rows(url, host_image.columns(url))


def test_an_index_on_the_users_own_column_stays(small_host: str, tmp_path: Path) -> None:
    made = "CREATE TABLE pools (id VARCHAR(200) PRIMARY KEY, address TEXT, dex_id TEXT, pumpswap_pair_address VARCHAR);"
    run_script(small_host, f"{made} CREATE UNIQUE INDEX mine ON pools (pumpswap_pair_address);{pool(ONE)}")
    before = image(small_host)
    attach(small_host, 1)
    assert look(small_host).columns == ()
    detach(small_host, tmp_path / "export", 1)
    assert image(small_host) == before


def test_values_that_the_user_has_changed_since_stay(small_host: str, tmp_path: Path) -> None:
    made = "CREATE TABLE pools (id VARCHAR(200) PRIMARY KEY, address TEXT, dex_id TEXT, pumpswap_pair_address VARCHAR);"
    run_script(small_host, made + pool(ONE))
    attach(small_host, 1)
    run_script(small_host, "UPDATE pools SET pumpswap_pair_address = 'mine'")
    detach(small_host, tmp_path / "export", 1)
    with connect(small_host) as connection:
        assert connection.execute("SELECT pumpswap_pair_address FROM pools").fetchall() == [("mine",)]


def test_a_database_of_a_newer_version_is_left_alone(small_host: str, tmp_path: Path) -> None:
    attached_host(small_host)
    run_script(small_host, "UPDATE pumpswap_alembic_version SET version_num = '0999'")
    before = image(small_host)
    for command in (lambda: attach(small_host, 2), lambda: detach(small_host, tmp_path / "export", 2)):
        with pytest.raises(StorageError, match="0999"):
            command()
    assert image(small_host) == before
