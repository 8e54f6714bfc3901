"""SwapPlanner: from an order to a plan that has passed its simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from solders.pubkey import Pubkey

from pumpswap.amm import BuyQuote, FeeSchedule, PoolState
from pumpswap.chain.compute import preflight
from pumpswap.chain.failures import Failure
from pumpswap.chain.generation import FALLBACK_CODES, generation_for
from pumpswap.chain.order_state import BuildRequest
from pumpswap.chain.schedule import REFRESH_CODES
from pumpswap.chain.token_extensions import risky_extensions
from pumpswap.chain.transaction import MAX_COMPUTE_UNITS, ComputeBudget, build_message
from pumpswap.execution.chain_parts import ChainVenueParts
from pumpswap.execution.order_funds import OrderFunds
from pumpswap.execution.protection import SandwichPolicy
from pumpswap.execution.swap_choices import choose
from pumpswap.execution.swap_plan import Denial, SwapPlan, WalletView, plan_swap
from pumpswap.model import Order
from pumpswap.units import BPS

__all__ = ["ReadySwap", "SwapPlanner"]

_UNKNOWN_INSTRUCTION = 101
_SLIPPAGE_CODES = frozenset({6004, 6040})
_MAX_PLANS = 3  # the first, one with a fresh schedule, one of the other generation


@dataclass(frozen=True, slots=True)
class ReadySwap:
    """A plan that has passed its simulation."""

    plan: SwapPlan
    state: PoolState
    view: WalletView
    units: int


class SwapPlanner:
    """Of one venue; its plans reserve in ``funds`` what they may cost."""

    def __init__(self, parts: ChainVenueParts, funds: OrderFunds) -> None:
        self._parts = parts
        self._funds = funds
        self._failed_sales: set[str] = set()  # mints whose last sale did not get through: the next one only sells

    def sale_has_failed(self, mint: str) -> None:
        """The last sale of this token did not get through."""
        self._failed_sales.add(mint)

    def has_filled(self, mint: str) -> None:
        """The last order of this token got through."""
        self._failed_sales.discard(mint)

    async def ready(self, order: Order, policy: SandwichPolicy, request: BuildRequest) -> ReadySwap | Denial:
        """Plan and simulate; once more with a fresh schedule or the other generation when the program asks for it."""
        parts, denial = self._parts, Denial("simulation", "the program changes faster than it can be asked")
        fallback, is_distrusted = False, False
        for _ in range(_MAX_PLANS):
            schedule, known = await parts.pools.schedule(), await parts.generations.generations()
            # Last: over a slow endpoint the other questions would make it old before it is used.
            state = await parts.pools.state(Pubkey.from_string(order.pool))
            parts.books.know_decimals(order.mint, state.base_decimals)
            generation = 1 if fallback else generation_for(state, known, parts.settings.sending.generation)
            view = await self._funds.view(state)
            plan = self._planned(order, policy, (state, schedule), view, generation)
            if isinstance(plan, Denial):
                return plan
            # The simulation gets all units and pays nothing for them: it is asked for what the trade needs.
            blockhash, budget = request.blockhash.blockhash, ComputeBudget(MAX_COMPUTE_UNITS)
            found = await preflight(parts.node, build_message(plan.instructions, parts.wallet, blockhash, budget))
            if found.failure is None:
                return ReadySwap(plan, state, view, found.units)
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
            self._parts.generations.forget()
        return self._parts.settings.sending.generation == "auto"

    def _planned(
        self,
        order: Order,
        policy: SandwichPolicy,
        market: tuple[PoolState, FeeSchedule],
        view: WalletView,
        generation: int,
    ) -> SwapPlan | Denial:
        state, schedule = market
        settings = self._parts.settings
        age = view.slot - state.slot
        if age > settings.chain.max_slot_lag:
            return Denial("stale state", f"the pool was last seen {age} slots ago")
        risks = risky_extensions(view.base_mint_data)
        if risks:
            return Denial("risky token", f"its mint can take or block tokens: {', '.join(risks)}")
        choices = choose(policy, generation, market, self._parts.lanes, settings, self._parts.rng)
        if order.is_urgent or order.mint in self._failed_sales:
            choices = replace(choices, close_emptied=False)
        # No await between looking at the reservations and taking one: other orders plan at the same time.
        plan = plan_swap(order, state, schedule, view, choices, self._funds.others(order))
        if isinstance(plan, Denial):
            return plan
        impact = plan.quote.impact
        # Exits are never held back by their impact: the limit protects them, staying in does not.
        cap = policy.impact_cap(settings)
        if isinstance(plan.quote, BuyQuote) and impact > Fraction(cap, BPS):
            text = f"moves the price by {float(impact) * 100:.2f} %, the cap is {cap} bps"
            return Denial("impact", text)
        self._funds.claim(plan, view)
        return plan


def _denial_of(failure: Failure) -> Denial:
    if failure.is_lack_of_funds:
        return Denial("insufficient funds", f"the simulation failed: {failure.name}: {failure.text}")
    if failure.amm_code in _SLIPPAGE_CODES:  # the pool has moved between the plan and its simulation
        return Denial("limit", f"the simulation failed with {failure.code} {failure.name}: {failure.text}")
    code = "" if failure.code is None else f"{failure.code} "
    where = f" in program {failure.program}" if failure.program is not None else ""
    return Denial("simulation", f"it would fail with {code}{failure.name}{where}: {failure.text}")
