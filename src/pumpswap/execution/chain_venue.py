"""The chain venue: from an order to its outcome on a real program.

Each order is checked, planned, simulated, reserved, sent by the sender, read back from the confirmed transaction and
booked. Whatever stops it before a byte is out is Denied and costs nothing. Orders of one token wait for each other;
while the fate of one is unknown, no other order of its token is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from weakref import WeakValueDictionary

from solders.pubkey import Pubkey

from pumpswap.chain.compute import compute_limit
from pumpswap.chain.failures import classify
from pumpswap.chain.fills import SwapRequest, WalletChange, costs_of, fill_of, tip_accounts_of, wallet_change
from pumpswap.chain.node import ConfirmedTransaction
from pumpswap.chain.order_state import BuildRequest, Built, SendJob
from pumpswap.chain.priority import contended_accounts, price_of_attempt, recent_price
from pumpswap.chain.sender import one_look
from pumpswap.chain.transaction import ComputeBudget, build_message
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import InsufficientFunds, LedgerMismatch, NotFound, ProtocolDrift, PumpSwapError
from pumpswap.execution.chain_parts import ChainVenueParts
from pumpswap.execution.order_funds import OrderFunds
from pumpswap.execution.protection import SandwichPolicy
from pumpswap.execution.swap_plan import Denial
from pumpswap.execution.swap_planner import SwapPlanner
from pumpswap.model import SOL, Attempt, Denied, Filled, Order, Outcome, Rejected, TradeSide, Unknown

__all__ = ["ChainVenue", "ChainVenueParts", "Executed"]

_USUAL = SandwichPolicy()  # as the settings say


@dataclass(frozen=True, slots=True)
class Executed:
    """An outcome, and what its transaction changed in the wallet by the balances; ``foreign`` is not the order's."""

    outcome: Outcome
    change: WalletChange = field(default_factory=lambda: WalletChange(0, ()))
    foreign: Mapping[str, int] = field(default_factory=dict)


class ChainVenue:
    """Executes orders of one wallet on one chain."""

    def __init__(self, parts: ChainVenueParts) -> None:
        self.parts = parts
        self._funds = OrderFunds(parts, self._is_alone)
        self._planner = SwapPlanner(parts, self._funds)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # of tokens that are being traded
        self._opening = asyncio.Lock()
        self._is_open = False
        self._is_right_network: bool | None = None
        self._blocked: dict[str, str] = {}  # mint → order whose fate is unknown
        self._read: dict[str, Executed] = {}  # what interpret found, until it is booked
        self._running: set[str] = set()  # orders that somebody follows right now
        self._policies: dict[str, SandwichPolicy] = {}  # of the orders that are executed right now

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
            self._funds.inherit(order)
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
            self._planner.has_filled(order.mint)
        elif order.side is TradeSide.SELL:
            self._planner.sale_has_failed(order.mint)
        if not isinstance(outcome, Unknown):
            self._funds.has_ended(order.order_id)
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
        self._funds.has_landed(slot)
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
            self._funds.release(order.order_id)
            return Denied(order.order_id, self._now_ns(), built.rule, built.text)
        return built

    async def _built(self, order: Order, request: BuildRequest) -> Built | Denial:
        parts, sending = self.parts, self.parts.settings.sending
        if not await self._check_network():
            return Denial("wrong network", f"{parts.node.name} serves another chain than these books belong to")
        if request.previous is not None and order.side is TradeSide.SELL:
            self._planner.sale_has_failed(order.mint)
        ready = await self._planner.ready(order, self._policy(order), request)
        if isinstance(ready, Denial):
            if ready.rule == "insufficient funds" and order.side is TradeSide.SELL:
                await self._funds.compare(order)
            return ready
        recent = await recent_price(parts.node, contended_accounts(ready.state), sending)
        before = request.previous.compute_unit_price_micro_lamports if request.previous else None
        price = price_of_attempt(recent.micro_lamports, before, sending)
        budget = ComputeBudget(compute_limit(ready.units, sending), price)
        view = await self._funds.reserve(ready.plan, ready.view, ready.state, budget)
        stopped = self._obstacle(order)  # it may have compared books and wallet
        if stopped:
            return Denial("books differ", stopped)
        limited = self._funds.check_limits(ready.plan, view, budget)
        if limited is not None:
            return limited
        held_back = parts.held_back(order)  # last of all: nothing is awaited any more
        if held_back:
            return Denial("trading state", held_back)
        message = build_message(ready.plan.instructions, parts.wallet, request.blockhash.blockhash, budget)
        tip = ready.plan.tip.lamports if ready.plan.tip else 0
        return Built(message, ready.plan.spend_plan(budget), budget.unit_limit, price, tip)

    def _is_alone(self, order: Order) -> bool:
        """Whether nothing else is on its way, so that books and wallet can be compared."""
        return self._running == {order.order_id} == set(self._blocked.values())

    def _obstacle(self, order: Order) -> str:
        """Why the books let nothing be bought; selling is always allowed."""
        return self.parts.books.obstacle(order.mint) if order.side is TradeSide.BUY else ""

    async def _check_network(self) -> bool:
        if self._is_right_network is None:
            self._is_right_network = await self.parts.node.genesis_hash() == self.parts.network
        return self._is_right_network

    def _now_ns(self) -> int:
        return self.parts.clock.now_ns()
