"""Trader: trades by hand on a real chain, through a desk like the engine's: the gate, the wallet's limits, exits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.chain.dont_front import Sandwich
from pumpswap.clock import ManualClock
from pumpswap.engine.desk import Desk
from pumpswap.engine.desk_parts import DeskParts
from pumpswap.engine.keeper import LiveKeeper
from pumpswap.engine.live_recorder import LiveRecorder, recall
from pumpswap.engine.restore import recall_marks
from pumpswap.engine.trading_switch import hear_switch
from pumpswap.errors import ChainError, NotFound, TradeRefused
from pumpswap.execution.chain_venue import ChainVenue
from pumpswap.execution.exit_manager import ExitManager
from pumpswap.execution.hand_venue import HandVenue
from pumpswap.execution.live_books import LiveBooks
from pumpswap.execution.protection import SandwichPolicy
from pumpswap.execution.sandwich import find_sandwich
from pumpswap.market.book import PoolBook
from pumpswap.model import (
    Decision,
    Denied,
    ExitKind,
    Filled,
    Intent,
    Mark,
    MarketUpdate,
    Order,
    Outcome,
    Position,
    Reconciliation,
    TradeSide,
    Unknown,
)
from pumpswap.risk.signing import held_back
from pumpswap.risk.tracker import RiskTracker
from pumpswap.sdk.capital import Capital
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.held_pools import see_held
from pumpswap.sdk.marking import store_marks
from pumpswap.sdk.reconciler import Reconciler
from pumpswap.sdk.trading_wallet import LimitedSigner, TradingWallet
from pumpswap.sdk.upkeep import Upkeep
from pumpswap.storage.database import Database

__all__ = ["LimitedSigner", "Traded", "Trader"]


@dataclass(frozen=True, slots=True)
class Traded:
    """What became of an intent: refused by the gate (no order), or an order and its outcome.

    ``sandwich`` tells who traded around a fill in its slot, as far as an endpoint could say.
    """

    decision: Decision
    order: Order | None = None
    outcome: Outcome | None = None
    sandwich: Sandwich | None = None


class _MarklessRecorder(LiveRecorder):
    """The desk values a position on the state that a trade was decided on, others may have traded since: what is stored
    of it comes from the chain.
    """

    def on_mark(self, mark: Mark) -> None:
        """Nothing: see ``store_marks``."""


class Trader:
    """One wallet on one chain. Made by ``open``; use as a context, or ``aclose`` it.

    What risk and exits remember is that of the wallet: trades by hand count in every limit of the engine, and see the
    trading state that somebody has set.
    """

    def __init__(self, wallet: TradingWallet) -> None:
        self.wallet = wallet
        connection, run = wallet.connection, wallet.books.run
        settings = connection.settings
        recalled = recall(run, connection.clock.now_ns())
        recall_marks(run, wallet.books.portfolio)
        self._clock = ManualClock()
        self._schedule: FeeSchedule | None = None
        self._deciding = asyncio.Lock()
        self._executing: set[str] = set()
        self._recorder = _MarklessRecorder(run, connection.clock, recalled)
        risk = RiskTracker(settings.risk, recalled.restored.risk, self._recorder.on_risk)
        Capital(wallet.books, risk, connection.clock, self._recorder.also).follow()
        wallet.held_back = lambda order: held_back(order, risk, settings.risk, connection.clock.now_ns())
        self._desk = Desk(
            DeskParts(
                book=PoolBook(),
                venue=HandVenue(),
                keeper=LiveKeeper(wallet.books),
                risk=risk,
                exits=ExitManager(settings.exits, recalled.restored.exits),
                schedule_for=lambda _: self._current(),
                settings=settings,
                checks=lambda decision: wallet.verdicts(decision, self._desk.orders),
                mode="auto",
            ),
            self._clock.now_ns,
            [self._recorder],
        )
        self._desk.restore(recalled.orders)
        self._reconciler = Reconciler(self._look_after, run, connection.clock, settings.books.reconcile_seconds)

    @classmethod
    async def open(cls, connection: ChainConnection, signer: LimitedSigner, rng: Random | None = None) -> Trader:
        """Take the wallet's lock, open its books, and resolve what earlier processes left open, before anything else.

        Raises KeyLocked for a wallet without limits, StorageError when another process trades with it, ConfigError
        when the configured public key is another one, ChainError when the endpoints cannot be asked, ProtocolDrift or
        LedgerMismatch when an order of before has landed and cannot be read.
        """
        wallet = await TradingWallet.open(connection, signer, rng)
        try:
            for unread in wallet.unread.values():
                raise unread
            trader = cls(wallet)
            await trader._hear_fates()
            trader._recorder.flush()
        except BaseException:
            await wallet.aclose()
            raise
        trader._reconciler.start()
        return trader

    async def aclose(self) -> None:
        """Close the books and let the wallet go. Orders on their way stay stored and are resolved at the next start."""
        async with AsyncExitStack() as closing:
            closing.push_async_callback(self.wallet.aclose)
            closing.push_async_callback(self._reconciler.aclose)

    @property
    def connection(self) -> ChainConnection:
        """The way to the chain."""
        return self.wallet.connection

    @property
    def signer(self) -> LimitedSigner:
        """Who signs, with the limits that were sealed with the key."""
        return self.wallet.signer

    @property
    def database(self) -> Database:
        """Where the books are."""
        return self.wallet.database

    @property
    def books(self) -> LiveBooks:
        """Ledger, positions and orders of the wallet."""
        return self.wallet.books

    @property
    def venue(self) -> ChainVenue:
        """Where orders are executed."""
        return self.wallet.venue

    @property
    def upkeep(self) -> Upkeep:
        """Wrapping, unwrapping, closing empty accounts."""
        return self.wallet.upkeep

    @property
    def resolved(self) -> Sequence[tuple[Order, Outcome]]:
        """Orders of earlier processes whose fate was found out on opening. Show them."""
        return self.wallet.resolved

    @property
    def reconciliation(self) -> Reconciliation | None:
        """What the newest comparison of books and wallet has found; None while it cannot be made. Show it."""
        return self.wallet.reconciliation

    # ------------------------------------------------------------------------------------------ trading

    async def buy(
        self,
        state: PoolState,
        quote_lamports: int,
        slippage_bps: int | None = None,
        policy: SandwichPolicy | None = None,
    ) -> Traded:
        """Spend at most ``quote_lamports`` on the pool's coin, if the gate and the wallet's limits agree."""
        intent = Intent(
            TradeSide.BUY,
            str(state.address),
            str(state.pool.base_mint),
            self._now_ns(),
            "by hand",
            quote_lamports=quote_lamports,
            slippage_bps=slippage_bps,
        )
        return await self.trade(intent, state, policy)

    async def sell(
        self,
        state: PoolState,
        base_units: int | None = None,
        slippage_bps: int | None = None,
        policy: SandwichPolicy | None = None,
    ) -> Traded:
        """Sell ``base_units`` of the position in this pool, or all of it. Raises NotFound without a position."""
        held = self.position(state)
        if base_units is None and held is None:
            raise NotFound(
                f"nothing of {state.pool.base_mint} is held in pool {state.address}",
                hint="the books know of no position there",
            )
        intent = Intent(
            TradeSide.SELL,
            str(state.address),
            str(state.pool.base_mint),
            self._now_ns(),
            "by hand",
            base_units=self.books.held(str(state.address)) if base_units is None else base_units,
            exit=ExitKind.BY_HAND,
            slippage_bps=slippage_bps,
        )
        return await self.trade(intent, state, policy)

    def position(self, state: PoolState) -> Position | None:
        """The open position in a pool."""
        return self.books.portfolio.positions.open_round(str(state.address))

    def spent_today(self) -> int:
        """Lamports that buys of the last 24 hours have cost, fees in, and that those on their way may still cost."""
        return self.wallet.spent_today(self._desk.orders)

    @property
    def desk(self) -> Desk:
        """The gate, what it has accepted, exits. Decide through ``trade``: this desk sends nothing by itself."""
        return self._desk

    async def trade(
        self,
        intent: Intent,
        state: PoolState,
        policy: SandwichPolicy | None = None,
        *,
        observed_ns: int | None = None,
        made: Callable[[Order], None] | None = None,
    ) -> Traded:
        """Put any wish through the gate, and execute what is accepted. ``state`` is the pool's, as of ``observed_ns``
        (None: of the intent). ``made`` hears of an order before anything of it can be sent.

        Raises TradeRefused when something was accepted of which no order can be made, ChainError before anything is
        sent.
        """
        if policy is not None:
            policy.chosen(self.wallet.lanes)  # before a decision is stored
        self._schedule = await self.connection.schedules.current()
        # One decision at a time: the next one must see what this one has taken.
        async with self._deciding:
            await self._hear_fates()
            if intent.side is TradeSide.BUY:
                await see_held(self.connection, self.books.portfolio, self._desk.parts.book, but=intent.pool)
            self._clock.advance_to(intent.at_ns)
            told_ns = intent.at_ns if observed_ns is None else observed_ns
            self._desk.parts.book.apply(MarketUpdate(told_ns, intent.pool, state))
            self._desk.mark(intent.pool)  # what is held there is worth what it would bring in this state
            hear_switch(self.books.run, self._desk.parts.risk)
            decision, order = self._desk.decide(intent)
            self._recorder.flush()
            if order is None:
                if decision:
                    raise TradeRefused("accepted, but no order can be made of it now", code=None, name="", hint="again")
                return Traded(decision)
            if made is not None:
                made(order)
            self._executing.add(order.order_id)
        try:
            outcome = await self.venue.execute(order, policy)
        finally:
            self._executing.discard(order.order_id)
        self._hear(outcome)
        return Traded(decision, order, outcome, await self._sandwich(order, outcome))

    async def _sandwich(self, order: Order, outcome: Outcome) -> Sandwich | None:
        if not isinstance(outcome, Filled):
            return None
        try:
            return await find_sandwich(self.connection.node, order.pool, outcome.signature, outcome.slot)
        except (ChainError, NotFound):
            return None  # the trade is booked; this is a remark that `tx show` can make later

    # ------------------------------------------------------------------------------------------ looking

    async def wanted(self, pool: str) -> Intent | None:
        """Value what is held of a pool, in the state that the desk's book has; the sale that an exit rule wants of it
        now. Who passes it to ``trade`` says by ``refused`` when it was not ordered.
        """
        self._schedule = await self.connection.schedules.current()
        async with self._deciding:
            await self._hear_fates()
            self._clock.advance_to(self._now_ns())
            hear_switch(self.books.run, self._desk.parts.risk)
            intent = self._desk.wanted(pool)
            self._recorder.flush()
            return intent

    def refused(self, position: Position, why: Decision | str) -> None:
        """A sale that ``wanted`` gave was not ordered: the exits try it again after a while."""
        self._clock.advance_to(self._now_ns())
        self._desk.refused(position, why)
        self._recorder.flush()

    def preview(self, intent: Intent, schedule: FeeSchedule) -> Decision:
        """What would be decided now, by the wallet's limits too, with these fees. Nothing is stored or sent."""
        self._schedule = schedule
        self._clock.advance_to(self._now_ns())
        hear_switch(self.books.run, self._desk.parts.risk)
        return self._desk.preview(intent)

    # ------------------------------------------------------------------------------------------ outcomes

    def _hear(self, outcome: Outcome) -> None:
        """Let risk and exits know, and store what they make of it."""
        self._clock.advance_to(self._now_ns())
        self._desk.book(outcome)
        self._recorder.flush()

    async def _hear_fates(self) -> None:
        """Orders that ended without this trader: before it, or found out by a comparison."""
        waiting = [order.order_id for order in self._desk.orders if order.order_id not in self._executing]
        if not waiting:
            return
        self._schedule = await self.connection.schedules.current()
        stored = {order.order_id: outcome for order, outcome in self.books.run.fates(waiting)}
        for order_id in waiting:
            # Stored, then signed, then sent: of an order that was never stored no byte can be out.
            never = Denied(order_id, self._now_ns(), "not stored", "the books could not take the order")
            outcome = stored.get(order_id, never)
            if outcome is not None and not isinstance(outcome, Unknown):
                self._hear(outcome)

    async def reconcile(self) -> Reconciliation | None:
        """Settle what is open, then compare books and wallet; None while something of ours is still on its way.

        It happens on opening and every ``books.reconcile_seconds``. Raises what ``LiveBooks.reconcile`` raises.
        """
        found = await self.wallet.reconcile()
        async with self._deciding:
            await self._hear_fates()
        self._recorder.flush()
        return found

    async def _look_after(self) -> None:
        """What happens on the schedule: books against wallet, then new marks of what is held, and the equity."""
        await self.reconcile()
        await store_marks(self.connection, self.books.run, self.connection.settings.exits)

    def _current(self) -> FeeSchedule:
        assert self._schedule is not None, "asked for before each decision"
        return self._schedule

    def _now_ns(self) -> int:
        return self.connection.clock.now_ns()
