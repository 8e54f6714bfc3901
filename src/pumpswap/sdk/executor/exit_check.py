"""ExitCheck: one look at the exits of everything that is held. No position waits for the fault of another one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pumpswap.model import AlertLevel, Order, Position
from pumpswap.sdk.executor.answers import Context, ExecutionResult, result_of, told_result
from pumpswap.sdk.executor.call_memory import CallMemory
from pumpswap.sdk.executor.fault_teller import FaultTeller
from pumpswap.sdk.executor.faults import code_of_fault, safe_text
from pumpswap.sdk.executor.room import Room

if TYPE_CHECKING:
    from pumpswap.sdk.executor.executor import PumpSwapTradingExecutor

__all__ = ["ExitCheck"]

_log = logging.getLogger(__name__)


class ExitCheck:
    """Made for one call."""

    def __init__(self, executor: PumpSwapTradingExecutor, memory: CallMemory) -> None:
        self._executor = executor
        self._faults = FaultTeller(executor, memory)
        self._now_ns = executor.clock.now_ns()

    async def answers(self, obstacle: str = "") -> list[ExecutionResult]:
        """Of the sales that were wanted, and of the positions whose exits nobody can watch. ``obstacle``: why nothing
        may be sold at all.
        """
        room = await self._executor.room()
        found: list[ExecutionResult] = []
        for position in room.desk.parts.keeper.portfolio.positions.open_positions():
            if obstacle:
                text = f"exits of this position are not watched: {obstacle}"
                found.append(told_result("approval_required", text, self._context(room, position)))
            elif (answer := await self._answer(position)) is not None:
                found.append(answer)
        return found

    async def _answer(self, position: Position) -> ExecutionResult | None:
        room = await self._executor.room()  # another one, where a fault has cost the last one its books
        try:
            wanted = await room.wanted(position.pool)
        except Exception as failed:
            return await self._not_watched(room, position, failed)
        if wanted is None:
            return None
        made: list[Order] = []
        try:
            done = await room.trade(wanted, "", made.append)
            if done.order is None:
                room.refused(position, done.decision)
            return result_of(done, self._context(room, position))
        except Exception as broken:
            order = made[0] if made else None
            answer = await self._faults.tell(broken, self._context(room, position), "sell", room, order)
            if order is None:
                await self._refused(position, answer["message"])
            return answer

    async def _not_watched(self, room: Room, position: Position, failed: Exception) -> ExecutionResult:
        code = code_of_fault(failed)
        if code == "internal_error":
            code = "pool_data_unavailable"  # of whoever tells the pools, whatever it is
        text = f"exits of this position are not watched: {safe_text(failed, self._executor.settings)}"
        context = self._context(room, position)
        await self._faults.alert(code, AlertLevel.ERROR, context, text)
        return told_result(code, text, context)

    async def _refused(self, position: Position, reason: str) -> None:
        """Told to the exits, which try again after a while, and raise an alarm when it goes on."""
        try:
            room = await self._executor.room()
            room.refused(position, reason)
        except Exception as failed:  # the next check wants the same sale
            _log.warning("exit-not-noted", extra={"reason": safe_text(failed, self._executor.settings)})

    def _context(self, room: Room, position: Position) -> Context:
        state = room.desk.parts.book.state(position.pool)
        return Context(
            None, self._now_ns, room.trades, room.is_paper, pool=position.pool, mint=position.mint, state=state
        )
