"""A paper venue behind a bad network: orders take their time, are refused, get lost, and land after all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from heapq import heappop, heappush

from pumpswap.execution.paper import PaperVenue
from pumpswap.execution.wallet import PaperWallet
from pumpswap.model import Costs, Denied, Order, Outcome, Rejected, Unknown

__all__ = ["HostileVenue"]

MS = 1_000_000
FATES = {"fill": 62, "reject": 12, "deny": 8, "late fill": 10, "never": 8}
FAILED_COSTS = Costs(5_000, 30_000)


class HostileVenue:
    """Fills come from ``inner``, which must have no latency: on the pool as it is when the order lands.

    The fate of an order hangs on its number and the seed only, so that a shorter history keeps the fates of its orders.
    ``calm`` lets everything land.
    """

    def __init__(self, inner: PaperVenue, seed: int, *, most_latency_ms: int = 4_000) -> None:
        self._inner = inner
        self._seed = seed
        self._most_latency_ms = most_latency_ms
        self._waiting: list[tuple[int, int, str, Order]] = []
        self._count = 0
        self.calm = False

    @property
    def wallet(self) -> PaperWallet:
        return self._inner.wallet

    def deposit(self, lamports: int) -> None:
        self._inner.deposit(lamports)

    def submit(self, order: Order, at_ns: int) -> None:
        rng = random.Random(f"{self._seed} {order.order_id}")
        latency_ns = rng.randint(0, self._most_latency_ms) * MS
        fate = "fill" if self.calm else rng.choices(list(FATES), list(FATES.values()))[0]
        self._put(at_ns + latency_ns, fate, order)

    def next_landing_ns(self) -> int | None:
        return self._waiting[0][0] if self._waiting else None

    def settle(self, until_ns: int) -> Iterator[Outcome]:
        while self._waiting and self._waiting[0][0] <= until_ns:
            at_ns, _, fate, order = heappop(self._waiting)
            yield self._outcome(order, fate, at_ns)

    def _outcome(self, order: Order, fate: str, at_ns: int) -> Outcome:
        if fate == "fill":
            self._inner.submit(order, at_ns)
            (landed,) = self._inner.settle(at_ns)
            return landed
        if fate == "reject" and self.wallet.lamports >= FAILED_COSTS.spent:
            self.wallet.lamports -= FAILED_COSTS.spent
            name, text = "ExceededSlippage", "slippage"
            return Rejected(order.order_id, at_ns, 0, 6004, name, text, FAILED_COSTS, f"hostile-{order.order_id}")
        if fate == "expired":
            return Denied(order.order_id, at_ns, "expired", "proven absent")
        if fate in ("late fill", "never"):
            later = at_ns + random.Random(f"{self._seed} later {order.order_id}").randint(1_000, 90_000) * MS
            self._put(later, "fill" if fate == "late fill" else "expired", order)
            return Unknown(order.order_id, at_ns, f"hostile-{order.order_id}", 1)
        return Denied(order.order_id, at_ns, "simulation", "the simulation failed")

    def _put(self, at_ns: int, fate: str, order: Order) -> None:
        self._count += 1
        heappush(self._waiting, (at_ns, self._count, fate, order))
