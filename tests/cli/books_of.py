"""Books for the tests of the commands over them: a real demo, in SQLite or in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import answer
from tests.support.postgres import fresh_database

__all__ = ["SEED", "place", "with_demo"]

SEED = "7"


def place(folder: Path, engine: str) -> tuple[str, ...]:
    """Options of a data folder whose books are in ``sqlite`` or ``postgres``."""
    config = folder / "pumpswap.yaml"
    config.write_text(f"database:\n  url: {fresh_database()}\n" if engine == "postgres" else "{}\n")
    return ("--data-dir", str(folder / "data"), "--config", str(config))


def with_demo(folder: Path, engine: str) -> tuple[str, ...]:
    """The same, with the books of one demo in it: open and closed rounds."""
    where = place(folder, engine)
    answer("demo", "--minutes", "30", "--seed", SEED, *where)
    return where
