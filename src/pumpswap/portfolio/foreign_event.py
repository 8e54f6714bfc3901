"""A transaction that is none of ours, read for what it did to the wallet: every lamport and token under a name.

What moved is read from the balances; instructions only tell why: who funded a new account, what was a swap, who
got what was sent. The moves of an event always sum to what the transaction changed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import (
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    WSOL_MINT,
    pump_user_volume_accumulator,
    user_volume_accumulator,
)
from pumpswap.chain.fills import SwapRequest, costs_of, wallet_change
from pumpswap.chain.node import ConfirmedTransaction, RanInstruction, TokenBalance
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.swaps_of import swaps_of
from pumpswap.model import SOL, EntryKind, ForeignEvent, ForeignKind, Swap

__all__ = ["foreign_event"]

Move = tuple[str, int, EntryKind]

_TOKEN_PROGRAMS = (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)
_NOBODY = SwapRequest(Pubkey.default(), Pubkey.default(), is_buy=False)
_BURNS = (8, 15)
# System instructions by their first four bytes: (index of the payer, index of the new account, where the lamports are).
# CreateAccountAllowPrefund came with SIMD-0312; its payer is the second account.
_CREATES = {0: (0, 1, 4), 13: (1, 0, 4)}
_CREATE_WITH_SEED, _TRANSFER, _TRANSFER_WITH_SEED = 3, 2, 11


def foreign_event(transaction: ConfirmedTransaction, wallet: Pubkey) -> ForeignEvent | None:
    """What a confirmed transaction did to ``wallet``; None when it moved nothing of it, rent included."""
    read = _read(transaction, wallet)
    kind, swap = _kind(read)
    moves = _moves(read, kind)
    if not moves:
        return None
    at_ns = 0 if transaction.block_time is None else transaction.block_time * NS_PER_SECOND
    return ForeignEvent(
        kind,
        transaction.signature,
        transaction.slot,
        at_ns,
        tuple(moves),
        pool=swap.pool if swap is not None else "",
        counterparty=_counterparty(read, kind),
    )


@dataclass(slots=True)
class _Reading:
    """``rest`` is the change of SOL that neither fees nor rent explain."""

    transaction: ConfirmedTransaction
    wallet: Pubkey
    tokens: tuple[tuple[str, int], ...]
    network_fee: int
    priority_fee: int
    rest: int = 0
    rent_paid: int = 0
    rent_returned: int = 0
    rent_given: int = 0  # by somebody else, in new accounts of the wallet
    sent: dict[Pubkey, int] = field(default_factory=dict)
    received: dict[Pubkey, int] = field(default_factory=dict)

    @property
    def is_signed(self) -> bool:
        """Whether the wallet has signed it; signers come first among the keys."""
        raw = self.transaction.raw
        signers = max(raw[0], 1) if raw else 1
        return self.wallet in self.transaction.keys[:signers]


def _read(transaction: ConfirmedTransaction, wallet: Pubkey) -> _Reading:
    change = wallet_change(transaction, wallet)
    fees = costs_of(transaction, wallet, _NOBODY)
    read = _Reading(transaction, wallet, change.tokens, fees.network_fee, fees.priority_fee)
    if transaction.err is None:
        _read_system(read)
        _read_rent(read)
    explained = -read.network_fee - read.priority_fee - read.rent_paid + read.rent_returned
    read.rest = change.sol_lamports - explained
    return read


def _read_system(read: _Reading) -> None:
    """Who sent native SOL to whom, new accounts included."""
    for ran in read.transaction.instructions:
        if ran.program != SYSTEM_PROGRAM:
            continue
        payer, payee, lamports = _transfer_of(ran)
        if payer == read.wallet and payee is not None:
            read.sent[payee] = read.sent.get(payee, 0) + lamports
        elif payee == read.wallet and payer is not None:
            read.received[payer] = read.received.get(payer, 0) + lamports


def _transfer_of(ran: RanInstruction) -> tuple[Pubkey | None, Pubkey | None, int]:
    tag = int.from_bytes(ran.data[:4], "little")
    if tag in _CREATES:
        payer, payee, at = _CREATES[tag]
    elif tag == _TRANSFER:
        payer, payee, at = 0, 1, 4
    elif tag == _TRANSFER_WITH_SEED:
        payer, payee, at = 0, 2, 4
    elif tag == _CREATE_WITH_SEED:
        payer, payee, at = 0, 1, 44 + int.from_bytes(ran.data[36:44], "little")
    else:
        return None, None, 0
    if len(ran.accounts) <= max(payer, payee):
        return None, None, 0
    return ran.accounts[payer], ran.accounts[payee], int.from_bytes(ran.data[at : at + 8], "little")


def _read_rent(read: _Reading) -> None:
    """Deposits in accounts that are the wallet's: token accounts, and what programs keep for it."""
    transaction = read.transaction
    before, after = ({one.index: one for one in side} for side in (transaction.pre_tokens, transaction.post_tokens))
    kept = {user_volume_accumulator(read.wallet), pump_user_volume_accumulator(read.wallet)}
    # What goes into any other account (a stake, a nonce) comes back as no rent: it is sent away and received again.
    made = kept & _made_accounts(transaction)
    for index, key in enumerate(transaction.keys):
        had, has = transaction.pre_balances[index], transaction.post_balances[index]
        if key == read.wallet:
            continue
        new, old = after.get(index), before.get(index)
        if old is not None and new is not None and old.owner == read.wallet != new.owner:
            read.rent_returned += had - _wrapped(old)  # the account has another owner now: its deposit went along
        elif old is not None and new is not None and old.owner != read.wallet == new.owner:
            read.rent_given += has - _wrapped(new)
        elif has > had and (new is not None or key in made) and old is None:
            _opened(read, key, has - had - _wrapped(new), new)
        elif has == 0 and (key in kept or (old is not None and old.owner == read.wallet)):
            # If it went to somebody else, the rest says so: as if it had come back and been sent on.
            read.rent_returned += had - _wrapped(old)


