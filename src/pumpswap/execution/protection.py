"""SandwichPolicy: how one order is protected against those who trade around it (P11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pumpswap.chain.lanes import Lane, lanes_named
from pumpswap.errors import UsageError
from pumpswap.settings import Settings

__all__ = ["SandwichPolicy"]


@dataclass(frozen=True, slots=True)
class SandwichPolicy:
    """What an order wants instead of the settings; None and empty: as they say.

    ``max_impact_bps`` can only lower the cap of buys. ``lanes`` are names of lanes that are configured; an order for a
    block engine alone is never handed to a public endpoint.
    """

    max_impact_bps: int | None = None
    dont_front: bool | None = None
    lanes: frozenset[str] = frozenset()

    def impact_cap(self, settings: Settings) -> int:
        """Basis points that a buy may move the price."""
        usual = settings.risk.max_impact_bps
        return usual if self.max_impact_bps is None else min(usual, self.max_impact_bps)

    def wants_marker(self, settings: Settings) -> bool:
        """Whether the transaction names the ``jitodontfront`` account."""
        return settings.sending.dont_front if self.dont_front is None else self.dont_front

    def chosen(self, lanes: Sequence[Lane]) -> tuple[Lane, ...]:
        """The lanes of this order. Raises UsageError for one that is not configured."""
        unknown = self.lanes - {lane.name for lane in lanes}
        if unknown:
            known = ", ".join(lane.name for lane in lanes)
            raise UsageError(
                f"no lane is named {', '.join(sorted(unknown))}", hint=f"configured are {known}; see sending.lanes"
            )
        return lanes_named(lanes, self.lanes)
