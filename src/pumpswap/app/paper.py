"""Paper runs: a market, the rooms, the store and the report of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pumpswap.amm import FeeSchedule, current_schedule, schedule_at
from pumpswap.analytics.record import RunRecord
from pumpswap.analytics.report import ReportInput, write_report
from pumpswap.analytics.summary import RunSummary, summarise
from pumpswap.app.run_scoring import analyser
from pumpswap.clock import SystemClock, format_utc
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.engine.trial import TRIAL_START_NS
from pumpswap.errors import BadInput
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.market.simulator import MarketSimulator
from pumpswap.market.tape import open_recording
from pumpswap.model import MarketUpdate, RunObserver
from pumpswap.portfolio.ledger import ledger_line
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database

__all__ = ["PaperRun", "run_demo", "run_replay"]

DEMO_START_NS = TRIAL_START_NS


@dataclass(frozen=True, slots=True)
class PaperRun:
    """A finished paper run: its figures, what it recorded, and where it was stored."""

    summary: RunSummary
    record: RunRecord
    assumptions: tuple[str, ...]
    report: Path
    database: str  # a path, or a URL without its password
    run_id: int
    next_steps: tuple[str, ...]
    counts: dict[str, int]
    notes: tuple[str, ...]
    source: str = ""  # of a replay: a path, or a URL without its password


Settle = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What distinguishes one paper run from another.

    ``updates`` makes the feed. It gets the engine's ``settle``, for a market that trades on our book: what of ours
    lands before an arrival must be in the book when the arrival looks at it.
    """

    kind: str
    title: str
    subtitle: str
    seed: int
    start_ns: int
    assumptions: tuple[str, ...]
    next_steps: tuple[str, ...]
    schedule_for: Callable[[int], FeeSchedule]
    equity_every_seconds: int
    command: str
    updates: Callable[[Settle], Iterable[MarketUpdate]]
    counts: Callable[[], dict[str, int]] = dict
    notes: Callable[[], tuple[str, ...]] = tuple
    source: str = ""


def run_demo(
    settings: Settings, *, seed: int, duration_seconds: int = 1_800, observers: Sequence[RunObserver] = ()
) -> PaperRun:
    """The simulated market through the real rooms. Deterministic by ``seed``."""
    book = PoolBook()
    market = MarketSimulator(book, seed=seed, start_ns=DEMO_START_NS, duration_s=duration_seconds)
    plan = _Plan(
        kind="demo",
        title="pumpswap demo",
        subtitle=f"a simulated market, seed {seed}",
        seed=seed,
        start_ns=DEMO_START_NS,
        assumptions=(
            "The market is simulated: its participants are invented, its curve, fees and limits are the program's.",
            "Fees are those of the package's newest schedule; SOL is worth 200 USD.",
        ),
        next_steps=(
            "pumpswap quote --buy-sol 1",
            "pumpswap paper replay PATH",
            f"pumpswap demo --seed {seed + 1}",
        ),
        schedule_for=lambda _: current_schedule(),
        equity_every_seconds=5,
        command=f"pumpswap demo --seed {seed} --minutes {duration_seconds // 60}",
        updates=market.updates,
        notes=lambda: _notes(market),
    )
    return _run(plan, settings, book, observers)


def run_replay(target: str | Path, settings: Settings, *, observers: Sequence[RunObserver] = ()) -> PaperRun:
    """A recording through the real rooms: a folder, a file, or the URL of a host's database.

    Raises NotFound or BadInput for a target that is no recording.
    """
    recording = open_recording(target)
    location = recording.location
    name = location if "://" in location else Path(location).name
    updates = iter(recording.updates())
    first = next(updates, None)
    if first is None:
        raise BadInput(
            f"{location} holds nothing to replay", hint="it needs at least one snapshot or trade; a lake one of mainnet"
        )
    plan = _Plan(
        kind="replay",
        title=f"Replay of {name}",
        subtitle="recorded market data on paper",
        seed=0,
        start_ns=first.at_ns,
        assumptions=tuple(recording.assumptions),
        next_steps=("pumpswap paper replay PATH --ledger ledger.jsonl", "pumpswap quote --buy-sol 1", "pumpswap demo"),
        schedule_for=schedule_at,
        equity_every_seconds=60,
        command=f"pumpswap paper replay {name}",
        updates=lambda _: chain([first], updates),
        counts=lambda: dict(recording.counts),
        source=location,
    )
    return _run(plan, settings, PoolBook(), observers)


def write_ledger(path: Path, run: PaperRun) -> None:
    """The run's ledger as JSON lines: the very bytes that ``ledger_sha256`` is computed over."""
    path.write_text("".join(ledger_line(entry) + "\n" for entry in run.record.entries), encoding="utf-8")


def _run(plan: _Plan, settings: Settings, book: PoolBook, observers: Sequence[RunObserver]) -> PaperRun:
    venue = PaperVenue(
        book, settings.paper, plan.schedule_for, max_state_age_seconds=settings.risk.max_state_age_seconds
    )
    parts = EngineParts(
        book,
        venue,
        analyser(settings, book, plan.schedule_for),
        plan.schedule_for,
        settings,
        equity_every_seconds=plan.equity_every_seconds,
    )
    record, start_lamports = RunRecord(), settings.paper.lamports("start_sol")
    clock = SystemClock()
    with open_database(settings.database_target) as database:
        stored = database.start_run(plan.kind, clock.now_ns(), plan.seed, settings.to_store())
        with StoreRecorder(stored) as recorder:
            engine = Engine(parts, (record, recorder, *observers))
            engine.run(plan.updates(engine.settle), plan.start_ns, start_lamports)
        summary = summarise(record, engine.portfolio, venue.wallet.balances())
        stored.finish(clock.now_ns(), summary.to_json())
        run_id = stored.run_id
    shown = ReportInput(
        title=plan.title,
        subtitle=plan.subtitle,
        record=record,
        summary=summary,
        assumptions=plan.assumptions,
        next_steps=plan.next_steps,
        command=plan.command,
    )
    report = write_report(settings.data_dir / "reports" / f"{plan.kind}-{run_id}.html", shown)
    return PaperRun(
        summary=summary,
        record=record,
        assumptions=plan.assumptions,
        report=report,
        database=database.location,
        run_id=run_id,
        next_steps=plan.next_steps,
        counts=plan.counts(),
        notes=plan.notes(),
        source=plan.source,
    )


def _notes(market: MarketSimulator) -> tuple[str, ...]:
    """What nobody in the simulated market knew, told afterwards. Boost burns are many and change little: left out."""
    every = [
        (at_ns, truth.name, text)
        for truth in market.truth()
        for at_ns, text in truth.notes
        if not text.startswith("a boost bought")
    ]
    return tuple(f"{format_utc(at_ns)[11:]} {name}: {text}" for at_ns, name, text in sorted(every))
