"""A faucet transfer as signed bytes."""

from __future__ import annotations

from solders.compute_budget import set_compute_unit_limit
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

__all__ = ["faucet_transfer"]

_LEAST_UNITS = 1_000
_SPAN_UNITS = 1_000_000


def faucet_transfer(faucet: Keypair, address: Pubkey, lamports: int, blockhash: Hash, number: int) -> bytes:
    """Signed bytes. ``number`` goes into the compute limit, so that the same gift twice in a slot counts twice."""
    key = faucet.pubkey()
    instructions = [
        set_compute_unit_limit(_LEAST_UNITS + number % _SPAN_UNITS),
        transfer(TransferParams(from_pubkey=key, to_pubkey=address, lamports=lamports)),
    ]
    message = MessageV0.try_compile(key, instructions, [], blockhash)
    return bytes(VersionedTransaction(message, [faucet]))
