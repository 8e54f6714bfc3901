"""The chain venue: from an order to its outcome on a real program.

Each order is checked, planned, simulated, reserved, sent by the sender, read back from the confirmed transaction and
booked. Whatever stops it before a byte is out is Denied and costs nothing. Orders of one token wait for each other;
while the fate of one is unknown, no other order of its token is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from random import Random
from weakref import WeakValueDictionary

from solders.pubkey import Pubkey

from pumpswap.amm import BuyQuote, FeeSchedule, PoolState
from pumpswap.chain.compute import compute_limit, preflight
from pumpswap.chain.failures import Failure, classify
from pumpswap.chain.fills import SwapRequest, WalletChange, costs_of, fill_of, tip_accounts_of, wallet_change
from pumpswap.chain.generation import FALLBACK_CODES, GenerationProbe, generation_for
from pumpswap.chain.lanes import Lane
from pumpswap.chain.node import ConfirmedTransaction, Node
from pumpswap.chain.order_state import BuildRequest, Built, SendJob
from pumpswap.chain.priority import contended_accounts, price_of_attempt, recent_price
from pumpswap.chain.schedule import REFRESH_CODES
from pumpswap.chain.sender import Sender, one_look
from pumpswap.chain.token_extensions import risky_extensions
from pumpswap.chain.transaction import MAX_COMPUTE_UNITS, ComputeBudget, build_message
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import InsufficientFunds, LedgerMismatch, NotFound, ProtocolDrift, PumpSwapError
from pumpswap.execution.books import Books
from pumpswap.execution.pool_source import PoolSource
from pumpswap.execution.protection import SandwichPolicy
from pumpswap.execution.reservations import Reservation, Reservations
from pumpswap.execution.swap_choices import choose
from pumpswap.execution.swap_plan import Denial, SwapPlan, WalletView, plan_swap, read_wallet
from pumpswap.model import SOL, Attempt, Denied, Filled, Order, Outcome, Rejected, TradeSide, Unknown
from pumpswap.settings import Settings
from pumpswap.units import BPS
from pumpswap.wallet.limits import WalletLimits

__all__ = ["ChainVenue", "ChainVenueParts", "Executed"]

_USUAL = SandwichPolicy()  # as the settings say
_UNKNOWN_INSTRUCTION = 101
_SLIPPAGE_CODES = frozenset({6004, 6040})
_DAY_NS = 86_400 * NS_PER_SECOND
_MAX_PLANS = 3  # the first, one with a fresh schedule, one of the other generation


@dataclass(frozen=True, slots=True)
class ChainVenueParts:
    """What a chain venue works with. ``network`` is the genesis hash of the chain that the books belong to.

    ``limits`` are the wallet's own; the guard holds those of one order, the venue those of a day and the reserve.
    ``held_back`` says why nothing of an order is signed now, or nothing: asked before every signature.
    """

    node: Node
    sender: Sender
    pools: PoolSource
    books: Books
    generations: GenerationProbe
    wallet: Pubkey
    network: str
    clock: Clock
    settings: Settings
    rng: Random
    lanes: Sequence[Lane] = ()
    limits: WalletLimits | None = None
    held_back: Callable[[Order], str] = lambda _: ""


@dataclass(frozen=True, slots=True)
class Executed:
    """An outcome, and what its transaction changed in the wallet by the balances; ``foreign`` is not the order's."""

    outcome: Outcome
    change: WalletChange = field(default_factory=lambda: WalletChange(0, ()))
    foreign: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A plan that has passed its simulation."""

    plan: SwapPlan
    state: PoolState
    view: WalletView
    units: int


class ChainVenue:
    """Executes orders of one wallet on one chain."""

    def __init__(self, parts: ChainVenueParts) -> None:
        self.parts = parts
        self._reservations = Reservations()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # of tokens that are being traded
        self._opening = asyncio.Lock()
        self._is_open = False
        self._is_right_network: bool | None = None
        self._blocked: dict[str, str] = {}  # mint → order whose fate is unknown
        self._read: dict[str, Executed] = {}  # what interpret found, until it is booked
        self._failed_sales: set[str] = set()  # mints whose last sale did not get through: the next one only sells
        self._landed_slot = 0
        self._rents: dict[int, int] = {}
        self._running: set[str] = set()  # orders that somebody follows right now
        self._policies: dict[str, SandwichPolicy] = {}  # of the orders that are executed right now
        self._inherited: dict[str, Order] = {}  # unresolved since an earlier process: nothing is reserved for them

    # ------------------------------------------------------------------------------------------ whole orders

    async def execute(self, order: Order, policy: SandwichPolicy | None = None) -> Outcome:
        """Send an order and follow it to its end; it is stored and booked when this returns.

        Raises StorageError when the books fail, ProtocolDrift when a landed transaction cannot be read: the order is
        then unresolved and blocks its token. Raises UsageError, before anything is stored, for a lane of ``policy``
        that is not configured.
        """
        return (await self.execute_in_full(order, policy)).outcome

    async def execute_in_full(self, order: Order, policy: SandwichPolicy | None = None) -> Executed:
        """``execute``, with what the transaction changed in the wallet."""
        policy = policy or _USUAL
        policy.chosen(self.parts.lanes)
        await self._open()
        lock = self._locks.setdefault(order.mint, asyncio.Lock())
        async with lock:
            unread = await self._look_again(order.mint)
            self.parts.books.admit(order)
            blocking = self._blocked.get(order.mint)
            if blocking is not None:
                text = f"order {blocking} of this token is unresolved: it may still land{unread}"
                return self._settle(order, Denied(order.order_id, self._now_ns(), "unresolved order", text))
            stopped = self._obstacle(order)
            if stopped:
                return self._settle(order, Denied(order.order_id, self._now_ns(), "books differ", stopped))
            self._blocked[order.mint] = order.order_id  # until its fate is in the books, however this ends
            self._running.add(order.order_id)
            self._policies[order.order_id] = policy
            try:
                outcome = await self.parts.sender.run(self._job(order))
            finally:
                self._running.discard(order.order_id)
                del self._policies[order.order_id]
            return self._settle(order, outcome)

    async def resolve_open(
        self, on_unread: Callable[[Order, PumpSwapError], None] | None = None, *, is_patient: bool = True
    ) -> list[tuple[Order, Outcome]]:
        """Find out and book what became of every unresolved order, before anything new is sent.

        Nothing is signed. An order stays Unknown where the endpoints cannot tell yet: call this again later. Each is
        booked as soon as it is known, whatever the others wait for; impatiently: one look, without waiting. Of one
        that has landed and cannot be read ``on_unread`` is told; without it the first error is raised, in the end.
        """
        orders = [order for order in self.parts.books.unresolved() if order.order_id not in self._running]
        resolved = await self._resolve(orders, on_unread=on_unread, is_patient=is_patient)
        self._is_open = True
        return [(order, executed.outcome) for order, executed in resolved]

    async def resolve(self, order: Order, *, is_patient: bool = True) -> Executed:
        """Ask once more what became of an order whose outcome is Unknown; impatiently: one look, without waiting."""
        ((_, executed),) = await self._resolve([order], is_patient=is_patient)
        return executed

    async def _look_again(self, mint: str) -> str:
        """One look, without waiting, at what blocks a token: an order that was left Unknown may be known by now.

        Returns what is wrong with it when it has landed and cannot be read.
        """
        blocking = self._blocked.get(mint)
        stuck = [order for order in self.parts.books.unresolved() if order.order_id == blocking]
        if stuck and blocking not in self._running:
            try:
                await self._resolve(stuck, is_patient=False)
            except (ProtocolDrift, LedgerMismatch) as error:
                return f"; it cannot be read: {error.what}"
        return ""

    async def _resolve(
        self,
        orders: Sequence[Order],
        *,
        is_patient: bool = True,
        on_unread: Callable[[Order, PumpSwapError], None] | None = None,
    ) -> list[tuple[Order, Executed]]:
        for order in orders:
            self._blocked.setdefault(order.mint, order.order_id)
            if not self._reservations.has(order.order_id):
                self._inherited[order.order_id] = order
        self._running.update(order.order_id for order in orders)
        until = None if is_patient else one_look()
        try:
            found = await asyncio.gather(*(self._fate(order, until) for order in orders), return_exceptions=True)
        finally:
            self._running.difference_update(order.order_id for order in orders)
        resolved: list[tuple[Order, Executed]] = []
        unread: list[PumpSwapError] = []
        for order, fate in zip(orders, found, strict=True):
            if isinstance(fate, Executed):
                resolved.append((order, fate))
            elif not isinstance(fate, (ProtocolDrift, LedgerMismatch)):
                raise fate
            elif on_unread is None:  # its token stays blocked; the others are booked
                unread.append(fate)
            else:
                on_unread(order, fate)
        self._block_unresolved()
        if unread:
            raise unread[0]
        return resolved

    async def _fate(self, order: Order, until: asyncio.Event | None) -> Executed:
        try:
            states = await self.parts.sender.resolve_open([order.order_id], until=until)
            return self._settle(order, self.parts.sender.outcome_of(states[order.order_id], self._job(order)))
        finally:
            self._running.discard(order.order_id)

    def _block_unresolved(self) -> None:
        """Two orders of one token may be unresolved after a crash: the second blocks it when the first is done."""
        for order in self.parts.books.unresolved():
            self._blocked.setdefault(order.mint, order.order_id)

    async def _open(self) -> None:
        async with self._opening:
            if not self._is_open:
                await self.resolve_open()

    def _settle(self, order: Order, outcome: Outcome) -> Executed:
        read = self._read.pop(order.order_id, None)
        executed = read if read is not None and read.outcome == outcome else Executed(outcome)
        self.parts.books.settle(order, outcome, executed.foreign)
        if isinstance(outcome, Filled):
            self._failed_sales.discard(order.mint)
        elif order.side is TradeSide.SELL:
            self._failed_sales.add(order.mint)
        if not isinstance(outcome, Unknown):
            self._reservations.release(order.order_id)
            self._inherited.pop(order.order_id, None)
            if self._blocked.get(order.mint) == order.order_id:
                del self._blocked[order.mint]
        return executed

    # ------------------------------------------------------------------------------------------ what was sent

    def _job(self, order: Order) -> SendJob:
        lanes = self._policy(order).lanes
        return SendJob(order.order_id, partial(self._build, order), partial(self._interpret, order), lanes)

    def _policy(self, order: Order) -> SandwichPolicy:
        return self._policies.get(order.order_id, _USUAL)

    def _interpret(self, order: Order, attempt: Attempt, transaction: ConfirmedTransaction) -> Filled | Rejected:
        """What a landed transaction means. Times come from its block, so that reading it again gives the same."""
        wallet, block_time = self.parts.wallet, transaction.block_time
        at_ns = attempt.created_ns if block_time is None else block_time * NS_PER_SECOND
        tips = tip_accounts_of(transaction, wallet) if attempt.tip_lamports else frozenset[Pubkey]()
        pool, mint = Pubkey.from_string(order.pool), Pubkey.from_string(order.mint)
        request = SwapRequest(pool, mint, order.side is TradeSide.BUY, tips)
        order_id, slot, signature = order.order_id, transaction.slot, transaction.signature
        outcome: Filled | Rejected
        if transaction.err is not None:
            failure, costs = classify(transaction.err, transaction.logs), costs_of(transaction, wallet, request)
            outcome = Rejected(order_id, at_ns, slot, failure.code, failure.name, failure.text, costs, signature)
            change = wallet_change(transaction, wallet)
            foreign = {SOL: change.sol_lamports + costs.spent}
        else:
            fill = fill_of(request, transaction, wallet)
            outcome = Filled(order_id, at_ns, slot, fill.executed, fill.costs, signature)
            change, foreign = fill.change, {SOL: fill.sol_remainder, order.mint: fill.base_remainder}
        self._landed_slot = max(self._landed_slot, slot)
        self._read[order_id] = Executed(outcome, change, {asset: units for asset, units in foreign.items() if units})
        return outcome

    # ------------------------------------------------------------------------------------------ what is sent

    async def _build(self, order: Order, request: BuildRequest) -> Built | Denied:
        """One transaction of an order, or why there is none. Nothing of the order is open while this runs."""
        try:
            built = await self._built(order, request)
        except InsufficientFunds as short:
            built = Denial("insufficient funds", short.what)
        except NotFound as missing:
            built = Denial("unknown pool", missing.what)
        if isinstance(built, Denial):
            self._reservations.release(order.order_id)
            return Denied(order.order_id, self._now_ns(), built.rule, built.text)
        return built

    async def _built(self, order: Order, request: BuildRequest) -> Built | Denial:
        parts, sending = self.parts, self.parts.settings.sending
        if not await self._check_network():
            return Denial("wrong network", f"{parts.node.name} serves another chain than these books belong to")
        if request.previous is not None and order.side is TradeSide.SELL:
            self._failed_sales.add(order.mint)
        ready = await self._ready(order, request)
        if isinstance(ready, Denial):
            if ready.rule == "insufficient funds" and order.side is TradeSide.SELL:
                await self._compare(order)
            return ready
        recent = await recent_price(parts.node, contended_accounts(ready.state), sending)
        before = request.previous.compute_unit_price_micro_lamports if request.previous else None
        price = price_of_attempt(recent.micro_lamports, before, sending)
        budget = ComputeBudget(compute_limit(ready.units, sending), price)
        view = await self._reserve(ready, budget)
        stopped = self._obstacle(order)  # it may have compared books and wallet
        if stopped:
            return Denial("books differ", stopped)
        limited = self._check_limits(ready.plan, view, budget)
        if limited is not None:
            return limited
        held_back = parts.held_back(order)  # last of all: nothing is awaited any more
        if held_back:
            return Denial("trading state", held_back)
        message = build_message(ready.plan.instructions, parts.wallet, request.blockhash.blockhash, budget)
        tip = ready.plan.tip.lamports if ready.plan.tip else 0
        return Built(message, ready.plan.spend_plan(budget), budget.unit_limit, price, tip)

    async def _ready(self, order: Order, request: BuildRequest) -> _Ready | Denial:
        """Plan and simulate; once more with a fresh schedule or the other generation when the program asks for it."""
        parts, denial = self.parts, Denial("simulation", "the program changes faster than it can be asked")
        fallback, is_distrusted = False, False
        for _ in range(_MAX_PLANS):
            state, schedule = await parts.pools.state(Pubkey.from_string(order.pool)), await parts.pools.schedule()
            parts.books.know_decimals(order.mint, state.base_decimals)
            known = await parts.generations.generations()
            generation = 1 if fallback else generation_for(state, known, parts.settings.sending.generation)
            view = await self._view(state)
            plan = await self._planned(order, (state, schedule), view, generation)
            if isinstance(plan, Denial):
                return plan
            # The simulation gets all units and pays nothing for them: it is asked for what the trade needs.
            blockhash, budget = request.blockhash.blockhash, ComputeBudget(MAX_COMPUTE_UNITS)
            found = await preflight(parts.node, build_message(plan.instructions, parts.wallet, blockhash, budget))
            if found.failure is None:
                return _Ready(plan, state, view, found.units)
            denial = _denial_of(found.failure)
            if found.failure.amm_code in REFRESH_CODES and not is_distrusted:
                is_distrusted = True
                parts.pools.distrust(f"{found.failure.code} {found.failure.name}")
            elif found.failure.amm_code in FALLBACK_CODES and generation == 2 and self._may_fall_back(found.failure):
                fallback = True
            else:
                return denial
        return denial

    def _may_fall_back(self, failure: Failure) -> bool:
        if failure.amm_code == _UNKNOWN_INSTRUCTION:
            self.parts.generations.forget()
        return self.parts.settings.sending.generation == "auto"

    async def _planned(
        self, order: Order, market: tuple[PoolState, FeeSchedule], view: WalletView, generation: int
    ) -> SwapPlan | Denial:
        state, schedule = market
        settings = self.parts.settings
        age = view.slot - state.slot
        if age > settings.chain.max_slot_lag:
            return Denial("stale state", f"the pool was last seen {age} slots ago")
        risks = risky_extensions(view.base_mint_data)
        if risks:
            return Denial("risky token", f"its mint can take or block tokens: {', '.join(risks)}")
        policy = self._policy(order)
        choices = choose(policy, generation, market, self.parts.lanes, settings, self.parts.rng)
        if order.is_urgent or order.mint in self._failed_sales:
            choices = replace(choices, close_emptied=False)
        # No await between looking at the reservations and taking one: other orders plan at the same time.
        plan = plan_swap(order, state, schedule, view, choices, self._reservations.others(order.order_id, order.mint))
        if isinstance(plan, Denial):
            return plan
        impact = plan.quote.impact
        # Exits are never held back by their impact: the limit protects them, staying in does not.
        cap = policy.impact_cap(settings)
        if isinstance(plan.quote, BuyQuote) and impact > Fraction(cap, BPS):
            text = f"moves the price by {float(impact) * 100:.2f} %, the cap is {cap} bps"
            return Denial("impact", text)
        self._take(plan, view, plan.reservation(ComputeBudget(MAX_COMPUTE_UNITS), 0), keep_lamports=0)
        return plan

    # ------------------------------------------------------------------------------------------ wallet and network

    async def _view(self, state: PoolState) -> WalletView:
        """The wallet, not older than the newest transaction of ours: what that has spent must not count again."""
        while True:
            view = await read_wallet(self.parts.node, self.parts.wallet, state, least_slot=self._landed_slot)
            if view.slot >= self._landed_slot:
                return view

    async def _reserve(self, ready: _Ready, budget: ComputeBudget) -> WalletView:
        """Take what the finished transaction may cost, in the wallet and in the books. Returns the wallet as it is."""
        plan, view = ready.plan, ready.view
        rent, keep = 0, await self._rent(0)
        for size in plan.new_account_bytes:
            rent += await self._rent(size)
        wanted = plan.reservation(budget, rent)
        spends = wanted.native_lamports + wanted.wrapped_lamports
        books = self.parts.books
        is_short = spends > books.balance(SOL) or wanted.base_units > books.balance(plan.order.mint)
        if is_short and self._is_alone(plan.order):
            await books.reconcile(self.parts.node, plan.order.order_id)  # somebody has topped the wallet up
        # What another order has spent since must not count again. From here on nothing is waited for.
        while view.slot < self._landed_slot:
            view = await self._view(ready.state)
        # The wallet may have more than the books know of: several purchases must not count on the same of theirs.
        others = self._on_the_way(plan.order) if plan.order.side is TradeSide.BUY else 0
        if spends + others > books.balance(SOL):
            taken = f", of which other orders may spend {others}" if others else ""
            raise InsufficientFunds(
                f"needs {spends} lamports, the books have {books.balance(SOL)}{taken}",
                hint="wait for the other orders, then compare the books with the chain",
            )
        # Others may have sent tokens of the position away since the order was made; what came in instead is none of it.
        if wanted.base_units > books.held(plan.order.pool):
            raise InsufficientFunds(
                f"sells {wanted.base_units} base units, {books.held(plan.order.pool)} are held in this pool",
                hint="sell what the position holds",
            )
        self._take(plan, view, wanted, keep_lamports=keep)
        return view

    def _is_alone(self, order: Order) -> bool:
        """Whether nothing else is on its way, so that books and wallet can be compared."""
        return self._running == {order.order_id} == set(self._blocked.values())

    async def _compare(self, order: Order) -> None:
        """The wallet has less than a sale gives: somebody has taken a part. The books know of it now, not when the
        schedule compares: the next sale gives what is left.
        """
        if self._is_alone(order):
            with suppress(LedgerMismatch):  # a chore is on its way: the schedule compares afterwards
                await self.parts.books.reconcile(self.parts.node, order.order_id)

    def _obstacle(self, order: Order) -> str:
        """Why the books let nothing be bought; selling is always allowed."""
        return self.parts.books.obstacle(order.mint) if order.side is TradeSide.BUY else ""

    def _inherited_lamports(self) -> int:
        return sum(one.quote_lamports for one in self._inherited.values() if one.side is TradeSide.BUY)

    def _on_the_way(self, order: Order) -> int:
        """What all other orders may spend."""
        others = self._reservations.others(order.order_id)
        return others.native_lamports + others.wrapped_lamports + self._inherited_lamports()

    def _check_limits(self, plan: SwapPlan, view: WalletView, budget: ComputeBudget) -> Denial | None:
        """The wallet's limits for a day and for what stays. They hold back buys: leaving is always allowed."""
        limits, order = self.parts.limits, plan.order
        if limits is None or order.side is TradeSide.SELL:
            return None
        others, ours = self._reservations.others(order.order_id), self._reservations.of(order.order_id)
        left = view.native_lamports - others.native_lamports - ours.native_lamports - self._inherited_lamports()
        if left < limits.min_reserve_lamports:
            text = f"leaves {left} lamports of native SOL, the wallet's reserve is {limits.min_reserve_lamports}"
            return Denial("wallet reserve", text)
        day_ns = self._now_ns() - _DAY_NS
        tip = plan.tip.lamports if plan.tip else 0
        spent = (
            self.parts.books.spent_since(day_ns) + self._on_the_way(order) + order.quote_lamports + budget.fee() + tip
        )
        if spent > limits.max_day_lamports:
            text = f"brings the orders of 24 hours to {spent} lamports, the limit is {limits.max_day_lamports}"
            return Denial("day limit", text)
        return None

    def _take(self, plan: SwapPlan, view: WalletView, wanted: Reservation, *, keep_lamports: int) -> None:
        # A fee payer keeps the rent of an empty account, or the network refuses the transaction.
        native = view.native_lamports - keep_lamports
        held = Reservation(native, view.wrapped_lamports or 0, plan.order.mint, view.base_units or 0)
        self._reservations.take(plan.order.order_id, wanted, held)

    async def _rent(self, size: int) -> int:
        if size not in self._rents:
            self._rents[size] = await self.parts.node.minimum_rent(size)
        return self._rents[size]

    async def _check_network(self) -> bool:
        if self._is_right_network is None:
            self._is_right_network = await self.parts.node.genesis_hash() == self.parts.network
        return self._is_right_network

    def _now_ns(self) -> int:
        return self.parts.clock.now_ns()


def _denial_of(failure: Failure) -> Denial:
    if failure.is_lack_of_funds:
        return Denial("insufficient funds", f"the simulation failed: {failure.name}: {failure.text}")
    if failure.amm_code in _SLIPPAGE_CODES:  # the pool has moved between the plan and its simulation
        return Denial("limit", f"the simulation failed with {failure.code} {failure.name}: {failure.text}")
    code = "" if failure.code is None else f"{failure.code} "
    where = f" in program {failure.program}" if failure.program is not None else ""
    return Denial("simulation", f"it would fail with {code}{failure.name}{where}: {failure.text}")
