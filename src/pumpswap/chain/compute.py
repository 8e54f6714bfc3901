"""The compute limit, and what a simulation says before anything is signed or paid."""

from __future__ import annotations

from dataclasses import dataclass

from solders.message import MessageV0

from pumpswap.chain.failures import Failure, classify
from pumpswap.chain.node import Node
from pumpswap.chain.transaction import MAX_COMPUTE_UNITS, unsigned_bytes
from pumpswap.settings import SendingSettings
from pumpswap.units import BPS

__all__ = ["Preflight", "compute_limit", "custom_code", "preflight"]


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a simulation found. ``failure`` is None when the transaction would succeed at ``slot``."""

    slot: int
    units: int
    failure: Failure | None = None


def compute_limit(simulated_units: int, settings: SendingSettings) -> int:
    """Units to ask for: what the simulation has used and a margin, since bump searches vary with the keys."""
    return min(-(-simulated_units * (BPS + settings.compute_margin_bps) // BPS), MAX_COMPUTE_UNITS)


async def preflight(node: Node, message: MessageV0) -> Preflight:
    """Simulate a message before it is signed. Raises ChainError when the endpoint cannot say."""
    answer = await node.simulate(unsigned_bytes(message))
    failure = None if answer.err is None else classify(answer.err, answer.logs)
    return Preflight(answer.slot, answer.units_consumed, failure)


def custom_code(err: object) -> int | None:
    """The program's number in ``{"InstructionError": [i, {"Custom": n}]}``, or None."""
    if not isinstance(err, dict):
        return None
    detail = err.get("InstructionError")
    if isinstance(detail, list | tuple) and len(detail) == 2 and isinstance(detail[1], dict):
        code = detail[1].get("Custom")
        return code if isinstance(code, int) else None
    return None
