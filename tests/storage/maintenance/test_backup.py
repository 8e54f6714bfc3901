"""A backup is one moment of the books, complete and unchanged, or it is refused."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from pumpswap.errors import BadInput, NotFound, StorageError
from pumpswap.storage import Database, migrate, open_database
from pumpswap.storage.engines import make_engine
from pumpswap.storage.maintenance import plan_restore, restore, write_backup
from pumpswap.storage.tables import METADATA
from tests.storage import samples, stranger
from tests.storage.maintenance.full_books import fill, stored
from tests.storage.test_processes import line, only_run, whole_batches, writer

NOW = samples.NS


@pytest.fixture
def backup(database: Database, target: str | Path, tmp_path: Path) -> Path:
    """A backup of full books."""
    fill(database, target)
    return write_backup(target, tmp_path / "books.zip", NOW).path


def test_a_backup_says_what_it_holds_and_any_tool_reads_it(
    database: Database, target: str | Path, tmp_path: Path
) -> None:
    fill(database, target)
    written = write_backup(target, tmp_path / "books.zip", NOW)
    assert written.size_bytes == written.path.stat().st_size
    with zipfile.ZipFile(written.path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        first = json.loads(archive.read("pumpswap_ledger.jsonl").splitlines()[0])
    assert (manifest["format"], manifest["revision"], manifest["created"]) == (
        "pumpswap.backup",
        migrate.HEAD,
        "2026-11-02 00:00:00",
    )
    assert {table["name"]: table["rows"] for table in manifest["tables"]} == {
        name: len(rows) for name, rows in stored(target).items()
    }
    assert all(rows for rows in stored(target).values()), "the books of this test leave a table out"
    assert first[:5] == ["1", "1", str(NOW), "SOL", str(2**63 - 1)]
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".partial")] == []


def test_a_backup_restores_to_the_same_rows(backup: Path, target: str | Path, other_target: str | Path) -> None:
    done = restore(other_target, backup)
    assert done.removed == {}
    assert stored(other_target) == stored(target)
    with open_database(other_target) as database:
        run = database.run(1)
        assert [*run.orders()] == [samples.order(1), samples.order(2)]
        assert run.balances() == {"M": -5, "SOL": 2**64 - 2}


def test_the_next_rows_get_new_numbers(backup: Path, other_target: str | Path) -> None:
    restore(other_target, backup)
    with open_database(other_target) as database:
        assert database.start_run("test", 0).run_id == 2
        run = database.run(1)
        run.save_decision(samples.decision(3))
        run.save_mark(samples.mark())
    assert [number for (number,) in stranger.query(other_target, "SELECT id FROM pumpswap_marks ORDER BY id")] == [1, 2]


def test_tables_of_others_are_neither_taken_nor_touched(
    database: Database, target: str | Path, other_target: str | Path, tmp_path: Path
) -> None:
    fill(database, target)
    for each in (target, other_target):
        stranger.execute(
            each, "CREATE TABLE pools (id VARCHAR(80) PRIMARY KEY)", f"INSERT INTO pools VALUES ('{each}')"
        )
    written = write_backup(target, tmp_path / "books.zip", NOW)
    assert {table.name for table in written.manifest.tables} == set(METADATA.tables)
    restore(other_target, written.path)
    assert stranger.query(other_target, "SELECT id FROM pools") == [(str(other_target),)]


def test_backups_taken_while_another_process_writes_hold_whole_batches(
    target: str | Path, backend: str, tmp_path: Path
) -> None:
    seen = []
    with writer(target, 200) as process:
        line(process)
        for number in range(4):
            write_backup(target, tmp_path / f"{number}.zip", NOW)
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
    for number in range(4):
        restore(tmp_path / f"{number}.sqlite", tmp_path / f"{number}.zip")
        with open_database(tmp_path / f"{number}.sqlite") as database:
            seen.append(whole_batches(only_run(database)))
    assert seen == sorted(seen)
    assert seen[0] >= 1


def test_only_a_backup_is_ever_overwritten(database: Database, target: str | Path, tmp_path: Path) -> None:
    fill(database, target)
    somebody_elses = tmp_path / "letter.txt"
    somebody_elses.write_text("dear")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("manifest.json", "[]")
    for path in (somebody_elses, tmp_path / "photos.zip"):
        before = path.read_bytes()
        with pytest.raises(StorageError, match="is no backup") as refused:
            write_backup(target, path, NOW)
        assert refused.value.hint
        assert path.read_bytes() == before
    with pytest.raises(StorageError, match="is a folder"):
        write_backup(target, tmp_path, NOW)
    with pytest.raises(StorageError, match="does not exist"):
        write_backup(target, tmp_path / "no" / "books.zip", NOW)
    first = write_backup(target, tmp_path / "books.zip", NOW)
    database.start_run("second", 0)
    assert write_backup(target, first.path, NOW).manifest.rows == first.manifest.rows + 1


def test_a_backup_that_fails_leaves_the_one_of_before(
    database: Database, target: str | Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = backup.read_bytes()
    stranger.execute(target, f"UPDATE {migrate.VERSION_TABLE} SET version_num = '0999'")
    with pytest.raises(StorageError, match="0999"):
        write_backup(target, backup, NOW)
    assert backup.read_bytes() == before
    assert [path.name for path in backup.parent.iterdir() if path.name.endswith(".partial")] == []


def test_there_must_be_something_to_back_up(target: str | Path, sqlite_file: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no database|there are no books"):
        write_backup(target, tmp_path / "books.zip", NOW)
    assert not sqlite_file.exists()
    assert not (tmp_path / "books.zip").exists()


# ---------------------------------------------------------------- damage


def test_a_damaged_backup_is_refused_or_restores_to_the_same(backup: Path, tmp_path: Path) -> None:
    content, right = backup.read_bytes(), None
    refused = 0
    for at in sorted({*range(0, len(content), max(1, len(content) // 60)), len(content) - 1}):
        broken = bytearray(content)
        broken[at] ^= 0x55
        (tmp_path / "broken.zip").write_bytes(broken)
        copy = tmp_path / f"copy-{at}.sqlite"
        try:
            restore(copy, tmp_path / "broken.zip")
        except (BadInput, StorageError):
            refused += 1
            assert not copy.exists()
            continue
        if right is None:
            restore(tmp_path / "right.sqlite", backup)
            right = stored(tmp_path / "right.sqlite")
        assert stored(copy) == right
    assert refused > 30


@pytest.mark.parametrize("length", [0, 1, 100, -1, -200])
def test_a_backup_that_was_cut_is_refused(backup: Path, other_target: str | Path, length: int) -> None:
    cut = backup.with_name("cut.zip")
    cut.write_bytes(backup.read_bytes()[:length])
    for attempt in (restore, plan_restore):
        with pytest.raises(BadInput, match="is no backup of pumpswap, or is damaged") as refused:
            attempt(other_target, cut)
        assert refused.value.hint
    assert stranger.is_postgresql(other_target) or not Path(other_target).exists()


def test_a_backup_that_was_edited_is_refused(backup: Path, other_target: str | Path) -> None:
    edited = backup.with_name("edited.zip")
    with zipfile.ZipFile(backup) as source, zipfile.ZipFile(edited, "w") as copy:
        for name in source.namelist():
            content = source.read(name)
            if name == "pumpswap_ledger.jsonl":
                content = content.replace(b'"deposit"', b'"foreign"', 1)
            copy.writestr(name, content)
    with pytest.raises(BadInput, match=r"pumpswap_ledger .* is not what was written"):
        restore(other_target, edited)


def test_a_backup_of_a_newer_version_is_refused_by_name(backup: Path, other_target: str | Path) -> None:
    newer = backup.with_name("newer.zip")
    shutil.copy(backup, newer)
    with zipfile.ZipFile(backup) as source, zipfile.ZipFile(newer, "w") as copy:
        for name in source.namelist():
            content = source.read(name)
            copy.writestr(
                name, content.replace(f'"{migrate.HEAD}"'.encode(), b'"0999"') if name == "manifest.json" else content
            )
    with pytest.raises(StorageError, match=rf"revision 0999, .* up to {migrate.HEAD}") as refused:
        restore(other_target, newer)
    assert "upgrade pumpswap" in refused.value.hint


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_a_backup_of_an_older_revision_is_brought_forward(
    target: str | Path, other_target: str | Path, tmp_path: Path, revision: str
) -> None:
    engine = make_engine(target)
    migrate.upgrade(engine, revision)
    engine.dispose()
    largest = 2**63 - 1
    stranger.execute(
        target,
        "INSERT INTO pumpswap_runs (kind, started_ns, settings) VALUES ('live', 7, '{}')",
        "INSERT INTO pumpswap_ledger (run_id, sequence, at_ns, asset, units, kind, slot) "
        f"VALUES (1, 1, 1, 'SOL', {largest}, 'deposit', 0), (1, 2, 1, 'SOL', {largest}, 'deposit', 0)",
    )
    written = write_backup(target, tmp_path / "old.zip", NOW)
    assert written.manifest.revision == revision
    assert migrate.current(engine) == revision, "a backup does not bring the database forward"
    engine.dispose()
    restore(other_target, written.path)
    with open_database(other_target) as database:
        run = database.run(1)
        assert run.balances() == {"SOL": 2 * largest}
        assert run.books.counted() == run.books.recount()
        assert database.start_run("test", 0).run_id == 2
