"""Two of three endpoints killed, stalled or lagging in turn: trading goes on, no swap is missed or told twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.transaction import VersionedTransaction

from pumpswap.amm import FeeSchedule, PoolState, Quote, buy_exact_quote, sell_exact_base, swap_instruction
from pumpswap.amm.addresses import TOKEN_PROGRAM, WSOL_MINT
from pumpswap.amm.events import BuyEvent, SellEvent, events_of_transaction
from pumpswap.chain.endpoint import EndpointRules
from pumpswap.chain.endpoints import EndpointPool
from pumpswap.chain.node import Commitment
from pumpswap.chain.pools import load_pool
from pumpswap.chain.rpc import RpcNode
from pumpswap.chain.streams import ChainStream, SlotWatchdog, StreamOptions, StreamParts, stream_endpoints
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.clock import SystemClock
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.pools import fund_tokens, pool_state
from pumpswap.market.chain_feed import ChainFeed, FeedOptions, FeedParts, feed_watches, scope_of
from pumpswap.market.sequencer import FeedCounts
from pumpswap.model import Swap
from tests.clients.practice import practice_chain, schedule_of
from tests.clients.three_endpoints import SLOT_SECONDS, ThreeEndpoints, three_endpoints
from tests.support.material import requires_material

pytestmark = [requires_material("chain", "programs"), pytest.mark.slow]

SOL = 1_000_000_000
STALE_SLOTS = 20
TRADES = 3
# (endpoint, what happens to it): in each round one endpoint is left.
ROUNDS = (
    ((0, "killed"), (1, "stalled")),
    ((1, "killed"), (2, "lagging")),
    ((2, "stalled"), (0, "lagging")),
    ((0, "stalled"), (1, "lagging")),
    ((2, "killed"), (1, "stalled")),
    ((0, "lagging"), (2, "killed")),
)
WITHIN_SECONDS = 60


@dataclass
class Market:
    """One pool, a trader who goes through the endpoints, and a crowd that is on the chain directly."""

    chain: LocalChain
    opening: PoolState
    schedule: FeeSchedule
    trader: Keypair
    crowd: Keypair
    rng: random.Random = field(default_factory=lambda: random.Random("failover"))
    count: int = 0

    def signed(self, state: PoolState, wallet: Keypair, blockhash: Hash) -> VersionedTransaction:
        """A swap of random size and direction; its priority fee makes it unlike all others."""
        quote: Quote
        if self.rng.random() < 0.6:
            quote = buy_exact_quote(state, self.schedule, self.rng.randrange(SOL // 100, SOL // 2))
        else:
            quote = sell_exact_base(state, self.schedule, self.rng.randrange(10**9, 10**12))
        self.count += 1
        swap = swap_instruction(
            quote, state, self.schedule, user=wallet.pubkey(), limit=quote.limit(3_000), generation=1
        )
        steps = [set_compute_unit_limit(400_000), set_compute_unit_price(self.count), swap]
        return VersionedTransaction(MessageV0.try_compile(wallet.pubkey(), steps, [], blockhash), [wallet])

    def crowd_trades(self) -> None:
        state = pool_state(self.chain, self.opening)
        raw = bytes(self.signed(state, self.crowd, self.chain.blockhash().blockhash))
        assert self.chain.submit(raw).err is None

    def history(self) -> list[tuple[str, int, int, bool, int, int, str]]:
        """Every swap of the pool, oldest first, as the chain itself holds it."""
        found = []
        for line in reversed(self.chain.history(self.opening.address)):
            transaction = self.chain.transaction(line.signature)
            assert transaction is not None
            called = [(one.program, one.accounts, one.data) for one in transaction.instructions]
            events = events_of_transaction(transaction.logs, called).events
            trades = [one.event for one in events if isinstance(one.event, BuyEvent | SellEvent)]
            found += [_row(line.signature, line.slot, at, event) for at, event in enumerate(trades)]
        return found


def _row(
    signature: str, slot: int, index: int, event: BuyEvent | SellEvent
) -> tuple[str, int, int, bool, int, int, str]:
    if isinstance(event, BuyEvent):
        return signature, slot, index, True, event.base_amount_out, event.total_quote, str(event.user)
    return signature, slot, index, False, event.base_amount_in, event.user_quote_amount_out, str(event.user)


def _told(swap: Swap) -> tuple[str, int, int, bool, int, int, str]:
    return (
        swap.signature,
        swap.slot,
        swap.index,
        swap.is_buy,
        swap.base_units,
        swap.quote_units,
        swap.trader,
    )


def _market() -> Market:
    chain, opening, (trader, crowd) = practice_chain(4, wallets=2)
    for wallet in (trader, crowd):
        fund_tokens(chain, wallet.pubkey(), WSOL_MINT, TOKEN_PROGRAM, 40 * SOL)
        fund_tokens(chain, wallet.pubkey(), opening.pool.base_mint, opening.base_token_program, 10**14)
    return Market(chain, opening, schedule_of(chain), trader, crowd)


def _pool(endpoints: ThreeEndpoints) -> EndpointPool:
    clock = SystemClock()
    nodes = [RpcNode(one, clock=clock) for one in endpoints.settings()]
    # The chain is more than ten times as fast as mainnet, and so are the pauses.
    rules = EndpointRules(max_slot_lag=STALE_SLOTS, pause_seconds=0.1, longest_pause_seconds=0.5)
    return EndpointPool(nodes, clock, rules=rules)


def _feed(endpoints: ThreeEndpoints, node: EndpointPool, market: Market) -> tuple[ChainFeed, ChainStream]:
    clock = SystemClock()
    warnings = Warnings(clock)
    scope = scope_of([market.opening.address])
    watchdog = SlotWatchdog(node, clock, warnings, stale_after_slots=STALE_SLOTS)
    stream = ChainStream(
        stream_endpoints(endpoints.settings()),
        feed_watches(scope),
        StreamParts(clock, random.Random("stream"), watchdog, warnings),
        StreamOptions(first_pause_seconds=0.02, longest_pause_seconds=0.2, failures_per_endpoint=1, check_seconds=0.1),
    )
    return ChainFeed(stream, node, scope, FeedParts(clock, warnings), FeedOptions(idle_slots=5)), stream


async def _trade(market: Market, node: EndpointPool) -> str:
    """Read, quote, send and confirm, all through the endpoints; the signature."""
    state = await load_pool(node, market.opening.address)
    blockhash = await node.latest_blockhash()
    market.crowd_trades()
    transaction = market.signed(state, market.trader, blockhash.blockhash)
    signature = str(transaction.signatures[0])
    while True:
        await node.send(bytes(transaction))
        await asyncio.sleep(2 * SLOT_SECONDS)
        (status,) = (await node.statuses([signature])).statuses
        if status is not None and status.commitment is not Commitment.PROCESSED:
            assert status.err is None
            return signature


async def _read(market: Market, node: EndpointPool, last_slot: int) -> int:
    """Read the pool; its slot. It is the pool of that slot, and time has not turned back."""
    state = await load_pool(node, market.opening.address)
    assert state.slot >= last_slot
    vaults = (state.pool.pool_base_token_account, state.pool.pool_quote_token_account)
    accounts = [market.chain.account_at(vault, state.slot) for vault in vaults]
    units = [int.from_bytes(one.data[64:72], "little") for one in accounts if one is not None]
    assert units == [state.base_reserve, state.quote_vault]
    return state.slot


async def _collect(feed: ChainFeed, swaps: list[Swap]) -> None:
    async for update in feed.updates():
        if update.swap is not None:
            swaps.append(update.swap)


async def _rounds(market: Market, endpoints: ThreeEndpoints, node: EndpointPool) -> Sequence[str]:
    signatures, slot = [], 0
    for troubles in ROUNDS:
        stalls = [server.stalls for server in endpoints.servers]
        for number, kind in troubles:
            await endpoints.trouble(number, kind)
        for _ in range(TRADES):
            signatures.append(await asyncio.wait_for(_trade(market, node), WITHIN_SECONDS))
            slot = await asyncio.wait_for(_read(market, node, slot), WITHIN_SECONDS)
        health = await node.refresh()
        # Who is asked first depends on how fast each has answered: nobody need have asked the one that is stalled.
        while any(endpoints.servers[at].stalls == stalls[at] for at, kind in troubles if kind == "stalled"):
            await asyncio.sleep(SLOT_SECONDS)
            await node.refresh()
        for number, kind in troubles:
            # The pool knows who is behind, which is why no read above came from there.
            assert kind != "lagging" or health[number].lag_slots > STALE_SLOTS, health[number]
        await endpoints.recover()
        market.crowd_trades()
        await asyncio.sleep(10 * SLOT_SECONDS)
    return signatures


async def _settled(feed: ChainFeed, slot: int) -> None:
    while feed.settled_slot < slot:
        await asyncio.sleep(SLOT_SECONDS)


@dataclass(frozen=True)
class Told:
    """What came of a run. ``stalls`` counts the faults of each server."""

    signatures: Sequence[str]
    swaps: list[Swap]
    counts: FeedCounts
    connections: int
    stalls: Sequence[int]


async def _run(market: Market) -> Told:
    swaps: list[Swap] = []
    async with three_endpoints(market.chain) as endpoints, _pool(endpoints) as node:
        feed, stream = _feed(endpoints, node, market)
        collecting = asyncio.ensure_future(_collect(feed, swaps))
        try:
            while not stream.connections:
                await asyncio.sleep(SLOT_SECONDS)
            signatures = await _rounds(market, endpoints, node)
            await asyncio.wait_for(_settled(feed, market.chain.slot), WITHIN_SECONDS)
        finally:
            await stream.close()
            await asyncio.wait_for(asyncio.gather(collecting, return_exceptions=True), WITHIN_SECONDS)
        if not collecting.cancelled() and collecting.exception() is not None:
            raise AssertionError("the feed broke") from collecting.exception()
    return Told(signatures, swaps, feed.counts, stream.connections, [server.stalls for server in endpoints.servers])


def test_with_two_of_three_endpoints_in_trouble_trading_goes_on_and_the_stream_misses_nothing() -> None:
    market = _market()
    told = asyncio.run(_run(market))
    history = market.history()
    assert len(told.signatures) == len(set(told.signatures)) == TRADES * len(ROUNDS)
    # Each transaction of ours landed once, among those of the crowd: one per trade of ours, one per round.
    assert len(history) == 2 * len(told.signatures) + len(ROUNDS)
    assert [row[0] for row in history if row[6] == str(market.trader.pubkey())] == list(told.signatures)
    assert [_told(swap) for swap in told.swaps] == history
    assert (told.counts.swaps, told.counts.unreadable, told.counts.malformed) == (len(history), 0, 0)
    # There were gaps, and the endpoints really were in trouble: otherwise nothing has been shown.
    assert told.counts.filled > 0
    assert told.connections > 1
    assert all(told.stalls)
