"""WorldTally: what our trades have changed for others, counted."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["WorldTally"]


class WorldTally(msgspec.Struct):
    """Of one run.

    ``reapplied``: steps that met a pool which we had changed, and were computed again. Of them ``changed`` traded other
    amounts than in the record, ``failed`` were refused (by name of the program's error), ``capped`` sold another
    number, since their seller had got more or less. ``clipped`` are units of gifts that a vault could not pay,
    ``lost_shares`` readings in which our part of a pool could not be kept. ``overwritten``: states of ours that the
    record replaced, in the naive world. ``unknown_sellers``: sales of nobody knows whom in changed pools.
    """

    steps: int = 0
    snapshots: int = 0
    adjusted: int = 0
    told: int = 0
    reapplied: int = 0
    changed: int = 0
    failed: dict[str, int] = {}
    capped: int = 0
    clipped: int = 0
    lost_shares: int = 0
    overwritten: int = 0
    unknown_sellers: int = 0
    diverged_pools: int = 0

    def has_failed(self, name: str) -> None:
        """One more trade of somebody else fails that did not in the record."""
        self.failed[name] = self.failed.get(name, 0) + 1

    def to_json(self) -> dict[str, Any]:
        """Every figure by its name; failures in the order of their names."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields | {"failed": dict(sorted(self.failed.items()))}
