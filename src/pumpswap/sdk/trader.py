"""Trader: trades by hand on a real chain, through the gate, the wallet's limits, the books and the chain venue."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from random import Random, SystemRandom
from typing import Protocol

from pumpswap.amm import PoolState
from pumpswap.chain.blockhash import BlockhashCache
from pumpswap.chain.dont_front import Sandwich
from pumpswap.chain.generation import GenerationProbe
from pumpswap.chain.jito import JitoLane
from pumpswap.chain.lanes import Lane, RpcLane
from pumpswap.chain.sender import Sender, SenderParts
from pumpswap.chain.signing import Signer
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import ChainError, ConfigError, KeyLocked, LedgerMismatch, NotFound
from pumpswap.execution.chain_venue import ChainVenue, ChainVenueParts
from pumpswap.execution.live_books import LiveBooks
from pumpswap.execution.planner import OrderPlanner
from pumpswap.execution.pool_source import ChainPools
from pumpswap.execution.protection import SandwichPolicy
from pumpswap.execution.sandwich import find_sandwich
from pumpswap.model import (
    Decision,
    Filled,
    Intent,
    Order,
    Outcome,
    Position,
    Reconciliation,
    TradeSide,
    Verdict,
)
from pumpswap.risk.gate import PoolView, RiskGate
from pumpswap.risk.policies import BookView
from pumpswap.sdk.confirmations import Confirmations
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.marking import store_marks
from pumpswap.sdk.reconciler import Reconciler
from pumpswap.sdk.upkeep import Upkeep
from pumpswap.sdk.wallet_lock import WalletLock
from pumpswap.settings import SendingSettings
from pumpswap.storage.claim import Claim
from pumpswap.storage.database import Database, open_database
from pumpswap.units import format_units
from pumpswap.wallet.limits import WalletLimits

__all__ = ["LimitedSigner", "Traded", "Trader"]

_DAY_NS = 86_400 * NS_PER_SECOND


class LimitedSigner(Signer, Protocol):
    """A signer that knows the limits of its wallet; None means that none were configured."""

    @property
    def limits(self) -> WalletLimits | None: ...


@dataclass(frozen=True, slots=True)
class Traded:
    """What became of an intent: refused by the gate (no order), or an order and its outcome.

    ``sandwich`` tells who traded around a fill in its slot, as far as an endpoint could say.
    """

    decision: Decision
    order: Order | None = None
    outcome: Outcome | None = None
    sandwich: Sandwich | None = None


class Trader:
    """One wallet on one chain. Made by ``open``; use as a context, or ``aclose`` it.

    ``resolved`` are orders of earlier processes whose fate was found out on opening; ``reconciliation`` is what the
    comparison of books and wallet has found since, None while it cannot be made: show both.
    """

    def __init__(self, connection: ChainConnection, signer: LimitedSigner, database: Database) -> None:
        self.connection = connection
        self.signer = signer
        self.database = database
        self.resolved: Sequence[tuple[Order, Outcome]] = ()
        self.reconciliation: Reconciliation | None = None
        settings = connection.settings
        self._lock = WalletLock(settings.data_dir / "locks", signer.public_key)
        self._gate = RiskGate(settings.risk, settings.signals)
        self._planner = OrderPlanner()
        self._deciding = asyncio.Lock()
        self._accepted: dict[str, Order] = {}  # accepted by the gate and not ended yet, by order id
        self._books: LiveBooks | None = None
        self._venue: ChainVenue | None = None
        self._upkeep: Upkeep | None = None
        self._lanes: tuple[Lane, ...] = ()
        self._confirmations: Confirmations | None = None
        self._reconciler: Reconciler | None = None
        self._claim: Claim | None = None

    @classmethod
    async def open(cls, connection: ChainConnection, signer: LimitedSigner, rng: Random | None = None) -> Trader:
        """Take the wallet's lock, open its books, and resolve what earlier processes left open, before anything else.

        Raises KeyLocked for a wallet without limits, StorageError when another process trades with it, ConfigError
        when the configured public key is another one, ChainError when the endpoints cannot be asked.
        """
        settings = connection.settings
        configured = settings.wallet.public_key
        if configured is not None and configured != str(signer.public_key):
            raise ConfigError(
                f"the unlocked key is {signer.public_key}, the settings want {configured}",
                hint="change wallet.public_key or unlock the other wallet",
            )
        if signer.limits is None:
            raise KeyLocked(
                f"wallet {signer.public_key} has no limits, and live trading needs them",
                hint="set them: pumpswap wallet limits --max-order SOL --max-day SOL --reserve SOL",
            )
        trader = cls(connection, signer, open_database(settings.database_target))
        try:
            await trader._start(rng or SystemRandom())
        except BaseException:
            await trader.aclose()
            raise
        return trader

    async def aclose(self) -> None:
        """Close the books and let the wallet go. Orders on their way stay stored and are resolved at the next start."""
        # In reverse; one that fails does not keep the others open.
        async with AsyncExitStack() as closing:
            closing.callback(self._lock.release)
            closing.callback(self.database.close)
            if self._claim is not None:
                closing.callback(self._claim.release)
            for lane in self._lanes:
                if isinstance(lane, JitoLane):
                    closing.push_async_callback(lane.aclose)
            if self._confirmations is not None:
                closing.push_async_callback(self._confirmations.aclose)
            if self._reconciler is not None:
                closing.push_async_callback(self._reconciler.aclose)

    @property
    def books(self) -> LiveBooks:
        """Ledger, positions and orders of the wallet."""
        assert self._books is not None, "made by open"
        return self._books

    @property
    def venue(self) -> ChainVenue:
        """Where orders are executed."""
        assert self._venue is not None, "made by open"
        return self._venue

    @property
    def upkeep(self) -> Upkeep:
        """Wrapping, unwrapping, closing empty accounts."""
        assert self._upkeep is not None, "made by open"
        return self._upkeep

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
        )
        slippage_bps = _chosen(slippage_bps, self.connection.settings.risk.slippage_bps)
        return await self._trade(intent, state, slippage_bps, policy)

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
        units = base_units if base_units is not None else (held.base_units if held else 0)
        mint = str(state.pool.base_mint)
        intent = Intent(TradeSide.SELL, str(state.address), mint, self._now_ns(), "by hand", base_units=units)
        slippage_bps = _chosen(slippage_bps, self.connection.settings.exits.slippage_bps)
        return await self._trade(intent, state, slippage_bps, policy)

    def position(self, state: PoolState) -> Position | None:
        """The open position in a pool."""
        return self.books.portfolio.positions.open_round(str(state.address))

    async def _trade(
        self, intent: Intent, state: PoolState, slippage_bps: int, policy: SandwichPolicy | None
    ) -> Traded:
        if policy is not None:
            policy.chosen(self._lanes)  # before a decision is stored
        schedule = await self.connection.schedules.current()
        # One decision at a time: the next one must see what this one has taken.
        async with self._deciding:
            view = PoolView(state, intent.at_ns)
            decided = self._gate.decide(intent, view, self._book_view(intent), schedule)
            decision = self._within_wallet_limits(replace(decided, decision_id=self.books.next_decision_id()))
            self.books.decide(decision)
            if not decision:
                return Traded(decision)
            planned = self._planner.plan(decision, state, schedule, slippage_bps)
            order = replace(planned, order_id=self.books.next_order_id())
            self.books.know_decimals(order.mint, state.base_decimals)
            self._accepted[order.order_id] = order
        try:
            outcome = await self.venue.execute(order, policy)
        finally:
            del self._accepted[order.order_id]
        return Traded(decision, order, outcome, await self._sandwich(order, outcome))

    async def _sandwich(self, order: Order, outcome: Outcome) -> Sandwich | None:
        if not isinstance(outcome, Filled):
            return None
        try:
            return await find_sandwich(self.connection.node, order.pool, outcome.signature, outcome.slot)
        except (ChainError, NotFound):
            return None  # the trade is booked; this is a remark that `tx show` can make later

    def _open_orders(self) -> list[Order]:
        """Orders whose fate is not known, those that the venue has not stored yet among them."""
        return list({order.order_id: order for order in (*self._accepted.values(), *self.books.unresolved())}.values())

    def _book_view(self, intent: Intent) -> BookView:
        portfolio, now = self.books.portfolio, self._now_ns()
        orders = self._open_orders()
        waiting = [order for order in orders if order.side is TradeSide.BUY]
        reserved = sum(order.quote_lamports for order in waiting)
        return BookView(
            balance=portfolio.cash - reserved,
            # Nothing is marked here: what is held counts at its cost.
            equity=portfolio.equity_at(now).equity_lamports + portfolio.exposure,
            exposure=portfolio.exposure + reserved,
            open_positions=len(portfolio.positions.open_positions()) + len(waiting),
            position=portfolio.positions.open_round(intent.pool),
            has_open_order=any(order.mint == intent.mint for order in orders),
            closed_ns=portfolio.positions.last_closed_ns(intent.pool),
        )

    def _within_wallet_limits(self, decision: Decision) -> Decision:
        """The limits that were sealed with the key, and books that agree with the wallet; exits pass, since staying in
        is no protection.
        """
        limits = self.signer.limits
        if not decision or decision.intent.side is TradeSide.SELL or limits is None:
            return decision
        asked, spent = decision.quote_lamports, self.spent_today()
        left = self.books.portfolio.cash - asked
        obstacle = self.books.obstacle(decision.intent.mint)
        verdicts = (
            _limit("wallet: per order", asked, limits.max_order_lamports),
            _limit("wallet: per day", spent + asked, limits.max_day_lamports),
            Verdict(
                "wallet: reserve",
                left >= limits.min_reserve_lamports,
                f"{_sol(left)} SOL would stay, at least {_sol(limits.min_reserve_lamports)}",
                {"left_lamports": str(left), "min_reserve_lamports": str(limits.min_reserve_lamports)},
            ),
            Verdict("books", not obstacle, obstacle or "the books agree with the wallet", {}),
        )
        accepted = all(verdict.passed for verdict in verdicts)
        return replace(
            decision,
            accepted=accepted,
            verdicts=decision.verdicts + verdicts,
            quote_lamports=asked if accepted else 0,
        )

    def spent_today(self) -> int:
        """Lamports that buys of the last 24 hours have cost, fees in, and that those on their way may still cost."""
        waiting = sum(order.quote_lamports for order in self._open_orders() if order.side is TradeSide.BUY)
        return self.books.spent_since(self._now_ns() - _DAY_NS) + waiting

    # ------------------------------------------------------------------------------------------ opening

    async def _start(self, rng: Random) -> None:
        self._lock.take()
        connection, settings = self.connection, self.connection.settings
        node, clock, wallet = connection.node, connection.clock, self.signer.public_key
        secret = {"chain": {"endpoints"}, "sending": {"jito_url"}, "database": {"url"}}
        shown = settings.model_dump(mode="json", exclude=secret)
        self._claim = self.database.claim(f"wallet {wallet} on {await node.genesis_hash()}")
        self._books = await LiveBooks.open(self.database, node, wallet, clock, shown)
        self._lanes = lanes = _lanes(connection, settings.sending)
        self._confirmations = Confirmations(connection, rng)
        parts = SenderParts(
            pool=node,
            lanes=lanes,
            store=self._books.run.attempts,
            signer=self.signer,
            # At most a slot old: the whole life of a hash is time to land, and no two orders share their bytes.
            blockhashes=BlockhashCache(node, clock, max_age_ms=400),
            clock=clock,
            settings=settings.sending,
            wake=self._confirmations.wake,
        )
        sender = Sender(parts)
        self._upkeep = Upkeep(connection, sender, self._books, wallet)
        self._venue = ChainVenue(
            ChainVenueParts(
                node=node,
                sender=sender,
                pools=ChainPools(node, connection.schedules),
                books=self._books,
                generations=GenerationProbe(node, wallet, file=settings.data_dir / "generations.json"),
                wallet=wallet,
                network=await node.genesis_hash(),
                clock=clock,
                settings=settings,
                rng=rng,
                lanes=lanes,
                limits=self.signer.limits,
            )
        )
        self.resolved = await self._venue.resolve_open()
        if await self._upkeep.resolve_open() and not self._open_orders():
            self.reconciliation = await self._books.reconcile(node)
        self._reconciler = Reconciler(self._look_after, self._books.run, clock, settings.books.reconcile_seconds)
        self._reconciler.start()

    async def reconcile(self) -> Reconciliation | None:
        """Settle what is open, then compare books and wallet; None while something of ours is still on its way.

        It happens on opening and every ``books.reconcile_seconds``. Raises what ``LiveBooks.reconcile`` raises.
        """
        await self.venue.resolve_open()
        await self.upkeep.resolve_open()
        if self._is_something_open():
            return None
        try:
            self.reconciliation = await self.books.reconcile(self.connection.node)
        except LedgerMismatch:
            if self._is_something_open():  # an order has come in between
                return None
            raise
        return self.reconciliation

    async def _look_after(self) -> None:
        """What happens on the schedule: books against wallet, then new marks of what is held, and the equity."""
        await self.reconcile()
        await store_marks(self.connection, self.books.run, self.connection.settings.exits)

    def _is_something_open(self) -> bool:
        return bool(self._open_orders() or self.books.run.chores.unresolved())

    def _now_ns(self) -> int:
        return self.connection.clock.now_ns()


def _lanes(connection: ChainConnection, sending: SendingSettings) -> tuple[Lane, ...]:
    lanes: list[Lane] = []
    for name in dict.fromkeys(sending.lanes):
        if name == "rpc":
            lanes.append(RpcLane(connection.node))
        elif sending.jito_url is None:
            raise ConfigError("the lane jito has no address", hint="set sending.jito_url, or leave the lane out")
        else:
            lanes.append(JitoLane(sending.jito_url))
    return tuple(lanes)


def _chosen(slippage_bps: int | None, usual: int) -> int:
    """What the caller said; 0 is said too."""
    return usual if slippage_bps is None else slippage_bps


def _limit(policy: str, found: int, most: int) -> Verdict:
    numbers = {"lamports": str(found), "max_lamports": str(most)}
    return Verdict(policy, found <= most, f"{_sol(found)} SOL, at most {_sol(most)}", numbers)


def _sol(lamports: int) -> str:
    return format_units(lamports, 9)