def _opened(read: _Reading, key: Pubkey, deposit: int, token: TokenBalance | None) -> None:
    """A new account. The deposit in somebody else's token account does not come back: it is part of what was sent."""
    if token is not None and token.owner != read.wallet:
        return
    paid = min(read.sent.get(key, 0), max(deposit, 0))
    read.rent_paid += paid
    if token is not None and paid < deposit:
        # A gift that stays in the account: booked as put in and laid down as rent, or closing it would be a loss.
        read.rent_given += deposit - paid


def _made_accounts(transaction: ConfirmedTransaction) -> frozenset[Pubkey]:
    """Accounts that were created, and not only sent lamports."""
    made: set[Pubkey] = set()
    for ran in transaction.instructions:
        tag = int.from_bytes(ran.data[:4], "little")
        if ran.program == SYSTEM_PROGRAM and (tag in _CREATES or tag == _CREATE_WITH_SEED):
            place = _CREATES.get(tag, (0, 1, 0))[1]
            made.update(ran.accounts[place : place + 1])
    return frozenset(made)


def _kind(read: _Reading) -> tuple[ForeignKind, Swap | None]:
    transaction = read.transaction
    if transaction.err is not None:
        return ForeignKind.FAILED, None
    swaps = [swap for swap in swaps_of(transaction) if swap.trader == str(read.wallet)]
    if swaps and not read.tokens:
        return ForeignKind.OTHER, None  # bought and sold at once: the difference was earned, not put in
    if len(swaps) == 1 and len(read.tokens) == 1:
        return (ForeignKind.MANUAL_BUY if swaps[0].is_buy else ForeignKind.MANUAL_SELL), swaps[0]
    gained = [mint for mint, units in read.tokens if units > 0]
    lost = [mint for mint, units in read.tokens if units < 0]
    if gained and lost:
        return ForeignKind.OTHER, None
    if gained:
        return _kind_of_gain(read), None
    if lost:
        return _kind_of_loss(read), None
    return _kind_without_tokens(read), None


