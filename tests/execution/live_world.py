"""A live venue on the practice chain with the recorded program: real transactions, no network."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, buy_exact_quote, sell_exact_base
from pumpswap.chain.blockhash import BlockhashCache
from pumpswap.chain.generation import GenerationProbe
from pumpswap.chain.lanes import Lane, RpcLane
from pumpswap.chain.node import ChainAccount
from pumpswap.chain.schedule import ScheduleCache
from pumpswap.chain.sender import Sender, SenderParts
from pumpswap.clock import NS_PER_SECOND
from pumpswap.execution.chain_venue import ChainVenue, ChainVenueParts
from pumpswap.execution.live_books import LiveBooks
from pumpswap.execution.pool_source import ChainPools
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pools import PoolSpec, create_pool, pool_state, schedule_of
from pumpswap.localnet.programs import load_programs
from pumpswap.model import Order, TradeSide, Unknown
from pumpswap.settings import Settings
from pumpswap.storage.database import Database, open_database
from pumpswap.wallet.limits import WalletLimits
from pumpswap.wallet.secret import Secret
from pumpswap.wallet.signers import LocalSigner
from tests.support.material import material

SOL = 10**9
SEED = b"w" * 32
WALLET = Keypair.from_seed(SEED).pubkey()
LIMITS = WalletLimits(max_order_lamports=100 * SOL, max_day_lamports=1_000 * SOL, min_reserve_lamports=0)
SYSTEM = Pubkey.default()


class ChainClock:
    """The chain's own time."""

    def __init__(self, chain: LocalChain) -> None:
        self._chain = chain

    def now_ns(self) -> int:
        return self._chain.unix_time * NS_PER_SECOND


@dataclass(frozen=True)
class OneNode:
    """A pool of one endpoint."""

    node: LocalNode

    @property
    def nodes(self) -> tuple[LocalNode, ...]:
        return (self.node,)

    def usable(self) -> tuple[LocalNode, ...]:
        return (self.node,)


class World:
    """Chain, pool, a wallet with SOL, and the database that outlives a process."""

    def __init__(self, folder: Path, *, lamports: int = 10 * SOL, spec: PoolSpec | None = None) -> None:
        self.chain = LocalChain(seed=3)
        programs = material("chain")
        assert programs is not None
        load_programs(self.chain, programs)
        self.rng = random.Random(5)
        self.pool = create_pool(self.chain, spec or PoolSpec(), self.rng)
        self.chain.set_account(ChainAccount(WALLET, SYSTEM, lamports, b""))
        self.chain.advance(3)
        self.node = LocalNode(self.chain)
        self.clock = ChainClock(self.chain)
        self.database: Database = open_database(folder / "live.sqlite")
        self.settings = Settings(risk={"max_impact_bps": 5_000})  # type: ignore[arg-type]
        self.lanes: list[Lane] = []
        self.numbers = 0

    def close(self) -> None:
        self.database.close()

    def another_pool(self, **spec: Any) -> PoolState:
        made = create_pool(self.chain, PoolSpec(**spec), self.rng)
        self.chain.advance(3)
        return made

    async def open(self, **changes: Any) -> ChainVenue:
        """A fresh process: books, sender and venue on what is stored."""
        settings: Settings = changes.get("settings", self.settings)
        node = changes.get("node") or self.node
        endpoints = changes.get("node") or OneNode(self.node)  # an EndpointPool is both
        books = await LiveBooks.open(self.database, node, WALLET, self.clock)
        lanes = [RpcLane(endpoints), *self.lanes]

        async def sleep(_seconds: float) -> None:
            self.chain.advance(1)

        sender = Sender(
            SenderParts(
                endpoints,
                lanes,
                books.run.attempts,
                changes.get("signer") or LocalSigner(Secret(bytearray(SEED)), LIMITS),
                BlockhashCache(node, self.clock),
                self.clock,
                settings.sending,
                sleep=sleep,
            )
        )
        pools = changes.get("pools") or ChainPools(node, ScheduleCache(node, self.clock, 300))
        parts = ChainVenueParts(
            node=node,
            sender=sender,
            pools=pools,
            books=books,
            generations=changes.get("generations") or GenerationProbe(node, WALLET),
            wallet=WALLET,
            network=changes.get("network") or self.chain.genesis_hash,
            clock=self.clock,
            settings=settings,
            rng=random.Random(9),
            lanes=lanes,
            limits=changes.get("limits"),
        )
        return ChainVenue(parts)

    def now(self, pool: PoolState | None = None) -> PoolState:
        return pool_state(self.chain, pool or self.pool)

    @contextmanager
    def hurried(self, times: int) -> Iterator[None]:
        """Meanwhile the chain makes so many slots for each one that somebody waits."""
        advance = self.chain.advance
        self.chain.advance = lambda slots=1: advance(times * slots)  # type: ignore[method-assign]
        try:
            yield
        finally:
            self.chain.advance = advance  # type: ignore[method-assign]

    def buy(self, lamports: int, *, limit: int | None = None, pool: PoolState | None = None) -> Order:
        state = self.now(pool)
        quote = buy_exact_quote(state, schedule_of(self.chain), lamports)
        return self._order(TradeSide.BUY, state, quote.limit(300) if limit is None else limit, quote, lamports, 0)

    def sell(self, units: int, *, limit: int | None = None, pool: PoolState | None = None) -> Order:
        state = self.now(pool)
        quote = sell_exact_base(state, schedule_of(self.chain), units)
        return self._order(TradeSide.SELL, state, quote.limit(300) if limit is None else limit, quote, 0, units)

    def _order(self, side: TradeSide, state: PoolState, limit: int, quote: Any, lamports: int, units: int) -> Order:
        self.numbers += 1
        return Order(
            f"t{self.numbers:04d}", f"d{self.numbers:04d}", side, str(state.address), str(state.pool.base_mint),
            self.clock.now_ns(), limit, quote, lamports, units, 300, "a test",
        )  # fmt: skip


def books_of(venue: Any) -> LiveBooks:
    books: LiveBooks = venue.parts.books
    return books


async def agree(world: World, venue: Any) -> None:
    """Ledger, stored ledger and chain say the same of every asset."""
    await books_of(venue).check(world.node)
    stored = {asset: units for asset, units in books_of(venue).run.balances().items() if units}
    assert stored == books_of(venue).portfolio.ledger.balances()


async def unknown_order(world: World, venue: ChainVenue, order: Order) -> Unknown:
    """It lands, but from now on the node shows nothing of it: neither landed nor absent can be proven."""
    world.node.faults = FaultPlan([Fault(FaultKind.HIDE)])
    with world.hurried(60):
        outcome = await venue.execute(order)
    assert isinstance(outcome, Unknown), outcome
    return outcome
