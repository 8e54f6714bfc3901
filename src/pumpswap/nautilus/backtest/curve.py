"""Curve: our engine with the paper venue, stepped by a Nautilus back-test.

The engine is the very one that replays and runs on paper: same gate, same exact fills after the same latency, same
books. What differs is who moves time: Nautilus tells a quote, and the market is taken up to it first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from pumpswap.amm import PoolState
from pumpswap.analytics.record import RunRecord
from pumpswap.analytics.summary import RunSummary, summarise
from pumpswap.clock import SystemClock
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.recorder import StoreRecorder
from pumpswap.errors import UsageError
from pumpswap.model import Decision, Intent, RunObserver, TradeSide
from pumpswap.nautilus.backtest.feed import CurveMarket
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from pumpswap.storage.run import Run

__all__ = ["KIND", "Curve", "open_curve"]

KIND = "nautilus"  # of the stored runs


class Curve:
    """A market, and our engine that trades on it. ``run_id`` is that of the stored run, 0 when nothing is stored.

    Time comes from three callers: ``see`` before a quote is told, ``land`` when an order is due, ``wish`` when one is
    submitted. It never goes back.
    """

    def __init__(self, market: CurveMarket, observers: Sequence[RunObserver] = (), run_id: int = 0) -> None:
        self.market, self.venue, self.run_id = market, market.venue, run_id
        self.record = RunRecord()
        self.stored: Run | None = None  # where the run is stored, if so
        self.stepped = 0
        self.summary: RunSummary | None = None
        parts = EngineParts(
            market.book,
            market.venue,
            None,
            market.schedule_for,
            market.settings,
            equity_every_seconds=market.equity_every_seconds,
            strategies=(),
        )
        self.engine = Engine(parts, (self.record, *observers))
        self._feed = market.feed(self.engine)
        self._is_abandoned = False
        self._stepped_ns = 0  # the time of the last step, and how many quoted states of each pool were taken then
        self._states_then: Counter[str] = Counter()
        self._quoted_ns = 0
        self._quotes_then: Counter[str] = Counter()
        self.engine.clock.advance_to(market.start_ns)
        self.engine.deposit(market.start_lamports)

    # ------------------------------------------------------------------------------------------ what is known

    @property
    def settings(self) -> Settings:
        """Those of the engine."""
        return self.market.settings

    @property
    def location(self) -> str:
        """Where the market comes from."""
        return self.market.location

    @property
    def now_ns(self) -> int:
        """The engine's time."""
        return self.engine.clock.now_ns()

    @property
    def wallet_lamports(self) -> int:
        """What the wallet holds in SOL."""
        return self.venue.wallet.lamports

    def held_units(self, mint: str) -> int:
        """What the wallet holds of a token, in base units."""
        return self.venue.wallet.tokens.get(mint, 0)

    def state(self, pool: str) -> PoolState | None:
        """The pool as it is now, our own trades in."""
        return self.market.book.state(pool)

    @property
    def next_landing_ns(self) -> int | None:
        """When the next order is executed."""
        return self.venue.next_landing_ns()

    @property
    def landings_ns(self) -> list[int]:
        """When each order that is on its way is executed."""
        return self.venue.landings_ns()

    # ------------------------------------------------------------------------------------------ time

    def see(self, pool: str, at_ns: int) -> None:
        """A quote of this pool and time is about to be told: take the market up to the update that it was made from.

        The n-th quote of a pool at one time belongs to its n-th state at that time that has a quote at all; what lies
        between is taken too. Raises UsageError for a quote that this market does not have.
        """
        if at_ns != self._quoted_ns:
            if at_ns < self._quoted_ns:
                raise UsageError(f"a quote of {pool} is earlier than the one before it", hint="sort the data")
            self._quoted_ns = at_ns
            self._quotes_then.clear()
        self._quotes_then[pool] += 1
        self._step_before(at_ns)
        while not (self._stepped_ns == at_ns and self._states_then[pool] >= self._quotes_then[pool]):
            if self._feed.next_ns != at_ns:
                raise UsageError(
                    f"{self.location} has no state of pool {pool} at {at_ns}, but a quote tick says so",
                    hint="use the ticks that load_market or load_recording make of this very recording",
                )
            self._step()

    def land(self, at_ns: int) -> None:
        """Execute what has landed by ``at_ns``, each order on the pool as it was then."""
        self._step_before(at_ns)
        self.engine.settle(at_ns)

    def wish(self, intent: Intent, at_ns: int) -> Decision | None:
        """Put an order to the desk. None for a sale that waits: an order on its token is on the way, and the exit goes
        on by itself afterwards.
        """
        self.land(at_ns)
        self.engine.clock.advance_to(at_ns)
        desk = self.engine.desk
        if intent.side is TradeSide.SELL:
            return desk.wish(intent)
        return desk.decide(intent)[0]

    def remember(self, name: str, document: Mapping[str, object]) -> None:
        """Store a document with the run, where it is stored."""
        if self.stored is not None:
            self.stored.states.save(name, document, self.now_ns)

    def finish(self, at_ns: int) -> None:
        """The market up to ``at_ns``, then everything that is on its way lands. Again, or once abandoned: nothing."""
        if self.summary is not None or self._is_abandoned:
            return
        self._step_before(at_ns + 1)
        self.engine.finish()
        self.summary = summarise(self.record, self.engine.portfolio, self.venue.wallet.balances())

    def abandon(self) -> None:
        """The run has failed: nothing more happens, whoever still stops or disposes of something."""
        self._is_abandoned = True

    # ------------------------------------------------------------------------------------------ inside

    def _step_before(self, at_ns: int) -> None:
        while (due := self._feed.next_ns) is not None and due < at_ns:
            self._step()

    def _step(self) -> None:
        update = self._feed.take()
        if update.at_ns != self._stepped_ns:
            self._stepped_ns = update.at_ns
            self._states_then.clear()
        number, self.stepped = self.stepped, self.stepped + 1
        if update.snapshot is not None:
            self.engine.remember(update.snapshot)
        self.engine.step(update)
        is_last = self._feed.next_ns != update.at_ns  # of its moment: no quote can follow that it would be taken for
        if update.state is not None and (is_last or self.market.is_quoted(number, update)):
            self._states_then[update.pool] += 1


@contextmanager
def open_curve(market: CurveMarket, settings: Settings, observers: Sequence[RunObserver] = ()) -> Iterator[Curve]:
    """A curve whose run is stored, as the kind ``nautilus``, in the database of ``settings``.

    The run is finished when the context is left, and stays unfinished when an error leaves it.
    """
    clock = SystemClock()
    with ExitStack() as stack:
        database = stack.enter_context(open_database(settings.database_target))
        stored = database.start_run(KIND, clock.now_ns(), 0, market.settings.to_store())
        recorder = stack.enter_context(StoreRecorder(stored))
        curve = Curve(market, (recorder, *observers), stored.run_id)
        curve.stored = stored
        try:
            yield curve
        except BaseException:
            curve.abandon()
            raise
        curve.finish(curve.now_ns)
        if curve.summary is not None:
            stored.finish(clock.now_ns(), curve.summary.to_json())
