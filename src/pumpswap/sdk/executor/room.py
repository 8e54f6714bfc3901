"""Room: where an executor's wishes are decided, ordered and booked: on paper, or with a live wallet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.engine.desk import Desk
from pumpswap.model import Alert, Decision, Intent, Order, Outcome, Position
from pumpswap.sdk.executor.answers import Done
from pumpswap.sdk.executor.executed import ExecutedSignals

__all__ = ["Room"]


class Room(Protocol):
    """One desk, one gate, one set of books. Used from one event loop; its calls may run at the same time."""

    @property
    def is_paper(self) -> bool:
        """Whether nothing is really traded."""
        ...

    @property
    def trades(self) -> str:
        """Begins the ids of the room's trades: they differ between runs."""
        ...

    @property
    def executed(self) -> ExecutedSignals:
        """Signals that have traded."""
        ...

    @property
    def desk(self) -> Desk:
        """The gate, what it has accepted, exits and books."""
        ...

    @property
    def schedule(self) -> FeeSchedule:
        """What trades pay, as of the last ``refresh``."""
        ...

    async def refresh(self, pool_or_mint: str) -> PoolState:
        """Read a pool into the desk's book. Raises what ``PoolStates.state`` raises."""
        ...

    async def screen(self, state: PoolState) -> None:
        """Have a token looked at before it is bought, where ``risk.require_screen`` asks for that."""
        ...

    async def wanted(self, pool: str) -> Intent | None:
        """Read the pool, value what is held of it, and say which sale an exit rule wants of it now; it is stored what
        the exits remember. Raises what ``refresh`` raises.
        """
        ...

    def refused(self, position: Position, why: Decision | str) -> None:
        """The sale that ``wanted`` gave was not ordered: the exits try it again after a while."""
        ...

    def preview(self, intent: Intent) -> Decision:
        """What would be decided now, by every limit. Nothing is stored or ordered, and no pool is read."""
        ...

    def buying_obstacle(self) -> str:
        """Why no signal may buy here at all; empty when nothing is in the way. Sales ask nobody: leaving goes on."""
        ...

    async def trade(self, intent: Intent, signal_id: str, made: Callable[[Order], None]) -> Done:
        """Decide, order, wait for the outcome, book. ``made`` hears of the order before it can go anywhere.

        Raises for faults only.
        """
        ...

    async def resolve(self, mint: str) -> Sequence[tuple[Order, Outcome | None]]:
        """Ask what has become of the orders on a token that have not ended; those that still have not."""
        ...

    def unresolved(self, mint: str) -> Sequence[tuple[Order, Outcome | None]]:
        """What is stored of them, without asking anybody."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """What is stored inside is stored whole, or not at all."""
        ...

    def record(self, decision: Decision) -> None:
        """Store a decision that never came to the gate."""
        ...

    def alert(self, alert: Alert) -> None:
        """Store what somebody must know."""
        ...

    async def aclose(self) -> None:
        """Let the books go. Harmless when done twice."""
        ...
