"""The collector: new pools, later looks at known ones, their candles and trades; stored unit by unit, for ever.

A unit is one answer of the service: what it says and when it is asked for again are one transaction. So the loop can be
ended between any two units, in any way, and goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from pumpswap.chain.rate_limit import Sleep
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import DataSourceError, PumpSwapError, SourceRefused, StorageError
from pumpswap.market.collect_plan import (
    CollectPlan,
    CollectTally,
    candles_needed,
    has_settled,
    is_of_pool,
    missing_in,
    next_cycle,
    retry_at,
)
from pumpswap.market.collect_rows import seen_pool, seen_trade
from pumpswap.market.gecko.client import MOST_CANDLES, MOST_POOLS, TOO_OLD
from pumpswap.market.gecko.records import CandlePage, PoolPage, TradePage
from pumpswap.model.collected import Cycle, FollowedPool, SeenCandle
from pumpswap.storage.collected import CollectedMarket, PageResult, Skipped
from pumpswap.storage.collected.cursors import Due
from pumpswap.storage.collected.market import ScoreRule

__all__ = ["Collector", "CollectorParts", "PoolService"]

_CENT = Decimal("0.01")
_MOST_DUE = 5_000  # pools that one round looks at again
_MOST_SAID = 10_000  # messages that are remembered, so that each is said once
_MOST_IN_A_ROW = 3  # failures of the service, or of the database, before a round, or the collector, gives up


class PoolService(Protocol):
    """What is asked of a market-data service: GeckoClient has it."""

    async def new_pools(self, page: int = 1) -> PoolPage: ...

    async def pool(self, address: str) -> PoolPage: ...

    async def pools(self, addresses: Sequence[str]) -> PoolPage: ...

    async def trades(self, pool: str, *, above_usd: Decimal = Decimal(0)) -> TradePage: ...

    async def candles(
        self, pool: str, timeframe: str, *, before_seconds: int | None = None, limit: int = MOST_CANDLES
    ) -> CandlePage: ...

    def candles_back_to(
        self, pool: str, timeframe: str, start_seconds: int, *, before_seconds: int | None = None
    ) -> AsyncIterator[CandlePage]: ...


@dataclass(frozen=True, slots=True)
class CollectorParts:
    """``phase`` is told what is being done, ``note`` what somebody should know; both are for people."""

    clock: Clock
    sleep: Sleep = asyncio.sleep
    phase: Callable[[str], None] = lambda _text: None
    note: Callable[[str], None] = lambda _text: None


@dataclass
class _Round:
    """``until_ns``: when the next one should begin. ``in_a_row``: failures of the service since its last answer, and
    ``has_answer``: whether there was one.
    """

    cycle: Cycle
    until_ns: int | None = None
    errors: list[str] = field(default_factory=list)
    in_a_row: int = 0
    has_answer: bool = False

    def answered(self) -> None:
        """The service has answered."""
        self.in_a_row, self.has_answer = 0, True

    @property
    def is_hopeless(self) -> bool:
        return self.in_a_row >= _MOST_IN_A_ROW


class Collector:
    """Asks a service and stores what it says. ``tally`` is what has been done so far; ``stop`` ends it after a unit."""

    def __init__(
        self, service: PoolService, market: CollectedMarket, plan: CollectPlan, rule: ScoreRule, parts: CollectorParts
    ) -> None:
        self._service, self._market, self._plan, self._rule, self._parts = service, market, plan, rule, parts
        self._stop = asyncio.Event()
        self._storage_failures = 0
        self._shown: set[str] = set()
        self.tally = CollectTally()

    def stop(self) -> None:
        """End after the unit that is under way."""
        self._stop.set()

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has asked it to end."""
        return self._stop.is_set()

    async def run(self, *, cycles: int | None = None, until_ns: int | None = None) -> CollectTally:
        """Rounds until ``cycles`` are done, ``until_ns`` has come, or ``stop`` is called.

        What fails is noted and tried again in a later round. Raises StorageError when the database has refused several
        units in a row: then nothing can be collected.
        """
        clock, interval_ns = self._parts.clock, self._plan.interval_ns
        while True:
            is_last = cycles is not None and self.tally.cycles + 1 >= cycles
            started_ns = clock.now_ns()
            try:
                started_ns = (await self.cycle(is_last=is_last)).started_ns
            except StorageError as error:
                self._round_failed(error, is_last=is_last)
            if self.is_stopped or self.tally.cycles == cycles:
                break
            next_ns = started_ns + interval_ns
            if until_ns is not None and next_ns >= until_ns:
                break
            # A clock that was set back must not make the next round wait for the difference.
            await self._pause(min(max(next_ns - clock.now_ns(), 0), interval_ns))
        return self.tally

    async def cycle(self, *, is_last: bool = True) -> Cycle:
        """One round: the pages of new pools, then every known pool that is due.

        When it is not the last one, it leaves to the next what it has no time for.
        """
        now_ns, network = self._parts.clock.now_ns(), self._plan.network
        before = self._market.cycle(network)
        cycle = next_cycle(before, network, now_ns, self._plan.interval_ns)
        if cycle is not before:
            self._market.begin_cycle(cycle, self._plan.follow_ns)
        turn = _Round(cycle, None if is_last else cycle.started_ns + self._plan.interval_ns)
        for page in range(cycle.next_page, self._plan.pages + 1):
            if self.is_stopped or turn.is_hopeless or not await self._new_pools(turn, page):
                break
        await self._follow(turn)
        if self.is_stopped:
            return cycle  # it is resumed, or left behind, by the next start
        self._market.finish_cycle(cycle, self._parts.clock.now_ns(), turn.errors)
        self.tally.cycles += 1
        return cycle

    # ------------------------------------------------------------ new pools

    async def _new_pools(self, turn: _Round, number: int) -> bool:
        """One page; returns whether there may be another one."""
        self._parts.phase(f"new pools, page {number} of {self._plan.pages}")
        try:
            page = await self._service.new_pools(number)
        except DataSourceError as error:
            self._failed(turn, f"page {number} of the new pools", error)
            return True
        turn.answered()
        self._store_pools(turn, page, f"page {number} of the new pools", next_page=number + 1)
        return len(page.pools) + len(page.refused) > 0

    def _store_pools(self, turn: _Round, page: PoolPage, what: str, *, next_page: int | None = None) -> PageResult:
        at_ns = self._parts.clock.now_ns()
        dexes = self._plan.dexes if next_page is not None else frozenset[str]()
        pools = [seen_pool(one, page, at_ns) for one in page.pools if not dexes or one.dex in dexes]
        self.tally.other_dexes += len(page.pools) - len(pools)
        self._note_refused(what, page)
        try:
            result = self._market.save_pools(pools, turn.cycle, self._rule, next_page=next_page)
        except StorageError as error:
            self._failed(turn, what, error)
            return PageResult()
        self._storage_failures = 0
        self.tally.new_pools += result.new
        self.tally.known_pools += result.known
        self.tally.snapshots += result.snapshots
        self.tally.watched += result.watched
        self._note_skipped(turn, result.skipped)
        return result

    # ------------------------------------------------------------ known pools

    async def _follow(self, turn: _Round) -> None:
        """Everything that is due, snapshots first: a pool must be there before its candles."""
        for what, unit in (
            (Due.SNAPSHOT, self._snapshots),
            (Due.CANDLES, self._candles_of),
            (Due.TRADES, self._trades_of),
        ):
            if what is Due.CANDLES and not (self._plan.timeframes and self._market.has("ohlcv_data")):
                continue
            if what is Due.TRADES and not self._market.has("trades"):
                continue
            due = self._market.due(self._plan.network, what, turn.cycle.started_ns, _MOST_DUE)
            size = MOST_POOLS if what is Due.SNAPSHOT else 1
            for first in range(0, len(due), size):
                if self.is_stopped or turn.is_hopeless or (first and self._is_late(turn)):
                    break
                self._parts.phase(f"{_WORDS[what]} of known pools, {first + 1} of {len(due)}")
                await unit(turn, due[first : first + size])

    def _is_late(self, turn: _Round) -> bool:
        """New pools are on the list for minutes only: they come first, and what is left is due in the next round."""
        return turn.until_ns is not None and self._parts.clock.now_ns() >= turn.until_ns

    async def _snapshots(self, turn: _Round, every: Sequence[FollowedPool]) -> None:
        pools = [one for one in every if one.address.isascii() and one.address.isalnum()]
        for one in every:
            if one not in pools:  # from somebody's watchlist
                nowhere = SourceRefused(f"{one.pool_id} has no address that could be asked for", status=404)
                self._postpone(turn, one, Due.SNAPSHOT, nowhere)
        if not pools:
            return
        try:
            page = await self._pools_of(pools)
        except DataSourceError as error:
            self._failed(turn, f"{len(pools)} known pools", error)
            for one in pools:
                self._postpone(turn, one, Due.SNAPSHOT, error)
            return
        turn.answered()
        result = self._store_pools(turn, page, "an answer about known pools")
        told = {one.address for one in page.pools}
        skipped = {one.what: one.reason for one in result.skipped}
        for one in pools:
            if one.address not in told:
                self._postpone(turn, one, Due.SNAPSHOT, missing_in(page, one))
            elif (reason := skipped.get(f"{self._plan.network}_{one.address}")) is not None:
                self._postpone(turn, one, Due.SNAPSHOT, StorageError(reason))

    async def _pools_of(self, pools: Sequence[FollowedPool]) -> PoolPage:
        """Several pools in one answer; one by one where the service refuses that."""
        if len(pools) == 1:
            return await self._service.pool(pools[0].address)
        try:
            return await self._service.pools([one.address for one in pools])
        except SourceRefused as refused:
            if not is_of_pool(refused):
                raise
        pages = []
        for one in pools:
            try:
                pages.append(await self._service.pool(one.address))
            except SourceRefused as refused:
                if not is_of_pool(refused):
                    raise
                # It is missing in the answer, then.
        if not pages:
            raise SourceRefused(f"the service knows none of {len(pools)} pools", status=404)
        return PoolPage.joined(pages)

    async def _candles_of(self, turn: _Round, pools: Sequence[FollowedPool]) -> None:
        (pool,) = pools
        timeframes = self._plan.timeframes
        for timeframe in timeframes:
            is_last = timeframe == timeframes[-1]
            try:
                candles = await self._new_candles(pool, timeframe)
                due_ns = turn.cycle.started_ns + self._plan.follow_ns if is_last else None
                now_ns = self._parts.clock.now_ns()
                if not self._market.place.is_own:
                    # Another collector may store newer ones, and then nobody would ever complete ours.
                    candles = [one for one in candles if has_settled(one.start_seconds, timeframe, now_ns)]
                new, changed, skipped = self._market.save_candles(pool.pool_id, candles, now_ns, due_ns)
            except (DataSourceError, StorageError) as error:
                self._failed(turn, f"{timeframe} candles of {pool.pool_id}", error)
                self._postpone(turn, pool, Due.CANDLES, error)
                return
            self._worked(turn)
            self.tally.candles += new
            self.tally.candles_changed += changed
            self._note_skipped(turn, skipped)

    async def _new_candles(self, pool: FollowedPool, timeframe: str) -> list[SeenCandle]:
        """From the newest stored candle on. After a long pause these are several answers, stored all at once: their
        order is from new to old, and with the newest stored first nothing would ask for the others any more.
        """
        newest = self._market.newest_candle(pool.pool_id, timeframe)
        wanted = candles_needed(newest, timeframe, self._parts.clock.now_ns())
        if newest is None or wanted <= MOST_CANDLES:
            page = await self._service.candles(pool.address, timeframe, limit=min(wanted, MOST_CANDLES))
            self._note_refused(f"candles of {pool.pool_id}", page)
            if newest is None or not page.candles or page.candles[0].start_seconds <= newest:
                return list(page.candles)
            # It begins later than what is stored ends: the service's clock is ahead of ours.
        found: list[SeenCandle] = []
        try:
            async for page in self._service.candles_back_to(pool.address, timeframe, newest):
                self._note_refused(f"candles of {pool.pool_id}", page)
                found += page.candles
        except SourceRefused as refused:
            if refused.status != TOO_OLD or not found:
                raise
            self._note(f"{timeframe} candles of {pool.pool_id}: older ones are missing: {refused.what}")
        return found

    async def _trades_of(self, turn: _Round, pools: Sequence[FollowedPool]) -> None:
        (pool,) = pools
        try:
            # The service leaves out what is worth exactly as much; we keep it, as the host does.
            above_usd = max(self._plan.min_trade_usd - _CENT, Decimal(0))
            page = await self._service.trades(pool.address, above_usd=above_usd)
            self._note_refused(f"trades of {pool.pool_id}", page)
            wanted = [seen_trade(one, self._plan.min_trade_usd) for one in page.trades]
            trades = [one for one in wanted if one is not None]
            due_ns = turn.cycle.started_ns + self._plan.follow_ns
            new, skipped = self._market.save_trades(pool.pool_id, trades, self._parts.clock.now_ns(), due_ns)
        except (DataSourceError, StorageError) as error:
            self._failed(turn, f"trades of {pool.pool_id}", error)
            self._postpone(turn, pool, Due.TRADES, error)
            return
        self._worked(turn)
        self.tally.trades += new
        self._note_skipped(turn, skipped)
        if page.is_full and new == len(trades) > 0:
            self._note(f"trades of {pool.pool_id}: older ones may be missing, the service tells no more than it did")

    # ------------------------------------------------------------ what goes wrong

    def _worked(self, turn: _Round) -> None:
        turn.answered()
        self._storage_failures = 0

    def _round_failed(self, error: StorageError, *, is_last: bool) -> None:
        """The database has refused what a round cannot do without: the next one tries again. Raises when it has done so
        too often, and when there is no next one.
        """
        self._storage_failures += 1
        if is_last or self._storage_failures >= _MOST_IN_A_ROW:
            raise error
        self.tally.errors += 1
        self._parts.note(f"the rest of this round waits for the next one: {error.what}")

    def _failed(self, turn: _Round, what: str, error: PumpSwapError) -> None:
        """Note a failure. Raises it when the database refuses everything."""
        text = f"{what}: {error.what}"
        turn.errors.append(text)
        self.tally.errors += 1
        self._parts.note(text)
        if isinstance(error, StorageError):
            self._storage_failures += 1
            if self._storage_failures >= _MOST_IN_A_ROW:
                raise error
        elif not is_of_pool(error):
            turn.in_a_row += 1
            if turn.is_hopeless:
                self._parts.note("the service does not answer: the rest of this round waits for the next one")

    def _postpone(self, turn: _Round, pool: FollowedPool, what: Due, error: PumpSwapError) -> None:
        failures = pool.failures + 1
        # A service that refuses everything has moved, or does not want us: that says nothing about this pool.
        is_refused = turn.has_answer and is_of_pool(error)
        due_ns = retry_at(turn.cycle.started_ns, self._plan.follow_ns, failures, is_refused=is_refused)
        self._market.postpone(pool.pool_id, what, due_ns, error.what)
        if due_ns is None:
            self._parts.note(f"{pool.pool_id}: {_WORDS[what]} are given up after {failures} refusals: {error.what}")

    def _note_refused(self, what: str, page: PoolPage | CandlePage | TradePage) -> None:
        self.tally.refused += len(page.refused)
        for one in page.refused:
            self._note(f"{what}: {one} cannot be used")

    def _note_skipped(self, turn: _Round, skipped: Sequence[Skipped]) -> None:
        self.tally.skipped += len(skipped)
        texts = [f"{one.what} is not stored: {one.reason}" for one in skipped]
        turn.errors.extend(texts)
        for text in texts:
            self._note(text)

    def _note(self, text: str) -> None:
        """What is the same in every round is said once, as far as it is remembered: names and figures are endless."""
        if text not in self._shown:
            if len(self._shown) >= _MOST_SAID:
                self._shown.clear()
            self._shown.add(text)
            self._parts.note(text)

    async def _pause(self, wait_ns: int) -> None:
        """Until the next round, or until somebody asks for the end."""
        self._parts.phase("waiting for the next round")
        sleeping = asyncio.ensure_future(self._parts.sleep(wait_ns / NS_PER_SECOND))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait((sleeping, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in (sleeping, stopping):
                one.cancel()


_WORDS = {Due.SNAPSHOT: "snapshots", Due.CANDLES: "candles", Due.TRADES: "trades"}
