"""Preview: what a trade of a wallet would do now, by simulation of the unsigned transaction. Nothing is spent."""

from __future__ import annotations

from dataclasses import dataclass

from solders.hash import Hash
from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState, Quote, buy_exact_quote, sell_exact_base
from pumpswap.chain.compute import compute_limit, preflight
from pumpswap.chain.failures import Failure
from pumpswap.chain.generation import GenerationProbe, generation_for
from pumpswap.chain.priority import contended_accounts, recent_price
from pumpswap.chain.transaction import MAX_COMPUTE_UNITS, ComputeBudget, build_message
from pumpswap.execution.reservations import Reservation
from pumpswap.execution.swap_plan import Denial, SwapChoices, plan_swap, read_wallet
from pumpswap.model import Order, TradeSide
from pumpswap.sdk.connection import ChainConnection

__all__ = ["Preview", "preview_trade", "state_after_waiting"]


def _quote(side: TradeSide, state: PoolState, schedule: FeeSchedule, amount: int) -> Quote:
    is_buy = side is TradeSide.BUY
    return buy_exact_quote(state, schedule, amount) if is_buy else sell_exact_base(state, schedule, amount)


@dataclass(frozen=True, slots=True)
class Preview:
    """``quote`` is exact on ``state``. ``problem`` says why the trade would not happen; None when it would.

    ``fee_lamports`` is signature and priority fee, ``rent_lamports`` what new accounts would be funded with. Both are
    None, and ``is_simulated`` False, when there is no wallet to simulate for.
    """

    state: PoolState
    quote: Quote
    limit: int
    generation: int | None = None
    fee_lamports: int | None = None
    rent_lamports: int | None = None
    units: int | None = None
    problem: str = ""
    failure: Failure | None = None
    is_simulated: bool = False


async def preview_trade(
    connection: ChainConnection,
    side: TradeSide,
    state: PoolState,
    amount: int,
    *,
    slippage_bps: int,
    wallet: Pubkey | None,
) -> Preview:
    """Quote a buy for ``amount`` lamports or a sale of ``amount`` base units, and simulate it for ``wallet``.

    Raises TradeRefused for what the program would refuse whoever asks, and ChainError.
    """
    schedule = await connection.schedules.current()
    quote = _quote(side, state, schedule, amount)
    limit = quote.limit(slippage_bps)
    if wallet is None:
        return Preview(state, quote, limit, problem="no wallet is configured, so nothing was simulated")
    node, settings = connection.node, connection.settings
    view = await read_wallet(node, wallet, state)
    if view.native_lamports == 0:
        return Preview(state, quote, limit, problem=f"wallet {wallet} holds no SOL")
    known = await GenerationProbe(node, wallet, file=settings.data_dir / "generations.json").generations()
    generation = generation_for(state, known, settings.sending.generation)
    is_buy = side is TradeSide.BUY
    order = Order(
        order_id="preview",
        decision_id="preview",
        side=side,
        pool=str(state.address),
        mint=str(state.pool.base_mint),
        created_ns=connection.clock.now_ns(),
        limit=limit,
        quote=quote,
        quote_lamports=amount if is_buy else 0,
        base_units=0 if is_buy else amount,
        slippage_bps=slippage_bps,
    )
    plan = plan_swap(order, state, schedule, view, SwapChoices(generation), Reservation())
    if isinstance(plan, Denial):
        return Preview(state, quote, limit, generation, problem=f"{plan.rule}: {plan.text}")
    message = build_message(plan.instructions, wallet, Hash.default(), ComputeBudget(MAX_COMPUTE_UNITS))
    found = await preflight(node, message)
    price = await recent_price(node, contended_accounts(state), settings.sending)
    budget = ComputeBudget(max(compute_limit(found.units, settings.sending), 1), price.micro_lamports)
    rent = sum([await node.minimum_rent(size) for size in plan.new_account_bytes])
    problem = ""
    if found.failure is not None:
        code = "" if found.failure.code is None else f"{found.failure.code} "
        problem = f"it would fail with {code}{found.failure.name}: {found.failure.text}"
    return Preview(
        state,
        quote,
        limit,
        generation,
        fee_lamports=budget.fee(),
        rent_lamports=rent,
        units=found.units,
        problem=problem,
        failure=found.failure,
        is_simulated=True,
    )


async def state_after_waiting(connection: ChainConnection, side: TradeSide, preview: Preview, amount: int) -> PoolState:
    """The state whose limit an order gets after somebody has thought about its preview.

    When the price has become better, the state of now: the old limit would leave all of the difference to a sandwich.
    When it has become worse, the one that was shown: nobody gets less than was agreed to; the order is then denied.
    Raises NotFound, TradeRefused, ChainError.
    """
    now = await connection.pool(preview.state.address)
    quote = _quote(side, now, await connection.schedules.current(), amount)
    return now if quote.limit(0) >= preview.quote.limit(0) else preview.state
