"""Books survive kill -9 of their writer, of the server and of every chore; and the judge can say no."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from pumpswap.storage import open_database
from tests.crash.books_judge import BrokenBooks, judge_books, latest_of
from tests.crash.books_kills import Victim, run_books_kills
from tests.crash.books_process import next_number, open_books, trade
from tests.crash.upkeep_kills import CHORES, kill_chore
from tests.storage import stranger
from tests.support.postgres import fresh_database

TRADES = 30


@pytest.mark.parametrize(
    "victims",
    [[Victim.SQLITE] * 4, [Victim.CLIENT] * 3, [Victim.BACKEND, Victim.SERVER]],
    ids=["SQLite", "PostgreSQL", "the server"],
)
def test_p23_books_are_whole_after_kill_nine(victims: list[str]) -> None:
    run = run_books_kills(5, victims)
    assert sum(run.killed.values()) == len(victims)
    assert run.trades > 0


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("chore", CHORES)
def test_a_killed_chore_leaves_what_was_there_or_what_should_come(chore: str, engine: str, tmp_path: Path) -> None:
    numbers = iter(range(100))

    def new_target() -> str:
        return str(tmp_path / f"{next(numbers)}.sqlite") if engine == "sqlite" else fresh_database()

    kill_chore(chore, 2, Random(5), new_target, tmp_path)


# ---------------------------------------------------------------- the judge


@pytest.fixture
def books(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[Path, dict[str, int]]:
    """Books of a writer that was not killed, and what it has reported."""
    path = tmp_path / "books.sqlite"
    with open_database(path) as database:
        written = open_books(database)
        for _ in range(TRADES):
            trade(written, next_number(written))
    return path, latest_of(capsys.readouterr().out.splitlines())


def test_whole_books_are_right(books: tuple[Path, dict[str, int]]) -> None:
    path, reported = books
    assert set(reported.values()) == {TRADES}
    assert judge_books(path, reported) == TRADES - TRADES // 7


LAST = f"l{TRADES:06d}"


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        ("DELETE FROM pumpswap_attempts WHERE order_id = '{last}'", "the attempt of order 30 is lost"),
        ("UPDATE pumpswap_attempts SET state = 'sent' WHERE order_id = '{last}'", "order 30 has landed"),
        ("DELETE FROM pumpswap_equity WHERE id = (SELECT max(id) FROM pumpswap_equity)", "equity 30 is lost"),
        ("DELETE FROM pumpswap_ledger WHERE sequence = 9", "db check: .*ledger: the ledger of run 1"),
        ("DELETE FROM pumpswap_trades WHERE order_id = 'l000003'", "db check: .*l000003 of run 1 is filled and not"),
        (
            "UPDATE pumpswap_orders SET status = 'pending', outcome_ns = NULL, outcome = NULL WHERE id = 7",
            "differs|half|open",
        ),
        ("UPDATE pumpswap_positions SET base_units = base_units + 1 WHERE closed_ns IS NULL", "the audit differs"),
        (
            "UPDATE pumpswap_orders SET status = 'pending', outcome_ns = NULL WHERE id = 7",
            "db check: .*l000007 of run 1 is pending",
        ),
    ],
)
def test_the_judge_finds_what_is_missing(books: tuple[Path, dict[str, int]], spoil: str, text: str) -> None:
    path, reported = books
    stranger.execute(path, "PRAGMA foreign_keys = OFF", spoil.format(last=LAST))
    with pytest.raises(BrokenBooks, match=text):
        judge_books(path, reported)


@pytest.mark.parametrize(
    ("step", "text"),
    [("decided", "decision 31 is lost"), ("admitted", "decision 31 is lost"), ("settled", "decision 31 is lost")],
)
def test_the_judge_misses_what_was_reported(books: tuple[Path, dict[str, int]], step: str, text: str) -> None:
    path, reported = books
    with pytest.raises(BrokenBooks, match=text):
        judge_books(path, reported | {step: TRADES + 1})


def test_the_judge_wants_books_where_something_was_reported(tmp_path: Path) -> None:
    assert judge_books(tmp_path / "nothing.sqlite", {}) == 0
    with pytest.raises(BrokenBooks, match="there are no books any more"):
        judge_books(tmp_path / "nothing.sqlite", {"decided": 1})
