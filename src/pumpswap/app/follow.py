"""Following wallets: their swaps from a chain or a recording, as signals with what the gate would say to each.

Nothing is traded here. The gate answers for a paper wallet of ``paper.start_sol`` that holds nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, schedule_at
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.chain.streams import ChainStream, SlotWatchdog, StreamParts, stream_endpoints
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput, ChainError, ConfigError, PumpSwapError
from pumpswap.market.book import PoolBook
from pumpswap.market.chain_feed import ChainFeed, FeedParts, feed_watches, scope_of
from pumpswap.market.gap_fill import fetch_transactions
from pumpswap.market.live_pools import LivePools
from pumpswap.market.sequencer import FeedScope
from pumpswap.market.stream_recording import StreamRecording
from pumpswap.market.swaps_of import swaps_of
from pumpswap.market.tape import open_recording
from pumpswap.model import Decision, Intent, MarketUpdate, Signal, Swap, TradeSide
from pumpswap.risk.gate import PoolView, RiskGate
from pumpswap.risk.policies import BookView
from pumpswap.sdk.connection import ChainConnection
from pumpswap.settings import Settings
from pumpswap.signals.wallet_follow import WalletFollower, seen_of

__all__ = ["FollowDesk", "Followed", "follow_chain", "follow_recording", "learn_past", "swap_stream"]

_MOST_STREAMS = 16  # wallets that get a subscription each; with more, all swaps of the program are listened to
_STREAM_SUFFIXES = (".jsonl", ".gz")


@dataclass(frozen=True, slots=True)
class Followed:
    """A swap of a followed wallet. ``decision`` is the gate's answer to a buy, None for a sell: nothing is held."""

    swap: Swap
    signal: Signal
    decision: Decision | None


class FollowDesk:
    """Scores swaps and asks the gate. Raises ConfigError when nobody is followed."""

    def __init__(self, settings: Settings) -> None:
        if not settings.follow.wallets:
            raise ConfigError("nobody is followed", hint="name a wallet with --wallet, or under follow.wallets")
        self.settings = settings
        self.follower = WalletFollower(settings.follow)
        self._gate = RiskGate(settings.risk, settings.signals)

    @property
    def wallets(self) -> tuple[str, ...]:
        """Who is followed."""
        return tuple(wallet.address for wallet in self.settings.follow.wallets)

    def hear(self, swap: Swap, view: PoolView, at_ns: int, schedule: FeeSchedule) -> Followed | None:
        """None for a swap that is nobody's, or in a pool that is not priced in SOL. One in a pool that could not be
        read is a signal, but joins no record: nobody knows in what it was paid.
        """
        if view.state is not None and view.state.pool.quote_mint != WSOL_MINT:
            return None
        is_known = view.state is not None or not view.obstacle
        signal = self.follower.signal(swap, seen_of(view.state), learn=is_known)
        if signal is None:
            return None
        if not swap.is_buy:
            return Followed(swap, signal, None)
        reason = f"{signal.source} {signal.score:.1f}"
        intent = Intent(TradeSide.BUY, swap.pool, signal.mint or "", at_ns, reason, signal)
        return Followed(swap, signal, self._gate.decide(intent, view, self._empty_book(), schedule))

    def _empty_book(self) -> BookView:
        start = self.settings.paper.lamports("start_sol")
        return BookView(start, start, 0, 0, None, has_open_order=False, closed_ns=None)


def follow_recording(target: str | Path, desk: FollowDesk) -> Iterator[Followed]:
    """Signals of a recording: of a stream, a tape of trades, a host export, a lake. Raises NotFound or BadInput."""
    book = PoolBook()
    for update in _recorded(target):
        book.apply(update)
        swap = update.swap
        if swap is None or not desk.follower.follows(swap.trader):
            continue
        view = PoolView(book.state(swap.pool), book.observed_ns(swap.pool), book.obstacle(swap.pool))
        found = desk.hear(swap, view, update.at_ns, schedule_at(update.at_ns // NS_PER_SECOND))
        if found is not None:
            yield found


def _recorded(target: str | Path) -> Iterable[MarketUpdate]:
    if "://" not in str(target) and Path(target).suffix in _STREAM_SUFFIXES:
        return StreamRecording(Path(target)).updates(LivePools())
    return open_recording(target).updates()


async def learn_past(connection: ChainConnection, desk: FollowDesk, most: int) -> int:
    """Teach the desk what the wallets did before now: at most ``most`` transactions each. How many swaps were learnt.

    Raises the node's ChainError: a record with holes would be a wrong one.
    """
    found: list[Swap] = []
    for wallet in desk.wallets if most else ():
        lines = await connection.node.signatures_for(Pubkey.from_string(wallet), limit=most)
        names = [line.signature for line in reversed(lines) if line.err is None]
        for answer in await fetch_transactions(connection.node, names):
            if isinstance(answer, ChainError):
                raise answer
            if answer is None:
                raise BadInput("the node lists a transaction that it does not have", hint="ask another endpoint")
            found += [swap for swap in swaps_of(answer) if swap.trader == wallet]
    pools = {Pubkey.from_string(swap.pool) for swap in found}
    states = await connection.reader.load_many(sorted(pools, key=bytes), on_refusal=lambda *_: None)
    in_sol = {str(address) for address, state in states.items() if state.pool.quote_mint == WSOL_MINT}
    learnt = sorted((swap for swap in found if swap.pool in in_sol), key=lambda swap: (swap.slot, swap.at_ns))
    for swap in learnt:
        desk.follower.learn(swap)
    return len(learnt)


async def follow_chain(connection: ChainConnection, desk: FollowDesk) -> AsyncGenerator[Followed, None]:
    """Signals as the wallets trade, each at the state of its pool right then. Runs until it is closed."""
    async with aclosing(swap_stream(connection, desk.wallets).updates()) as updates:
        async for update in updates:
            swap = update.swap
            if swap is None or not desk.follower.follows(swap.trader):
                continue
            view = await _view(connection, swap)
            schedule = await connection.schedules.current()
            found = desk.hear(swap, view, connection.clock.now_ns(), schedule)
            if found is not None:
                yield found


async def _view(connection: ChainConnection, swap: Swap) -> PoolView:
    """The pool now; one that cannot be read is not traded in, and the signal says so."""
    try:
        state = await connection.reader.load(Pubkey.from_string(swap.pool), min_context_slot=swap.slot)
    except PumpSwapError as failed:
        return PoolView(None, None, failed.what)
    return PoolView(state, connection.clock.now_ns())


def swap_stream(connection: ChainConnection, wallets: Sequence[str] = ()) -> ChainFeed:
    """The swaps of these wallets, or of everybody, as the chain shows them."""
    chain, clock = connection.settings.chain, connection.clock
    warnings = Warnings(clock)
    watchdog = SlotWatchdog(connection.node, clock, warnings, stale_after_slots=chain.stale_after_slots)
    scope = FeedScope(tuple(wallets)) if 0 < len(wallets) <= _MOST_STREAMS else scope_of()
    parts = StreamParts(clock, SystemRandom(), watchdog, warnings)
    stream = ChainStream(stream_endpoints(chain.endpoints), feed_watches(scope), parts)
    return ChainFeed(stream, connection.node, scope, FeedParts(clock, warnings))
