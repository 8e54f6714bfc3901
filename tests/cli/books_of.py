"""Books for the tests of the commands over them: a real demo, in SQLite or in PostgreSQL."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import answer
from tests.support.made_once import made_once
from tests.support.postgres import fresh_database

__all__ = ["SEED", "demo_in", "place", "with_demo"]

SEED = "7"


def place(folder: Path, engine: str) -> tuple[str, ...]:
    """Options of a data folder whose books are in ``sqlite`` or ``postgres``."""
    config = folder / "pumpswap.yaml"
    config.write_text(f"database:\n  url: {fresh_database()}\n" if engine == "postgres" else "{}\n")
    return ("--data-dir", str(folder / "data"), "--config", str(config))


def with_demo(folder: Path, engine: str) -> tuple[str, ...]:
    """The same, with the books of one demo in it: open and closed rounds."""
    where = place(folder, engine)
    if engine == "sqlite":
        demo_in(folder / "data")
    else:
        answer("demo", "--minutes", "30", "--seed", SEED, *where)
    return where


def demo_in(folder: Path) -> None:
    """The books of that demo in a data folder: traded once, for all tests of this process."""

    def trade(made: Path) -> None:
        answer("demo", "--minutes", "30", "--seed", SEED, "--data-dir", str(made))

    made_once(("demo", SEED), trade, folder)
