"""Signed bytes → the keys they use, and what LiteSVM says of a run → our record of the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
from solders.hash import Hash
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, TransactionMetadata

from pumpswap.amm.addresses import COMPUTE_BUDGET_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.chain.node import ChainAccount, ConfirmedTransaction, RanInstruction, TokenBalance
from pumpswap.errors import BadInput
from pumpswap.localnet.blockhashes import Block

__all__ = [
    "AccountSource",
    "Parsed",
    "confirmed_transaction",
    "error_of",
    "parse_transaction",
    "token_balance",
    "was_run",
]

_TABLE_HEADER_LEN = 56
_SET_UNIT_PRICE = 3
_TOKEN_ACCOUNT_LEN = 165
_TOKEN_STATE_AT = 108
_IS_TOKEN_ACCOUNT = 2
_NOT_RUN = Signature.default()


class AccountSource(Protocol):
    """Where lookup tables are read."""

    def account(self, address: Pubkey) -> ChainAccount | None: ...


@dataclass(frozen=True, slots=True)
class Parsed:
    """Signed bytes, read. ``keys`` as in ``ConfirmedTransaction``; ``writable`` says which are locked for writing."""

    raw: bytes
    transaction: VersionedTransaction
    signature: str
    blockhash: Hash
    keys: tuple[Pubkey, ...]
    writable: tuple[bool, ...]

    @property
    def micro_lamports_per_unit(self) -> int:
        """The priority fee that it offers."""
        for one in self.transaction.message.instructions:
            data = bytes(one.data)
            if self.keys[one.program_id_index] == COMPUTE_BUDGET_PROGRAM and data[:1] == bytes([_SET_UNIT_PRICE]):
                return int.from_bytes(data[1:9], "little")
        return 0


def parse_transaction(raw: bytes, source: AccountSource) -> Parsed:
    """Raises BadInput for bytes that are no transaction."""
    try:
        transaction = VersionedTransaction.from_bytes(raw)
        transaction.sanitize()
    except Exception as broken:  # solders raises its own kinds and plain ValueError
        raise BadInput(f"these {len(raw)} bytes are no transaction: {broken}", hint="send signed wire bytes") from None
    message = transaction.message
    header, static = message.header, list(message.account_keys)
    signed = header.num_required_signatures
    writable = [
        at < signed - header.num_readonly_signed_accounts
        if at < signed
        else at < len(static) - header.num_readonly_unsigned_accounts
        for at in range(len(static))
    ]
    loaded_writable, loaded_readonly = _loaded(message, source) if isinstance(message, MessageV0) else ([], [])
    keys = (*static, *loaded_writable, *loaded_readonly)
    flags = (*writable, *([True] * len(loaded_writable)), *([False] * len(loaded_readonly)))
    return Parsed(raw, transaction, str(transaction.signatures[0]), message.recent_blockhash, keys, flags)


def _loaded(message: MessageV0, source: AccountSource) -> tuple[list[Pubkey], list[Pubkey]]:
    writable: list[Pubkey] = []
    readonly: list[Pubkey] = []
    for lookup in message.address_table_lookups:
        table = source.account(lookup.account_key)
        data = table.data[_TABLE_HEADER_LEN:] if table is not None else b""
        # A table that is absent or too short is the runtime's to refuse; here it only yields no keys.
        writable += _entries(data, lookup.writable_indexes)
        readonly += _entries(data, lookup.readonly_indexes)
    return writable, readonly


def _entries(data: bytes, indexes: Iterable[int]) -> list[Pubkey]:
    return [Pubkey.from_bytes(data[32 * at : 32 * at + 32]) for at in indexes if len(data) >= 32 * at + 32]


def was_run(outcome: FailedTransactionMetadata) -> bool:
    """Whether a failed transaction got as far as being charged: only then is it part of the chain."""
    return outcome.meta().signature() != _NOT_RUN


def error_of(outcome: FailedTransactionMetadata) -> object:
    """The error in Solana's JSON form."""
    err: object = msgspec.json.decode(outcome.to_json())["err"]
    return err


def confirmed_transaction(
    parsed: Parsed,
    meta: TransactionMetadata,
    err: object | None,
    accounts: tuple[Sequence[ChainAccount | None], Sequence[ChainAccount | None]],
    block: Block,
) -> ConfirmedTransaction:
    """The record of a run. ``accounts`` are those of ``parsed.keys`` before and after it."""
    before, after = accounts
    return ConfirmedTransaction(
        signature=parsed.signature,
        slot=block.slot,
        block_time=block.unix_time,
        err=err,
        fee=meta.fee(),
        keys=parsed.keys,
        pre_balances=_lamports(before),
        post_balances=_lamports(after),
        pre_tokens=_tokens(before),
        post_tokens=_tokens(after),
        instructions=_instructions(parsed, meta),
        logs=tuple(meta.logs()),
        compute_units=meta.compute_units_consumed(),
        raw=parsed.raw,
    )


def _lamports(accounts: Sequence[ChainAccount | None]) -> tuple[int, ...]:
    return tuple(one.lamports if one is not None else 0 for one in accounts)


def _tokens(accounts: Sequence[ChainAccount | None]) -> tuple[TokenBalance, ...]:
    return tuple(held for at, one in enumerate(accounts) if (held := token_balance(at, one)) is not None)


def _instructions(parsed: Parsed, meta: TransactionMetadata) -> tuple[RanInstruction, ...]:
    keys, groups = parsed.keys, meta.inner_instructions()
    ran: list[RanInstruction] = []
    for outer, top in enumerate(parsed.transaction.message.instructions):
        ran.append(RanInstruction(keys[top.program_id_index], _pick(keys, top.accounts), bytes(top.data), outer))
        for inner in groups[outer] if outer < len(groups) else ():
            one = inner.instruction()
            program, accounts = keys[one.program_id_index], _pick(keys, one.accounts)
            ran.append(RanInstruction(program, accounts, bytes(one.data), outer, inner.stack_height() or 2))
    return tuple(ran)


def _pick(keys: Sequence[Pubkey], indexes: bytes) -> tuple[Pubkey, ...]:
    return tuple(keys[at] for at in indexes)


def token_balance(index: int, account: ChainAccount | None) -> TokenBalance | None:
    """The token balance of an account; None when it is no initialised token account."""
    if account is None or account.owner not in (TOKEN_PROGRAM, TOKEN_2022_PROGRAM):
        return None
    data = account.data
    if len(data) < _TOKEN_ACCOUNT_LEN or data[_TOKEN_STATE_AT] == 0:
        return None
    if len(data) > _TOKEN_ACCOUNT_LEN and data[_TOKEN_ACCOUNT_LEN] != _IS_TOKEN_ACCOUNT:
        return None
    mint, owner = Pubkey.from_bytes(data[:32]), Pubkey.from_bytes(data[32:64])
    return TokenBalance(index, mint, owner, account.owner, int.from_bytes(data[64:72], "little"))
