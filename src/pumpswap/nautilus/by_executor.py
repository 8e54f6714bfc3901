"""ByExecutor: the strategy's wishes through PumpSwapTradingExecutor, in a node without our execution client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from pumpswap.model import Q50Row, Signal
from pumpswap.sdk.executor.executor import PumpSwapTradingExecutor
from pumpswap.signals.q50_policy import Q50Action, Q50Verdict
from pumpswap.units import BPS

__all__ = ["ByExecutor", "signal_data_of"]

_log = logging.getLogger(__name__)


class ByExecutor:
    """Runs one call after the other as tasks of the node's loop; the handlers of the strategy never wait. What is held
    is what the executor's own books say, read when it begins and after each call: Nautilus knows nothing of it.
    """

    def __init__(self, executor: PumpSwapTradingExecutor, told: Callable[[str], None]) -> None:
        self._executor = executor
        self._told = told
        self._held: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()
        self._is_ready = False

    def begin(self) -> None:
        """Open the books. Raises RuntimeError outside of a running loop."""
        self._run(self._look())

    def held(self, pool: str) -> int | None:
        """The round that is held in a pool."""
        return self._held.get(pool)

    def execute(self, verdict: Q50Verdict, row: Q50Row) -> str:
        """Hand a wish over; why not, if so."""
        if not self._is_ready:
            return "the executor has not opened its books yet"
        if verdict.signal is None:
            return "a wish without a signal"
        data = signal_data_of(verdict, verdict.signal, row)
        self._run(self._execute(data, is_buy=verdict.action is Q50Action.BUY))
        return ""

    def end(self) -> None:
        """Finish what is on its way, then close."""
        self._run(self._close())

    async def _look(self) -> None:
        async with self._one_at_a_time:
            await self._executor.open()
            await self._take_positions()
            self._is_ready = True

    async def _execute(self, data: dict[str, Any], *, is_buy: bool) -> None:
        async with self._one_at_a_time:
            if is_buy:
                result = await self._executor.execute_trading_signal(data)
            else:  # leaving does not depend on a model's flags
                result = await self._executor.execute_q50_signal(data)
            told = (result["status"], result["error"] or result["reason"], result["message"])
            self._told(f"{result['action']} {result['pair_address']}: {' '.join(str(one) for one in told if one)}")
            await self._take_positions()

    async def _take_positions(self) -> None:
        held = await self._executor.positions()
        self._held = {str(one["pair_address"]): int(str(one["round"])) for one in held}

    async def _close(self) -> None:
        async with self._one_at_a_time:
            self._is_ready = False
            await self._executor.close()

    def _run(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (broken := task.exception()) is not None:
            self._told(f"{type(broken).__name__}: {broken}")
            _log.error("executor-failed", exc_info=broken)


def signal_data_of(verdict: Q50Verdict, signal: Signal, row: Q50Row) -> dict[str, Any]:
    """A wish as the dictionary that the executor reads: docs/executor.md has its keys."""
    return {
        "pair_address": verdict.pool,
        "mint_address": signal.mint,
        "signal_score": signal.score,
        "side": signal.side.value,
        "q10": row.q10,
        "q50": row.q50,
        "q90": row.q90,
        "prob_up": row.prob_up,
        "vol_risk": row.vol_risk,
        "q50_rank": signal.strength,
        "vol_regime": signal.regime,
        "tradeable": row.tradeable,
        "economically_significant": row.economically_significant,
        "high_quality": row.high_quality,
        "pumpswap_available": True,
        "timestamp": row.at_ns,
        "sell_fraction": verdict.share_bps / BPS or None,
    }
