"""A live engine on the practice chain: real transactions, three endpoints that fail, processes that end anywhere."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, buy_exact_quote, sell_exact_base
from pumpswap.amm.instructions.liquidity import LiquidityAccounts, withdraw
from pumpswap.chain.balances import wallet_holdings
from pumpswap.chain.endpoints import EndpointPool
from pumpswap.chain.node import ChainAccount
from pumpswap.chain.schedule import ScheduleCache
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.engine.live_trading import LiveTrading, take_up
from pumpswap.errors import ChainError
from pumpswap.execution.compare import balances_of
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pools import PoolSpec, fund_tokens, schedule_of
from pumpswap.market.book import PoolBook
from pumpswap.model import (
    ExitKind,
    Filled,
    MarketUpdate,
    Order,
    Outcome,
    Position,
    Rejected,
    RiskState,
    RunObserver,
    TradeSide,
    Unknown,
)
from pumpswap.portfolio.audit import audit_run
from pumpswap.portfolio.valuation import mark_position
from pumpswap.sdk.sending_probe import SendingProbe
from pumpswap.settings import Settings
from tests.execution.live_world import SOL, WALLET, World
from tests.localnet.practice import ALICE, signed, swap
from tests.support.market import always, snapshot

__all__ = ["Rig", "Wrong"]

_CALLS = (
    FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.FALSE_OK, FaultKind.FALSE_ERROR, FaultKind.DELAY,
    FaultKind.RATE_LIMITED, FaultKind.SERVER_ERROR, FaultKind.SLOW, FaultKind.RESET, FaultKind.STALE,
)  # fmt: skip


class Wrong(AssertionError):
    """Something that must hold does not."""


class Told(RunObserver):
    """What the engine has told, over all processes of a rig."""

    def __init__(self) -> None:
        self.outcomes: list[tuple[Order, Outcome]] = []

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self.outcomes.append((order, outcome))


class Rig:
    """``seed`` None: nothing fails. Use ``start``, then ``beat``; ``restart`` is another process."""

    def __init__(
        self,
        folder: Path,
        seed: int | None = None,
        *,
        spec: PoolSpec | None = None,
        sections: Mapping[str, Any] | None = None,
    ) -> None:
        self.world = World(folder, lamports=10 * SOL, spec=spec)
        chain = self.world.chain
        self.rng = random.Random(f"rig {seed}")
        self.seed = seed
        self.nodes = [LocalNode(chain, name=name) for name in ("ash", "birch", "cedar")]
        self.endpoints = EndpointPool(self.nodes, self.world.clock, sleep=self.sleep)
        self.settings = Settings(**_settings(sections or {}))
        self.told = Told()
        schedules = ScheduleCache(self.endpoints, self.world.clock, 300)
        self.probe = SendingProbe(self.endpoints, schedules, WALLET, self.sleep)
        self.beats = 0
        self.starts = 0
        self._engine: Engine | None = None
        self._trading: LiveTrading | None = None
        self._rich()
        if seed is not None:
            self.break_endpoints(seed)

    @property
    def engine(self) -> Engine:
        assert self._engine is not None, "start it"
        return self._engine

    @property
    def trading(self) -> LiveTrading:
        assert self._trading is not None, "start it"
        return self._trading

    @property
    def books(self) -> Any:
        return self.trading.venue.core.parts.books

    @property
    def pool(self) -> str:
        return str(self.world.pool.address)

    @property
    def held(self) -> Position | None:
        return self.engine.portfolio.positions.open_round(self.pool)

    async def sleep(self, _seconds: float) -> None:
        self.world.chain.advance(1)
        await asyncio.sleep(0)

    # ------------------------------------------------------------------------------------------ what fails

    def break_endpoints(self, seed: int) -> None:
        """Two of three endpoints fail in many ways for a while, one of them also denies what it knows; and now and
        then all three are down.
        """
        slot, rng = self.world.chain.slot, self.rng
        for number, node in enumerate(self.nodes[:2]):
            plan = FaultPlan.drawn(seed * 10 + number, first_slot=slot, slots=40, count=20, kinds=_CALLS)
            node.faults.add(*plan.faults)
        hidden = slot + rng.randrange(20)
        self.nodes[0].faults.add(Fault(FaultKind.HIDE, first_slot=hidden, last_slot=hidden + rng.randrange(200)))
        if rng.random() < 0.5:
            plan = FaultPlan.drawn(seed, first_slot=slot, slots=40, count=6, kinds=_CALLS)
            self.nodes[2].faults.add(*plan.faults)
        if rng.random() < 0.3:
            down = slot + rng.randrange(20)
            for node in self.nodes:
                node.faults.add(Fault(FaultKind.RESET, first_slot=down, last_slot=down + rng.randrange(1, 400)))

    def mend_endpoints(self) -> None:
        for node in self.nodes:
            node.faults.clear()
            node.is_down = False

    # ------------------------------------------------------------------------------------------ processes

    async def start(self) -> None:
        """A fresh process: everything that is not stored is new."""
        self.starts += 1
        while True:
            try:
                await self._open()
            except ChainError:  # a process that cannot begin is begun again
                await self.sleep(1)
            else:
                return

    async def _open(self) -> None:
        world = self.world
        core = await world.open(node=self.endpoints, settings=self.settings)
        await core.resolve_open()
        books: Any = core.parts.books
        trading = take_up(core, books, sleep=self.sleep)
        book, now = PoolBook(), world.clock.now_ns()
        for position in books.portfolio.positions.open_positions():
            state = world.now()
            book.apply(MarketUpdate(now, position.pool, state))
            mark = mark_position(position, state, schedule_of(world.chain), at_ns=now, state_ns=now)
            books.portfolio.mark(mark)
        parts = EngineParts(
            book,
            trading.venue,
            always(95.0),
            lambda _: schedule_of(world.chain),
            self.settings,
            keeper=trading.keeper,
            mode="auto",
            restored=trading.recalled.restored,
        )
        self._engine = Engine(parts, [trading.recorder, trading.health, self.told])
        self._engine.desk.restore(trading.recalled.orders)
        self._trading = trading

    async def restart(self) -> None:
        """The process ends here and now: what was not stored is lost."""
        await self.trading.venue.drain(0)
        await self.start()

    async def _go_on(self) -> None:
        """The tasks get their turns. With faults, a process ends now and then, between any two steps of its tasks."""
        if self.seed is None or self.starts >= 6 or self.rng.random() >= (0.3 if self.engine.desk.orders else 0.02):
            for _ in range(30):
                await asyncio.sleep(0)
            return
        for _ in range(self.rng.randrange(60)):
            await asyncio.sleep(0)
        if self.rng.random() < 0.5:
            self.engine.tick(self.world.clock.now_ns())  # heard, and perhaps stored
            if self.rng.random() < 0.5:
                self.trading.recorder.flush()
        await self.restart()

    # ------------------------------------------------------------------------------------------ time

    async def beat(self, *, scored: bool = False) -> None:
        """A slot: the engine sees the pool, its orders go on, outcomes are heard and everything is stored."""
        world = self.world
        state, at_ns = world.now(), world.clock.now_ns()
        row = replace(snapshot(state, 0), at_ns=at_ns) if scored else None
        self.engine.step(MarketUpdate(at_ns, self.pool, state, row))
        await self._go_on()
        self.engine.tick(world.clock.now_ns())
        self.trading.recorder.flush()
        world.chain.advance(1)
        self.beats += 1
        if self.beats % 10 == 0:
            await self._watch()

    async def _watch(self) -> None:
        """As the monitors of a run do: what is in the way of sending stops entries; asking also revives endpoints."""
        obstacle = await self.probe.look() or self.trading.venue.obstacle() or self.trading.health.obstacle()
        if obstacle:
            self.engine.risk.fault("sending", obstacle)
        else:
            self.engine.risk.lift("sending")

    async def until_held(self, beats: int = 600) -> bool:
        """Signals until something is bought. False: its fate was unknown for so long that its time was over at once."""
        for beat in range(beats):
            held = self.held
            if held is not None and not self.engine.desk.orders:
                return True
            if any(isinstance(one, Filled) and order.side is TradeSide.SELL for order, one in self.told.outcomes):
                return False
            await self.beat(scored=held is None and beat % 5 == 0)
        raise Wrong("nothing was bought")

    async def until_sold(self, beats: int = 1_500) -> None:
        for _ in range(beats):
            if self.held is None and not self.engine.desk.orders:
                return
            await self.beat()
        raise Wrong(f"not sold: {self.engine.desk.parts.exits.state(self.pool)}")

    def pass_seconds(self, seconds: int) -> None:
        until = self.world.clock.now_ns() + seconds * NS_PER_SECOND
        while self.world.clock.now_ns() < until:
            self.world.chain.advance(1)

    # ------------------------------------------------------------------------------------------ what others do

    def _rich(self) -> None:
        """Alice has SOL, and much of the coin."""
        chain, pool = self.world.chain, self.world.pool
        chain.set_account(ChainAccount(ALICE.pubkey(), Pubkey.default(), 1_000 * SOL, b""))
        fund_tokens(chain, ALICE.pubkey(), pool.pool.base_mint, pool.base_token_program, 3 * pool.base_reserve)
        chain.advance(3)

    def others_buy(self, lamports: int) -> None:
        world = self.world
        self._swap(buy_exact_quote(world.now(), schedule_of(world.chain), lamports))

    def others_sell(self, part: float) -> None:
        """So much of the pool's own tokens again."""
        world = self.world
        units = int(world.now().base_reserve * part)
        self._swap(sell_exact_base(world.now(), schedule_of(world.chain), units))

    def _swap(self, quote: Any) -> None:
        chain = self.world.chain
        receipt = chain.submit(swap(chain, ALICE, self.world.pool, quote, 1))
        assert receipt.has_landed and receipt.err is None, receipt
        chain.advance(1)

    def pull_liquidity(self, owner: Keypair, part: float) -> None:
        """The provider of a pool that anybody could make takes his money out, by the program's own instruction."""
        chain, state = self.world.chain, self.world.now()
        who = LiquidityAccounts.associated(state, owner.pubkey())
        step = withdraw(state, who, int(state.pool.lp_supply * part), 0, 0)
        receipt = chain.submit(signed(owner, [step], chain.blocks.newest.blockhash))
        assert receipt.has_landed and receipt.err is None, receipt
        chain.advance(1)

    def now(self) -> PoolState:
        return self.world.now()

    # ------------------------------------------------------------------------------------------ what must hold

    async def judge(self, kind: ExitKind) -> None:
        """At the end: nothing is open, the books are the wallet, and everything that happened can be explained."""
        self.mend_endpoints()
        run, chain = self.books.run, self.world.chain
        chain.advance(40)
        await self._watch()
        self.trading.recorder.flush()
        if list(run.orders(unresolved=True)):
            raise Wrong("orders are unresolved")
        if run.states.exits():
            raise Wrong(f"exits of a closed round are remembered: {run.states.exits()}")
        holdings = await wallet_holdings(self.nodes[2], WALLET)
        held = {asset: units for asset, units in run.balances().items() if units}
        if held != balances_of(holdings):
            raise Wrong(f"ledger {held}, wallet {balances_of(holdings)}")
        report = audit_run(run)
        if not report.is_right:
            raise Wrong(f"the audit finds {report.differences}")
        self._judge_chain()
        self._judge_reasons(kind)
        stored, risk = run.states.risk() or RiskState(), self.engine.risk.state
        # A fault of a process that has ended stays in what is stored until the next change: who starts forgets it.
        if replace(stored, faults=()) != replace(risk, faults=()) or not set(risk.faults) <= set(stored.faults):
            raise Wrong("what risk remembers is not stored")

    def _judge_chain(self) -> None:
        """Every transaction of the wallet on the chain is an outcome in the books, and is there once."""
        booked = [one.signature for one in self.books.run.outcomes() if isinstance(one, Filled | Rejected)]
        landed = [one.signature for one in self.world.chain.history(WALLET)]
        if sorted(booked) != sorted(landed):
            raise Wrong(f"booked {sorted(booked)}, on the chain {sorted(landed)}")

    def _judge_reasons(self, kind: ExitKind) -> None:
        run = self.books.run
        decisions = {one.decision_id: one for one in run.decisions(accepted=True)}
        orders = list(run.orders())
        for order in orders:
            if order.decision_id not in decisions:
                raise Wrong(f"order {order.order_id} has no accepted decision")
        sales = [decisions[order.decision_id].intent for order in orders if order.side is TradeSide.SELL]
        if not sales or sales[0].exit is not kind:
            raise Wrong(f"sold for {[intent.exit for intent in sales]}, not for {kind}")
        risk = self.engine.risk.state
        for order in orders:
            if order.side is TradeSide.BUY and risk.entries_ns.count(order.created_ns) != 1:
                raise Wrong(f"risk remembers entry {order.order_id} {risk.entries_ns.count(order.created_ns)} times")
        final = {order.order_id for order, outcome in self.told.outcomes if not isinstance(outcome, Unknown)}
        for order in orders:
            if order.order_id not in final:
                raise Wrong(f"nobody was told what became of order {order.order_id}")


def _settings(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Limits that let the scenarios happen: the circuit breaker has its own tests."""
    risk = {
        "max_impact_bps": 1_000, "max_position_sol": "1", "breaker_failures": 1_000, "cooldown_seconds": 10**6,
        "max_state_age_seconds": 600, "max_trades_per_minute": 1_000, "max_trades_per_hour": 1_000,
        "max_losses_in_a_row": 1_000,
    }  # fmt: skip
    return {"risk": risk | dict(sections.get("risk", {})), "exits": sections.get("exits", {})}
