"""A book that listens for weeks keeps what is held and what is new."""

from __future__ import annotations

from pumpswap.market.book import PoolBook
from pumpswap.market.history import SnapshotHistory
from pumpswap.market.shadow_book import ShadowBook
from pumpswap.model import MarketUpdate
from tests.support.market import at, graduate, snapshot

HOUR = 3_600


def address(number: int) -> str:
    return str(graduate(number).address)


def told(number: int, seconds: float) -> MarketUpdate:
    return MarketUpdate(at(seconds), address(number), graduate(number))


def test_what_is_old_and_not_kept_is_forgotten() -> None:
    book = PoolBook()
    for number in range(1, 5):
        book.apply(told(number, number * HOUR))
    book.apply(MarketUpdate(at(0), address(5), obstacle="no pool"))
    book.apply(MarketUpdate(at(4 * HOUR), address(6), obstacle="no pool either"))
    book.forget(at(3 * HOUR), {address(1)})
    assert list(book) == [address(1), address(3), address(4)]
    assert book.observed_ns(address(1)) == at(HOUR)
    assert (book.state(address(2)), book.observed_ns(address(2))) == (None, None)
    assert [book.obstacle(address(number)) for number in (5, 6)] == ["", "no pool either"]


def test_a_shadow_book_never_forgets_what_is_ours() -> None:
    book = ShadowBook({address(1): 10**9})
    for number in (1, 2):
        book.apply(told(number, 0))
    book.forget(at(HOUR), ())
    assert list(book) == [address(1)]
    assert list(book.memory()) == [address(1)]


def test_a_history_forgets_the_pools_that_no_score_looks_back_at() -> None:
    history = SnapshotHistory(2)
    for number, seconds in ((1, 0), (2, HOUR), (1, HOUR), (3, 0)):
        history.add(snapshot(graduate(number), seconds))
    history.forget(at(2 * HOUR + 1))
    assert [address(number) in history for number in (1, 2, 3)] == [True, True, False]
    assert [past.at_ns for past in history.before(snapshot(graduate(1), 2 * HOUR))] == [at(HOUR), at(0)]
