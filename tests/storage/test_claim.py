"""One writer for a wallet's books, wherever it runs."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from pumpswap.errors import StorageError
from pumpswap.storage import open_database
from tests.support.postgres import fresh_database


def test_two_traders_on_one_server_do_not_write_the_same_books() -> None:
    url = fresh_database()
    with open_database(url) as here, open_database(url) as there:
        mine = here.claim("wallet A on net")
        other = there.claim("wallet B on net")
        with pytest.raises(StorageError, match="somebody else writes the books of wallet A on net") as refused:
            there.claim("wallet A on net")
        assert "another machine" in refused.value.hint
        mine.release()
        mine.release()
        again = there.claim("wallet A on net")
        again.release()
        other.release()


def test_what_was_released_can_be_claimed_at_once() -> None:
    # A server notices a closed connection a moment later. Found in a run where that moment was long enough.
    url = fresh_database()
    with open_database(url) as here, open_database(url) as there:
        for database in (here, there) * 100:
            database.claim("wallet A on net").release()


def test_a_claim_whose_connection_has_ended_is_released_without_a_word() -> None:
    url = fresh_database()
    with open_database(url) as here, open_database(url) as there:
        claim = here.claim("wallet A on net")
        with psycopg.connect(url, autocommit=True) as connection:
            held = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"
            assert connection.execute(held).fetchall() == [(True,)]
        claim.release()
        there.claim("wallet A on net").release()


_END = "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory'"


def test_a_claim_that_the_server_has_given_up_is_taken_again_unless_somebody_was_faster() -> None:
    url = fresh_database()
    with open_database(url) as here, open_database(url) as there:
        claim = here.claim("wallet A on net")
        assert claim.is_held()
        with psycopg.connect(url, autocommit=True) as connection:
            assert connection.execute(_END).fetchall() == [(True,)]
            assert claim.is_held()  # nobody has it, so it is ours again
            with pytest.raises(StorageError):
                there.claim("wallet A on net")
            assert connection.execute(_END).fetchall() == [(True,)]
        theirs = there.claim("wallet A on net")
        assert not claim.is_held()
        assert not claim.is_held()
        theirs.release()
        assert claim.is_held()
        claim.release()
        assert not claim.is_held()
        there.claim("wallet A on net").release()


def test_a_claim_ends_with_its_database() -> None:
    url = fresh_database()
    with open_database(url) as there:
        for _ in range(50):  # at once, each time
            with open_database(url) as here:
                here.claim("wallet A on net")
                with pytest.raises(StorageError):
                    there.claim("wallet A on net")
            there.claim("wallet A on net").release()


def test_sqlite_leaves_it_to_the_lock_file(tmp_path: Path) -> None:
    with open_database(tmp_path / "books.sqlite") as database:
        first, second = database.claim("wallet A"), database.claim("wallet A")
        assert first.is_held()
        first.release()
        assert not first.is_held()
        second.release()
