"""RoundTrip: buying a little and selling it again, simulated: on the program itself where that fits, and exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

from solders.hash import Hash
from solders.message import MessageV0
from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState, buy_exact_quote, sell_exact_base
from pumpswap.chain.compute import compute_limit, preflight
from pumpswap.chain.generation import GenerationProbe, generation_for
from pumpswap.chain.priority import contended_accounts, recent_price
from pumpswap.chain.transaction import MAX_COMPUTE_UNITS, ComputeBudget, build_message
from pumpswap.errors import TradeRefused
from pumpswap.execution.reservations import Reservation
from pumpswap.execution.swap_plan import Denial, SwapChoices, SwapPlan, WalletView, plan_swap, read_wallet
from pumpswap.model import Order, TradeSide
from pumpswap.sdk.connection import ChainConnection

__all__ = ["RoundTrip", "simulate_round_trip"]


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """What a round trip of ``quote_lamports`` would do now.

    ``buy_problem`` and ``sell_problem``: why a side would not happen; empty when it would. ``is_sale_simulated``: the
    program itself has bought and sold in one simulated transaction; else the sale follows from exact arithmetic alone,
    since both do not fit into one transaction here.
    """

    state: PoolState
    generation: int
    quote_lamports: int
    base_units: int = 0
    returned_lamports: int = 0
    network_fee_lamports: int = 0  # of both transactions, priority in
    rent_lamports: int = 0
    buy_problem: str = ""
    sell_problem: str = ""
    is_sale_simulated: bool = False

    @property
    def lost_lamports(self) -> int:
        """Gone for good: venue fees, both price impacts, the network's fees. Rent comes back."""
        return self.quote_lamports - self.returned_lamports + self.network_fee_lamports


async def simulate_round_trip(
    connection: ChainConnection, state: PoolState, quote_lamports: int, wallet: Pubkey
) -> RoundTrip:
    """Nothing is signed or sent. Raises TradeRefused for what the program refuses whoever asks, and ChainError."""
    node, settings = connection.node, connection.settings
    schedule, view = await connection.schedules.current(), await read_wallet(node, wallet, state)
    known = await GenerationProbe(node, wallet, file=settings.data_dir / "generations.json").generations()
    generation = generation_for(state, known, settings.sending.generation)
    found = RoundTrip(state, generation, quote_lamports)
    slippage_bps = settings.risk.slippage_bps
    buy = _planned(TradeSide.BUY, quote_lamports, state, schedule, (view, generation), slippage_bps)
    if isinstance(buy, Denial):
        return replace(found, buy_problem=f"{buy.rule}: {buy.text}")
    bought = buy_exact_quote(state, schedule, quote_lamports).base_out
    after = state.after(buy.quote, generation)
    # The least that the purchase may bring is there in any case, also when somebody trades in between; and a unit more,
    # since what is emptied would be closed.
    sold = buy.order.limit
    held = replace(view, wrapped_lamports=view.wrapped_lamports or 0, base_units=(view.base_units or 0) + sold + 1)
    sale = _planned(TradeSide.SELL, sold, after, schedule, (held, generation), slippage_bps)
    budget = ComputeBudget(MAX_COMPUTE_UNITS)
    first = await preflight(node, build_message(buy.instructions, wallet, Hash.default(), budget))
    price = await recent_price(node, contended_accounts(state), settings.sending)
    units = max(compute_limit(first.units, settings.sending), 1)
    fees = 2 * ComputeBudget(units, price.micro_lamports).fee()
    rent = sum([await node.minimum_rent(size) for size in buy.new_account_bytes])
    found = replace(found, base_units=bought, network_fee_lamports=fees, rent_lamports=rent)
    if first.failure is not None:
        return replace(found, buy_problem=f"{first.failure.name}: {first.failure.text}")
    if isinstance(sale, Denial):
        return replace(found, sell_problem=f"{sale.rule}: {sale.text}")
    found = replace(found, returned_lamports=sell_exact_base(after, schedule, bought).user_quote_out)
    both = _both(buy, sale, wallet)
    if both is None:
        return found
    second = await preflight(node, both)
    problem = "" if second.failure is None else f"{second.failure.name}: {second.failure.text}"
    return replace(found, sell_problem=problem, is_sale_simulated=True)


def _planned(
    side: TradeSide,
    amount: int,
    state: PoolState,
    schedule: FeeSchedule,
    around: tuple[WalletView, int],
    slippage_bps: int,
) -> SwapPlan | Denial:
    view, generation = around
    is_buy = side is TradeSide.BUY
    quote = buy_exact_quote(state, schedule, amount) if is_buy else sell_exact_base(state, schedule, amount)
    order = Order(
        order_id="check",
        decision_id="check",
        side=side,
        pool=str(state.address),
        mint=str(state.pool.base_mint),
        created_ns=0,
        limit=quote.limit(slippage_bps),
        quote=quote,
        quote_lamports=amount if is_buy else 0,
        base_units=0 if is_buy else amount,
        slippage_bps=slippage_bps,
    )
    return plan_swap(order, state, schedule, view, SwapChoices(generation), Reservation())


def _both(buy: SwapPlan, sale: SwapPlan, wallet: Pubkey) -> MessageV0 | None:
    """One transaction that buys and sells; None when it would be too large for the network."""
    steps = [*buy.instructions, *(step for step in sale.instructions if step not in buy.instructions)]
    try:
        return build_message(steps, wallet, Hash.default(), ComputeBudget(MAX_COMPUTE_UNITS))
    except TradeRefused:
        return None
