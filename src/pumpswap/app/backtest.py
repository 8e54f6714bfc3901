"""Back-tests: a history, a strategy and settings become results, stored so that they can be repeated to the byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

import msgspec

from pumpswap.app.backtest_evidence import evidence_of, remembered
from pumpswap.app.backtest_scoring import ChosenStrategy, cast_of, choose_strategy, frame_sha256
from pumpswap.clock import Clock, SystemClock
from pumpswap.engine.outbox import Outbox
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.errors import BadInput, UsageError
from pumpswap.model import MarketUpdate, RunObserver
from pumpswap.research.backtest.result import BacktestResult
from pumpswap.research.backtest.runner import Backtest, run_backtest
from pumpswap.research.backtest.spec import BacktestSpec, SourceRef, new_spec
from pumpswap.research.backtest.world import Impact
from pumpswap.research.chronicle.sources import open_chronicle
from pumpswap.research.chronicle.step import Chronicle
from pumpswap.research.chronicle.verify import Explained, verify
from pumpswap.research.significance.evidence import Evidence
from pumpswap.research.significance.lookahead import StrategyInputs
from pumpswap.research.significance.run_evidence import judged_by
from pumpswap.settings import Settings
from pumpswap.storage.backtests import StoredBacktest
from pumpswap.storage.database import Database, open_database

__all__ = [
    "KIND",
    "BacktestOrder",
    "BacktestOutcome",
    "OtherLanding",
    "RanBacktest",
    "Tell",
    "bar_of",
    "open_history",
    "play",
    "run_order",
    "spec_of",
]

KIND = "backtest"
LOCATION, STRATEGY_FILE, FRAME = "backtest_source", "backtest_strategy", "backtest_frame"  # beside a run's settings
Tell = Callable[[str, int, int | None], None]
_TOLD_EVERY = 1_000
_STORED_AT_ONCE = 2_000
_SIMULATED, _VECTORS = "simulated", "vectors"


@dataclass(frozen=True, slots=True)
class BacktestOrder:
    """What somebody wants tried. ``source`` as ``open_chronicle`` takes it; ``minutes`` of a simulated market.
    ``keeps_books``: store every decision, order and entry; without, the result alone. ``compares_landing``: also try
    the other end of the slot, which is not stored.
    """

    source: str
    strategy: str = "follow-signals"
    params: tuple[tuple[str, str], ...] = ()
    impacts: tuple[Impact, ...] = (Impact.COUNTERFACTUAL, Impact.NAIVE)
    pools: tuple[str, ...] = ()
    since_ns: int | None = None
    until_ns: int | None = None
    minutes: int = 30
    seed: int = 0
    name: str = ""
    keeps_books: bool = True
    frame: Path | None = None
    compares_landing: bool = True

    @property
    def place(self) -> str:
        """The source for somebody in another folder; empty for a URL, which may carry a password."""
        if "://" in self.source:
            return ""
        kind, colon, rest = self.source.rpartition(":")
        if kind == _SIMULATED or self.source == _SIMULATED:
            return self.source
        return f"{kind}{colon}{Path(rest).absolute()}" if kind == _VECTORS else str(Path(self.source).absolute())


@dataclass(frozen=True, slots=True)
class RanBacktest:
    """One finished back-test, the number of its run, and what it is worth among all that was tried on its history."""

    run_id: int
    backtest: Backtest
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class OtherLanding:
    """What the first result would be if our orders landed at another place in their slot."""

    landing: str
    net_lamports: int
    fills: int


@dataclass(frozen=True, slots=True)
class BacktestOutcome:
    """All that was asked for: one or two back-tests of one history. ``explained`` None: nobody asked to verify;
    ``other_landing`` None: nobody asked, or nothing was traded.
    """

    ran: tuple[RanBacktest, ...]
    chronicle: Chronicle
    explained: Explained | None
    database: str
    warnings: tuple[str, ...] = field(default=())
    other_landing: OtherLanding | None = None


def open_history(order: BacktestOrder) -> Chronicle:
    """The history of an order. Raises NotFound, BadInput, UsageError as ``open_chronicle`` does."""
    if order.since_ns is not None and order.until_ns is not None and order.since_ns >= order.until_ns:
        raise UsageError("the history ends before it begins", hint="--from must be before --until")
    return open_chronicle(
        order.source, pools=order.pools, since_ns=order.since_ns, until_ns=order.until_ns, minutes=order.minutes
    )


def spec_of(order: BacktestOrder, chronicle: Chronicle, chosen: ChosenStrategy, settings: Settings) -> BacktestSpec:
    """Everything that decides, with the first impact that is asked for."""
    return new_spec(
        chronicle,
        _source_ref(order, chronicle),
        chosen.ref,
        settings,
        impact=order.impacts[0].value,
        seed=order.seed,
        frame_sha256=frame_sha256(settings, chosen, order.frame),
    )


def _source_ref(order: BacktestOrder, chronicle: Chronicle) -> SourceRef:
    """Without the folder; of a URL what its source tells of it, which is without a password."""
    is_played = order.source.partition(":")[0] == _SIMULATED
    name = order.source if is_played else chronicle.location if "://" in order.source else Path(order.source).name
    kind = chronicle.identity.source.get("kind", "recorded")
    minutes = order.minutes if is_played else None
    return SourceRef(kind, name, order.pools, order.since_ns, order.until_ns, minutes)


def run_order(
    order: BacktestOrder, settings: Settings, *, clock: Clock | None = None, tell: Tell | None = None
) -> BacktestOutcome:
    """Run what is ordered and store it. ``tell`` hears how far it is.

    Raises BadInput for a history that does not follow from itself, and what ``open_history``, ``choose_strategy`` and
    ``run_backtest`` raise.
    """
    wall = clock or SystemClock()
    if not order.impacts:
        raise UsageError("no impact is chosen", hint="both, counterfactual or naive")
    chosen = choose_strategy(order.strategy, order.params)
    chronicle = open_history(order)
    explained = _verified(chronicle) if settings.backtest.verify else None  # first: its pass finds the counts as well
    _require_trades(chronicle)
    spec = spec_of(order, chronicle, chosen, settings)
    ran: list[RanBacktest] = []
    with open_database(settings.backtests_file) as database:
        shelf = _Shelf(database, order, settings, wall)
        for impact in order.impacts:
            one = msgspec.structs.replace(spec, impact=impact.value)
            bar = bar_of(tell, impact.value, chronicle.identity.steps)
            ran.append(shelf.run(one, chronicle, chosen, bar))
        if len(ran) == 2:
            database.backtests.pair(ran[0].run_id, ran[1].run_id)
        evidence = evidence_of(database, [database.backtests.get(one.run_id) for one in ran])
        ran = [replace(one, evidence=evidence[one.run_id]) for one in ran]
    other = None
    if order.compares_landing and ran[0].backtest.summary.fills:
        other = _other_landing(ran[0].backtest.result, chronicle, (chosen, settings, order), tell)
    warnings = (*_warnings(order, chronicle, ran), *_landing_warnings(ran[0].backtest.result, other))
    return BacktestOutcome(tuple(ran), chronicle, explained, database.location, warnings, other)


def _other_landing(
    result: BacktestResult, chronicle: Chronicle, who: tuple[ChosenStrategy, Settings, BacktestOrder], tell: Tell | None
) -> OtherLanding:
    """The same with our orders at the other end of their slot. Nothing is stored."""
    place = "last" if result.spec.landing == "first" else "first"
    spec = msgspec.structs.replace(result.spec, landing=place)
    bar = bar_of(tell, f"landing {place}", chronicle.identity.steps)
    done = play(spec, chronicle, who, (bar,))
    return OtherLanding(place, done.result.net_lamports, done.summary.fills)


def play(
    spec: BacktestSpec,
    chronicle: Chronicle,
    who: tuple[ChosenStrategy, Settings, BacktestOrder],
    observers: Sequence[RunObserver],
) -> Backtest:
    """One back-test with a new strategy. Nothing is stored but by ``observers``."""
    chosen, settings, order = who
    cast = cast_of(settings, chosen, StrategyInputs(chronicle, order.frame or settings.q50.path))
    return run_backtest(spec, chronicle, cast, observers)


# ---------------------------------------------------------------------------------------------- storing


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Where back-tests are kept, beside the runs that they are."""

    database: Database
    order: BacktestOrder
    settings: Settings
    wall: Clock

    def run(self, spec: BacktestSpec, chronicle: Chronicle, chosen: ChosenStrategy, bar: RunObserver) -> RanBacktest:
        """Play it and keep what came out."""
        who = chosen, self.settings, self.order
        stored = self.database.start_run(KIND, self.wall.now_ns(), spec.seed, self._remembered())
        if self.order.keeps_books:
            kept = _Kept(stored, StoreRecorder(stored))
            done = play(spec, chronicle, who, (kept, bar))
            kept.flush()
        else:
            done = play(spec, chronicle, who, (bar,))
        with self.database.batch():
            stored.finish(self.wall.now_ns(), done.summary.to_json() | remembered(judged_by(done)))
            self.database.backtests.add(self._row(stored.run_id, done))
        return RanBacktest(stored.run_id, done)

    def _remembered(self) -> dict[str, object]:
        """The settings, and where everything was: places decide nothing, but a repetition begins there."""
        order = self.order
        frame = order.frame or self.settings.q50.path
        place = None if frame is None else str(frame.expanduser().absolute())
        return self.settings.to_store() | {
            LOCATION: order.place,
            STRATEGY_FILE: _absolute(order.strategy),
            FRAME: place,
        }

    def _row(self, run_id: int, done: Backtest) -> StoredBacktest:
        spec, result = done.result.spec, done.result
        return StoredBacktest(
            run_id=run_id,
            key=spec.key,
            name=self.order.name,
            strategy=spec.strategy.name,
            impact=spec.impact,
            data_sha256=spec.chronicle,
            version=spec.version,
            engine_sha256=spec.engine_sha256,
            twin_run_id=None,
            spec=spec.canonical().decode(),
            ledger_sha256=result.ledger_sha256,
            result_sha256=result.sha256,
            result=result.canonical().decode(),
        )


