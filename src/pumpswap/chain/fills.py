"""Fills: what a confirmed transaction did with the wallet, read from its balances and its event, never from a request.

Two roads lead to the same sum: the program's event says what the swap cost, the balances say what moved. What the
event and the five costs do not explain is a named remainder; it is never rounded away or put into a fee.
"""

from __future__ import annotations

from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.amm import BuyQuote, Quote, SellQuote
from pumpswap.amm.addresses import SYSTEM_PROGRAM, WSOL_MINT, user_volume_accumulator
from pumpswap.amm.events import BuyEvent, SellEvent
from pumpswap.amm.events.logs import events_of_transaction
from pumpswap.chain.node import ConfirmedTransaction, TokenBalance
from pumpswap.chain.transaction import LAMPORTS_PER_SIGNATURE
from pumpswap.errors import ProtocolDrift, UsageError
from pumpswap.model import Costs

__all__ = [
    "Fill",
    "SwapRequest",
    "WalletChange",
    "costs_of",
    "fill_of",
    "quote_of_event",
    "tip_accounts_of",
    "wallet_change",
]

_SYSTEM_TRANSFER = b"\x02\0\0\0"


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """Which swap is looked for in a transaction: only its identity, no amounts."""

    pool: Pubkey
    mint: Pubkey
    is_buy: bool
    tip_accounts: frozenset[Pubkey] = frozenset()


@dataclass(frozen=True, slots=True)
class WalletChange:
    """What a transaction changed. SOL is native and wrapped together; deposits in token accounts are not SOL held."""

    sol_lamports: int
    tokens: tuple[tuple[str, int], ...]

    def of(self, mint: Pubkey) -> int:
        """Change of one token."""
        return dict(self.tokens).get(str(mint), 0)


@dataclass(frozen=True, slots=True)
class Fill:
    """A swap as it happened. ``sol_remainder`` and ``base_remainder`` are changes of the wallet in this transaction
    that neither the event nor the costs explain (stray lamports that a sync has found, a token that taxes transfers).
    """

    executed: Quote
    costs: Costs
    change: WalletChange
    sol_remainder: int = 0
    base_remainder: int = 0


def fill_of(request: SwapRequest, transaction: ConfirmedTransaction, wallet: Pubkey) -> Fill:
    """The fill of a successful transaction; its quote is exactly what the program computed (PROTOCOL 5.2).

    Raises UsageError for a failed transaction, ProtocolDrift when the one swap cannot be found in it.
    """
    if transaction.err is not None:
        raise UsageError(f"{transaction.signature} failed: it filled nothing", hint="book its costs: costs_of")
    executed = quote_of_event(_event(request, transaction, wallet))
    costs, change = costs_of(transaction, wallet, request), wallet_change(transaction, wallet)
    if isinstance(executed, BuyQuote):
        swap_lamports, base = -executed.total_quote, executed.base_out
    else:
        swap_lamports, base = executed.user_quote_out, -executed.base_in
    explained = swap_lamports - costs.spent - costs.rent_paid + costs.rent_returned
    return Fill(
        executed,
        costs,
        change,
        sol_remainder=change.sol_lamports - explained,
        base_remainder=change.of(request.mint) - base,
    )


def wallet_change(transaction: ConfirmedTransaction, wallet: Pubkey) -> WalletChange:
    """The wallet's changes by the balances alone."""
    lamports, tokens = 0, dict[Pubkey, int]()
    for key, before, after in zip(transaction.keys, transaction.pre_balances, transaction.post_balances, strict=True):
        if key == wallet:
            lamports += after - before
    for sign, balances in ((-1, transaction.pre_tokens), (1, transaction.post_tokens)):
        for balance in balances:
            if balance.owner == wallet:
                tokens[balance.mint] = tokens.get(balance.mint, 0) + sign * balance.units
    wrapped = tokens.pop(WSOL_MINT, 0)
    moved = sorted((str(mint), units) for mint, units in tokens.items() if units)
    return WalletChange(lamports + wrapped, tuple(moved))


