"""Upkeep of the wallet: wrap SOL, unwrap it, close empty token accounts. Stored, guarded and sent like an order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.chain.balances import WalletHoldings, wallet_holdings
from pumpswap.chain.compute import compute_limit, preflight
from pumpswap.chain.failures import classify
from pumpswap.chain.fills import SwapRequest, costs_of, wallet_change
from pumpswap.chain.node import ConfirmedTransaction, TokenBalance
from pumpswap.chain.order_state import BuildRequest, Built, Landed, OrderState, SendJob, Waiting
from pumpswap.chain.priority import price_of_attempt, recent_price
from pumpswap.chain.sender import Sender, one_look
from pumpswap.chain.transaction import MAX_COMPUTE_UNITS, ComputeBudget, build_message
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import InsufficientFunds, NotFound, TradeRefused
from pumpswap.execution.live_books import LiveBooks
from pumpswap.model import CHORE_PREFIX, SOL, Attempt, Chore, ChoreResult, Filled, PlanKind, Rejected
from pumpswap.sdk.connection import ChainConnection
from pumpswap.wallet.wsol import MOST_CLOSED, EmptyAccount, WalletAction, close_empty, unwrap, wrap

__all__ = ["ChoreWish", "Upkeep", "preview_chore"]

_MakeAction = Callable[[int], WalletAction]


@dataclass(frozen=True, slots=True)
class ChoreWish:
    """What is to be done. ``lamports`` is for wrapping only."""

    kind: PlanKind
    lamports: int = 0


async def preview_chore(
    connection: ChainConnection, wish: ChoreWish, wallet: Pubkey, unresolved: Sequence[str] = ()
) -> tuple[WalletAction, int]:
    """(action, fee in lamports) of a chore, simulated unsigned. Raises what would stop it: NotFound, GuardRefused,
    InsufficientFunds, ChainError.
    """
    holdings = await wallet_holdings(connection.node, wallet)
    make = _maker("preview", wish, wallet, holdings, unresolved)
    built = await _build(connection, wallet, make, None)
    return make(built.plan.max_fee_lamports), built.plan.max_fee_lamports


class Upkeep:
    """Does chores of one wallet, one at a time."""

    def __init__(self, connection: ChainConnection, sender: Sender, books: LiveBooks, wallet: Pubkey) -> None:
        self._connection = connection
        self._sender = sender
        self._books = books
        self._wallet = wallet
        self._running: set[str] = set()  # somebody follows them right now

    async def do(self, wish: ChoreWish) -> ChoreResult:
        """Do it and book what it cost.

        Raises NotFound when there is nothing to do, GuardRefused while orders are unresolved (unwrap, close),
        InsufficientFunds, ChainError, LedgerMismatch when an order comes in between; nothing was sent then.
        """
        holdings = await wallet_holdings(self._connection.node, self._wallet)
        unresolved = [order.order_id for order in self._books.unresolved()]
        unresolved += [chore.order_id for chore in self._books.run.chores.unresolved()]
        if not unresolved and holdings.sol_lamports > self._books.balance(SOL):
            # What pays for it has come in since: the ledger never spends what it does not have.
            await self._books.reconcile(self._connection.node)
        order_id = f"{CHORE_PREFIX}{len(self._books.run.chores.all()) + 1:06d}"
        make = _maker(order_id, wish, self._wallet, holdings, unresolved)
        accounts = tuple(sorted(str(account) for account in make(0).plan.closable))
        chore = Chore(order_id, wish.kind, self._now_ns(), wish.lamports, accounts)
        self._books.run.chores.add(chore)
        job = SendJob(order_id, partial(self._built, make), _no_swap)
        with self._following([chore]):
            return self._settle(chore, await self._sender.follow(job))

    async def resolve_open(self, *, is_patient: bool = True) -> bool:
        """Find out what became of chores of earlier processes, and of those that were broken off; whether all of them
        are settled now. Those that are being done are left alone. Impatiently: one look, without waiting.
        """
        chores = [one for one in self._books.run.chores.unresolved() if one.order_id not in self._running]
        if not chores:
            return True
        with self._following(chores):
            until = None if is_patient else one_look()
            states = await self._sender.resolve_open([chore.order_id for chore in chores], until=until)
            results = [self._settle(chore, states[chore.order_id]) for chore in chores]
        return all(result.status != "unknown" for result in results)

    @contextmanager
    def _following(self, chores: Sequence[Chore]) -> Iterator[None]:
        ids = {chore.order_id for chore in chores}
        self._running |= ids
        try:
            yield
        finally:
            self._running -= ids

    async def _built(self, make: _MakeAction, request: BuildRequest) -> Built:
        return await _build(self._connection, self._wallet, make, request)

    def _settle(self, chore: Chore, state: OrderState) -> ChoreResult:
        foreign = 0
        if isinstance(state, Landed):
            result, foreign = self._landed(state)
        elif isinstance(state, Waiting):
            attempt = state.attempt
            result = ChoreResult(
                "unknown",
                self._now_ns(),
                state.note,
                attempt.signature,
                expiry_height=attempt.last_valid_block_height,
            )
        else:
            result = ChoreResult("denied", state.at_ns, f"{state.rule}: {state.text}")
        self._books.settle_chore(chore, result, foreign)
        return result

    def _landed(self, state: Landed) -> tuple[ChoreResult, int]:
        found = state.transaction
        costs = costs_of(found, self._wallet, SwapRequest(Pubkey.default(), Pubkey.default(), is_buy=False))
        explained = costs.rent_returned - costs.rent_paid - costs.spent
        foreign = wallet_change(found, self._wallet).sol_lamports - explained
        at_ns = state.attempt.created_ns if found.block_time is None else found.block_time * NS_PER_SECOND
        status, text = "done", ""
        if found.err is not None:
            failure = classify(found.err, found.logs)
            status, text = "rejected", f"{failure.name}: {failure.text}"
        turned = abs(_wrapped(found.post_tokens, self._wallet) - _wrapped(found.pre_tokens, self._wallet))
        return ChoreResult(status, at_ns, text, found.signature, found.slot, costs, turned_lamports=turned), foreign

    def _now_ns(self) -> int:
        return self._connection.clock.now_ns()


def _maker(
    order_id: str, wish: ChoreWish, wallet: Pubkey, holdings: WalletHoldings, unresolved: Sequence[str]
) -> _MakeAction:
    """What makes the instructions once the fee is known. Raises NotFound when there is nothing to do."""
    if wish.kind is PlanKind.WRAP:
        if wish.lamports > holdings.native_lamports:
            raise InsufficientFunds(
                f"{wish.lamports} lamports to wrap, the wallet has {holdings.native_lamports} of native SOL",
                hint="wrap less: fees and rent need some too",
            )
        return lambda fee: wrap(order_id, wallet, wish.lamports, fee)
    if wish.kind is PlanKind.UNWRAP:
        own = ata(wallet, WSOL_MINT, TOKEN_PROGRAM)
        if all(account.address != own for account in holdings.accounts):
            raise NotFound("this wallet has no wrapped-SOL account", hint="there is nothing to unwrap")
        return lambda fee: unwrap(order_id, wallet, fee, unresolved)
    empty = [
        EmptyAccount(account.address, wallet, account.mint, account.token_program, account.units)
        for account in holdings.accounts
        if account.units == 0 and account.mint != WSOL_MINT
    ][:MOST_CLOSED]
    if not empty:
        raise NotFound("this wallet has no empty token accounts", hint="there is nothing to close")
    return lambda fee: close_empty(order_id, wallet, empty, fee, unresolved)


async def _build(connection: ChainConnection, wallet: Pubkey, make: _MakeAction, request: BuildRequest | None) -> Built:
    """The transaction, simulated first. Raises InsufficientFunds and TradeRefused for what would fail."""
    node, sending = connection.node, connection.settings.sending
    blockhash = request.blockhash if request is not None else await node.latest_blockhash()
    steps = make(0).instructions
    found = await preflight(node, build_message(steps, wallet, blockhash.blockhash, ComputeBudget(MAX_COMPUTE_UNITS)))
    if found.failure is not None:
        failure = found.failure
        if failure.is_lack_of_funds:
            raise InsufficientFunds(f"it would fail: {failure.name}: {failure.text}", hint="nothing was sent")
        raise TradeRefused(
            f"it would fail: {failure.text}", code=failure.code, name=failure.name, hint="nothing was sent"
        )
    recent = await recent_price(node, [wallet], sending)
    previous = request.previous.compute_unit_price_micro_lamports if request and request.previous else None
    price = price_of_attempt(recent.micro_lamports, previous, sending)
    budget = ComputeBudget(compute_limit(found.units, sending), price)
    action = make(budget.fee())
    message = build_message(action.instructions, wallet, blockhash.blockhash, budget)
    return Built(message, action.plan, budget.unit_limit, price)


def _wrapped(balances: Sequence[TokenBalance], wallet: Pubkey) -> int:
    return sum(balance.units for balance in balances if balance.owner == wallet and balance.mint == WSOL_MINT)


def _no_swap(attempt: Attempt, transaction: ConfirmedTransaction) -> Filled | Rejected:
    raise AssertionError("a chore's transaction is read by Upkeep itself")
