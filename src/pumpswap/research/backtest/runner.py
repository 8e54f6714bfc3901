"""``run_backtest``: one strategy through one history, by the same engine, gate, exits, venue and books as paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from pumpswap.analytics.record import RunRecord
from pumpswap.analytics.summary import RunSummary, summarise
from pumpswap.engine.engine import Engine, EngineParts, Signaller, SwapSignaller
from pumpswap.engine.strategy import Strategy
from pumpswap.errors import BadInput, ConfigError
from pumpswap.execution.paper import PaperVenue
from pumpswap.execution.paper_model import PaperModel
from pumpswap.market.book import PoolBook
from pumpswap.model import RunObserver
from pumpswap.research.backtest.book import ReplayBook
from pumpswap.research.backtest.landing import SlotLanding
from pumpswap.research.backtest.market import ReplayMarket
from pumpswap.research.backtest.result import BacktestResult, result_of
from pumpswap.research.backtest.spec import BacktestSpec, settings_of
from pumpswap.research.backtest.world import Impact
from pumpswap.research.chronicle.step import Chronicle, ScheduleFor
from pumpswap.settings import LandingPlace

__all__ = ["Backtest", "Cast", "Players", "run_backtest"]

_PLACES: dict[str, LandingPlace] = {"first": "first", "last": "last", "drawn": "drawn"}


@dataclass(frozen=True, slots=True)
class Players:
    """Who decides in one run. New ones for every run: they remember what they have heard."""

    strategies: Sequence[Strategy]
    signaller: Signaller | None = None
    swap_signaller: SwapSignaller | None = None


Cast = Callable[[PoolBook, ScheduleFor], Players]


@dataclass(frozen=True, slots=True)
class Backtest:
    """A finished back-test: its document, and all that was recorded of it."""

    result: BacktestResult
    summary: RunSummary
    record: RunRecord


def run_backtest(
    spec: BacktestSpec, chronicle: Chronicle, cast: Cast, observers: Sequence[RunObserver] = ()
) -> Backtest:
    """Play ``chronicle`` to the strategies that ``cast`` makes, as ``spec`` says. Nothing is stored.

    Raises BadInput for a history without a step or another one than the spec is of, ConfigError for a spec that nobody
    can run, LedgerMismatch when the books do not add up.
    """
    _require(spec, chronicle)
    settings, book = settings_of(spec), ReplayBook(chronicle.complete)
    market = ReplayMarket(book, chronicle, Impact(spec.impact))
    landing = SlotLanding(chronicle.slots, spec.latency_slots, _PLACES[spec.landing], Random(f"landing {spec.seed}"))
    venue = PaperVenue(
        book,
        settings.paper,
        chronicle.schedule_for,
        max_state_age_seconds=settings.risk.max_state_age_seconds,
        model=PaperModel(settings.paper, Random(spec.seed), landing),
    )
    players = cast(book, chronicle.schedule_for)
    parts = EngineParts(
        book,
        venue,
        players.signaller,
        chronicle.schedule_for,
        settings,
        equity_every_seconds=spec.period_seconds,
        swap_signaller=players.swap_signaller,
        strategies=players.strategies,
    )
    record = RunRecord()
    engine = Engine(parts, (record, *observers))
    book.follow(engine.clock.now_ns)
    engine.run(market.updates(engine.settle), chronicle.span_ns[0], spec.start_lamports)
    summary = summarise(record, engine.portfolio, venue.wallet.balances())
    result = result_of(spec, record, summary, market.tally, dict(engine.risk.state.faults))
    return Backtest(result, summary, record)


def _require(spec: BacktestSpec, chronicle: Chronicle) -> None:
    if not chronicle.identity.steps:
        raise BadInput(
            f"{chronicle.location} holds nothing to replay",
            hint="it needs at least one state of a pool; choose other times or pools",
        )
    if chronicle.identity.sha256 != spec.chronicle:
        raise BadInput(
            f"{chronicle.location} is another history than that of this back-test: its hash is"
            f" {chronicle.identity.sha256[:16]}, not {spec.chronicle[:16]}",
            hint="name the source, the times and the pools that it was made with",
        )
    impacts = [one.value for one in Impact]
    if spec.impact not in impacts or spec.landing not in _PLACES:
        raise ConfigError(
            f"a back-test with the impact {spec.impact!r} and the landing {spec.landing!r}",
            hint=f"the impact is one of {', '.join(impacts)}, the landing one of {', '.join(_PLACES)}",
        )
