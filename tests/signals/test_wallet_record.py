"""Rounds of a wallet: first in first out, fees in, dust lost, and nothing counted that was not seen."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from pumpswap.model import Swap
from pumpswap.settings import FollowSettings
from pumpswap.signals.wallet_record import WalletBook, WalletRecord

NS = 10**9
SOL = 10**9
FEE = 5_000


def swap(seconds: float, *, buy: bool, units: int, lamports: int, pool: str = "p") -> Swap:
    return Swap(pool, int(seconds * NS), buy, units, lamports, "w")


def record_of(*swaps: Swap, **settings: object) -> WalletRecord:
    book = WalletBook(FollowSettings(**settings))  # type: ignore[arg-type]
    for one in swaps:
        book.take(one)
    return book.record


def test_a_round_is_what_came_back_against_what_it_cost_signatures_included() -> None:
    found = record_of(
        swap(0, buy=True, units=1_000, lamports=SOL),
        swap(60, buy=False, units=1_000, lamports=2 * SOL),
    )
    assert found == WalletRecord(1, 1, SOL + FEE, 2 * SOL - FEE, 0, 1, 0, SOL)
    assert (found.hit_rate, found.quick_share, found.small_share) == (1, 0, 0)
    assert found.total_return == (2 * SOL - FEE) / (SOL + FEE) - 1


def test_the_oldest_tokens_are_sold_first_and_a_round_ends_when_nothing_is_left() -> None:
    book = WalletBook(FollowSettings())
    book.take(swap(0, buy=True, units=1_000, lamports=SOL))
    book.take(swap(1, buy=True, units=1_000, lamports=3 * SOL))
    book.take(swap(2, buy=False, units=1_000, lamports=2 * SOL))
    assert (book.record.rounds, book.held_units("p")) == (0, 1_000)
    book.take(swap(100, buy=False, units=1_000, lamports=SOL))
    assert (book.record.rounds, book.record.hits, book.held_units("p")) == (1, 0, 0)
    assert book.record.cost_lamports == 4 * SOL + 2 * FEE
    assert book.record.proceeds_lamports == 3 * SOL - 2 * FEE


def test_dust_ends_a_round_and_its_cost_is_lost() -> None:
    buy = swap(0, buy=True, units=10_000, lamports=SOL)
    assert record_of(buy, swap(60, buy=False, units=9_899, lamports=SOL)).rounds == 0
    found = record_of(buy, swap(60, buy=False, units=9_900, lamports=SOL))
    assert (found.rounds, found.cost_lamports) == (1, SOL + FEE)


def test_what_was_sold_without_being_bought_counts_for_nothing() -> None:
    assert record_of(swap(0, buy=False, units=5, lamports=SOL)) == WalletRecord()
    found = record_of(swap(0, buy=True, units=1_000, lamports=SOL), swap(60, buy=False, units=4_000, lamports=8 * SOL))
    assert (found.rounds, found.proceeds_lamports) == (1, (8 * SOL - FEE) // 4)


def test_pools_are_told_apart() -> None:
    found = record_of(
        swap(0, buy=True, units=10, lamports=SOL, pool="a"),
        swap(1, buy=True, units=10, lamports=SOL, pool="b"),
        swap(99, buy=False, units=10, lamports=2 * SOL, pool="b"),
    )
    assert (found.rounds, found.buys, found.hits) == (1, 2, 1)


def test_quick_rounds_and_small_buys_are_counted() -> None:
    def rounds(seconds: float, lamports: int) -> WalletRecord:
        return record_of(
            swap(0, buy=True, units=10, lamports=lamports),
            swap(seconds, buy=False, units=10, lamports=SOL),
            quick_sell_seconds=30,
            min_quote_sol=Decimal("0.05"),
        )

    assert rounds(30, SOL).quick_rounds == 1
    assert rounds(31, SOL).quick_rounds == 0
    assert rounds(31, SOL // 20).small_buys == 0
    assert rounds(31, SOL // 20 - 1).small_buys == 1


def test_the_habit_is_the_median_of_the_latest_buys() -> None:
    early = [swap(number, buy=True, units=1, lamports=9 * SOL) for number in range(50)]
    late = [swap(100 + number, buy=True, units=1, lamports=SOL) for number in range(26)]
    assert record_of(*early).habit_lamports == 9 * SOL
    assert record_of(*early, *late).habit_lamports == SOL


moves = st.lists(st.tuples(st.booleans(), st.integers(1, 1_000), st.integers(0, 10**9)), max_size=40)


@given(moves)
def test_nothing_is_gained_or_lost_between_the_rounds(listed: list[tuple[bool, int, int]]) -> None:
    book = WalletBook(FollowSettings())
    spent = received = 0
    for number, (is_buy, units, lamports) in enumerate(listed):
        before = book.held_units("p")
        book.take(swap(number, buy=is_buy, units=units, lamports=lamports))
        held = book.held_units("p")
        if is_buy:
            assert held == before + units
            spent += lamports + FEE
        else:
            assert held in (max(before - units, 0), 0)
            received += lamports
    found = book.record
    assert 0 <= found.hits <= found.rounds and found.quick_rounds <= found.rounds
    assert found.cost_lamports <= spent
    assert found.proceeds_lamports <= received
    assert found.total_return >= -1