def costs_of(transaction: ConfirmedTransaction, wallet: Pubkey, request: SwapRequest) -> Costs:
    """The five costs of a transaction of ``wallet``; of a failed one only the fees, all else was undone.

    Rent is what was put into accounts that the transaction created or that the program had to grow, and what came back
    from the wallet's accounts that it closed. A fee that somebody else has paid costs the wallet nothing.
    """
    pays = bool(transaction.keys) and transaction.keys[0] == wallet
    network = LAMPORTS_PER_SIGNATURE * _signatures(transaction) if pays else 0
    priority = transaction.fee - network if pays else 0
    if transaction.err is not None:
        return Costs(network, priority)
    paid = returned = tip = 0
    before, after = ({one.index: one for one in side} for side in (transaction.pre_tokens, transaction.post_tokens))
    grows = frozenset({request.pool, user_volume_accumulator(wallet)})
    for index, key in enumerate(transaction.keys):
        had, has = transaction.pre_balances[index], transaction.post_balances[index]
        if key == wallet or had == has:
            continue
        if key in request.tip_accounts:
            tip += has - had
        elif had == 0 or (index in after and index not in before):
            # A stranger may have put lamports there before: they count towards the rent.
            paid += max(has - had - _wrapped(after.get(index)), 0)
        elif has == 0:
            returned += had - _wrapped(before.get(index)) if _is_own(before.get(index), wallet) else 0
        elif key in grows:
            paid += has - had
    return Costs(network, priority, tip, paid, returned)


def tip_accounts_of(transaction: ConfirmedTransaction, wallet: Pubkey) -> frozenset[Pubkey]:
    """Who was sent native SOL by a transfer of the wallet's own, token accounts left out: the guard signs only tips."""
    tokens = {transaction.keys[one.index] for one in (*transaction.pre_tokens, *transaction.post_tokens)}
    return frozenset(
        ran.accounts[1]
        for ran in transaction.instructions
        if ran.height == 1
        and ran.program == SYSTEM_PROGRAM
        and ran.data[:4] == _SYSTEM_TRANSFER
        and len(ran.accounts) > 1
        and ran.accounts[0] == wallet
        and ran.accounts[1] not in tokens
    )


def quote_of_event(event: BuyEvent | SellEvent) -> Quote:
    """The executed quote. Exact-quote buys swap the meaning of two fields, so only derived amounts are read."""
    # Events may show a creator rate where no creator is paid; the rate that was applied is then 0.
    rate = event.cashback_fee_basis_points if event.cashback else event.coin_creator_fee_basis_points
    terms = (
        event.gross_quote,
        event.lp_fee,
        event.protocol_fee,
        event.coin_creator_fee,
        event.cashback,
        event.buyback_fee,
        event.lp_fee_basis_points,
        event.protocol_fee_basis_points,
        rate if event.cashback or event.coin_creator_fee else 0,
        event.pool_base_token_reserves,
        event.effective_quote_reserve,
    )
    if isinstance(event, BuyEvent):
        budget = event.quote_amount_in if event.is_exact_quote else None
        return BuyQuote(*terms, event.base_amount_out, event.total_quote, budget)
    return SellQuote(*terms, event.base_amount_in, event.user_quote_amount_out)


def _event(request: SwapRequest, transaction: ConfirmedTransaction, wallet: Pubkey) -> BuyEvent | SellEvent:
    inner = [(ran.program, ran.accounts, ran.data) for ran in transaction.instructions if ran.height > 1]
    # A node that keeps no inner instructions still has the logs.
    found = events_of_transaction(transaction.logs, inner or None)
    wanted = BuyEvent if request.is_buy else SellEvent
    swaps = [
        emitted.event
        for emitted in found.events
        if isinstance(emitted.event, wanted) and emitted.event.pool == request.pool and emitted.event.user == wallet
    ]
    if len(swaps) != 1 or not isinstance(swaps[0], BuyEvent | SellEvent):
        raise ProtocolDrift(
            f"{transaction.signature} holds {len(swaps)} swaps of this wallet in pool {request.pool}, not one"
            f" ({found.malformed} events malformed, {found.unknown} unknown)",
            hint="stop trading: look at the transaction, and upgrade if the program's events have changed",
        )
    return swaps[0]


def _signatures(transaction: ConfirmedTransaction) -> int:
    """Signatures that were charged: a compact count at the start of the raw bytes, one where these are not known."""
    return max(transaction.raw[0], 1) if transaction.raw else 1


def _wrapped(balance: TokenBalance | None) -> int:
    return balance.units if balance is not None and balance.mint == WSOL_MINT else 0


def _is_own(balance: TokenBalance | None, wallet: Pubkey) -> bool:
    return balance is not None and balance.owner == wallet
