"""Transactions: v0 messages with a compute budget, checked against the network's size limit (PROTOCOL 7.3 to 7.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from pumpswap.amm.addresses import COMPUTE_BUDGET_PROGRAM
from pumpswap.errors import TradeRefused, UsageError

__all__ = [
    "LAMPORTS_PER_SIGNATURE",
    "MAX_COMPUTE_UNITS",
    "MAX_TRANSACTION_BYTES",
    "ComputeBudget",
    "build_message",
    "tip_transfer",
    "transaction_bytes",
    "unsigned_bytes",
]

MAX_TRANSACTION_BYTES = 1_232
MAX_COMPUTE_UNITS = 1_400_000
LAMPORTS_PER_SIGNATURE = 5_000
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class ComputeBudget:
    """Compute units that a transaction may use, and the micro-lamports that it bids for each of them."""

    unit_limit: int
    unit_price_micro_lamports: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.unit_limit <= MAX_COMPUTE_UNITS:
            hint = f"1 to {MAX_COMPUTE_UNITS}"
            raise UsageError(f"a compute limit of {self.unit_limit} units", hint=hint)
        if not 0 <= self.unit_price_micro_lamports < 2**64:
            raise UsageError(f"a compute price of {self.unit_price_micro_lamports} micro-lamports", hint="a u64")

    @property
    def priority_fee(self) -> int:
        """Lamports for limit × price, rounded up as the network does; charged on failed transactions too."""
        return -(-self.unit_limit * self.unit_price_micro_lamports // 1_000_000)

    def fee(self, signatures: int = 1) -> int:
        """Lamports for signatures and priority together."""
        return LAMPORTS_PER_SIGNATURE * signatures + self.priority_fee

    def instructions(self) -> list[Instruction]:
        """SetComputeUnitLimit, and SetComputeUnitPrice unless it is 0."""
        steps = [Instruction(COMPUTE_BUDGET_PROGRAM, b"\x02" + self.unit_limit.to_bytes(4, "little"), [])]
        if self.unit_price_micro_lamports:
            price = self.unit_price_micro_lamports.to_bytes(8, "little")
            steps.append(Instruction(COMPUTE_BUDGET_PROGRAM, b"\x03" + price, []))
        return steps


def build_message(
    instructions: Sequence[Instruction], payer: Pubkey, blockhash: Hash, budget: ComputeBudget
) -> MessageV0:
    """The v0 message of ``instructions`` behind its compute budget, without look-up tables.

    Raises TradeRefused (name ``TransactionTooLarge``) when the signed transaction would be over 1,232 bytes.
    """
    message = MessageV0.try_compile(payer, [*budget.instructions(), *instructions], [], blockhash)
    size = transaction_bytes(message)
    if size > MAX_TRANSACTION_BYTES:
        raise TradeRefused(
            f"the transaction has {size} bytes, the network takes {MAX_TRANSACTION_BYTES}",
            code=None,
            name="TransactionTooLarge",
            hint="leave out the tip or the dont_front marker, or create the token accounts in a transaction before",
        )
    return message


def transaction_bytes(message: MessageV0) -> int:
    """Size of the signed transaction: their count, signatures, the versioned message."""
    signatures = message.header.num_required_signatures
    return 1 + _SIGNATURE_BYTES * signatures + len(to_bytes_versioned(message))


def unsigned_bytes(message: MessageV0) -> bytes:
    """A transaction with empty signatures, for simulation only."""
    blank = [Signature.default()] * message.header.num_required_signatures
    return bytes(VersionedTransaction.populate(message, blank))


def tip_transfer(payer: Pubkey, tip_account: Pubkey, lamports: int) -> Instruction:
    """A tip to a block engine. In the same transaction as the trade: without the trade there is no tip."""
    return transfer(TransferParams(from_pubkey=payer, to_pubkey=tip_account, lamports=lamports))
