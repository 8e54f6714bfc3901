"""`pumpswap run --live`: the same run as on paper, with a wallet's money: its books, its venue, its memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from pumpswap.app.check_watch import CheckWatch, Seldom
from pumpswap.app.companions import RunPlace, companions_of
from pumpswap.app.live_readiness import require_check
from pumpswap.app.run import RunResult
from pumpswap.app.run_market import MarketPlaces
from pumpswap.app.run_needs import require_channels
from pumpswap.app.run_order import BegunRun
from pumpswap.app.run_parts import MarketSide, RunOptions, TradingSide, run_sides
from pumpswap.app.run_sides import Head, Sides, own_head
from pumpswap.app.run_tally import RunTally
from pumpswap.clock import NS_PER_SECOND, SteadyClock
from pumpswap.engine.control import Control
from pumpswap.engine.engine import Engine
from pumpswap.engine.feeds.watch_list import WatchList
from pumpswap.engine.health import Monitor
from pumpswap.engine.live_trading import LiveTrading, SeenFills, take_up
from pumpswap.engine.outbox import PLACE
from pumpswap.model import Reconciliation
from pumpswap.risk.signing import held_back
from pumpswap.sdk.capital import Capital
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.held_pools import see_held
from pumpswap.sdk.reconciler import Reconciler
from pumpswap.sdk.sending_probe import SendingProbe
from pumpswap.sdk.trading_wallet import LimitedSigner, TradingWallet
from pumpswap.settings import Settings
from pumpswap.storage.run import Run

__all__ = ["open_live", "run_live"]

_FEEDS = ("snapshots",)


async def run_live(
    settings: Settings, signer: LimitedSigner, options: RunOptions, begun: Callable[[BegunRun], None]
) -> RunResult:
    """Run until the time is up or somebody stops it. ``begun`` hears what it runs on.

    Raises ConfigError when something is missing (see ``live_readiness``), what ``TradingWallet.open`` raises, and what
    breaks the engine. Orders on their way when it ends stay stored: the next start finds out what became of them.
    """
    wall = SteadyClock(options.wall)  # else a clock that is set back would keep every exit waiting
    options = replace(options, wall=wall)
    async with open_live(settings, signer, own_head(settings, wall), wall) as sides:
        begun(sides.begun)
        async with sides.running:
            finished = await run_sides(settings, sides.market, sides.scoring, sides.trading, options)
        return RunResult.of(sides.begun, finished, sides.tally, is_finished=False)


@asynccontextmanager
async def open_live(settings: Settings, signer: LimitedSigner, head: Head, wall: SteadyClock) -> AsyncIterator[Sides]:
    """The sides of a run with money, what earlier processes left open resolved as far as the chain tells; ``head``
    decides what is heard. Raises what ``run_live`` raises before it begins.
    """
    require_channels(settings)
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(ChainConnection(settings, wall))
        wallet = await TradingWallet.open(connection, signer, is_patient=False)  # exits of other coins do not wait
        stack.push_async_callback(wallet.aclose)
        require_check(wallet.books.run, settings, wall.now_ns())
        live = _Live(wallet, settings, wall)
        watch = WatchList(settings.run.watched_pools, settings.signals.min_score)

        async def connect() -> ChainConnection:
            return connection  # one for all: the rates of the endpoints are limited together

        market = await head.market(MarketPlaces(_places(wallet.books.run), None), watch, connect)
        scoring = await head.scoring(market, watch)
        await see_held(connection, wallet.books.portfolio, market.book)
        yield Sides(
            *(market, scoring, live.side(market), wallet.books.run, live.begun(market), live.tally),
            wallet=wallet,
            running=live,
        )


class _Live:
    """The trading side, and what looks after it while it runs. Use as a context around the run."""

    def __init__(self, wallet: TradingWallet, settings: Settings, wall: SteadyClock) -> None:
        self.wallet = wallet
        self.tally = RunTally()
        self._settings = settings
        self._wall = wall
        self._trading: LiveTrading = take_up(wallet.venue, wallet.books)
        connection, run = wallet.connection, wallet.books.run
        self._probe = SendingProbe(connection.node, connection.schedules, wallet.signer.public_key)
        self._probing: asyncio.Task[None] | None = None
        self._check = CheckWatch(run, settings, wall)
        self._reconciler = Reconciler(self._compare, run, wall, settings.books.reconcile_seconds)

    async def __aenter__(self) -> None:
        await self._probe.look()
        self._probing = asyncio.create_task(self._probe.run(), name="sending probe")
        self._reconciler.start()

    async def __aexit__(self, *failed: object) -> None:
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self._trading.venue.drain, 0)
            closing.push_async_callback(self._reconciler.aclose)
            if self._probing is not None:
                self._probing.cancel()
                await asyncio.gather(self._probing, return_exceptions=True)

    def side(self, market: MarketSide) -> TradingSide:
        """For ``run_sides``."""
        wallet, trading = self.wallet, self._trading
        return TradingSide(
            mode=self._settings.run.mode,
            venue=trading.venue,
            keeper=trading.keeper,
            keeps=trading.recorder,
            observers=(SeenFills(market.book, self._wall), trading.recorder, trading.health, self.tally),
            control=self._control,
            restored=trading.recalled.restored,
            orders=trading.recalled.orders,
            checks=lambda decision: wallet.verdicts(decision, trading.venue.on_the_way),
            monitors=(
                Monitor("sending", self._obstacle_of_sending),
                Monitor("orders", trading.venue.obstacle),
                Monitor("last order", trading.health.obstacle),
                Monitor("reconciler", self._reconciler.obstacle),
                Monitor("machine's clock", self._obstacle_of_clock),
                Monitor("live check", self._check.obstacle),
                Monitor("claim", Seldom(wallet.claim_obstacle, self._wall).obstacle),
            ),
            news=trading.venue.news,
            let_go=self._let_go,
            companions=lambda engine: companions_of(
                RunPlace(
                    *(self._settings, wallet.database, wallet.books.run, engine, self._wall, trading.recorder.also),
                    watch=market.watch,
                    alerts_before=wallet.alerts_before,
                )
            ),
        )

    def begun(self, market: MarketSide) -> BegunRun:
        """What it runs on, and what was found on opening."""
        books = self.wallet.books
        return BegunRun(
            run_id=books.run.run_id,
            kind="live",
            database=self.wallet.database.location,
            market=market.name,
            notes=(*_found_notes(self.wallet), *market.notes),
            is_new=books.is_new,
            open_positions=len(books.portfolio.positions.open_positions()),
            lost=0,
        )

    async def _let_go(self, engine: Engine) -> None:
        """The engine has stopped: what has become known meanwhile is heard and stored, the rest is left to the next
        start.
        """
        await self._trading.venue.drain(0)
        engine.settle(self._wall.now_ns())
        self._trading.recorder.flush()

    def _control(self, engine: Engine, stop: Callable[[], None]) -> Control:
        books, recorder = self.wallet.books, self._trading.recorder
        Capital(books, engine.risk, self._wall, recorder.also).follow()
        self.wallet.held_back = lambda order: held_back(
            order, engine.risk, engine.desk.parts.settings.risk, self._wall.now_ns()
        )
        return Control(books.run, engine, stop, recorder, self._wall.now_ns, self._wall.now_ns)

    def _obstacle_of_sending(self) -> str:
        if self._probing is not None and self._probing.done():
            return "nobody looks whether orders could be sent: start again"
        return self._probe.obstacle()

    def _obstacle_of_clock(self) -> str:
        seconds = self._wall.ahead_ns() // NS_PER_SECOND
        return f"it was set back by {seconds} s; exits go on. To buy again: start again" if seconds else ""

    async def _compare(self) -> bool:
        """On a schedule: books against wallet. Whether they could be compared."""
        return await self.wallet.reconcile() is not None


def _found_notes(wallet: TradingWallet) -> Sequence[str]:
    notes = [
        f"Order {order.order_id} of an earlier run: {type(outcome).__name__.lower()}."
        for order, outcome in wallet.resolved
    ]
    notes += [f"Order {order_id} cannot be read: {error.what}" for order_id, error in wallet.unread.items()]
    found: Reconciliation | None = wallet.reconciliation
    if found is None:
        notes.append("An order of before may still land: books and wallet are compared when its fate is known.")
    elif found.events:
        notes.append(f"{len(found.events)} movement(s) by others were found and booked: pumpswap reconcile lists them.")
    if found is not None and not found.is_balanced:
        notes.append("The wallet and the books disagree, and no transaction explains it: see pumpswap reconcile.")
    return notes


def _places(run: Run) -> dict[str, dict[str, object]]:
    found = {name: run.states.load(PLACE + name) for name in _FEEDS}
    return {name: place for name, place in found.items() if place is not None}
