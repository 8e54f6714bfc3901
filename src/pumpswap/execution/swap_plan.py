"""From an order to instructions, and to the plan that the wallet's guard holds against them.

One long-lived wrapped-SOL account: a buy tops it up by what is missing and never closes it, a sale pays into it
(PROTOCOL 7.1). Token accounts are created idempotently. A sale of everything closes the emptied base account, unless
it is urgent or a retry: one unit of dust that somebody sends meanwhile would make all of it fail.
"""

from __future__ import annotations

from dataclasses import dataclass

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from pumpswap.amm import (
    BuyQuote,
    Existing,
    FeeSchedule,
    PoolState,
    Quote,
    TokenAccount,
    buy_exact_base,
    buy_exact_quote,
    sell_exact_base,
    swap_instruction,
    swap_sequence,
)
from pumpswap.amm.addresses import TOKEN_PROGRAM, WSOL_MINT, ata, user_volume_accumulator
from pumpswap.chain.dont_front import with_marker
from pumpswap.chain.node import ChainAccount, Node
from pumpswap.chain.transaction import ComputeBudget, tip_transfer
from pumpswap.errors import TradeRefused
from pumpswap.execution.reservations import Reservation
from pumpswap.model import Order, PlanKind, SpendPlan, TradeSide

__all__ = ["Denial", "SwapChoices", "SwapPlan", "Tip", "WalletView", "plan_swap", "read_wallet"]

_ACCUMULATOR_BYTES = 137
_TOKEN_ACCOUNT_BYTES = 165
_TOKEN_2022_ACCOUNT_BYTES = 170


@dataclass(frozen=True, slots=True)
class Denial:
    """Why no transaction is built: the rule, and its numbers for people."""

    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class WalletView:
    """What the wallet has of what a swap needs, all of one slot. ``None`` units: there is no such account."""

    wallet: Pubkey
    slot: int
    native_lamports: int
    wrapped_lamports: int | None
    base_units: int | None
    has_accumulator: bool
    base_mint_data: bytes = b""


@dataclass(frozen=True, slots=True)
class Tip:
    """A tip to a block engine, paid in the same transaction."""

    account: Pubkey
    lamports: int


@dataclass(frozen=True, slots=True)
class SwapChoices:
    """How the swap is built. Indices pick one of the eight wallets in GlobalConfig, to spread write locks."""

    generation: int
    recipient_index: int = 0
    buyback_index: int = 0
    dont_front: bool = False
    tip: Tip | None = None
    close_emptied: bool = True


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """Ready instructions and what they may move. ``quote`` is the exact result on the state it was planned on."""

    order: Order
    wallet: Pubkey
    pool: Pubkey
    quote: Quote
    generation: int
    instructions: tuple[Instruction, ...]
    user_base: Pubkey
    user_quote: Pubkey
    base_mint: Pubkey
    wrap_lamports: int
    from_wrapped_lamports: int
    new_account_bytes: tuple[int, ...]
    closes_base: bool
    tip: Tip | None

    def spend_plan(self, budget: ComputeBudget) -> SpendPlan:
        """All that the transaction may do, for the guard in front of the key."""
        order, is_buy = self.order, self.order.side is TradeSide.BUY
        return SpendPlan(
            order.order_id,
            PlanKind.BUY if is_buy else PlanKind.SELL,
            self.wallet,
            budget.fee(),
            pool=self.pool,
            user_base_account=self.user_base,
            user_quote_account=self.user_quote,
            max_pay_units=order.quote_lamports if is_buy else order.base_units,
            min_receive_units=order.least_received,
            max_wrap_lamports=self.wrap_lamports,
            max_tip_lamports=self.tip.lamports if self.tip else 0,
            tip_accounts=frozenset({self.tip.account}) if self.tip else frozenset(),
            account_owners=frozenset({self.wallet}),
            account_mints=frozenset({self.base_mint, WSOL_MINT}),
            closable=frozenset({self.user_base}) if self.closes_base else frozenset(),
        )

    def reservation(self, budget: ComputeBudget, rent_lamports: int) -> Reservation:
        """What other orders must not count on while this one is on its way."""
        tip = self.tip.lamports if self.tip else 0
        native = self.wrap_lamports + budget.fee() + tip + rent_lamports
        given = 0 if self.order.side is TradeSide.BUY else self.order.base_units
        return Reservation(native, self.from_wrapped_lamports, self.order.mint, given)


def wallet_accounts(wallet: Pubkey, state: PoolState) -> tuple[Pubkey, ...]:
    """What ``read_wallet`` asks for: wallet, wrapped SOL, base account, volume accumulator, base mint."""
    mint = state.pool.base_mint
    return (
        wallet,
        ata(wallet, WSOL_MINT, TOKEN_PROGRAM),
        ata(wallet, mint, state.base_token_program),
        user_volume_accumulator(wallet),
        mint,
    )


async def read_wallet(node: Node, wallet: Pubkey, state: PoolState, *, least_slot: int = 0) -> WalletView:
    """One call, one slot, not older than the pool's state nor than ``least_slot``. Raises ChainError."""
    least = max(state.slot, least_slot)
    answer = await node.accounts(wallet_accounts(wallet, state), min_context_slot=least)
    native, wrapped, base, accumulator, mint = answer.accounts
    return WalletView(
        wallet,
        answer.slot,
        native.lamports if native else 0,
        _units(wrapped),
        _units(base),
        accumulator is not None,
        mint.data if mint else b"",
    )


