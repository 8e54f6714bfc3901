"""The paper venue: exact fills on the real curve, after a latency, at the real costs.

An order is executed against the pool as it is when it would land, not as it was when it was decided; so a paper trade
slips, and is rejected at its limit, for the same reasons as a live one. Our own fills move the pool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from heapq import heappop, heappush

from pumpswap.amm import (
    Execution,
    FeeSchedule,
    PoolState,
    execute_buy,
    execute_buy_exact_quote_in,
    execute_sell,
    preferred_generation,
)
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import TradeRefused
from pumpswap.execution.costs import LAMPORTS_PER_SIGNATURE, rents_at
from pumpswap.execution.paper_model import PaperModel
from pumpswap.execution.wallet import PaperWallet
from pumpswap.market.book import PoolBook
from pumpswap.model import Costs, Denied, Filled, Order, Outcome, Rejected, TradeSide
from pumpswap.settings import PaperVenueSettings

__all__ = ["V2_SINCE", "PaperVenue"]

V2_SINCE = int(datetime(2026, 10, 2, 15, 47, 7, tzinfo=UTC).timestamp())  # PROTOCOL 8: slot 452 654 882


class PaperVenue:
    """Executes orders on the states of a PoolBook. ``schedule_for`` gives the fee schedule of a Unix second."""

    def __init__(
        self,
        book: PoolBook,
        settings: PaperVenueSettings,
        schedule_for: Callable[[int], FeeSchedule],
        *,
        max_state_age_seconds: int,
        model: PaperModel | None = None,
        wallet: PaperWallet | None = None,
    ) -> None:
        """``model`` None: the settings alone, without chance. ``wallet``: of an earlier process."""
        self._book = book
        self._settings = settings
        self._model = model or PaperModel(settings)
        self._schedule_for = schedule_for
        self._max_state_age_ns = max_state_age_seconds * NS_PER_SECOND
        self._pending: list[tuple[int, int, Order]] = []  # a heap: landing, number, order
        self._submitted = 0
        self.wallet = wallet or PaperWallet()

    def deposit(self, lamports: int) -> None:
        """Play money arrives."""
        self.wallet.lamports += lamports

    def submit(self, order: Order, at_ns: int) -> None:
        """The order is on its way and lands when the model says. Orders that land at once keep their order."""
        self._submitted += 1
        heappush(self._pending, (self._model.landing_ns(at_ns, order), self._submitted, order))

    def next_landing_ns(self) -> int | None:
        """When the next order lands, or None."""
        return self._pending[0][0] if self._pending else None

    def landings_ns(self) -> list[int]:
        """When each order that is on its way lands, soonest first."""
        return sorted(landing_ns for landing_ns, _, _ in self._pending)

    def settle(self, until_ns: int) -> Iterator[Outcome]:
        """Outcomes of all orders that have landed by ``until_ns``, in order of landing.

        One at a time: each is executed when it is asked for, so that the books can be compared with the wallet before
        the next one.
        """
        while self._pending and self._pending[0][0] <= until_ns:
            landing_ns, _, order = heappop(self._pending)
            yield self._execute(order, landing_ns)

    def _execute(self, order: Order, at_ns: int) -> Outcome:
        state, observed = self._book.state(order.pool), self._book.observed_ns(order.pool)
        if state is None or observed is None:
            return Denied(order.order_id, at_ns, "unknown pool", "no state of this pool is known")
        if at_ns - observed > self._max_state_age_ns:
            age = (at_ns - observed) // NS_PER_SECOND
            return Denied(
                order.order_id, at_ns, "stale state", f"the pool was last seen {age} s ago: a fill would be invented"
            )
        costs = self._costs(order, state, at_ns)
        needed = costs.spent + costs.rent_paid + (order.quote_lamports if order.side is TradeSide.BUY else 0)
        if needed > self.wallet.lamports:
            text = f"needs {needed} lamports, the wallet has {self.wallet.lamports}"
            return Denied(order.order_id, at_ns, "insufficient funds", text)
        signature = f"paper-{order.order_id}"
        if self._model.fails():
            paid = Costs(costs.network_fee, costs.priority_fee)
            self.wallet.lamports -= paid.spent
            text = "failed on the way, as some do whatever the price: an imitation of the network"
            return Rejected(order.order_id, at_ns, state.slot, None, "NetworkFailure", text, paid, signature)
        try:
            done = self._run(order, state, at_ns)
        except TradeRefused as refused:
            # The program refused, the network charged: as on chain. Accounts of a failed transaction are not created.
            paid = Costs(costs.network_fee, costs.priority_fee)
            self.wallet.lamports -= paid.spent
            return Rejected(
                order.order_id, at_ns, state.slot, refused.code, refused.name, refused.what, paid, signature
            )
        account_rent, _ = self._new_rents(order, state, at_ns)
        self._book.put(order.pool, done.state)
        self._move(order, done, costs, account_rent)
        returned = self._close_if_empty(order.mint)
        settled = Costs(costs.network_fee, costs.priority_fee, costs.tip, costs.rent_paid, returned)
        return Filled(order.order_id, at_ns, state.slot, done.quote, settled, signature)

    def _run(self, order: Order, state: PoolState, at_ns: int) -> Execution:
        unix_seconds = at_ns // NS_PER_SECOND
        schedule = self._schedule_for(unix_seconds)
        generation = preferred_generation(state) if unix_seconds >= V2_SINCE else 1
        if order.is_exact_buy:
            return execute_buy(state, schedule, order.base_units, order.limit, generation=generation)
        if order.side is TradeSide.BUY:
            return execute_buy_exact_quote_in(state, schedule, order.quote_lamports, order.limit, generation=generation)
        return execute_sell(state, schedule, order.base_units, order.limit, generation=generation)

    def _costs(self, order: Order, state: PoolState, at_ns: int) -> Costs:
        rent = sum(self._new_rents(order, state, at_ns))
        return Costs(LAMPORTS_PER_SIGNATURE, self._model.priority_fee(), self._settings.tip_lamports, rent)

    def _new_rents(self, order: Order, state: PoolState, at_ns: int) -> tuple[int, int]:
        """Deposits for (token account, volume accumulator) that this order has to create."""
        if order.side is TradeSide.SELL:
            return 0, 0
        rents, wallet = rents_at(at_ns // NS_PER_SECOND), self.wallet
        is_2022 = state.base_token_program == TOKEN_2022_PROGRAM
        account = rents.token_2022_account if is_2022 else rents.token_account
        return (
            0 if order.mint in wallet.accounts else account,
            0 if wallet.has_volume_accumulator else rents.user_volume_accumulator,
        )

    def _move(self, order: Order, done: Execution, costs: Costs, account_rent: int) -> None:
        """The wallet after a fill, from the program's transfers."""
        wallet, moves = self.wallet, done.transfers
        wallet.lamports += moves.user_quote_change - costs.spent - costs.rent_paid
        wallet.tokens[order.mint] = wallet.tokens.get(order.mint, 0) + moves.user_base_change
        if order.side is TradeSide.BUY:
            wallet.has_volume_accumulator = True
            wallet.accounts.setdefault(order.mint, account_rent)

    def _close_if_empty(self, mint: str) -> int:
        """A sale that empties a token account closes it in the same transaction: the rent comes back."""
        if self.wallet.tokens.get(mint, 0):
            return 0
        returned = self.wallet.accounts.pop(mint, 0)
        self.wallet.lamports += returned
        return returned
