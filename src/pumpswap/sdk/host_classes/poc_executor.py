"""PumpSwapExecutor: the proof of concept's two calls, on the one executor."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from pumpswap.amm.quote import amounts_of
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput, UsageError
from pumpswap.model import Denied, Filled, Order, Outcome, Rejected, Side, Unknown
from pumpswap.sdk.executor import ExecutionResult, HostConfig, PumpSwapTradingExecutor
from pumpswap.sdk.executor.signal_reader import stated_side
from pumpswap.sdk.host_classes.host_result import ReadyDict, ReadyList
from pumpswap.sdk.host_classes.performance import landings_of, metrics_of_run, stored_run
from pumpswap.units import LAMPORTS_PER_SOL, from_units

__all__ = ["PumpSwapExecutor"]

_POLL_NS = NS_PER_SECOND
_LONGEST_WAIT_SECONDS = 3_600


class PumpSwapExecutor:
    """Of an ``executor``, or of one of its own with ``config``. ``tick_data`` of another venue decides nothing: the
    price is that of the pool.
    """

    def __init__(self, config: HostConfig = None, *, executor: PumpSwapTradingExecutor | None = None) -> None:
        """Raises ConfigError."""
        self.executor = executor or PumpSwapTradingExecutor(config)
        self._is_own = executor is None

    async def close(self) -> None:
        """Close an executor of its own; that of somebody else stays open."""
        if self._is_own:
            await self.executor.close()

    async def execute_buy_signal(
        self, signal: Mapping[str, Any], tick_data: Mapping[str, Any] | None = None
    ) -> ExecutionResult:
        """Buy on this signal, if it agrees with that and everything else does; one that names another side itself
        holds. Never raises.
        """
        return await self.executor.execute_q50_signal(_with(signal, self._buying_side(signal), tick_data))

    async def execute_sell_signal(
        self, signal: Mapping[str, Any], tick_data: Mapping[str, Any] | None = None
    ) -> ExecutionResult:
        """Sell what is held of the signal's coin, whatever its q50 says: no exit depends on it. Never raises."""
        return await self.executor.execute_q50_signal(_with(signal, "short", tick_data, without="q50"))

    def _buying_side(self, signal: object) -> object:
        """Long, where the signal says nothing else: a row that holds or sells is never turned into a purchase."""
        if not isinstance(signal, Mapping):
            return "long"
        try:
            stated = stated_side(signal, self.executor.settings)
        except BadInput:
            return signal["side"]  # the executor says what is wrong with it
        return "long" if stated in (None, Side.LONG) else "hold"

    async def monitor_transaction(self, transaction_hash: str, timeout_seconds: float = 60) -> dict[str, Any]:
        """What became of a transaction of ours, by the books, which follow the chain. Waits for a final answer as long
        as the timeout allows; ``status`` is confirmed, failed, timeout (nothing final is known: it may still land) or
        not_found (none of ours). Raises UsageError for a timeout that is none.
        """
        if not 0 <= timeout_seconds <= _LONGEST_WAIT_SECONDS:
            raise UsageError(f"a timeout of {timeout_seconds} s", hint=f"0 to {_LONGEST_WAIT_SECONDS} s")
        clock = self.executor.clock
        until_ns = clock.now_ns() + round(timeout_seconds * NS_PER_SECOND)
        while True:
            found = await self._fate(transaction_hash)
            if found is None:
                return {"status": "not_found", "success": False, "transaction_hash": transaction_hash}
            order, outcome = found
            if not isinstance(outcome, Unknown | None) or clock.now_ns() >= until_ns:
                return _told(transaction_hash, order, outcome)
            await self.executor.wait(min(until_ns, clock.now_ns() + _POLL_NS))
            await (await self.executor.room()).resolve(order.mint)

    async def _fate(self, signature: str) -> tuple[Order, Outcome | None] | None:
        run = (await self.executor.room()).executed.run
        attempt = run.attempts.by_signature(signature)
        if attempt is not None:
            return next(iter(run.fates([attempt[0].order_id])), None)
        for outcome in run.outcomes():
            if isinstance(outcome, Filled | Rejected | Unknown) and outcome.signature == signature:
                return next(iter(run.fates([outcome.order_id])), None)
        return None

    def get_performance_metrics(self) -> ReadyDict:
        """Figures of all orders of these books. May be awaited. Raises NotRunning for a live executor not open."""
        with stored_run(self.executor) as run:
            return ReadyDict(metrics_of_run(run))

    def get_execution_history(self, limit: int = 100) -> ReadyList:
        """The newest trades, the newest first, under the names of the proof of concept's table. May be awaited.

        Raises NotRunning for a live executor that is not open.
        """
        records = ReadyList()
        if limit <= 0:
            return records
        with stored_run(self.executor) as run:
            trades = [] if run is None else deque(run.history.trades(), maxlen=limit)
            begins = "" if run is None else f"{run.header().kind}-{run.run_id}"
            first_ns = min((trade.filled.at_ns for trade in trades), default=0)
            took = {} if run is None or not trades else landings_of(run, first_ns)
        for trade in reversed(trades):
            order, filled = trade.order, trade.filled
            told = _told(filled.signature, order, filled)
            tokens = None if trade.decimals is None else float(from_units(told["base_units"], trade.decimals))
            price = told["sol_amount"] / tokens if tokens else None
            records.append(
                {
                    **told,
                    "trade_id": f"{begins}-{order.order_id}",
                    "mint_address": order.mint,
                    "pair_address": order.pool,
                    "timestamp": order.created_ns // NS_PER_SECOND,
                    "token_amount": tokens,
                    "actual_price": price,
                    "execution_status": "confirmed",
                    "execution_latency_ms": took[order.order_id] // 1_000_000,
                }
            )
        return records


def _with(signal: object, side: object, tick_data: Mapping[str, Any] | None, without: str = "") -> Any:
    if not isinstance(signal, Mapping):
        return signal
    rest = {key: value for key, value in signal.items() if key != without}
    more = {} if tick_data is None else {"tick_data": tick_data}
    return {**rest, "side": side, **more}


def _told(signature: str, order: Order, outcome: Outcome | None) -> dict[str, Any]:
    common = {"transaction_hash": signature, "order_id": order.order_id, "action": order.side.value}
    match outcome:
        case Filled():
            base_units, lamports = amounts_of(outcome.executed)
            return {
                **common,
                "status": "confirmed",
                "success": True,
                "slot": outcome.slot,
                "sol_amount": lamports / LAMPORTS_PER_SOL,
                "quote_lamports": lamports,
                "base_units": base_units,
                "gas_used": outcome.costs.spent,
            }
        case Rejected() | Denied():
            return {**common, "status": "failed", "success": False, "error_message": outcome.text}
        case _:
            height = outcome.expiry_height if isinstance(outcome, Unknown) else None
            return {**common, "status": "timeout", "success": False, "expiry_height": height}