def plan_swap(
    order: Order,
    state: PoolState,
    schedule: FeeSchedule,
    view: WalletView,
    choices: SwapChoices,
    reserved: Reservation,
) -> SwapPlan | Denial:
    """Instructions of an order on ``state``. ``reserved`` is what other orders may take of the wallet.

    A Denial for what would fail or must not be tried: another quote than SOL, a limit that is exceeded, base units
    that are not there, or whatever the program would refuse.
    """
    pool = state.pool
    if pool.quote_mint != WSOL_MINT or pool.base_mint == WSOL_MINT:
        return Denial("unsupported pool", "orders are in lamports: only pools that are priced in SOL can be traded")
    if str(pool.base_mint) != order.mint or str(state.address) != order.pool:
        return Denial("wrong pool", f"order {order.order_id} is for {order.mint} in {order.pool}")
    try:
        quote = _quote(order, state, schedule)
        swap = swap_instruction(
            quote,
            state,
            schedule,
            user=view.wallet,
            limit=order.limit,
            generation=choices.generation,
            recipient_index=choices.recipient_index,
            buyback_index=choices.buyback_index,
        )
    except TradeRefused as refused:
        return Denial("refused", refused.what)
    denial = _check_amounts(order, quote, view, reserved)
    return denial or _assemble(
        order, state, quote, with_marker(swap) if choices.dont_front else swap, (view, choices, reserved)
    )


def _quote(order: Order, state: PoolState, schedule: FeeSchedule) -> Quote:
    if order.is_exact_buy:
        return buy_exact_base(state, schedule, order.base_units)
    if order.side is TradeSide.BUY:
        return buy_exact_quote(state, schedule, order.quote_lamports)
    return sell_exact_base(state, schedule, order.base_units)


def _check_amounts(order: Order, quote: Quote, view: WalletView, reserved: Reservation) -> Denial | None:
    if isinstance(quote, BuyQuote) and order.is_exact_buy:
        if quote.total_quote > order.limit:
            return Denial("limit", f"the amount costs {quote.total_quote} lamports now, the limit is {order.limit}")
        return None
    if isinstance(quote, BuyQuote):
        if quote.base_out < order.limit:
            return Denial("limit", f"the budget buys {quote.base_out} now, the limit is {order.limit}")
        return None
    if quote.user_quote_out < order.limit:
        return Denial("limit", f"the sale pays {quote.user_quote_out} now, the limit is {order.limit}")
    free = (view.base_units or 0) - reserved.base_units
    if order.base_units > free:
        return Denial("insufficient funds", f"sells {order.base_units} base units, the wallet has {max(free, 0)}")
    return None


def _assemble(
    order: Order,
    state: PoolState,
    quote: Quote,
    swap: Instruction,
    around: tuple[WalletView, SwapChoices, Reservation],
) -> SwapPlan:
    view, choices, reserved = around
    is_buy = order.side is TradeSide.BUY
    spend = order.quote_lamports if is_buy else 0
    from_wrapped = min(max((view.wrapped_lamports or 0) - reserved.wrapped_lamports, 0), spend)
    wrap = spend - from_wrapped
    closes = choices.close_emptied and not is_buy and view.base_units == order.base_units
    existing = Existing(
        user_base=view.base_units is not None,
        user_quote=view.wrapped_lamports is not None,
        pool_account_len=state.pool.account_len,
    )
    steps = swap_sequence(
        swap,
        state,
        view.wallet,
        existing,
        keep_wsol=True,
        wrap_lamports=wrap if is_buy else None,
        close_emptied=closes,
    )
    if choices.tip is not None:
        steps.append(tip_transfer(view.wallet, choices.tip.account, choices.tip.lamports))
    _, wrapped_account, base_account, _, mint = wallet_accounts(view.wallet, state)
    return SwapPlan(
        order,
        view.wallet,
        state.address,
        quote,
        choices.generation,
        tuple(steps),
        base_account,
        wrapped_account,
        mint,
        wrap,
        from_wrapped,
        _new_accounts(view, state, is_buy=is_buy, generation=choices.generation),
        closes,
        choices.tip,
    )


def _new_accounts(view: WalletView, state: PoolState, *, is_buy: bool, generation: int) -> tuple[int, ...]:
    """Sizes of the wallet's accounts that this trade creates: each costs rent."""
    sizes = []
    if view.wrapped_lamports is None:
        sizes.append(_TOKEN_ACCOUNT_BYTES)
    if view.base_units is None:
        is_spl = state.base_token_program == TOKEN_PROGRAM
        sizes.append(_TOKEN_ACCOUNT_BYTES if is_spl else _TOKEN_2022_ACCOUNT_BYTES)
    if not view.has_accumulator and (is_buy or generation == 2):
        sizes.append(_ACCUMULATOR_BYTES)
    return tuple(sizes)


def _units(account: ChainAccount | None) -> int | None:
    # Anybody can send lamports to the address of an account that does not exist: no data, no token account.
    return TokenAccount.decode(account.data).amount if account is not None and account.data else None
