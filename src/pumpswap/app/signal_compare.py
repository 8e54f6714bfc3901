"""The base score against the enhanced one over a recording or a simulated market."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pumpswap.amm import FeeSchedule, current_schedule, schedule_at
from pumpswap.analytics.comparison import (
    Comparison,
    ComparisonRules,
    Observation,
    OutcomeRules,
    OutcomeTracker,
    Sampling,
    compare,
)
from pumpswap.analytics.comparison.page import ComparisonPage
from pumpswap.analytics.comparison.parts import facts_of, shifts_of
from pumpswap.app.paper import DEMO_START_NS
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput
from pumpswap.execution.costs import LAMPORTS_PER_SIGNATURE, priority_fee
from pumpswap.market.book import PoolBook
from pumpswap.market.history import SnapshotHistory
from pumpswap.market.simulator import MarketSimulator
from pumpswap.market.tape import open_recording
from pumpswap.model import MarketUpdate, PoolSnapshot
from pumpswap.settings import Settings
from pumpswap.signals import PoolFacts, PumpSwapSignalAnalyzer
from pumpswap.signals.pool_facts import known_facts
from pumpswap.units import format_units

__all__ = [
    "CompareRequest",
    "SignalComparison",
    "compare_recording",
    "compare_simulated",
    "compare_updates",
]

MINUTE_NS = 60 * NS_PER_SECOND
HORIZONS_NS = (5 * MINUTE_NS, 60 * MINUTE_NS, 24 * 60 * MINUTE_NS)
SIMULATED_HORIZONS_NS = (MINUTE_NS, 5 * MINUTE_NS, 15 * MINUTE_NS)
SIMULATED_SPACING_NS = MINUTE_NS  # the simulator's own collector looks every 15 s, no real one does
_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """What is asked. ``size_lamports`` None: the setting ``feasibility.intended_sol``. No horizons: those that suit the
    source.
    """

    threshold: float = 75.0
    size_lamports: int | None = None
    horizons_ns: tuple[int, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class SignalComparison:
    """A comparison and where it comes from. ``first_ns`` and ``last_ns`` are the times of the first and the last
    snapshot; ``later_pools`` counts the pools that were seen with a price again after they could have been bought.
    """

    comparison: Comparison
    source: str
    size_lamports: int
    network_lamports: int
    latency_ms: int
    first_ns: int
    last_ns: int
    snapshots: int
    later_pools: int
    assumptions: tuple[str, ...]
    command: str

    def page(self) -> ComparisonPage:
        """What its page is made of. It names the source without its folder: pages are passed on."""
        name = self.source if "://" in self.source else Path(self.source).name
        return ComparisonPage(
            title=f"Base and enhanced score: {name}",
            comparison=self.comparison,
            size_lamports=self.size_lamports,
            latency_ms=self.latency_ms,
            later_pools=self.later_pools,
            first_ns=self.first_ns,
            last_ns=self.last_ns,
            assumptions=self.assumptions,
            command=self.command,
        )


def compare_updates(
    updates: Iterable[MarketUpdate], settings: Settings, request: CompareRequest, *, source: str
) -> SignalComparison:
    """Compare over any feed that comes in order of time, with the fees of those times. ``source`` names it."""
    walk = _Walk(settings, request, PoolBook(), schedule_at, HORIZONS_NS)
    walk.follow(updates, "book")
    return walk.result(source, (), "pumpswap signal compare")


def compare_recording(target: str | Path, settings: Settings, request: CompareRequest) -> SignalComparison:
    """Compare over a recording: a folder, a file, or the URL of a collector's database.

    Raises NotFound or BadInput for a target that is no recording.
    """
    recording = open_recording(target)
    walk = _Walk(settings, request, PoolBook(), schedule_at, HORIZONS_NS)
    walk.follow(recording.updates(), "snapshot")
    if not walk.rows:
        raise BadInput(f"{recording.location} holds no snapshot to score", hint="a recording of trades alone has none")
    location = recording.location
    command = f"pumpswap signal compare {location if '://' in location else Path(location).name}"
    return walk.result(location, recording.assumptions, command)


def compare_simulated(
    seed: int, settings: Settings, request: CompareRequest, *, pools: int = 40, minutes: int = 30
) -> SignalComparison:
    """Compare over the simulated market of a seed. It shows how the report reads, not which score is better."""
    book = PoolBook()
    market = MarketSimulator(book, seed=seed, start_ns=DEMO_START_NS, duration_s=60 * minutes, pools=pools)
    walk = _Walk(settings, request, book, lambda _: current_schedule(), SIMULATED_HORIZONS_NS)
    walk.follow(_thinned(market.updates()), "book")
    return walk.result(
        f"simulated market, seed {seed}",
        (
            "The market is simulated: whoever invented it decided what pays. It tells nothing about real coins.",
            "Fees are those of the package's newest schedule; SOL is worth 200 USD.",
        ),
        f"pumpswap signal compare --simulated {seed}",
    )


def _thinned(updates: Iterable[MarketUpdate]) -> Iterator[MarketUpdate]:
    """The same market with fewer snapshots: what lies between is seen of the pools, but not scored."""
    scored: dict[str, int] = {}
    for update in updates:
        if update.snapshot is not None:
            if update.at_ns < scored.get(update.pool, 0) + SIMULATED_SPACING_NS:
                yield replace(update, snapshot=None)
                continue
            scored[update.pool] = update.at_ns
        yield update


class _Walk:
    """One pass over a market: at each snapshot both scores of that moment, and afterwards what became of it."""

    def __init__(
        self,
        settings: Settings,
        request: CompareRequest,
        book: PoolBook,
        schedule_for: Callable[[int], FeeSchedule],
        horizons_ns: tuple[int, ...],
    ) -> None:
        self._settings, self._request, self._book, self._schedule_for = settings, request, book, schedule_for
        self._analyzer = PumpSwapSignalAnalyzer(settings=settings.feasibility)
        self._history = SnapshotHistory(settings.signals.history_hours)
        named = request.size_lamports
        self._outcomes = OutcomeRules(
            size_lamports=settings.feasibility.lamports("intended_sol") if named is None else named,
            network_lamports=LAMPORTS_PER_SIGNATURE + priority_fee(settings.paper) + settings.paper.tip_lamports,
            latency_ns=settings.paper.latency_ms * _NS_PER_MS,
            horizons_ns=request.horizons_ns or horizons_ns,
            schedule_for=schedule_for,
        )
        self._tracker = OutcomeTracker(self._outcomes)
        self.rows: list[Observation] = []

    def follow(self, updates: Iterable[MarketUpdate], data_source: str) -> None:
        """Go through the whole market."""
        end_ns = 0
        for update in updates:
            end_ns = update.at_ns
            self._book.apply(update)
            self._tracker.see(update)
            if update.snapshot is not None:
                self._decide(update.snapshot, data_source)
        self._tracker.finish(end_ns)

    def _decide(self, snapshot: PoolSnapshot, data_source: str) -> None:
        facts, why = known_facts(self._book, snapshot.pool, snapshot.at_ns, self._schedule_for, data_source)
        seen = self._observed(snapshot, facts, why)
        if seen.is_available and facts is not None:
            self._tracker.decide(len(self.rows), snapshot.pool, snapshot.at_ns, facts.state)
        self.rows.append(seen)
        self._history.add(snapshot)

    def _observed(self, snapshot: PoolSnapshot, facts: PoolFacts | None, why: str) -> Observation:
        base = self._analyzer.analyze_pool_signals(
            snapshot.metrics, [earlier.metrics for earlier in self._history.before(snapshot)]
        )
        if not base.signals:
            facts, why = None, "the figures of the base score cannot be read"
        found = self._analyzer.enhance(base, facts, intended_lamports=self._outcomes.size_lamports, unavailable=why)
        return Observation(
            pool=snapshot.pool,
            at_ns=snapshot.at_ns,
            base=base.signal_score,
            enhanced=found.enhanced_score,
            name=snapshot.name,
            dex=snapshot.dex,
            is_available=found.is_available,
            missing=found.unavailable,
            shifts=shifts_of(found, self._settings.feasibility),
            facts=facts_of(found),
        )

    def result(self, source: str, assumptions: Iterable[str], command: str) -> SignalComparison:
        """The comparison, once the market is over."""
        outcomes, tracker = self._outcomes, self._tracker
        rows = [
            replace(row, trips=tuple(trips.get(number) for trips in tracker.trips))
            for number, row in enumerate(self.rows)
        ]
        rules = ComparisonRules(
            threshold=self._request.threshold,
            horizons_ns=outcomes.horizons_ns,
            missing=tuple(dict(counter) for counter in tracker.missing),
            sampling=self._request.sampling,
        )
        comparison = compare(rows, rules)
        times = [one.at_ns for one in comparison.observations]
        return SignalComparison(
            comparison=comparison,
            source=source,
            size_lamports=outcomes.size_lamports,
            network_lamports=outcomes.network_lamports,
            latency_ms=self._settings.paper.latency_ms,
            first_ns=min(times, default=0),
            last_ns=max(times, default=0),
            snapshots=len(rows),
            later_pools=len(tracker.seen_later),
            assumptions=(*_ASSUMPTIONS, *assumptions),
            command=f"{command} --threshold {self._request.threshold:g} --size-sol {_sol(outcomes.size_lamports)}"
            + "".join(f" --horizon {length // NS_PER_SECOND}s" for length in outcomes.horizons_ns),
        )


def _sol(lamports: int) -> str:
    return format_units(lamports, 9).replace(",", "")


_ASSUMPTIONS = (
    "Base: the host's formula with what had been seen of the pool before. Enhanced: the same moment's state and fees.",
    "A pick is a snapshot whose score reaches the threshold. A score has no direction: falling prices count too.",
    "Bought on the first state after the latency, sold on the last one at the horizon; both exact, all fees in.",
    "Our own purchase is not in the recorded prices, so its impact is paid twice: on the way in and on the way out.",
    "Rent is left out: the token account's deposit comes back with the sale.",
    "A pool seen empty by then is a total loss; one not seen again has no outcome and is counted.",
)
