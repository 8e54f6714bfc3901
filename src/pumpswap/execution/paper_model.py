"""PaperModel: what the paper venue imitates of the network beside the price: latency, failures, priority fees."""

from __future__ import annotations

from random import Random
from typing import Protocol

from pumpswap.execution.costs import priority_fee
from pumpswap.execution.observed_network import FAILED_BPS, PRIORITY_LAMPORTS
from pumpswap.model import Order
from pumpswap.settings import PaperVenueSettings
from pumpswap.units import BPS

__all__ = ["Landing", "PaperModel"]

NS_PER_SLOT = 400_000_000
_NS_PER_MS = 1_000_000


class Landing(Protocol):
    """Decides when an order lands, for a market that knows its slots."""

    def landing_ns(self, submit_ns: int, order: Order) -> int:
        """The moment at which an order that is sent at ``submit_ns`` is executed; never before it."""
        ...


class PaperModel:
    """``random`` None: no chance at all; what the settings leave open is then the plain case. With it, what they leave
    open is as observed (``observed_network``). The same seed gives the same failures and fees.

    Failures by price are no part of this: those are exact, an order is rejected at its limit as on chain.

    ``landing`` None: an order lands after the latency of the settings.
    """

    def __init__(
        self, settings: PaperVenueSettings, random: Random | None = None, landing: Landing | None = None
    ) -> None:
        self._settings, self._random = settings, random or Random(0)  # chance of a market, not of a secret
        self._landing = landing
        is_observed = random is not None
        self._failed_bps = settings.failed_bps if settings.failed_bps is not None else FAILED_BPS * is_observed
        priority = settings.priority or ("observed" if is_observed else "fixed")
        self._fees = PRIORITY_LAMPORTS if priority == "observed" else ()

    @property
    def latency_ns(self) -> int:
        """From the decision to the execution."""
        slots = self._settings.latency_slots
        return self._settings.latency_ms * _NS_PER_MS if slots is None else slots * NS_PER_SLOT

    def landing_ns(self, submit_ns: int, order: Order) -> int:
        """When an order that is sent at ``submit_ns`` is executed."""
        return submit_ns + self.latency_ns if self._landing is None else self._landing.landing_ns(submit_ns, order)

    def fails(self) -> bool:
        """Whether the next transaction fails for another reason than its price."""
        return bool(self._failed_bps) and self._random.randrange(BPS) < self._failed_bps

    def priority_fee(self) -> int:
        """Lamports that the next transaction pays beside its signature."""
        return self._random.choice(self._fees) if self._fees else priority_fee(self._settings)
