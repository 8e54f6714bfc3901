"""Books for people who look: what is held is the same one by one and all at once, and all at once is asked once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pumpswap.app.books import Books, Held, chosen_books, held_in, held_positions, held_rounds
from pumpswap.app.standing import standing_of
from pumpswap.clock import ManualClock
from pumpswap.model import ExitState
from pumpswap.settings import ExitRules, Settings
from pumpswap.storage import Database, open_database
from tests.storage import samples
from tests.support.statements import statements_of

RULES, NOW = ExitRules(), samples.NS + 10**10


def filled(database: Database, count: int) -> Books:
    """So many positions: some without a mark, without a name, with decimals, with a mark of other units."""
    run = database.start_run("paper", samples.NS)
    for number in range(count):
        pool, mint = f"Pool{number:05d}", f"Mint{number:05d}"
        if number % 3:
            run.know_decimals(mint, number % 7)
        over = samples.position(pool=pool, mint=mint, closed_ns=samples.NS, base_units=0, cost_lamports=0)
        held = samples.position(pool=pool, mint=mint, round=2, name="" if number % 5 == 0 else f"C{number}")
        for position in (over, held):
            run.save_position(position)
        if number % 2:
            units = held.base_units + (number % 4 == 1)
            run.save_mark(samples.mark(pool=pool, base_units=units, value_lamports=number))
        run.states.save_exits(ExitState(pool, 2, 1, 2, 3, 4, 5, 6), samples.NS)
    if count:
        intent = replace(samples.decision().intent, mint="Mint00000", signal=replace(samples.SIGNAL, name="TOLD"))
        run.save_decision(replace(samples.decision(), intent=intent))
    return Books(database, run, run.header())


def test_what_is_held_is_the_same_one_by_one_and_all_at_once(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        books = filled(database, 12)
        everything = held_positions(books, RULES, NOW)
        single = [held_in(books, f"Pool{number:05d}", RULES, NOW) for number in range(12)]
        assert list(everything) == single
        assert everything[0].position.name == "TOLD" and everything[1].position.name == "C1"
        assert [one.decimals for one in everything[:5]] == [None, 1, 2, None, 4]
        assert [one.value_lamports for one in everything[:5]] == [None, None, None, 3, None]
        assert all(one.exits is not None for one in everything)
        assert held_in(books, "nothing", RULES, NOW) is None
        rounds = list(held_rounds(books, RULES, NOW))
        assert [one for one in rounds if one.position.is_open] == single
        closed = [one for one in rounds if not one.position.is_open]
        assert closed == [Held(one.position, None, None, None) for one in closed] and len(closed) == 12


def test_a_hundred_positions_are_asked_for_as_one(tmp_path: Path) -> None:
    """What the rows themselves tell is not asked for again: with 10,000 of them that would be 30,000 questions."""
    with open_database(tmp_path / "books.sqlite") as database:
        run = database.start_run("paper", samples.NS)
        for number in range(100):
            mint = f"Mint{number:05d}"
            run.know_decimals(mint, 6)
            run.save_position(samples.position(pool=f"Pool{number:05d}", mint=mint))
        books = Books(database, run, run.header())
        with statements_of(database) as seen:
            assert len(held_positions(books, RULES, NOW)) == 100
        assert len(seen) <= 4


def test_how_one_pool_stands_does_not_ask_for_the_others(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        books, asked = filled(database, 3), []
        for _ in range(2):
            with statements_of(database) as seen:
                told = standing_of(books, "Pool00001", "Mint00001", Settings(data_dir=tmp_path), ManualClock(NOW))
            assert told.held is not None and told.held.position.pool == "Pool00001" and told.exits is not None
            asked.append(len(seen))
            for number in range(100, 140):
                books.run.save_position(samples.position(pool=f"Pool{number}", mint=f"Mint{number}"))
        assert asked[0] == asked[1]


def test_the_run_that_is_chosen_does_not_depend_on_what_the_others_were_set_to(tmp_path: Path) -> None:
    """The settings of one run are read, whatever the others have; damaged ones of an old run are no reason to fail."""
    with open_database(tmp_path / "books.sqlite") as database:
        for number in range(5):
            database.start_run("demo", number, settings={"number": number})
        with database._connections.writing("a test") as connection:
            connection.exec_driver_sql("UPDATE pumpswap_runs SET settings = 'no JSON' WHERE run_id = 2")
        books = chosen_books(database)
        assert books is not None and books.header.settings == {"number": 4}