def _absolute(strategy: str) -> str:
    path, colon, name = strategy.rpartition(":")
    return f"{Path(path).absolute()}{colon}{name}" if path.endswith(".py") else strategy


class _Kept(Outbox):
    """Stores now and then, quickly: a slow strategy must not keep other back-tests out of their database."""

    def on_update(self, update: MarketUpdate) -> None:
        super().on_update(update)
        if len(self) >= _STORED_AT_ONCE:
            self.flush()


class _Bar(RunObserver):
    """Counts what has been played."""

    def __init__(self, tell: Tell, what: str, steps: int) -> None:
        self._tell, self._what, self._steps, self._done = tell, what, steps, 0

    def on_update(self, update: MarketUpdate) -> None:
        self._done += 1
        if self._done % _TOLD_EVERY == 0 or self._done == self._steps:
            self._tell(self._what, self._done, self._steps)


def bar_of(tell: Tell | None, what: str, steps: int) -> RunObserver:
    """An observer that tells how far a run is."""
    return RunObserver() if tell is None else _Bar(tell, what, steps)


# ---------------------------------------------------------------------------------------------- what must be said


def _require_trades(chronicle: Chronicle) -> None:
    """Raises BadInput where nothing happens: states of pools alone are no market."""
    counts = chronicle.counts
    if not counts.get("swaps") and not counts.get("snapshots"):
        raise BadInput(
            f"nothing happens in {chronicle.location} in that time and in those pools",
            hint="choose others with --from, --until and --pool; `pumpswap data list` says what a lake holds",
        )


