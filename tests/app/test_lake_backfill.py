"""Backfill on a practice chain with the real program: every swap once, holes named, and going on after a failure."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from pumpswap.app.lake_backfill import Backfill, Backfilled, BackfillOptions
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import EndpointDown
from pumpswap.market.lake import Lake, LakeReader, LakeWriter
from pumpswap.model import Swap
from tests.app.chain_history import CountingNode, History, history
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


@pytest.fixture(scope="module")
def told() -> History:
    return history(150)


async def no_wait(_: float) -> None:
    await asyncio.sleep(0)


def backfill(here: History, lake: Lake, node: CountingNode | None = None, **options: object) -> Backfilled:
    async def work() -> Backfilled:
        with LakeWriter(lake) as writer:
            run = Backfill(node or CountingNode(here.chain), writer, here.pools[0], sleep=no_wait)
            return await run.run(BackfillOptions(**{"page": 7, **options}))  # type: ignore[arg-type]

    return asyncio.run(work())


def stored(lake: Lake, here: History) -> list[Swap]:
    return list(LakeReader(lake).read_swaps(str(here.pools[0])))


def same(found: list[Swap], expected: list[Swap]) -> bool:
    def facts(swap: Swap) -> tuple[object, ...]:
        return (swap.signature, swap.index, swap.is_buy, swap.base_units, swap.quote_units, swap.trader, swap.at_ns)

    return list(map(facts, found)) == list(map(facts, expected))  # in the order of execution, too


def test_every_swap_of_the_pool_is_stored_once_and_fits_the_one_before(told: History, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    result = backfill(told, lake)
    expected = told.swaps(told.pools[0])
    assert len(expected) > 30
    assert same(stored(lake, told), expected)
    assert (result.swaps, result.stored, result.links) == (len(expected), len(expected), len(expected) - 1)
    assert result.breaks == [] and result.lost == [] and result.gaps == []
    assert result.failed > 0  # bots miss their limit now and then


def test_a_second_run_fetches_only_what_is_new(told: History, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    backfill(told, lake)
    node = CountingNode(told.chain)
    result = backfill(told, lake, node)
    # A second of block time may go on: its few transactions at either end are looked at again.
    assert node.requests <= 20 and node.pages <= 4
    assert result.stored == 0
    assert same(stored(lake, told), told.swaps(told.pools[0]))


def test_new_swaps_are_linked_to_those_of_the_last_run(tmp_path: Path) -> None:
    here, lake = history(20), Lake(tmp_path)
    first = backfill(here, lake)
    here.go_on(20)
    here.chain.advance(2)
    second = backfill(here, lake)
    expected = here.swaps(here.pools[0])
    assert same(stored(lake, here), expected)
    assert first.stored + second.stored == len(expected)
    assert second.breaks == []
    assert second.links >= second.stored


@pytest.mark.parametrize("good", [3, 11, 26])
def test_a_run_that_broke_off_is_gone_on_with(told: History, tmp_path: Path, good: int) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(EndpointDown):
        backfill(told, lake, CountingNode(told.chain, fails=lambda number: number > good))
    before = len(stored(lake, told))
    node = CountingNode(told.chain)
    result = backfill(told, lake, node)
    expected = told.swaps(told.pools[0])
    assert same(stored(lake, told), expected)
    assert before + result.stored == len(expected)
    assert result.breaks == [] and result.gaps == []


def test_a_node_that_fails_now_and_then_is_asked_again(told: History, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    backfill(told, lake, CountingNode(told.chain, fails=lambda number: number % 3 == 0))
    assert same(stored(lake, told), told.swaps(told.pools[0]))


def test_a_transaction_that_nobody_has_is_a_hole_and_a_break(told: History, tmp_path: Path) -> None:
    lake, expected = Lake(tmp_path), told.swaps(told.pools[0])
    gone = expected[len(expected) // 2]
    result = backfill(told, lake, CountingNode(told.chain, lost=frozenset({gone.signature})))
    assert result.lost == [gone.signature]
    assert [(one.older, one.newer, one.others) for one in result.breaks] == [
        (expected[len(expected) // 2 - 1].signature, expected[len(expected) // 2 + 1].signature, 1)
    ]
    assert result.gaps == [(gone.at_ns, gone.at_ns + NS_PER_SECOND)]
    # The next run asks for exactly that second again, and the hole is gone.
    again = backfill(told, lake)
    assert again.stored == 1
    assert again.gaps == []
    assert same(stored(lake, told), expected)


def test_a_node_without_old_history_ends_the_run(told: History, tmp_path: Path) -> None:
    signatures = {line.signature for line in told.chain.history(told.pools[0]) if line.err is None}
    assert len(signatures) > 50
    with pytest.raises(EndpointDown, match="has none of them") as caught:
        backfill(told, Lake(tmp_path), CountingNode(told.chain, lost=frozenset(signatures)))
    assert "archive" in caught.value.hint


def test_back_to_a_slot_or_a_time_and_no_further(told: History, tmp_path: Path) -> None:
    expected = told.swaps(told.pools[0])
    middle = expected[len(expected) // 2]
    by_slot = backfill(told, Lake(tmp_path / "slot"), from_slot=middle.slot)
    assert same(stored(Lake(tmp_path / "slot"), told), [swap for swap in expected if swap.slot >= middle.slot])
    by_time = backfill(told, Lake(tmp_path / "time"), from_ns=middle.at_ns)
    assert same(stored(Lake(tmp_path / "time"), told), [swap for swap in expected if swap.at_ns >= middle.at_ns])
    assert by_time.start_ns == middle.at_ns
    assert by_slot.start_ns is not None and by_slot.start_ns >= middle.at_ns


def test_what_is_claimed_is_there(told: History, tmp_path: Path) -> None:
    """Every swap of a claimed time is stored, whatever broke off; the time before the oldest line is not claimed."""
    expected = told.swaps(told.pools[0])
    for good in range(1, 40, 6):
        lake = Lake(tmp_path / str(good))
        with pytest.raises(EndpointDown):
            backfill(told, lake, CountingNode(told.chain, fails=lambda number, good=good: number > good), page=5)
        held = {(swap.signature, swap.index) for swap in stored(lake, told)}
        for start, end in lake.covered("swaps", str(told.pools[0])):
            assert {(one.signature, one.index) for one in expected if start <= one.at_ns < end} <= held


def test_swaps_of_another_source_are_not_stored_again(told: History, tmp_path: Path) -> None:
    lake, expected = Lake(tmp_path), told.swaps(told.pools[0])
    theirs = [replace(swap, index=swap.index + 3, event=None) for swap in expected[5:9]]
    with LakeWriter(lake) as writer:
        writer.add("swaps", theirs, source="geckoterminal")
    result = backfill(told, lake)
    assert result.known == 4
    assert len(stored(lake, told)) == len(expected)
