"""The feed on the practice chain: real program, real server, real sockets, and everything that goes wrong with them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.chain.pools import PoolReader
from pumpswap.chain.streams import (
    ChainStream,
    LogsSeen,
    SignatureWakes,
    SlotWatchdog,
    StreamEndpoint,
    StreamOptions,
    StreamParts,
)
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.chain.streams.watches import AccountWatch
from pumpswap.clock import SystemClock
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import NOTIFY, SOCKET, Fault, FaultKind, FaultPlan
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.market import MarketBots
from pumpswap.localnet.pools import pool_state
from pumpswap.localnet.programs import load_programs
from pumpswap.localnet.server import LocalServer, ServerOptions
from pumpswap.market.chain_feed import ChainFeed, FeedParts, feed_watches, scope_of
from pumpswap.market.live_pools import LivePools
from pumpswap.market.stream_recording import StreamRecorder, StreamRecording
from pumpswap.market.swaps_of import normalise, normalise_logs, reserves_after, swaps_of
from pumpswap.model import MarketUpdate, Swap
from tests.support.material import material, requires_material

pytestmark = requires_material("chain", "programs")

NOTICES = [
    Fault(FaultKind.DROP_NOTIFICATION, methods=frozenset({NOTIFY}), per_mille=150),
    Fault(FaultKind.DUPLICATE_NOTIFICATION, methods=frozenset({NOTIFY}), per_mille=150),
    Fault(FaultKind.REORDER_NOTIFICATION, methods=frozenset({NOTIFY}), per_mille=150),
    Fault(FaultKind.CLOSE_SOCKET, methods=frozenset({SOCKET}), per_mille=60),
    Fault(FaultKind.RATE_LIMITED, methods=frozenset({"getSignaturesForAddress", "getTransaction"}), per_mille=100),
    Fault(FaultKind.STALE, methods=frozenset({"getSignaturesForAddress"}), per_mille=200, amount=5),
]


@dataclass
class Market:
    """A chain with bots, and what a perfect feed tells of it."""

    chain: LocalChain
    bots: MarketBots
    pools: list[PoolState]

    def history(self) -> list[Swap]:
        found = []
        for line in reversed(self.chain.history(AMM_PROGRAM)):
            transaction = self.chain.transaction(line.signature)
            assert transaction is not None
            found += swaps_of(transaction)
        return found


def market(seed: int = 3) -> Market:
    folder = material("chain")
    assert folder is not None
    chain = LocalChain(seed=seed)
    load_programs(chain, folder)
    bots = MarketBots(chain, random.Random(seed))
    pools = bots.open(3)
    chain.advance(40)
    return Market(chain, bots, pools)


@asynccontextmanager
async def feed_on(
    here: Market, faults: FaultPlan, recorder: StreamRecorder | None = None, live: LivePools | None = None
) -> AsyncIterator[ChainFeed]:
    clock = SystemClock()
    warnings = Warnings(clock)
    node = LocalNode(here.chain, faults=faults)
    async with LocalServer(here.chain, ServerOptions(slot_ms=0), faults=faults).serve() as urls:
        watchdog = SlotWatchdog(node, clock, warnings, stale_after_slots=50)
        parts = StreamParts(clock, random.Random(1), watchdog, warnings)
        scope = scope_of()
        watched = live.watched() if live is not None else ()
        watches = feed_watches(scope, watched)
        assert len([one for one in watches if isinstance(one, AccountWatch)]) == len(watched)
        options = StreamOptions(first_pause_seconds=0.002, longest_pause_seconds=0.01)
        stream = ChainStream([StreamEndpoint("local", urls.ws)], watches, parts, options)
        reader = PoolReader(node) if live is not None else None
        yield ChainFeed(stream, node, scope, FeedParts(clock, warnings, recorder, live, reader))


async def listen(feed: ChainFeed, here: Market, *, slots: int, live: LivePools | None = None) -> list[MarketUpdate]:
    """Let the bots trade for so many slots, then wait until the feed has told everything."""
    told: list[MarketUpdate] = []

    async def read() -> None:
        async with aclosing(feed.updates()) as updates:
            async for update in updates:
                told.append(update)

    reading = asyncio.ensure_future(read())
    while not feed._stream.connections:  # what came before a feed began is not its to tell
        await asyncio.sleep(0.002)
    for _ in range(slots):
        here.bots.step()
        here.chain.advance()
        await asyncio.sleep(0.004)
    last = here.chain.slot
    for _ in range(400):
        if feed.settled_slot >= last + 5 and not feed.is_stale and not (live and live.in_doubt()):
            break
        here.chain.advance()
        await asyncio.sleep(0.004)
    assert feed.settled_slot >= last
    assert not reading.done()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return told


def trouble(faults: FaultPlan, first: int, *, slots: int) -> None:
    """Everything goes wrong for so many slots."""
    faults.add(*(replace(fault, first_slot=first, last_slot=first + slots) for fault in NOTICES))


def swaps_in(updates: list[MarketUpdate]) -> list[Swap]:
    return [update.swap for update in updates if update.swap is not None]


@pytest.mark.asyncio
async def test_the_feed_tells_the_practice_chains_swaps_exactly() -> None:
    here = market()
    async with feed_on(here, FaultPlan()) as feed:
        updates = await listen(feed, here, slots=40)
    assert swaps_in(updates) == here.history()
    assert len(here.history()) > 20
    assert feed.counts.failed > 0


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.asyncio
async def test_p20_under_lost_doubled_and_mixed_notifications_and_closed_sockets_nothing_is_missed(
    tmp_path: Path, seed: int
) -> None:
    here = market(seed)
    faults = FaultPlan(seed=seed)
    path = tmp_path / "stream.jsonl.gz"
    with StreamRecorder(path, scope_of()) as recorder:
        async with feed_on(here, faults, recorder) as feed:
            # The feed must be able to begin; from then on everything goes wrong until the bots stop.
            trouble(faults, here.chain.slot + 1, slots=80)
            updates = await listen(feed, here, slots=80)
    kinds = {fired.kind for fired in faults.fired}
    assert {FaultKind.DROP_NOTIFICATION, FaultKind.DUPLICATE_NOTIFICATION, FaultKind.CLOSE_SOCKET} <= kinds
    assert swaps_in(updates) == here.history()
    assert feed.counts.filled > 0
    assert list(StreamRecording(path).updates()) == updates


@pytest.mark.parametrize("faulty", [False, True])
@pytest.mark.asyncio
async def test_states_end_as_the_chain_has_them_and_replay(tmp_path: Path, faulty: bool) -> None:
    here = market(9)
    faults = FaultPlan(seed=4)
    live = LivePools()
    for state in here.pools:
        live.put(pool_state(here.chain, state))
    path = tmp_path / "stream.jsonl"
    with StreamRecorder(path, scope_of()) as recorder:
        async with feed_on(here, faults, recorder, live) as feed:
            if faulty:
                trouble(faults, here.chain.slot + 1, slots=60)
            updates = await listen(feed, here, slots=60, live=live)
    last = {update.pool: update.state for update in updates if update.state is not None}
    for state in here.pools:
        now = pool_state(here.chain, state)
        told = last[str(state.address)]
        assert (told.pool, told.base_reserve, told.quote_vault, told.base_supply) == (
            now.pool,
            now.base_reserve,
            now.quote_vault,
            now.base_supply,
        )
    assert live.in_doubt() == {}
    assert list(StreamRecording(path).updates(LivePools())) == updates


@pytest.mark.asyncio
async def test_a_landed_transaction_wakes_its_sender_also_when_it_landed_before_the_subscription() -> None:
    here = market(4)
    clock = SystemClock()
    warnings = Warnings(clock)
    async with LocalServer(here.chain, ServerOptions(slot_ms=0)).serve() as urls:
        parts = StreamParts(
            clock, random.Random(1), SlotWatchdog(None, clock, warnings, stale_after_slots=50), warnings
        )
        wakes = SignatureWakes(ChainStream([StreamEndpoint("local", urls.ws)], [], parts))
        running = asyncio.ensure_future(wakes.run())
        traded = [trade.receipt.signature for _ in range(20) for trade in here.bots.step()][:3]
        waiting = [asyncio.ensure_future(wakes.wake(signature)) for signature in traded]
        await asyncio.sleep(0.05)
        assert [one.done() for one in waiting] == [False] * 3  # processed is not confirmed
        here.chain.advance()
        await asyncio.wait_for(asyncio.gather(*waiting), 60)
        late = here.bots.step() or here.bots.step() or here.bots.step()
        here.chain.advance(2)
        await asyncio.wait_for(asyncio.gather(*(wakes.wake(one.receipt.signature) for one in late)), 60)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_reserves_after_a_swap_are_the_vaults_of_the_real_program() -> None:
    here = market(5)
    checked = 0
    for _ in range(30):
        before = {line.signature for line in here.chain.history(AMM_PROGRAM)}
        here.bots.step()
        last: dict[str, Swap] = {}
        for line in reversed(here.chain.history(AMM_PROGRAM)):
            transaction = here.chain.transaction(line.signature)
            assert transaction is not None
            if line.signature in before:
                continue
            found = normalise(transaction)
            logs = LogsSeen(transaction.slot, transaction.signature, transaction.err, transaction.logs)
            assert normalise_logs(logs).swaps == found.swaps
            assert found.unknown_lengths == found.unknown == found.malformed == 0
            last.update({swap.pool: swap for swap in found.swaps})
        for state in here.pools:
            swap = last.get(str(state.address))
            if swap is not None:
                now = pool_state(here.chain, state)
                after = reserves_after(swap)
                assert (after.base_reserve, after.quote_vault) == (now.base_reserve, now.quote_vault)
                checked += 1
        here.chain.advance()
    assert checked > 10