def _verified(chronicle: Chronicle) -> Explained:
    explained = verify(chronicle)
    if not explained.is_good:
        first = explained.first_differences[0]
        raise BadInput(
            f"{explained.differing} of {chronicle.identity.steps} steps do not follow from those before them, the first"
            f" in pool {first.pool}, slot {first.slot}: {first.what}",
            hint="this is a bug of the source's reader: report it; --no-verify runs all the same",
        )
    return explained


def _landing_warnings(result: BacktestResult, other: OtherLanding | None) -> tuple[str, ...]:
    """What hangs on where in their slot orders land is no result: nobody chooses that."""
    if other is None or (result.net_lamports > 0) == (other.net_lamports > 0):
        return ()
    return (f"landing {other.landing} instead of {result.spec.landing} turns gain and loss around: there is no result",)


def _warnings(order: BacktestOrder, chronicle: Chronicle, ran: Sequence[RanBacktest]) -> tuple[str, ...]:
    found = []
    steps, told = chronicle.identity.steps, chronicle.counts.get("told", 0)
    if told:
        what = "are only told by their result, or rest on an assumed pool"
        found.append(f"{told} of {steps} steps {what}: there our own impact is estimated")
    unknown = max(one.backtest.result.world["unknown_sellers"] for one in ran)
    if unknown:
        found.append(f"{unknown} sales in pools that we changed are of nobody knows whom: they sell what they did")
    found.extend(_held_warnings(ran[0].backtest.result))
    if find_spec("numpy") is None:
        found.append(
            "numpy is not installed, so the same rounds were not drawn again to see how bad they could have been:"
            " pip install 'pumpswap[data]'"
        )
    if ran[0].backtest.result.spec.settings["risk"]["require_screen"]:
        found.append("risk.require_screen is on, and no token is screened in a back-test: every purchase is refused")
    if order.pools:
        found.append("pools were chosen by somebody who may have known how they ended: choose them by what was known")
    for one in ran:
        result = one.backtest.result
        for name, text in result.faults.items():
            where = f"{name} has failed in the {result.spec.impact} market"
            found.append(f"{where}, from then on nothing was bought: {text}")
    if not ran[0].backtest.summary.fills:
        found.append("nothing was traded: `refused by` says what was in the way, where anything was wished")
    return tuple(found)


def _held_warnings(result: BacktestResult) -> tuple[str, ...]:
    """What the figures of care mean."""
    found, figures, counted = [], result.figures, result.summary["positions"]
    still_open = int(counted["open"])
    if late := figures["rounds_held_too_long"]:
        found.append(
            f"{late} of {int(counted['closed']) + still_open} rounds were held longer than exits.max_hold_seconds: a"
            " pool is looked at when the history tells something of it, by live trading every second"
        )
    if old := figures["open_rounds_of_old_value"]:
        found.append(
            f"{old} of {still_open} open rounds are valued at what was last told of their pools, up to"
            f" {figures['oldest_value_seconds']:,} s ago: whether they could be sold so nobody knows"
        )
    return tuple(found)
