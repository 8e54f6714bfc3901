"""PumpSwapSession: our engine on the loop of a Nautilus node, one for all clients of that node."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pumpswap.amm import FeeSchedule
from pumpswap.app.nautilus_run import ChainEye, OutsideRun, chosen_settings, open_outside
from pumpswap.app.run_parts import FinishedRun, RunOptions, run_sides
from pumpswap.app.run_sides import Sides
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.engine.engine import Engine
from pumpswap.engine.feeds.states import read_states
from pumpswap.engine.health import Monitor
from pumpswap.engine.supervisor import Control
from pumpswap.errors import ConfigError, NotRunning, PumpSwapError
from pumpswap.market.book import PoolBook
from pumpswap.model import Heartbeat, MarketUpdate, Order, RiskState, RunObserver
from pumpswap.nautilus.bridge import OrderBridge
from pumpswap.nautilus.config import Mode, PumpSwapDataClientConfig, PumpSwapExecClientConfig
from pumpswap.nautilus.orders import EventSink
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.trading_wallet import LimitedSigner
from pumpswap.settings import Settings
from pumpswap.settings.reload import SettingsReload
from pumpswap.storage.run import Run

__all__ = ["ClientConfig", "PumpSwapSession"]

ClientConfig = PumpSwapDataClientConfig | PumpSwapExecClientConfig
_NS_PER_MS = 1_000_000

_log = logging.getLogger(__name__)


class PumpSwapSession:
    """Made by ``of``. ``open`` returns when the engine runs and the books are resolved; it is counted, and the last
    ``aclose`` ends it. Whoever wants more than settings and clock asks in between.

    All of `pumpswap run` runs here: gate, books, exits, alerts, reports, and commands from other terminals.
    """

    _of_loops: ClassVar[dict[int, PumpSwapSession]] = {}
    _signers: ClassVar[list[LimitedSigner]] = []

    def __init__(self, loop: asyncio.AbstractEventLoop, mode: Mode, reload: SettingsReload, run: OutsideRun) -> None:
        self.loop = loop
        self.mode: Mode = mode
        self._reload = reload
        self._outside = run
        self._users = 0
        self._task: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] = loop.create_future()
        self._broken: asyncio.Future[None] = loop.create_future()
        self._sides: Sides | None = None
        self._eye: ChainEye | None = None
        self._engine: Engine | None = None
        self._stop: Callable[[], None] = lambda: None
        self._is_asked_to_end = False
        self._observers: list[RunObserver] = []
        self._sinks: list[EventSink] = []
        self._told_of_end: list[Callable[[str], None]] = []
        self._told_of_beats: list[Callable[[], None]] = []
        self._hindered: dict[str, str] = {}

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop, config: ClientConfig) -> PumpSwapSession:
        """The session of a node's loop, made by the first of its clients.

        Raises ConfigError when something is missing, or when two clients of a node contradict each other; KeyLocked.
        """
        path, mode, key = config.settings_path, config.mode, config.key
        reload = chosen_settings(None if path is None else Path(path).expanduser(), mode)
        known = cls._of_loops.get(id(loop))
        if known is not None and known.loop is loop and not known.is_over:
            if known.mode != mode or known.settings != reload.settings:
                raise ConfigError(
                    f"the clients of this node contradict each other: {known.mode} and {mode}, or other settings",
                    hint="give the data client and the execution client the same settings_path, mode and key",
                )
            return known
        signer = cls._signers.pop() if mode == "live" and cls._signers else None
        made = cls(loop, mode, reload, OutsideRun.of(reload.settings, mode, key=key, signer=signer))
        cls._of_loops[id(loop)] = made
        return made

    @classmethod
    def offer_signer(cls, signer: LimitedSigner) -> None:
        """A key that is unlocked already, for the next live session; else the wallet is unlocked as everywhere."""
        cls._signers[:] = [signer]

    # ------------------------------------------------------------------------------------------ what it has

    @property
    def settings(self) -> Settings:
        """As they hold now."""
        return self._reload.settings

    @property
    def clock(self) -> Clock:
        """The machine's time, which never goes back."""
        return self._outside.clock

    @property
    def is_running(self) -> bool:
        """Whether the engine runs and takes orders."""
        return self._opened.done() and self._task is not None and not self._task.done()

    @property
    def is_over(self) -> bool:
        """Whether the engine has ended: then only another process, or another node, begins again."""
        return self._task is not None and self._task.done()

    @property
    def engine(self) -> Engine:
        """Raises NotRunning before ``open``."""
        if self._engine is None:
            raise NotRunning("the session is not open", hint="connect the client first")
        return self._engine

    @property
    def connection(self) -> ChainConnection:
        """The open way to the chain. Raises NotRunning before ``open``."""
        return self.eye.connection

    @property
    def eye(self) -> ChainEye:
        """The same, with what is known of its slots."""
        if self._eye is None:
            raise NotRunning("the session is not open", hint="connect the client first")
        return self._eye

    @property
    def sides(self) -> Sides:
        """What the run is made of. Raises NotRunning before ``open``."""
        if self._sides is None:
            raise NotRunning("the session is not open", hint="connect the client first")
        return self._sides

    @property
    def run(self) -> Run:
        """The stored books."""
        return self.sides.run

    @property
    def book(self) -> PoolBook:
        """The newest known states."""
        return self.sides.market.book

    @property
    def risk(self) -> RiskState:
        """What risk remembers now."""
        return self.engine.risk.state

    @property
    def account(self) -> str:
        """What tells accounts apart: the beginning of the wallet's address, or ``paper``."""
        signer = self._outside.signer
        return "paper" if signer is None else str(signer.public_key)[:8]

    def schedule(self) -> FeeSchedule:
        """The fees in force."""
        return self.sides.market.schedule_for(self.clock.now_ns() // NS_PER_SECOND)

    def held_pools(self) -> Iterable[str]:
        """Pools of open positions and of orders whose fate is not known."""
        held = [position.pool for position in self.engine.portfolio.positions.open_positions()]
        return dict.fromkeys([*held, *(order.pool for order in self.engine.desk.orders)])

    def unresolved(self) -> list[Order]:
        """Orders that have not ended, of this process and of those before. Raises StorageError."""
        stored = {order.order_id: order for order in self.run.orders(unresolved=True)}
        return list((stored | {order.order_id: order for order in self.engine.desk.orders}).values())

    def flush(self) -> None:
        """Store what the engine has told so far. Raises StorageError."""
        self.sides.trading.keeps.flush()

    # ------------------------------------------------------------------------------------------ who listens

    def listen(self, observer: RunObserver) -> None:
        """Tell this observer too what the engine tells, from now on."""
        if self._engine is None:
            self._observers.append(observer)
        else:
            self._engine.listen(observer)

    def tell_orders(self, sink: EventSink) -> None:
        """Tell what happens to orders there, from the engine's first moment on. Before ``open``."""
        self._sinks.append(sink)

    def on_end(self, told: Callable[[str], None]) -> None:
        """Call this with the reason when the engine has ended without being asked to."""
        self._told_of_end.append(told)

    def on_beat(self, told: Callable[[], None]) -> None:
        """Call this with every heartbeat of the engine."""
        self._told_of_beats.append(told)

    def hinder(self, strategy: str, obstacle: str) -> None:
        """What keeps a strategy from deciding, empty for nothing: a fault of the run as long as there is something."""
        self._hindered[strategy] = obstacle

    def watch(self, pool: str, *, trades: bool) -> None:
        """Read the state of this pool in every round from now on; with ``trades`` also hear its swaps. Counted."""
        self._outside.watch.add(pool, trades=trades)

    def unwatch(self, pool: str, *, trades: bool) -> None:
        """Undo one ``watch`` of the same kind."""
        self._outside.watch.drop(pool, trades=trades)

    # ------------------------------------------------------------------------------------------ what is asked of it

    async def refresh(self, pool: str, max_age_ms: int) -> None:
        """Read a pool now, when what is known of it is older. What the chain does not tell changes nothing: the gate
        judges how old the state is.
        """
        seen = self.book.observed_ns(pool)
        if seen is not None and self.clock.now_ns() - seen <= max_age_ms * _NS_PER_MS:
            return
        try:
            states, _ = await read_states(self.connection.reader, [pool])
        except PumpSwapError as failed:
            _log.warning("pool-not-read", extra={"pool": pool, "reason": failed.what})
            return
        read, known = states.get(pool), self.book.state(pool)
        if read is None or not self.is_running or (known is not None and read.slot < known.slot):
            return
        # As old as its slot: a node that stands still tells the same again, and that must not look fresh.
        update = MarketUpdate(self.clock.now_ns(), pool, read, state_ns=self.eye.slots.hear(read.slot))
        self.do(lambda: self.engine.step(update))

    def do(self, deed: Callable[[], None]) -> None:
        """Do something with the engine, between two of its events. An error that it does not name is a bug: it ends the
        engine, as everywhere, after it is stored as an alert; it is raised here too.
        """
        try:
            deed()
        except Exception as broken:
            self.fail(broken)
            raise

    def fail(self, broken: Exception) -> None:
        """End the engine with this error."""
        if not self._broken.done():
            self._broken.set_exception(broken)

    # ------------------------------------------------------------------------------------------ running

    async def open(self) -> None:
        """Wait until the engine runs. Raises what keeps it from beginning: what opens books and connections raises."""
        self._users += 1
        if self._task is None:
            self._task = self.loop.create_task(self._run(), name="pumpswap session")
        await asyncio.wait((self._task, self._opened), return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()
            raise NotRunning("the engine has ended", hint="its alerts tell why: pumpswap alerts list")

    async def aclose(self) -> None:
        """The last one to leave stops the engine, in order: what is on its way may land. Never raises."""
        self._users = max(self._users - 1, 0)
        if self._users or self._task is None:
            return
        self._is_asked_to_end = True
        if not self._task.done():
            if self._opened.done():
                self._stop()
            else:
                self._task.cancel()
        with suppress(asyncio.CancelledError, Exception):  # told by ``_run``
            await self._task

    async def _run(self) -> None:
        try:
            finished = await self._run_sides()
        except asyncio.CancelledError:
            raise
        except Exception as broken:
            what = broken.what if isinstance(broken, PumpSwapError) else f"{type(broken).__name__}: {broken}"
            _log.error("nautilus-session-ended", extra={"reason": what})
            self._tell_end(what)
            raise
        finally:
            if self._broken.done() and not self._broken.cancelled():
                self._broken.exception()  # told already
        if not self._is_asked_to_end:
            self._tell_end(f"the engine has ended: {finished.ending.value}")

    async def _run_sides(self) -> FinishedRun:
        async with open_outside(self._outside) as (sides, eye):
            self._sides, self._eye = sides, eye
            monitors = (*sides.trading.monitors, Monitor("strategies", self._hindrance))
            made = self._control_of(sides)
            trading = replace(sides.trading, news=self._news_of(sides), control=made, monitors=monitors)
            options = RunOptions(
                observers=(*self._observers, *(OrderBridge(sides.run.run_id, sink) for sink in self._sinks)),
                on_beat=self._on_beat,
                stops=self._take_stop,
                process=os.getpid(),
                wall=self.clock,
                reload=self._reload,
            )
            async with sides.running:
                return await run_sides(self.settings, sides.market, sides.scoring, trading, options)

    def _hindrance(self) -> str:
        return "; ".join(f"{name}: {told}" for name, told in sorted(self._hindered.items()) if told)

    def _news_of(self, sides: Sides) -> Callable[[], Awaitable[None]]:
        """The venue's news; raises what has broken the engine from outside, where the supervisor hears it."""
        of_venue = sides.trading.news

        async def news() -> None:
            waiting: list[asyncio.Future[None]] = [self._broken]
            if of_venue is not None:
                waiting.append(asyncio.ensure_future(of_venue()))
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waiting[1:]:
                    task.cancel()
            if self._broken.done():
                self._broken.result()

        return news

    def _control_of(self, sides: Sides) -> Callable[[Engine, Callable[[], None]], Control]:
        make = sides.trading.control
        assert make is not None, "runs on paper and with money take commands"

        def control(engine: Engine, stop: Callable[[], None]) -> Control:
            self._engine = engine
            return make(engine, stop)

        return control

    def _take_stop(self, stop: Callable[[], None]) -> None:
        self._stop = stop

    def _on_beat(self, beat: Heartbeat) -> None:
        if not self._opened.done():
            self._opened.set_result(None)
        for told in self._told_of_beats:
            try:
                told()
            except Exception:  # who only looks on does not end the engine, which looks after what is held
                _log.exception("nautilus-was-not-told")

    def _tell_end(self, reason: str) -> None:
        for told in self._told_of_end:
            told(reason)
