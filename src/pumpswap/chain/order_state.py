"""Where an order is on its way through the chain: still open, landed, or denied for good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from solders.message import MessageV0

from pumpswap.chain.node import BlockhashAt, ConfirmedTransaction
from pumpswap.model import Attempt, Denied, Filled, Rejected, SpendPlan

__all__ = ["Build", "BuildRequest", "Built", "Interpret", "Landed", "OrderState", "SendJob", "Waiting"]


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What the next transaction must be built on. ``previous`` is proven absent; pay more than it did."""

    number: int
    blockhash: BlockhashAt
    previous: Attempt | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """A message that names the block-hash of its request, what it may do, and what it offers to pay."""

    message: MessageV0
    plan: SpendPlan
    compute_unit_limit: int
    compute_unit_price_micro_lamports: int
    tip_lamports: int = 0


Build = Callable[[BuildRequest], Awaitable[Built | Denied]]
Interpret = Callable[[Attempt, ConfirmedTransaction], Filled | Rejected]


@dataclass(frozen=True, slots=True)
class SendJob:
    """An order for the sender. It must be stored before.

    ``build`` makes each transaction and may end the order with Denied; a PumpSwapError that it raises does the same,
    for nothing is open while it runs. ``interpret`` is a pure function from a landed transaction to what is booked.
    ``lanes`` are names of lanes; empty: all of them.
    """

    order_id: str
    build: Build
    interpret: Interpret
    lanes: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Waiting:
    """``attempt`` may still land, or has landed and no endpoint shows its content yet. ``note`` is for people."""

    attempt: Attempt
    note: str


@dataclass(frozen=True, slots=True)
class Landed:
    """``attempt`` is in a confirmed block, successful or failed: ``transaction.err`` tells."""

    attempt: Attempt
    transaction: ConfirmedTransaction


OrderState = Waiting | Landed | Denied
