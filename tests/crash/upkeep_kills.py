"""kill -9 during a backup, a restore and a migration: what was before is there, or what comes after, never half."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from pumpswap.storage import migrate, open_database
from pumpswap.storage.engines import make_engine
from pumpswap.storage.maintenance import Status, check, restore, upgrade, write_backup
from pumpswap.storage.maintenance.backup_file import BackupFile
from tests.crash.books_judge import BrokenBooks
from tests.storage import samples, stranger
from tests.storage.maintenance.full_books import fill
from tests.support.material import ROOT

__all__ = ["CHORES", "kill_chore"]

CHORES = ("backup", "restore", "migrate")
ENTRIES = 3_000
NewTarget = Callable[[], str]


def kill_chore(chore: str, kills: int, rng: Random, new_target: NewTarget, folder: Path) -> None:
    """Raises BrokenBooks when a kill has left something that is neither what was there nor what should come."""
    target = new_target()
    books = [_books(new_target(), folder / f"{chore}-{number}.zip", number) for number in (1, 2)]
    restore(target, books[0])
    files = {"backup": [folder / "victim.zip"], "restore": books, "migrate": []}[chore]
    schemas = _schemas(new_target) if chore == "migrate" else {}
    if chore == "backup":
        write_backup(target, files[0], samples.NS)
    for _ in range(kills):
        _kill_once([chore, target, *map(str, files)], rng)
        if chore == "migrate":
            _judge_schema(target, schemas)
            upgrade(target)
        if chore == "backup":
            with BackupFile(files[0]) as left:
                left.verify()
        allowed = [_content(book) for book in books]
        # A downgrade drops what newer tables hold: what was in them before the first kill is not asked for again.
        if chore != "migrate" and _content(write_backup(target, folder / "now.zip", samples.NS).path) not in allowed:
            raise BrokenBooks(f"killed during a {chore}, the database holds neither of the two books")
        wrong = [finding.text for finding in check(target) if finding.status is Status.FAILED]
        if wrong:
            raise BrokenBooks(f"killed during a {chore}: {wrong}")


def _books(target: str, path: Path, number: int) -> Path:
    """A backup of full books with a long ledger, different for each number."""
    with open_database(target) as database:
        run = fill(database, target)
        run.append_entries([samples.entry(sequence, number) for sequence in range(4, ENTRIES)])
    return write_backup(target, path, samples.NS).path


def _content(path: Path) -> list[tuple[str, str]]:
    with BackupFile(path) as backup:
        return [(table.name, table.sha256) for table in backup.manifest.tables]


def _kill_once(arguments: list[str], rng: Random) -> None:
    command = [sys.executable, "-m", "tests.crash.upkeep_process", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    try:
        if not process.stdout.readline():  # the first time it is still loading
            raise BrokenBooks(f"the process ended by itself: {process.stderr.read().decode()}")
        time.sleep(rng.uniform(0.0, 0.3))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _schemas(new_target: NewTarget) -> dict[str | None, dict[str, list[str]]]:
    """What a database looks like at both ends of the migration."""
    target = new_target()
    engine = make_engine(target)
    found = {}
    migrate.upgrade(engine)
    for revision in ("0002", migrate.HEAD):
        if revision == "0002":
            migrate.downgrade(engine, revision)
        else:
            migrate.upgrade(engine)
        found[migrate.current(engine)] = stranger.schema(target)
    engine.dispose()
    return found


def _judge_schema(target: str, schemas: dict[str | None, dict[str, list[str]]]) -> None:
    engine = make_engine(target)
    revision = migrate.current(engine)
    engine.dispose()
    if revision not in schemas or stranger.schema(target) != schemas[revision]:
        raise BrokenBooks(f"killed during a migration, the database is half of revision {revision}")
    entries = stranger.query(target, "SELECT count(*), max(sequence) FROM pumpswap_ledger")
    if entries != [(ENTRIES - 1, ENTRIES - 1)]:
        raise BrokenBooks(f"killed during a migration, the ledger has {entries}")
