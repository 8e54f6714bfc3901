"""RunOrder: what somebody wants run, and BegunRun: what it has become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pumpswap.errors import UsageError

__all__ = ["BegunRun", "RunOrder"]

SIMULATED = "simulated"
_DEFAULT_SEED = 8
_SIMULATED_SECONDS = 1_800


@dataclass(frozen=True, slots=True)
class RunOrder:
    """``market`` is empty for the chain, ``simulated`` or ``simulated:SEED``, else the target of a recording.

    ``is_fast``: without waiting, for markets that are played. ``seconds``: of a simulated market its length, else how
    long to run. ``is_new``: begin new books, and end those that are open.
    """

    market: str = ""
    is_fast: bool = False
    seconds: int | None = None
    is_new: bool = False

    @property
    def seed(self) -> int | None:
        """Of a simulated market. Raises UsageError for one that is no number."""
        name, colon, seed = self.market.partition(":")
        if name != SIMULATED:
            return None
        if not colon:
            return _DEFAULT_SEED
        if not (seed.isascii() and seed.isdecimal() and len(seed) <= 18):
            raise UsageError("the seed of a simulated market is a number", hint="for example --market simulated:9")
        return int(seed)

    @property
    def market_seconds(self) -> int:
        """How long a simulated market is."""
        return self.seconds or _SIMULATED_SECONDS

    @property
    def kind(self) -> str:
        """The kind of run: books of the chain, of simulated and of recorded markets are kept apart."""
        if not self.market:
            return "paper"
        return "recorded" if self.seed is None else SIMULATED

    @property
    def has_own_time(self) -> bool:
        """Whether the market's time is not the machine's: that of a recording, or of a market that runs ahead."""
        return self.is_fast or self.kind == "recorded"

    def identity(self, now_ns: int) -> dict[str, object]:
        """What a run remembers of its market, to go on with it."""
        known: dict[str, object] = {"market": self.market, "start_ns": str(now_ns)}
        if self.seed is not None:
            known |= {"market": f"{SIMULATED}:{self.seed}", "seconds": str(self.market_seconds)}
        if self.market:
            known["is_fast"] = self.is_fast
        return known

    def is_of(self, identity: Mapping[str, object] | None) -> bool:
        """Whether a run that remembers this is of the same market."""
        wanted = self.identity(0)
        return identity is not None and {**identity, "start_ns": ""} == {**wanted, "start_ns": ""}


@dataclass(frozen=True, slots=True)
class BegunRun:
    """``is_new``: these books begin now; else ``open_positions`` were taken up, and ``lost`` orders had been on their
    way when the process before this one ended.
    """

    run_id: int
    kind: str
    database: str
    market: str
    notes: tuple[str, ...]
    is_new: bool
    open_positions: int
    lost: int

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "run_id": str(self.run_id),
            "kind": self.kind,
            "database": self.database,
            "market": self.market,
            "notes": list(self.notes),
            "is_new": self.is_new,
            "taken_up": {"open_positions": self.open_positions, "lost_orders": self.lost},
        }
