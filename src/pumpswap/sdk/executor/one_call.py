"""OneCall: one signal from its dictionary to its answer. Whatever happens on the way, the answer says it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import WSOL_MINT, canonical_pool
from pumpswap.errors import ChainError, NotFound, ProtocolDrift
from pumpswap.model import (
    AlertLevel,
    Decision,
    Filled,
    Intent,
    Order,
    Side,
    TradeSide,
    Unknown,
    Verdict,
)
from pumpswap.sdk.executor.answers import Context, ExecutionResult, order_result, result_of, told_result
from pumpswap.sdk.executor.answers_table import Status, answer_of
from pumpswap.sdk.executor.call_memory import CallMemory
from pumpswap.sdk.executor.fault_teller import FaultTeller, may_land
from pumpswap.sdk.executor.faults import clean_text, code_of_fault, safe_text
from pumpswap.sdk.executor.room import Room
from pumpswap.sdk.executor.signal_reader import (
    ReadSignal,
    Told,
    check_workflow_flags,
    read_identity,
    read_sell_bps,
    read_signal,
)
from pumpswap.sdk.executor.wishes import STRATEGY, buy_of, sale_of, signal_of

if TYPE_CHECKING:
    from pumpswap.sdk.executor.executor import PumpSwapTradingExecutor

__all__ = ["OneCall", "mode_obstacle"]

_log = logging.getLogger(__name__)

Work = Callable[[Mapping[str, Any]], Awaitable[ExecutionResult]]


class OneCall:
    """Made for one call. ``is_workflow``: the plan's own condition, tradeable and available, in place of the frame's,
    tradeable and economically significant.
    """

    def __init__(
        self, executor: PumpSwapTradingExecutor, memory: CallMemory, data: object, *, is_workflow: bool = False
    ) -> None:
        self._executor = executor
        self._memory = memory
        self._faults = FaultTeller(executor, memory)
        self._data = data
        self._is_workflow = is_workflow
        self._context = Context(data, executor.clock.now_ns(), is_paper=not executor.is_live)
        self._room: Room | None = None
        self._intent: Intent | None = None  # set when something may be ordered
        self._order: Order | None = None  # that this call has made

    async def answer(self, work: Work | None = None) -> ExecutionResult:
        """Execute the signal, or do ``work`` with it. Raises nothing but what ends the program or the task."""
        try:
            if self._is_workflow and isinstance(self._data, Mapping):
                check_workflow_flags(self._data)
            if work is not None and isinstance(self._data, Mapping):
                return await work(self._data)
            result = await self._execute()
        except Told as told:
            result = await self._told(told)
        except Exception as broken:
            result = await self._faults.tell(broken, self._context, self._action, self._room, self._order)
        _log.info(
            "executor-answer",
            extra={
                "status": result["status"],
                "code": result["error"] or result["reason"],
                "action": result["action"],
                "pool": result["pair_address"],
                "mint": result["mint_address"],
                "trade_id": result["trade_id"],
                "latency_ms": result["execution_latency_ms"],
            },
        )
        return result

    # ------------------------------------------------------------------------------------------ the way

    async def _execute(self) -> ExecutionResult:
        executor = self._executor
        read = read_signal(
            self._data, executor.settings, executor.clock.now_ns(), needs_significance=not self._is_workflow
        )
        room = self._room = await executor.room()
        self._context = replace(self._context, trades=room.trades)
        state = await _pool_of(room, read)
        pool, mint = str(state.address), str(state.pool.base_mint)
        signal_id = read.id_in(pool)
        regime = None if read.regime is None else read.regime.value
        self._context = replace(self._context, signal_id=signal_id, pool=pool, mint=mint, regime=regime, state=state)
        if signal_id in self._memory.running:
            raise Told("order_unresolved", "this very signal is being executed by another call")
        if signal_id:
            self._memory.running.add(signal_id)
        try:
            before = await self._before(room, signal_id, mint)
            return before or await self._trade(room, read, signal_id)
        finally:
            self._memory.running.discard(signal_id)

    async def _before(self, room: Room, signal_id: str, mint: str) -> ExecutionResult | None:
        """What earlier calls have left: this signal has traded, or an order on its token is not finished."""
        waiting = await room.resolve(mint)
        trace = room.executed.find(signal_id)
        if trace is not None:
            order, outcome = room.executed.fate(trace)
            if order is not None and isinstance(outcome, Filled):
                text = f"this signal has traded already, as {self._context.trade_id(order)}"
                return order_result("already_executed", text, (order, outcome), self._context)
            if order is not None and isinstance(outcome, Unknown):
                return order_result("outcome_unknown", may_land(order, outcome), (order, outcome), self._context)
            if order is None or outcome is not None:
                room.executed.forget(signal_id)
        if waiting:
            order, outcome = waiting[-1]
            return order_result("order_unresolved", may_land(order, outcome), waiting[-1], self._context)
        return None

    async def _trade(self, room: Room, read: ReadSignal, signal_id: str) -> ExecutionResult:
        executor, state = self._executor, self._context.state
        assert state is not None, "read before anything is traded"
        pool, mint = str(state.address), str(state.pool.base_mint)
        signal = signal_of(read, pool, mint, executor.settings)
        mode = executor.settings.run.mode if executor.is_live else "auto"  # on paper the gate knows the mode
        if obstacle := mode_obstacle(mode):
            raise Told("approval_required", obstacle)
        if read.side is Side.LONG:
            if mode != "auto":
                raise Told("approval_required", f"run.mode is {mode}: live buys need auto")
            if obstacle := room.buying_obstacle():
                raise Told("live_check_required", f"{obstacle}: run `pumpswap live check`")
            await room.screen(state)
            now_ns = executor.clock.now_ns()
            intent = buy_of(replace(signal, at_ns=now_ns if read.is_of_model else signal.at_ns), mint, now_ns)
        else:
            held = room.desk.parts.keeper.portfolio.positions.open_round(pool)
            if held is None:
                raise Told("no_position", "nothing of this coin is held in this pool")
            share = read_sell_bps(self._data, executor.settings)
            intent = sale_of(signal, held, share, executor.clock.now_ns(), (state, room.schedule))
        self._intent = intent
        return result_of(await room.trade(intent, signal_id, self._made), self._context)

    def _made(self, order: Order) -> None:
        self._order = order

    @property
    def _action(self) -> str:
        return "hold" if self._intent is None else self._intent.side.value

    # ------------------------------------------------------------------------------------------ other ends

    async def _told(self, told: Told) -> ExecutionResult:
        """Nothing is ordered: the reason is stored, of errors with an alert."""
        context = self._context
        if context.pool is None and isinstance(self._data, Mapping):
            with suppress(Told):
                pool, mint = read_identity(self._data)
                context = replace(context, pool=_text(pool), mint=_text(mint))
        told.text = clean_text(told.text, self._executor.settings)
        is_error = answer_of(told.code).status is Status.ERROR
        if is_error:
            await self._faults.alert(told.code, AlertLevel.WARNING, context, told.text)
        else:
            await self._record(told, context)
        action = "hold" if is_error else self._action
        return told_result(told.code, told.text, context, action=action, required=list(told.required))

    async def _record(self, told: Told, context: Context) -> None:
        """Store what was decided without the gate, once in a while where it repeats."""
        side = TradeSide.SELL if told.code == "no_position" else TradeSide.BUY
        now_ns = self._executor.clock.now_ns()
        pool = context.pool
        if pool is None and context.mint is not None:
            pool = str(canonical_pool(Pubkey.from_string(context.mint)))  # a coin alone means this one
        intent = Intent(side, pool or "", context.mint or "", now_ns, "told to the executor", strategy=STRATEGY)
        verdict = Verdict("executor", False, f"{told.code}: {told.text}", {"code": told.code})
        try:
            room = await self._executor.room()
            decision = Decision(room.desk.parts.keeper.decision_id(), intent, False, (verdict,))
            if self._memory.repeats.take(replace(decision, verdicts=(replace(verdict, policy=told.code),))) is None:
                room.record(decision)
        except Exception as failed:  # as above
            reason = safe_text(failed, self._executor.settings)
            _log.warning("decision-not-stored", extra={"code": told.code, "reason": reason})


async def _pool_of(room: Room, read: ReadSignal) -> PoolState:
    """The pool that a signal is about, as it is now. Raises Told."""
    try:
        state = await room.refresh(str(read.pool or read.mint))
    except NotFound as nothing:
        raise Told("pair_not_found", nothing.what) from None
    except (ChainError, ProtocolDrift) as failed:
        raise Told(code_of_fault(failed), failed.what) from None
    if read.mint is not None and state.pool.base_mint != read.mint:
        raise Told("invalid_mint_address", f"pool {state.address} trades {state.pool.base_mint}, not {read.mint}")
    if state.pool.quote_mint != WSOL_MINT:
        raise Told("pair_not_found", f"pool {state.address} is not priced in SOL")
    return state


def mode_obstacle(mode: str) -> str:
    """Why an executor with money orders nothing at all in this mode, not even sales; empty when it does."""
    if mode == "analysis":
        return "run.mode is analysis: nothing is ordered"
    if mode == "paper":
        return "run.mode is paper, and the executor live: these contradict each other; set run.mode to auto or approve"
    return ""


def _text(address: object) -> str | None:
    return None if address is None else str(address)
