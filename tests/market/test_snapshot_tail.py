"""Reading a collector's rows as they are written: each once, none lost, broken ones left out."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput, NotFound
from pumpswap.market.snapshot_tail import SnapshotTail, TailPlace
from pumpswap.storage.collected import open_collected
from tests.support.market import START_NS, graduate
from tests.support.postgres import fresh_database
from tests.support.snapshot_rows import CollectorFile

POOL, MINT = str(graduate().address), str(graduate().pool.base_mint)


def at(seconds: int) -> int:
    return START_NS + seconds * NS_PER_SECOND


def numbers(tail: SnapshotTail, place: TailPlace) -> list[int]:
    return [row.number for row in tail.read(place)]


def test_rows_after_a_place_are_read_in_order_and_once(tmp_path: Path) -> None:
    file = CollectorFile.made(tmp_path / "rows.sqlite")
    tail = SnapshotTail(file.path)
    assert tail.newest() == 0
    for second in range(3):
        file.add(POOL, MINT, at(second))
    found = tail.read(TailPlace(1))
    assert [(row.number, row.snapshot.at_ns) for row in found] == [(2, at(1)), (3, at(2))]
    assert (found[0].snapshot.pool, found[0].snapshot.base_mint) == (POOL, MINT)
    assert tail.read(TailPlace(3)) == []
    file.add(POOL, MINT, at(3))
    assert numbers(tail, TailPlace(3)) == [4]
    assert tail.newest() == 4


def test_the_past_goes_back_as_far_as_it_is_asked_for(tmp_path: Path) -> None:
    file = CollectorFile.made(tmp_path / "rows.sqlite")
    for second in (0, 100, 200, 300):
        file.add(POOL, MINT, at(second))
    assert [row.number for row in SnapshotTail(file.path).past(at(150))] == [3, 4]


def test_a_row_that_comes_late_under_an_earlier_number_is_not_lost(tmp_path: Path) -> None:
    file = CollectorFile.made(tmp_path / "rows.sqlite")
    tail, place = SnapshotTail(file.path), TailPlace(0)
    for number in (1, 2, 5):
        file.add(POOL, MINT, at(number), number=number)
    for row in tail.read(place):
        place = place.after(row.number)
    assert place == TailPlace(5, frozenset({3, 4}))
    file.add(POOL, MINT, at(4), number=4)
    assert numbers(tail, place) == [4]
    place = place.after(4)
    assert place == TailPlace(5, frozenset({3}))
    assert numbers(tail, place) == []


def test_a_server_is_read_as_a_file_is() -> None:
    url = fresh_database()
    with open_collected(url, 1):
        pass
    tail = SnapshotTail(url)
    assert tail.newest() == 0
    with psycopg.connect(url, autocommit=True) as connection:
        for number in (1, 2, 5):
            connection.execute(
                "INSERT INTO new_pools_history (id, pool_id, address, dex_id, network_id, collected_at)"
                " VALUES (%s, %s, %s, 'pumpswap', 'solana', to_timestamp(%s))",
                (number, f"solana_{POOL}", POOL, START_NS // NS_PER_SECOND + number),
            )
    assert [(row.number, row.snapshot.at_ns) for row in tail.read(TailPlace(1))] == [(2, at(2)), (5, at(5))]
    assert numbers(tail, TailPlace(5, frozenset({2, 3}))) == [2]
    assert [row.number for row in tail.past(at(2))] == [2, 5]
    assert tail.newest() == 5


def test_a_broken_row_does_not_keep_the_others_out(tmp_path: Path) -> None:
    file = CollectorFile.made(tmp_path / "rows.sqlite")
    file.add(POOL, MINT, at(0), collected_at="not a time")
    file.add(POOL, MINT, at(1), quote_token_price_usd="many")
    file.add(POOL, MINT, at(2))
    tail = SnapshotTail(file.path)
    assert numbers(tail, TailPlace(0)) == [3]
    assert len(tail.skipped) == 2


def test_a_database_without_a_collector_is_refused(tmp_path: Path) -> None:
    from pumpswap.storage.database import open_database

    with open_database(tmp_path / "books.sqlite"):
        pass
    with pytest.raises(BadInput, match="there are none"):
        SnapshotTail(tmp_path / "books.sqlite").newest()
    with pytest.raises(NotFound):
        SnapshotTail(tmp_path / "nowhere.sqlite").newest()


@given(st.lists(st.integers(1, 60), unique=True, min_size=1).flatmap(st.permutations))
def test_whatever_the_order_of_the_numbers_every_one_is_after_or_in_a_gap_until_it_was_read(order: list[int]) -> None:
    place = TailPlace(0)
    for read in order:
        assert read > place.last or read in place.gaps
        place = place.after(read)
    assert place.last == max(order)
    assert place.gaps == set(range(1, max(order))) - set(order)
    assert TailPlace.from_document(place.to_document()) == place


@pytest.mark.parametrize("document", [{}, {"last": "x", "gaps": []}, {"last": "1", "gaps": "2"}, {"last": "1"}])
def test_a_place_that_nobody_has_stored_so_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="place"):
        TailPlace.from_document(document)
