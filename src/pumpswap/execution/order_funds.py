"""OrderFunds: what the orders of a wallet may spend: what each has reserved, and the limits of all together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from pumpswap.amm import PoolState
from pumpswap.chain.transaction import MAX_COMPUTE_UNITS, ComputeBudget
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import InsufficientFunds, LedgerMismatch
from pumpswap.execution.chain_parts import ChainVenueParts
from pumpswap.execution.reservations import Reservation, Reservations
from pumpswap.execution.swap_plan import Denial, SwapPlan, WalletView, read_wallet
from pumpswap.model import SOL, Order, TradeSide

__all__ = ["OrderFunds"]

_DAY_NS = 86_400 * NS_PER_SECOND


class OrderFunds:
    """Of one venue. ``is_alone`` says whether nothing but this order is on its way, so that books and wallet can be
    compared.
    """

    def __init__(self, parts: ChainVenueParts, is_alone: Callable[[Order], bool]) -> None:
        self._parts = parts
        self._is_alone = is_alone
        self._reservations = Reservations()
        self._inherited: dict[str, Order] = {}  # unresolved since an earlier process: nothing is reserved for them
        self._landed_slot = 0
        self._rents: dict[int, int] = {}

    # ------------------------------------------------------------------------------------------ what is reserved

    def others(self, order: Order) -> Reservation:
        """What all other orders have reserved, as far as it concerns this one."""
        return self._reservations.others(order.order_id, order.mint)

    def claim(self, plan: SwapPlan, view: WalletView) -> None:
        """Reserve what a plan may cost at most. No await between looking at ``others`` and this."""
        self._take(plan, view, plan.reservation(ComputeBudget(MAX_COMPUTE_UNITS), 0), keep_lamports=0)

    async def reserve(self, plan: SwapPlan, view: WalletView, state: PoolState, budget: ComputeBudget) -> WalletView:
        """Take what the finished transaction may cost, in the wallet and in the books. Returns the wallet as it is.

        Raises InsufficientFunds.
        """
        rent, keep = 0, await self._rent(0)
        for size in plan.new_account_bytes:
            rent += await self._rent(size)
        wanted = plan.reservation(budget, rent)
        spends = wanted.native_lamports + wanted.wrapped_lamports
        books = self._parts.books
        is_short = spends > books.balance(SOL) or wanted.base_units > books.balance(plan.order.mint)
        if is_short and self._is_alone(plan.order):
            await books.reconcile(self._parts.node, plan.order.order_id)  # somebody has topped the wallet up
        # What another order has spent since must not count again. From here on nothing is waited for.
        while view.slot < self._landed_slot:
            view = await self.view(state)
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

    def release(self, order_id: str) -> None:
        """Nothing of the order is open now."""
        self._reservations.release(order_id)

    def inherit(self, order: Order) -> None:
        """An unresolved order: where it was an earlier process that reserved for it, its amount counts instead."""
        if not self._reservations.has(order.order_id):
            self._inherited[order.order_id] = order

    def has_ended(self, order_id: str) -> None:
        """The fate of an order is in the books."""
        self._reservations.release(order_id)
        self._inherited.pop(order_id, None)

    def _on_the_way(self, order: Order) -> int:
        """What all other orders may spend."""
        others = self._reservations.others(order.order_id)
        return others.native_lamports + others.wrapped_lamports + self._inherited_lamports()

    def _inherited_lamports(self) -> int:
        return sum(one.quote_lamports for one in self._inherited.values() if one.side is TradeSide.BUY)

    def _take(self, plan: SwapPlan, view: WalletView, wanted: Reservation, *, keep_lamports: int) -> None:
        # A fee payer keeps the rent of an empty account, or the network refuses the transaction.
        native = view.native_lamports - keep_lamports
        held = Reservation(native, view.wrapped_lamports or 0, plan.order.mint, view.base_units or 0)
        self._reservations.take(plan.order.order_id, wanted, held)

    # ------------------------------------------------------------------------------------------ limits

    def check_limits(self, plan: SwapPlan, view: WalletView, budget: ComputeBudget) -> Denial | None:
        """The wallet's limits for a day and for what stays. They hold back buys: leaving is always allowed."""
        limits, order = self._parts.limits, plan.order
        if limits is None or order.side is TradeSide.SELL:
            return None
        others, ours = self._reservations.others(order.order_id), self._reservations.of(order.order_id)
        left = view.native_lamports - others.native_lamports - ours.native_lamports - self._inherited_lamports()
        if left < limits.min_reserve_lamports:
            text = f"leaves {left} lamports of native SOL, the wallet's reserve is {limits.min_reserve_lamports}"
            return Denial("wallet reserve", text)
        spent = self._parts.books.spent_since(self._parts.clock.now_ns() - _DAY_NS)
        tip = plan.tip.lamports if plan.tip else 0
        spent += self._on_the_way(order) + order.quote_lamports + budget.fee() + tip
        if spent > limits.max_day_lamports:
            text = f"brings the orders of 24 hours to {spent} lamports, the limit is {limits.max_day_lamports}"
            return Denial("day limit", text)
        return None

    # ------------------------------------------------------------------------------------------ the wallet

    async def view(self, state: PoolState) -> WalletView:
        """The wallet, not older than the newest transaction of ours: what that has spent must not count again."""
        while True:
            view = await read_wallet(self._parts.node, self._parts.wallet, state, least_slot=self._landed_slot)
            if view.slot >= self._landed_slot:
                return view

    def has_landed(self, slot: int) -> None:
        """A transaction of ours is in this slot."""
        self._landed_slot = max(self._landed_slot, slot)

    async def compare(self, order: Order) -> None:
        """The wallet has less than a sale gives: somebody has taken a part. The books know of it now, not when the
        schedule compares: the next sale gives what is left.
        """
        if self._is_alone(order):
            with suppress(LedgerMismatch):  # a chore is on its way: the schedule compares afterwards
                await self._parts.books.reconcile(self._parts.node, order.order_id)

    async def _rent(self, size: int) -> int:
        if size not in self._rents:
            self._rents[size] = await self._parts.node.minimum_rent(size)
        return self._rents[size]