def _kind_of_gain(read: _Reading) -> ForeignKind:
    # Bought somewhere else: on the bonding curve, through an aggregator whose route is none of our pools, or by a
    # delegate with wrapped SOL.
    if read.rest < 0:
        return ForeignKind.MANUAL_BUY if len(read.tokens) == 1 else ForeignKind.OTHER
    return ForeignKind.OTHER if read.is_signed else ForeignKind.AIRDROP


def _kind_of_loss(read: _Reading) -> ForeignKind:
    if read.rest > 0 and len(read.tokens) == 1:
        return ForeignKind.MANUAL_SELL
    burns = any(
        ran.program in _TOKEN_PROGRAMS and ran.data[:1] and ran.data[0] in _BURNS
        for ran in read.transaction.instructions
    )
    return ForeignKind.BURN if burns else ForeignKind.TRANSFER_OUT


def _kind_without_tokens(read: _Reading) -> ForeignKind:
    if read.rest > 0:
        return ForeignKind.DEPOSIT
    if read.rest < 0:
        return ForeignKind.WITHDRAWAL
    if read.rent_returned:
        return ForeignKind.ACCOUNT_CLOSED
    if read.rent_paid or read.rent_given:
        return ForeignKind.ACCOUNT_OPENED
    balances = (*read.transaction.pre_tokens, *read.transaction.post_tokens)
    touched = {balance.mint for balance in balances if balance.owner == read.wallet}
    return ForeignKind.WRAP if WSOL_MINT in touched else ForeignKind.OTHER


def _moves(read: _Reading, kind: ForeignKind) -> list[Move]:
    plain = {ForeignKind.DEPOSIT: EntryKind.DEPOSIT, ForeignKind.WITHDRAWAL: EntryKind.WITHDRAWAL}
    moves = [
        (SOL, read.rest, plain.get(kind, EntryKind.FOREIGN)),
        *((mint, units, EntryKind.FOREIGN) for mint, units in read.tokens),
        (SOL, read.rent_given, EntryKind.DEPOSIT),
        (SOL, -read.rent_paid - read.rent_given, EntryKind.RENT_PAID),
        (SOL, read.rent_returned, EntryKind.RENT_RETURNED),
        (SOL, -read.network_fee, EntryKind.NETWORK_FEE),
        (SOL, -read.priority_fee, EntryKind.PRIORITY_FEE),
    ]
    return [move for move in moves if move[1]]


def _counterparty(read: _Reading, kind: ForeignKind) -> str:
    transaction, wallet = read.transaction, read.wallet
    if kind is ForeignKind.DEPOSIT and len(read.received) == 1:
        return str(next(iter(read.received)))
    if kind is ForeignKind.WITHDRAWAL and len(read.sent) == 1:
        return str(next(iter(read.sent)))
    if kind is ForeignKind.AIRDROP and transaction.keys[0] != wallet:
        return str(transaction.keys[0])
    if kind is ForeignKind.TRANSFER_OUT:
        return _receiver(read)
    return ""


def _receiver(read: _Reading) -> str:
    """Whose balance of the tokens that were sent has grown."""
    (mint, _), *more = read.tokens
    before = {one.index: one.units for one in read.transaction.pre_tokens}
    grown = {
        str(one.owner)
        for one in read.transaction.post_tokens
        if str(one.mint) == mint and one.owner != read.wallet and one.units > before.get(one.index, 0)
    }
    return grown.pop() if len(grown) == 1 and not more else ""


def _wrapped(balance: TokenBalance | None) -> int:
    return balance.units if balance is not None and balance.mint == WSOL_MINT else 0
