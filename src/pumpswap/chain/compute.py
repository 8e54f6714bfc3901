"""The compute limit, and what a simulation says before anything is signed or paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solders.message import MessageV0
from solders.pubkey import Pubkey

from pumpswap.amm import failure_from_logs
from pumpswap.amm.addresses import AMM_PROGRAM, SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.chain.node import Node
from pumpswap.chain.transaction import MAX_COMPUTE_UNITS, unsigned_bytes
from pumpswap.settings import SendingSettings
from pumpswap.units import BPS

__all__ = ["Preflight", "TransactionFailure", "compute_limit", "custom_code", "error_name", "preflight", "read_failure"]

_FUNDS_CODES = frozenset({(SYSTEM_PROGRAM, 1), (TOKEN_PROGRAM, 1), (TOKEN_2022_PROGRAM, 1)})
_FUNDS_NAMES = frozenset(
    {"InsufficientFundsForFee", "InsufficientFundsForRent", "InsufficientFunds", "AccountNotFound"}
)


@dataclass(frozen=True, slots=True)
class TransactionFailure:
    """Why a transaction failed, or would. ``program`` is None where the runtime itself refused.

    ``code`` and ``name`` are the program's own; ``text`` is what to do about it, in plain words.
    """

    program: Pubkey | None
    code: int | None
    name: str
    text: str

    @property
    def amm_code(self) -> int | None:
        """The AMM's code; None when another program or the runtime failed (numbers repeat between programs)."""
        return self.code if self.program == AMM_PROGRAM else None

    @property
    def is_lack_of_funds(self) -> bool:
        """Whether the wallet could not pay."""
        return (self.program, self.code) in _FUNDS_CODES or (self.program is None and self.name in _FUNDS_NAMES)


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a simulation found. ``failure`` is None when the transaction would succeed at ``slot``."""

    slot: int
    units: int
    failure: TransactionFailure | None = None


def compute_limit(simulated_units: int, settings: SendingSettings) -> int:
    """Units to ask for: what the simulation has used and a margin, since bump searches vary with the keys."""
    return min(-(-simulated_units * (BPS + settings.compute_margin_bps) // BPS), MAX_COMPUTE_UNITS)


async def preflight(node: Node, message: MessageV0) -> Preflight:
    """Simulate a message before it is signed. Raises ChainError when the endpoint cannot say."""
    answer = await node.simulate(unsigned_bytes(message))
    failure = None if answer.err is None else read_failure(answer.err, answer.logs)
    return Preflight(answer.slot, answer.units_consumed, failure)


def read_failure(err: object, logs: Sequence[str]) -> TransactionFailure:
    """The failure in a node's ``err``. Logs tell which program it was: the same number means other things elsewhere."""
    failed, name = failure_from_logs(logs), error_name(err)
    if failed is None:
        return TransactionFailure(None, custom_code(err), name, f"the network refused it: {name}")
    if failed.error is None:
        return TransactionFailure(failed.program, None, name, failed.text)
    return TransactionFailure(failed.program, failed.error.code, failed.error.name, failed.error.hint)


def error_name(err: object) -> str:
    """The innermost name in a node's ``err``: ``BlockhashNotFound``, ``Custom 6004``, ``PrivilegeEscalation``."""
    if isinstance(err, dict) and err:
        kind, detail = next(iter(err.items()))
        if kind == "InstructionError" and isinstance(detail, list | tuple) and len(detail) == 2:
            return error_name(detail[1])
        return f"{kind} {detail}" if kind == "Custom" else str(kind)
    return str(err)


def custom_code(err: object) -> int | None:
    """The program's number in ``{"InstructionError": [i, {"Custom": n}]}``, or None."""
    if not isinstance(err, dict):
        return None
    detail = err.get("InstructionError")
    if isinstance(detail, list | tuple) and len(detail) == 2 and isinstance(detail[1], dict):
        code = detail[1].get("Custom")
        return code if isinstance(code, int) else None
    return None
