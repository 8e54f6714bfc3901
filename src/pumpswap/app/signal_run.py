"""Base and enhanced score of every pool of a recording, by its newest snapshot; live states where a chain is asked."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState, current_schedule, schedule_at
from pumpswap.app.paper import DEMO_START_NS
from pumpswap.errors import BadInput, NotFound, PumpSwapError, UsageError
from pumpswap.market.book import PoolBook
from pumpswap.market.history import SnapshotHistory
from pumpswap.market.simulator import MarketSimulator
from pumpswap.market.tape import open_recording
from pumpswap.model import MarketUpdate, PoolSnapshot, ScreenReport
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.pool_facts import known_risks
from pumpswap.sdk.screening import ScreenSource
from pumpswap.settings import Settings
from pumpswap.signals import EnhancedResult, PoolFacts, PumpSwapSignalAnalyzer
from pumpswap.signals.pool_facts import known_facts

__all__ = ["ScoredPool", "SignalRun", "on_chain", "score_recording", "score_simulated"]

SIMULATED_MINUTES = 30


@dataclass(frozen=True, slots=True)
class ScoredPool:
    """A pool at its newest snapshot. ``history`` is what was seen of it before, newest first; it made the score."""

    snapshot: PoolSnapshot
    history: tuple[PoolSnapshot, ...]
    result: EnhancedResult


@dataclass(frozen=True, slots=True)
class SignalRun:
    """Both scores of all pools, the highest enhanced score first. ``snapshots`` counts all that were read."""

    source: str
    data_source: str
    pools: tuple[ScoredPool, ...]
    snapshots: int
    assumptions: tuple[str, ...]

    @property
    def available(self) -> tuple[ScoredPool, ...]:
        """Pools with PumpSwap data."""
        return tuple(one for one in self.pools if one.result.is_available)

    def missing(self) -> Counter[str]:
        """How many pools have no PumpSwap data, by reason."""
        return Counter(one.result.unavailable for one in self.pools if not one.result.is_available)

    def only(self, pool: ScoredPool) -> SignalRun:
        """The same run with one pool of it."""
        return dataclasses.replace(self, pools=(pool,))

    def pool(self, named: str) -> ScoredPool:
        """The pool of this address, mint or name. Raises NotFound, UsageError when several have the name."""
        found = [
            one
            for one in self.pools
            if named in (one.snapshot.pool, one.snapshot.pool_id, one.snapshot.base_mint)
            or named.lower() in (one.snapshot.name.lower(), one.snapshot.name.removesuffix(" / SOL").lower())
        ]
        if not found:
            raise NotFound(f"{self.source} has no pool called {named[:63]!r}", hint="name its address, mint, or name")
        if len(found) > 1:
            addresses = ", ".join(one.snapshot.pool for one in found[:3])
            raise UsageError(f"{len(found)} pools are called {named[:63]!r}", hint=f"name the address: {addresses}")
        return found[0]


def score_recording(target: str | Path, settings: Settings, size_lamports: int | None = None) -> SignalRun:
    """Scores over a recording: a folder, a file, or the URL of a collector's database.

    Raises NotFound or BadInput for a target that is no recording or holds no snapshot.
    """
    recording = open_recording(target)
    walk = _Walk(settings, PoolBook(), schedule_at, "snapshot")
    walk.follow(recording.updates())
    if not walk.newest:
        raise BadInput(f"{recording.location} holds no snapshot to score", hint="a recording of trades alone has none")
    return walk.result(recording.location, recording.assumptions, size_lamports)


def score_simulated(seed: int, settings: Settings, size_lamports: int | None = None) -> SignalRun:
    """Scores over the simulated market of a seed: how the table reads, without any data."""
    book = PoolBook()
    market = MarketSimulator(book, seed=seed, start_ns=DEMO_START_NS, duration_s=60 * SIMULATED_MINUTES)
    walk = _Walk(settings, book, lambda _: current_schedule(), "book")
    walk.follow(market.updates())
    assumption = "The market is simulated: its coins are invented, its curve, fees and limits are the program's."
    return walk.result(f"simulated market, seed {seed}", (assumption,), size_lamports)


async def on_chain(
    run: SignalRun,
    settings: Settings,
    *,
    screens: int = 0,
    size_lamports: int | None = None,
) -> SignalRun:
    """The same base scores with the pools' states and fees of this moment. The tokens of the ``screens`` best pools
    are screened too, which takes many questions each; where one loses its place, so is the next.

    Raises ConfigError without an endpoint and the node's ChainError. A pool that cannot be read keeps its base score.
    """
    analyzer = _analyzer(settings)
    async with ChainConnection(settings) as connection:
        why: dict[str, str] = {}
        states = await _states(connection, run.pools, why)
        schedule = await connection.schedules.current()
        now_ns = connection.clock.now_ns()

        def scored(one: ScoredPool, screen: ScreenReport | None) -> ScoredPool:
            state = states.get(one.snapshot.pool)
            facts = None
            if state is not None:
                facts = PoolFacts(state, schedule, now_ns, screen or known_risks(connection.reader, state, now_ns))
            missing = why.get(one.snapshot.pool, one.result.unavailable)
            result = analyzer.enhance(
                one.result.base, facts, intended_lamports=size_lamports, unavailable="" if facts else missing
            )
            return dataclasses.replace(one, result=result)

        reports: dict[str, ScreenReport] = {}
        pools = _ranked([scored(one, None) for one in run.pools])
        source = ScreenSource(connection.node, connection.clock, settings.screen, reader=connection.reader)
        while best := _unscreened(pools, screens, reports):
            for one in best:
                state = states[one.snapshot.pool]
                reports[one.snapshot.pool] = await source.screen(state.pool.base_mint, state.address)
            pools = _ranked([scored(one, reports.get(one.snapshot.pool)) for one in pools])
    return dataclasses.replace(run, pools=pools, data_source="chain")


def _unscreened(pools: Iterable[ScoredPool], count: int, reports: Mapping[str, ScreenReport]) -> list[ScoredPool]:
    """Those of the ``count`` best pools that nobody has screened."""
    best = [one for one in pools if one.result.is_available][:count]
    return [one for one in best if one.snapshot.pool not in reports]


async def _states(
    connection: ChainConnection, pools: Sequence[ScoredPool], why: dict[str, str]
) -> Mapping[str, PoolState]:
    """States by address; ``why`` takes what is wrong with the others."""
    wanted: list[Pubkey] = []
    for one in pools:
        if one.snapshot.dex != "pumpswap":
            why[one.snapshot.pool] = f"traded on {one.snapshot.dex or 'an unknown exchange'}, not on PumpSwap"
            continue
        try:
            wanted.append(Pubkey.from_string(one.snapshot.pool))
        except ValueError:
            why[one.snapshot.pool] = f"{one.snapshot.pool!r} is no address"

    def refused(address: Pubkey, failed: PumpSwapError) -> None:
        why[str(address)] = failed.what

    loaded = await connection.reader.load_many(wanted, on_refusal=refused)
    states = {str(address): state for address, state in loaded.items()}
    for one in pools:
        state, named = states.get(one.snapshot.pool), one.snapshot.base_mint
        if state is not None and named and str(state.pool.base_mint) != named:
            why[one.snapshot.pool] = f"the pool trades {state.pool.base_mint}, the row names {named}"
            del states[one.snapshot.pool]
    return states


class _Walk:
    """One pass over a market that remembers every pool as it was at its newest snapshot."""

    def __init__(
        self, settings: Settings, book: PoolBook, schedule_for: Callable[[int], FeeSchedule], data_source: str
    ) -> None:
        self._book, self._schedule_for, self._data_source = book, schedule_for, data_source
        self._analyzer = _analyzer(settings)
        self._history = SnapshotHistory(settings.signals.history_hours)
        self._snapshots = 0
        self.newest: dict[str, tuple[PoolSnapshot, tuple[PoolSnapshot, ...], PoolFacts | None, str]] = {}

    def follow(self, updates: Iterable[MarketUpdate]) -> None:
        for update in updates:
            self._book.apply(update)
            snapshot = update.snapshot
            if snapshot is None:
                continue
            self._snapshots += 1
            known = known_facts(self._book, snapshot.pool, snapshot.at_ns, self._schedule_for, self._data_source)
            self.newest[snapshot.pool] = snapshot, tuple(self._history.before(snapshot)), *known
            self._history.add(snapshot)

    def result(self, source: str, assumptions: Iterable[str], size_lamports: int | None) -> SignalRun:
        return SignalRun(
            source=source,
            data_source=self._data_source,
            pools=_ranked([self._scored(*seen, size_lamports) for seen in self.newest.values()]),
            snapshots=self._snapshots,
            assumptions=tuple(assumptions),
        )

    def _scored(
        self,
        snapshot: PoolSnapshot,
        history: tuple[PoolSnapshot, ...],
        facts: PoolFacts | None,
        why: str,
        size_lamports: int | None,
    ) -> ScoredPool:
        base = self._analyzer.analyze_pool_signals(snapshot.metrics, [earlier.metrics for earlier in history])
        result = self._analyzer.enhance(base, facts, intended_lamports=size_lamports, unavailable=why)
        return ScoredPool(snapshot, history, result)


def _analyzer(settings: Settings) -> PumpSwapSignalAnalyzer:
    """Its actions begin at the score from which a run would trade."""
    return PumpSwapSignalAnalyzer(
        {"auto_watchlist_threshold": settings.signals.min_score}, settings=settings.feasibility
    )


def _ranked(pools: list[ScoredPool]) -> tuple[ScoredPool, ...]:
    """The highest enhanced score first; of equal ones the more feasible, then by address, so that order is stable."""
    return tuple(
        sorted(
            pools,
            key=lambda one: (-one.result.enhanced_score, -one.result.feasibility_score, one.snapshot.pool),
        )
    )
