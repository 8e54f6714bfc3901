"""ScheduleCache: the fee schedule and the recipients in force, read from the chain (PROTOCOL 2.2, 2.3; P13)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from solders.pubkey import Pubkey

from pumpswap.amm import FeeConfig, FeeSchedule, GlobalConfig
from pumpswap.amm.addresses import AMM_FEE_CONFIG, AMM_PROGRAM, FEES_PROGRAM, GLOBAL_CONFIG
from pumpswap.chain.node import AccountsAt, ChainAccount, Commitment, Node
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import NotFound, ProtocolDrift

__all__ = ["REFRESH_CODES", "ScheduleCache", "ScheduleRead"]

KNOWN_GLOBAL_CONFIG_LENGTHS = frozenset({313, 643, 907, 940, 949})
KNOWN_FEE_CONFIG_LENGTHS = frozenset({4_073, 4_097})
# Program errors that say that what we read is out of date: fee recipient, buyback recipient.
REFRESH_CODES = frozenset({6013, 6053})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScheduleRead:
    """A schedule, when and at which slot it was read, and what about it this version does not know."""

    schedule: FeeSchedule
    slot: int
    read_ns: int
    drift: tuple[str, ...] = ()


class ScheduleCache:
    """GlobalConfig and FeeConfig, read in one call and again when they are too old or have proved wrong.

    When they cannot be read, nothing is served: an old schedule prices wrongly and pays wallets that are no longer
    recipients.
    """

    def __init__(
        self,
        node: Node,
        clock: Clock,
        refresh_seconds: float,
        *,
        commitment: Commitment = Commitment.CONFIRMED,
    ) -> None:
        self._node, self._clock, self._commitment = node, clock, commitment
        self._refresh_ns = round(refresh_seconds * NS_PER_SECOND)
        self._read: ScheduleRead | None = None
        self._is_valid = False
        self._invalidated = 0
        self._reading = asyncio.Lock()
        self._told: set[str] = set()

    @property
    def latest(self) -> ScheduleRead | None:
        """What was read last, whatever its age; None before the first reading."""
        return self._read

    @property
    def drift(self) -> tuple[str, ...]:
        """What this version does not know about the accounts. Not empty: refuse to trade, upgrade."""
        return self._read.drift if self._read is not None else ()

    def invalidate(self, reason: str) -> None:
        """Read again before the next use, for example after error 6013 or 6053."""
        self._is_valid = False
        self._invalidated += 1
        _log.warning("schedule-invalidated", extra={"reason": reason})

    async def current(self) -> FeeSchedule:
        """The schedule in force, at most ``refresh_seconds`` old.

        Raises NotFound when the chain has no PumpSwap, ProtocolDrift or MalformedAccount for accounts that cannot be
        these, and the node's ChainError.
        """
        return (await self.read()).schedule

    async def read(self) -> ScheduleRead:
        """``current()`` with the slot it was read at."""
        fresh = self._fresh()
        if fresh is not None:
            return fresh
        async with self._reading:
            fresh = self._fresh()  # another task may have read it meanwhile
            return fresh if fresh is not None else await self._refresh()

    def _fresh(self) -> ScheduleRead | None:
        if self._read is None or not self._is_valid:
            return None
        return self._read if self._clock.now_ns() - self._read.read_ns < self._refresh_ns else None

    async def _refresh(self) -> ScheduleRead:
        invalidated = self._invalidated
        floor = self._read.slot if self._read is not None else 0
        now_ns = self._clock.now_ns()
        found = await self._node.accounts(
            [GLOBAL_CONFIG, AMM_FEE_CONFIG], commitment=self._commitment, min_context_slot=floor
        )
        self._read = self._decoded(found, now_ns)
        # Invalidated while the answer was under way: it may be from before the change.
        self._is_valid = invalidated == self._invalidated
        return self._read

    def _decoded(self, found: AccountsAt, now_ns: int) -> ScheduleRead:
        config = _owned(found.accounts[0], GLOBAL_CONFIG, AMM_PROGRAM, "GlobalConfig")
        fees = _owned(found.accounts[1], AMM_FEE_CONFIG, FEES_PROGRAM, "FeeConfig")
        schedule = FeeSchedule(GlobalConfig.decode(config.data), FeeConfig.decode(fees.data))
        drift: list[str] = []
        if len(config.data) not in KNOWN_GLOBAL_CONFIG_LENGTHS:
            drift.append(f"GlobalConfig has {len(config.data)} bytes")
        if len(fees.data) not in KNOWN_FEE_CONFIG_LENGTHS:
            drift.append(f"FeeConfig has {len(fees.data)} bytes")
        for one in drift:
            if one not in self._told:
                self._told.add(one)
                _log.warning("protocol-drift", extra={"what": one})
        return ScheduleRead(schedule, found.slot, now_ns, tuple(drift))


def _owned(account: ChainAccount | None, address: Pubkey, owner: Pubkey, name: str) -> ChainAccount:
    if account is None:
        raise NotFound(
            f"this chain has no {name} ({address})",
            hint="check chain.network and the endpoint; a practice chain gets it with: pumpswap localnet pull",
        )
    if account.owner != owner:
        raise ProtocolDrift(f"{name} belongs to {account.owner}, not to {owner}", hint="stop trading and upgrade")
    return account
