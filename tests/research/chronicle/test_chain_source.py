"""The practice chain's history: every recorded account state follows from events, also out of a lake or a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from solders.pubkey import Pubkey

from pumpswap.app.lake_backfill import Backfill, BackfillOptions
from pumpswap.errors import EndpointDown
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.market.chain_feed import scope_of
from pumpswap.market.feed_inputs import FeedInput, HistorySeen, PoolRead, TransactionSeen
from pumpswap.market.lake import Lake, LakeReader, LakeWriter, PoolStateSeen
from pumpswap.market.stream_recording import StreamRecorder
from pumpswap.research.chronicle.chronicle import BaseChronicle
from pumpswap.research.chronicle.sources import open_chronicle
from pumpswap.research.chronicle.sources.chain import ChainChronicle, read_history
from pumpswap.research.chronicle.sources.lake import LakeChronicle
from pumpswap.research.chronicle.verify import verify
from tests.app.chain_history import CountingNode
from tests.research.chronicle.practice import Practice, practised
from tests.research.chronicle.truth import compared
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


@pytest.fixture(scope="module")
def made() -> Practice:
    return practised(150, 5)


@pytest.fixture(scope="module")
def chronicle(made: Practice) -> ChainChronicle:
    return chronicle_of(made)


def chronicle_of(made: Practice) -> ChainChronicle:
    states = made.now()
    history = asyncio.run(read_history(LocalNode(made.chain), states))
    return ChainChronicle(states, history, lambda _: made.bots.schedule)


def test_every_recorded_account_state_follows_from_the_events(made: Practice, chronicle: ChainChronicle) -> None:
    assert len(made.truth) == 15  # one pool of each kind
    assert made.liquidity > 100
    counts = chronicle.counts
    count, wrong = compared(chronicle.steps(), made)
    assert (wrong, count > 1_800) == ([], True)
    assert min(counts[kind] for kind in ("BuyBase", "BuyQuote", "Sell", "Deposit", "Withdraw", "PoolChange")) > 3
    assert counts["exact"] == counts["steps"] - counts["states confirmed"]
    assert counts["states confirmed"] == 15
    assert not any(name.startswith(("inferred", "acts")) or "unexplained" in name for name in counts)
    found = verify(chronicle)
    assert (found.differing, found.adjusted, found.told, found.rates_unexplained) == (0, 0, 0, 0)


def test_it_is_complete_from_the_first_event_to_the_reading(made: Practice, chronicle: ChainChronicle) -> None:
    assert set(chronicle.complete) == set(made.truth)
    first, last = chronicle.span_ns
    assert all(start >= first - 10**9 and end > start for ((start, end),) in chronicle.complete.values())
    assert last > first


def test_a_history_with_a_hole_is_none(made: Practice, chronicle: ChainChronicle) -> None:
    signature = next(step.swap.signature for step in chronicle.steps() if step.swap is not None)
    node = CountingNode(made.chain, lost=frozenset({signature}))
    with pytest.raises(EndpointDown, match="does not have it"):
        asyncio.run(read_history(node, made.now()))
    with pytest.raises(EndpointDown):
        asyncio.run(read_history(CountingNode(made.chain, fails=lambda number: number == 9), made.now()))


# ---------------------------------------------------------------- the same history out of files


def same_steps(found: BaseChronicle, expected: ChainChronicle, pools: set[str]) -> None:
    """Acts and states of these pools, in their order; times are worked out anew."""

    def acts(chronicle: BaseChronicle) -> dict[str, list[tuple[object, ...]]]:
        by_pool: dict[str, list[tuple[object, ...]]] = {}
        for step in chronicle.steps():
            if step.pool in pools and step.act is not None and step.before is not None and step.after is not None:
                after = msgspec.structs.replace(step.after, slot=0)
                by_pool.setdefault(step.pool, []).append((step.slot, step.act, after, step.exactness))
        return by_pool

    assert acts(found) == acts(expected)


def openings(chronicle: ChainChronicle) -> list[PoolStateSeen]:
    return [PoolStateSeen(step.at_ns, step.after) for step in chronicle.steps() if step.before is None and step.after]


def test_a_backfilled_lake_gives_the_same(made: Practice, chronicle: ChainChronicle, tmp_path: Path) -> None:
    lake = Lake(tmp_path)

    async def work(writer: LakeWriter) -> int:
        acts = 0
        for state in made.bots.pools[::3]:
            acts += (await Backfill(LocalNode(made.chain), writer, state.address).run(BackfillOptions(page=25))).acts
        return acts

    with LakeWriter(lake) as writer:
        acts = asyncio.run(work(writer))
        writer.add("states", [PoolStateSeen(0, state) for state in made.now()[::3]])
    found = LakeChronicle(lake)
    found.schedule_for = chronicle.schedule_for
    same_steps(found, chronicle, {str(state.address) for state in made.bots.pools[::3]})
    assert compared(found.steps(), made)[1] == []
    assert verify(found).is_good
    assert acts == sum(1 for _ in LakeReader(lake).read_acts()) > 30
    assert lake.covered("acts", str(made.bots.pools[0].address)) == lake.covered(
        "swaps", str(made.bots.pools[0].address)
    )
    assert not any("does not claim" in text for text in found.assumptions)


def test_a_lake_without_acts_is_read_once_more(made: Practice, tmp_path: Path) -> None:
    """As lakes were before they kept acts: their claims are of swaps alone."""
    lake, pool = Lake(tmp_path), made.bots.pools[0].address
    node = CountingNode(made.chain)

    async def backfill(writer: LakeWriter) -> object:
        return await Backfill(node, writer, pool).run(BackfillOptions())

    with LakeWriter(lake) as writer:
        asyncio.run(backfill(writer))
    rows = list(LakeReader(lake).read_acts(str(pool)))
    assert rows
    with LakeWriter(lake) as writer:
        for file in lake.files("acts"):
            writer.discard(file.path)
    assert list(LakeReader(lake).read_acts(str(pool))) == []
    asked = node.requests
    with LakeWriter(lake) as writer:
        asyncio.run(backfill(writer))
    assert list(LakeReader(lake).read_acts(str(pool))) == rows
    assert node.requests > asked
    swaps = list(LakeReader(lake).read_swaps(str(pool)))
    assert len(swaps) == len({(swap.signature, swap.index) for swap in swaps})


def test_acts_find_their_places_among_swaps_that_were_recorded_with_those_of_other_pools(
    made: Practice, chronicle: ChainChronicle, tmp_path: Path
) -> None:
    """A recording counts the swaps of a slot over all of its pools, a backfill those of one."""
    lake = Lake(tmp_path)
    pools = [state.address for state in made.bots.pools[:6]]

    async def backfill(writer: LakeWriter) -> None:
        for pool in pools:
            await Backfill(LocalNode(made.chain), writer, pool).run(BackfillOptions(page=25))

    with LakeWriter(lake) as writer:
        for step in chronicle.steps():
            if step.swap is not None:
                writer.add("swaps", [step.swap], source="chain")
        writer.commit()
        asyncio.run(backfill(writer))
        writer.add("states", [PoolStateSeen(0, state) for state in made.now()[:6]])
    found = LakeChronicle(lake)
    found.schedule_for = chronicle.schedule_for
    same_steps(found, chronicle, {str(pool) for pool in pools})
    assert "acts that do not fit" not in found.counts


def test_a_recorded_stream_gives_the_same(made: Practice, chronicle: ChainChronicle, tmp_path: Path) -> None:
    path, pools = tmp_path / "stream.jsonl.gz", [state.address for state in made.bots.pools[:6]]
    names = {str(pool) for pool in pools}
    with StreamRecorder(path, scope_of(pools)) as recorder:
        for at, entry in enumerate(inputs(made, chronicle, pools)):
            recorder.write(10**18 + at, entry)
    found = open_chronicle(path)
    found.schedule_for = chronicle.schedule_for
    finals = [state for state in made.now() if str(state.address) in names]
    part = asyncio.run(read_history(LocalNode(made.chain), finals))
    same_steps(found, ChainChronicle(finals, part, chronicle.schedule_for), names)
    assert verify(found).is_good
    assert set(found.complete) == names
    assert found.identity.source["kind"] == "stream"


def inputs(made: Practice, chronicle: ChainChronicle, pools: list[Pubkey]) -> Iterable[FeedInput]:
    """What a feed would have heard of these pools: states, then the history, transaction by transaction."""
    pages = tuple(tuple(reversed(made.chain.history(pool))) for pool in pools)
    yield HistorySeen(0, ((),) * len(pools), is_start=True)
    for seen in openings(chronicle):
        if seen.state.address in pools:
            yield PoolRead.of(seen.state)
    newest = max(line.slot for page in pages for line in page)
    yield HistorySeen(newest + 100, pages)
    for signature in dict.fromkeys(line.signature for page in pages for line in page if line.err is None):
        transaction = made.chain.transaction(signature)
        assert transaction is not None
        yield TransactionSeen.of(transaction)
