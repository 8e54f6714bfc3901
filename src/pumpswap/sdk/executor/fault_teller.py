"""FaultTeller: what is answered, stored and told when something does not work."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from pumpswap.model import Alert, AlertLevel, Order, Outcome, Unknown
from pumpswap.sdk.executor.answers import Context, ExecutionResult, code_of_outcome, order_result, told_result
from pumpswap.sdk.executor.call_memory import CallMemory
from pumpswap.sdk.executor.faults import code_of_fault, safe_text
from pumpswap.sdk.executor.room import Room

if TYPE_CHECKING:
    from pumpswap.sdk.executor.executor import PumpSwapTradingExecutor

__all__ = ["FaultTeller", "may_land"]

_log = logging.getLogger(__name__)


class FaultTeller:
    """Of one executor. Nothing that it does raises: the answer must not be lost for a second fault."""

    def __init__(self, executor: PumpSwapTradingExecutor, memory: CallMemory) -> None:
        self._executor = executor
        self._memory = memory

    async def tell(
        self, broken: Exception, context: Context, action: str, room: Room | None = None, order: Order | None = None
    ) -> ExecutionResult:
        """The answer to a fault. ``order`` is the one that the call has made, if any: it is told as what it is, since
        a caller that repeats errors must not trade twice. ``room`` is where it was made.
        """
        try:
            return await self._tell(broken, context, action, room, order)
        except Exception as worse:
            text = f"{type(broken).__name__}, and then {type(worse).__name__}: see the log"
            _log.error("fault-not-told: %s\n%s", text, "".join(traceback.format_tb(worse.__traceback__)))
            if order is None:
                return told_result("internal_error", text, context, action=action)
            more = {"order_id": order.order_id, "trade_id": context.trade_id(order)}
            return told_result("outcome_unknown", text, context, action=action, **more)

    async def _tell(
        self, broken: Exception, context: Context, action: str, room: Room | None, order: Order | None
    ) -> ExecutionResult:
        code, text = code_of_fault(broken), safe_text(broken, self._executor.settings)
        if code == "internal_error":
            # Where, but not what it says of itself: that may hold a URL with a token.
            _log.error("executor-failed: %s\n%s", text, "".join(traceback.format_tb(broken.__traceback__)))
        fate, is_known = self._fate(room, order)
        if room is not None and (room.is_paper or code == "books_unavailable"):
            # What is in memory may be ahead of what is stored: the next call begins with what is stored.
            await self._drop_room()
        if fate is not None:
            made, outcome = fate
            code = "outcome_unknown" if outcome is None else code_of_outcome(outcome)
            text = f"{may_land(made, outcome)}; {text}" if code == "outcome_unknown" else f"booked; {text}"
        elif not is_known:
            code, text = "outcome_unknown", f"the books cannot tell whether it was ordered: do not repeat it; {text}"
        level = AlertLevel.CRITICAL if code == "outcome_unknown" else AlertLevel.ERROR
        await self.alert(code, level, context, text)
        if fate is not None:
            return order_result(code, text, fate, context)
        return told_result(code, text, context, action=action)

    def _fate(self, room: Room | None, order: Order | None) -> tuple[tuple[Order, Outcome | None] | None, bool]:
        """What the books say of the order, and whether they could tell."""
        if room is None or order is None:
            return None, True
        try:
            found = next(iter(room.executed.run.fates([order.order_id])), None)
        except Exception as failed:  # nobody can tell: that is no error that may be repeated
            _log.warning("fate-not-read", extra={"reason": safe_text(failed, self._executor.settings)})
            return None, False
        if found is None or (room.is_paper and found[1] is None):
            return None, True  # never stored, so never sent; on paper an order dies with its room
        return found, True

    async def _drop_room(self) -> None:
        try:
            await self._executor.drop_room()
        except Exception as failed:  # it is closed as far as it can be
            _log.warning("room-not-closed", extra={"reason": safe_text(failed, self._executor.settings)})

    async def alert(self, code: str, level: AlertLevel, context: Context, text: str) -> None:
        """Store it, once an hour for each code and coin."""
        now_ns = self._executor.clock.now_ns()
        subject = context.mint or context.pool or ""
        if not self._memory.may_tell(code, subject, now_ns):
            return
        try:
            room = await self._executor.room()
            room.alert(Alert(now_ns, level, "executor", subject, f"{code}: {text}"))
        except Exception as failed:  # whatever keeps it from being stored, the answer says the same
            _log.warning("alert-not-stored", extra={"code": code, "reason": safe_text(failed, self._executor.settings)})


def may_land(order: Order, outcome: Outcome | None) -> str:
    """That an order is not finished, and until when it may trade."""
    if isinstance(outcome, Unknown):
        return f"order {order.order_id} may still land until height {outcome.expiry_height}: do not repeat it"
    return f"order {order.order_id} on this token is not finished"
