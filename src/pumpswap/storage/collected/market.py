"""CollectedMarket: everything that the collector stores and asks, each call one transaction that is there or is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, select
from sqlalchemy.exc import DataError, IntegrityError

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import StorageError
from pumpswap.model.collected import Cycle, FollowedPool, FollowRule, PoolScore, SeenCandle, SeenPool, SeenTrade
from pumpswap.storage.collected import cursors, market_rows, snapshots
from pumpswap.storage.collected.bookkeeping import note_run
from pumpswap.storage.collected.cursors import Due
from pumpswap.storage.collected.pool_rows import PoolRows, StoredPools
from pumpswap.storage.collected.shape import TableShape, Unfit
from pumpswap.storage.connections import Connections

__all__ = ["CollectedMarket", "PageResult", "Place", "ScoreRule", "Skipped"]

Score = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], PoolScore]


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was seen and not stored, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class PageResult:
    """What became of the pools of one answer."""

    new: int = 0
    known: int = 0
    snapshots: int = 0
    watched: int = 0  # put on the watchlist
    skipped: tuple[Skipped, ...] = ()

    def __add__(self, other: PageResult) -> PageResult:
        return PageResult(
            self.new + other.new,
            self.known + other.known,
            self.snapshots + other.snapshots,
            self.watched + other.watched,
            self.skipped + other.skipped,
        )


@dataclass(frozen=True, slots=True)
class ScoreRule:
    """How pools are scored, with how much of their history, and what follows from a score."""

    score: Score
    history_hours: int
    follow: FollowRule


@dataclass(frozen=True, slots=True)
class _Scored:
    pool: SeenPool
    pool_id: str
    score: PoolScore


@dataclass(frozen=True, slots=True)
class Place:
    """``is_own``: the tables were made by us. ``left_out``: tables that cannot be written, and why."""

    location: str
    is_own: bool
    left_out: Mapping[str, str] = field(default_factory=dict)


class CollectedMarket:
    """The collected tables of one database, and where its collector is. Use as a context, or call ``close``.

    All methods raise StorageError when the database refuses; nothing of that call is stored then.
    """

    def __init__(self, connections: Connections, shapes: Mapping[str, TableShape], place: Place) -> None:
        self._connections = connections
        self._shapes = shapes
        self.place = place

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self._connections.close()

    def has(self, table: str) -> bool:
        """Whether rows of this kind are stored here."""
        return table in self._shapes

    @property
    def cut(self) -> Mapping[str, int]:
        """By column: how often a text was shortened, or a figure left out because its column is too small."""
        return {
            f"{shape.name}.{column}": count for shape in self._shapes.values() for column, count in shape.cut.items()
        }

    # ------------------------------------------------------------ rounds

    def cycle(self, network: str) -> Cycle | None:
        """The newest round over the new pools of a network."""
        with self._connections.reading() as connection:
            return cursors.cycle_of(connection, network)

    def begin_cycle(self, cycle: Cycle, every_ns: int | None = None) -> None:
        """Store a new round; pools that the database's owner watches are followed from now on, too.

        With ``every_ns`` nothing is due later than so much from now: a clock that was wrong for a while said so.
        """
        with self._connections.writing("the new round") as connection:
            cursors.set_cycle(connection, cycle)
            if every_ns is not None:
                cursors.recall(connection, cycle.network, cycle.started_ns, every_ns)
            self._follow_watchlist(connection, cycle)

    def finish_cycle(self, cycle: Cycle, at_ns: int, errors: list[str]) -> None:
        """Store that a round is over, and what went wrong in it."""
        with self._connections.writing("the end of the round") as connection:
            cursors.set_cycle(connection, replace(cycle, finished_ns=at_ns))
            shape = self._shapes.get("collection_metadata")
            if shape is not None:
                note_run(connection, shape, f"pumpswap_collect_{cycle.network}", at_ns, errors)

    # ------------------------------------------------------------ pools

    def save_pools(
        self, pools: Sequence[SeenPool], cycle: Cycle, rule: ScoreRule, *, next_page: int | None = None
    ) -> PageResult:
        """Store the pools of one answer: one snapshot of each in a round. ``next_page``: where the round goes on.

        What the tables cannot take is in ``skipped``. When the database refuses a row of the answer, its pools are
        stored one by one, so that one of them does not keep the others out.
        """
        once = list({pool.address: pool for pool in reversed(pools)}.values())[::-1]
        try:
            return self._save_pools(once, cycle, rule, next_page)
        except StorageError as error:
            # A lock or a full disk would refuse each of them as well, after as long a wait.
            if not once or not isinstance(error.__cause__, IntegrityError | DataError):
                raise
            return self._save_one_by_one(once, cycle, rule, next_page, error)

    def _save_one_by_one(
        self, pools: Sequence[SeenPool], cycle: Cycle, rule: ScoreRule, next_page: int | None, first: StorageError
    ) -> PageResult:
        result, stored = PageResult(), 0
        for pool in pools:
            try:
                result += self._save_pools([pool], cycle, rule, None)
                stored += 1
            except StorageError as error:
                result += PageResult(skipped=(Skipped(pool.pool_id, error.what),))
        if not stored:
            raise first  # it is the database, not a pool
        if next_page is not None:
            self._save_pools([], cycle, rule, next_page)
        return result

    def _save_pools(
        self, pools: Sequence[SeenPool], cycle: Cycle, rule: ScoreRule, next_page: int | None
    ) -> PageResult:
        with self._connections.writing("the pools of one answer") as connection:
            rows = PoolRows(connection, self._shapes)
            stored = rows.store(pools)
            known = cursors.followed(connection, list(stored.ids.values()))
            seen_ids = [
                (pool, stored.ids[pool.address])
                for pool in pools
                if pool.address in stored.ids and known.get(stored.ids[pool.address], {}).get("cycle") != cycle.number
            ]
            skipped = [Skipped(f"{cycle.network}_{address}", why) for address, why in stored.unfit.items()]
            scored = self._save_snapshots(connection, seen_ids, rule, skipped)
            watched = self._save_watched(rows, scored, rule)
            cursors.save_followed(connection, self._looked_at(scored, known, cycle, rule), known)
            if next_page is not None:
                cursors.set_cycle(connection, replace(cycle, next_page=next_page))
        return _result(stored, scored, watched, skipped)

    def _save_snapshots(
        self,
        connection: Connection,
        pools: Sequence[tuple[SeenPool, str]],
        rule: ScoreRule,
        skipped: list[Skipped],
    ) -> list[_Scored]:
        shape = self._shapes["new_pools_history"]
        if not pools:
            return []
        since_ns = min(pool.at_ns for pool, _ in pools) - rule.history_hours * 3_600 * NS_PER_SECOND
        history = snapshots.history_of(connection, shape, [pool_id for _, pool_id in pools], since_ns)
        rows, scored = [], []
        for pool, pool_id in pools:
            score = rule.score(pool.metrics, history.get(pool_id, ()))
            try:
                rows.append(snapshots.snapshot_row(shape, pool, pool_id, score))
            except Unfit as unfit:
                skipped.append(Skipped(pool.pool_id, str(unfit)))
            else:
                scored.append(_Scored(pool, pool_id, score))
        snapshots.store_snapshots(connection, shape, rows)
        return scored

    def _save_watched(self, rows: PoolRows, scored: Sequence[_Scored], rule: ScoreRule) -> int:
        bound = rule.follow.watch_score
        if bound is None:
            return 0
        return rows.watch([(one.pool, one.pool_id) for one in scored if one.score.score >= bound])

    def _looked_at(
        self, scored: Sequence[_Scored], known: Mapping[str, Mapping[str, Any]], cycle: Cycle, rule: ScoreRule
    ) -> list[dict[str, Any]]:
        """Rows of the cursor after a look at these pools."""
        follow, rows = rule.follow, []
        for one in scored:
            before = known.get(one.pool_id, {})
            watches = follow.watch_score is not None and one.score.score >= follow.watch_score
            watched = bool(before.get("watched")) or watches
            first_ns = before.get("first_seen_ns", one.pool.at_ns)
            due_ns = follow.next_look(first_ns, cycle.started_ns, watched=watched)
            details = due_ns is not None and (watched or one.score.score >= follow.detail_score)

            def detail(name: str, before: Any = before, due_ns: Any = due_ns, details: bool = details) -> int | None:
                # Once begun it goes on for as long as the pool is followed.
                told: int | None = before.get(name)
                return None if due_ns is None else (told if told is not None else cycle.started_ns if details else None)

            rows.append(
                {
                    "pool_id": one.pool_id,
                    "network": one.pool.network,
                    "address": one.pool.address,
                    "watched": watched,
                    "first_seen_ns": first_ns,
                    "snapshot_ns": one.pool.at_ns,
                    "cycle": cycle.number,
                    "snapshot_due_ns": due_ns,
                    "candles_due_ns": detail("candles_due_ns"),
                    "trades_due_ns": detail("trades_due_ns"),
                    "failures": 0,
                    "last_error": "",
                }
            )
        return rows

    # ------------------------------------------------------------ known pools

    def watch(self, network: str, address: str, at_ns: int) -> None:
        """Follow a pool from now on, with its candles and trades, for as long as it is watched."""
        with self._connections.writing("a watched pool") as connection:
            pool_id = self._stored_id(connection, network, address)
            self._follow(connection, [(pool_id, address)], network, at_ns)

    def due(self, network: str, what: Due, at_ns: int, limit: int) -> list[FollowedPool]:
        """Known pools that are due, the longest waiting first."""
        with self._connections.reading() as connection:
            return cursors.due_pools(connection, network, what, at_ns, limit)

    def counts(self, network: str) -> tuple[int, int]:
        """How many pools are known, and how many of them are still followed."""
        with self._connections.reading() as connection:
            return cursors.counts(connection, network)

    def postpone(self, pool_id: str, what: Due, due_ns: int | None, error: str = "") -> None:
        """Look at a pool again later, or (None) not any more; ``error``: why it could not be looked at now."""
        with self._connections.writing(f"the next look at {pool_id}") as connection:
            cursors.postpone(connection, pool_id, what, due_ns, error)

    def newest_candle(self, pool_id: str, timeframe: str) -> int | None:
        """Unix time at which the newest stored candle begins; None where there is none."""
        with self._connections.reading() as connection:
            return market_rows.newest_candle(connection, self._shapes["ohlcv_data"], pool_id, timeframe)

    def save_candles(
        self, pool_id: str, candles: Sequence[SeenCandle], at_ns: int, due_ns: int | None
    ) -> tuple[int, int, tuple[Skipped, ...]]:
        """Store candles of one length and when they are due next; returns how many are new and how many changed."""
        with self._connections.writing(f"candles of {pool_id}") as connection:
            shape = self._shapes["ohlcv_data"]
            new, changed, unfit = market_rows.store_candles(connection, shape, pool_id, candles, at_ns)
            if due_ns is not None:
                cursors.postpone(connection, pool_id, Due.CANDLES, due_ns)
        return new, changed, tuple(Skipped(f"candle {one} of {pool_id}", why) for one, why in unfit.items())

    def save_trades(
        self, pool_id: str, trades: Sequence[SeenTrade], at_ns: int, due_ns: int
    ) -> tuple[int, tuple[Skipped, ...]]:
        """Store the trades that are not stored yet, and when they are due next; returns how many those were."""
        with self._connections.writing(f"trades of {pool_id}") as connection:
            count, unfit = market_rows.store_trades(connection, self._shapes["trades"], pool_id, trades, at_ns)
            cursors.postpone(connection, pool_id, Due.TRADES, due_ns)
        return count, tuple(Skipped(f"trade {one}", why) for one, why in unfit.items())

    def _follow_watchlist(self, connection: Connection, cycle: Cycle) -> None:
        """Follow what the owner watches, and no longer what he has taken off: entries that are not active."""
        shape = self._shapes.get("watchlist")
        if shape is None:
            return
        table, pools = shape.light("pool_id", "is_active"), self._shapes["pools"].light("id", "address")
        columns = (pools.c.id, pools.c.address, *(one for one in (table.c.get("is_active"),) if one is not None))
        prefix = f"{cycle.network}_"
        listed, ended = [], []
        for pool_id, address, *active in connection.execute(
            select(*columns).join(table, table.c.pool_id == pools.c.id)
        ):
            if not str(pool_id).startswith(prefix):
                continue
            if active and not active[0]:
                ended.append(str(pool_id))
            else:
                listed.append((str(pool_id), str(address).removeprefix(prefix)))
        self._follow(connection, listed, cycle.network, cycle.started_ns)
        cursors.stop_watching(connection, ended)

    def _follow(self, connection: Connection, pools: Sequence[tuple[str, str]], network: str, at_ns: int) -> None:
        known = cursors.followed(connection, [pool_id for pool_id, _ in pools])
        rows = []
        for pool_id, address in pools:
            before = known.get(pool_id)
            if before is not None and before["watched"]:
                continue
            fresh = {
                "pool_id": pool_id,
                "network": network,
                "address": address,
                "watched": True,
                "first_seen_ns": at_ns,
                "snapshot_ns": None,
                "cycle": 0,
                "snapshot_due_ns": at_ns,
                "candles_due_ns": at_ns,
                "trades_due_ns": at_ns,
                "failures": 0,
                "last_error": "",
            }
            kept = {name: value for name, value in (before or {}).items() if value is not None and name != "watched"}
            rows.append(fresh | kept)
        cursors.save_followed(connection, rows, known)

    def _stored_id(self, connection: Connection, network: str, address: str) -> str:
        table = self._shapes["pools"].light("id")
        wanted = (f"{network}_{address}", address)
        found = set(connection.execute(select(table.c.id).where(table.c.id.in_(wanted))).scalars())
        return next((one for one in wanted if one in found), wanted[0])


def _result(stored: StoredPools, scored: Sequence[_Scored], watched: int, skipped: Sequence[Skipped]) -> PageResult:
    return PageResult(len(stored.new), len(stored.ids) - len(stored.new), len(scored), watched, tuple(skipped))
