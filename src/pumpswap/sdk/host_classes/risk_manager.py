"""PumpSwapRiskManager: the plan's ``validate_trade``: the one gate, with reservations for what it has approved."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pumpswap.amm import FeeSchedule, PoolState, Quote
from pumpswap.clock import Clock, SystemClock
from pumpswap.errors import BadInput, TradeRefused, UsageError
from pumpswap.execution.planner import OrderPlanner
from pumpswap.model import (
    Costs,
    Decision,
    Filled,
    Intent,
    MarketUpdate,
    Order,
    Outcome,
    Rejected,
    Side,
    Signal,
    TradeSide,
    Verdict,
)
from pumpswap.risk.gate import PoolView, RiskGate
from pumpswap.risk.policies import BookView
from pumpswap.sdk.executor import HostConfig, PumpSwapTradingExecutor, settings_of_config
from pumpswap.sdk.executor.signal_reader import ReadSignal, Told, read_sell_bps, read_signal
from pumpswap.sdk.executor.values import flag_of, lamports_of
from pumpswap.sdk.executor.wishes import sale_of, signal_of
from pumpswap.sdk.host_classes.books import NotedBooks, with_approved
from pumpswap.sdk.host_classes.pool_rows import state_of
from pumpswap.sdk.host_classes.validation import TradeValidation, refused, risk_level, what_to_do
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["PumpSwapRiskManager", "sol_lamports"]

# What a person who names a size is not asked, and a signal is.
_OF_SIGNALS = frozenset({"one position", "cool-down", "declined", "open positions"})
_WARN_EXPOSURE, _WARN_BALANCE = 0.6, 0.8


class PumpSwapRiskManager:
    """With an ``executor`` its books count, and beside them what was approved here; without one the manager keeps
    notes of what is reported to it, and ``set_balance`` says what there is. Safe to share by threads.
    """

    def __init__(
        self,
        config: HostConfig = None,
        *,
        executor: PumpSwapTradingExecutor | None = None,
        balance_sol: float | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Raises ConfigError, and UsageError for a balance that is none."""
        self.settings = executor.settings if executor is not None and config is None else settings_of_config(config)
        self._executor = executor
        self._clock = clock or (executor.clock if executor is not None else SystemClock())
        self._lock = threading.RLock()
        self._notes = NotedBooks(self.settings, self._clock.now_ns)
        self._gate = RiskGate(self.settings.risk, self.settings.signals, self._notes.keeper.decision_id)
        self._planner = OrderPlanner(self._notes.keeper.order_id)
        self._orders: dict[str, Order] = {}  # approved, and nobody has said yet what became of them
        if balance_sol is not None:
            self.set_balance(balance_sol)

    # ------------------------------------------------------------------------------------------ validating

    def validate_trade(self, signal_data: Mapping[str, Any], position_size: float) -> TradeValidation:
        """Whether a trade of ``position_size`` SOL (of a sale: any) may be made on this signal, by every policy.

        The pool is that of the executor's last reading, or what ``pool_data`` of the signal tells. Oversize is refused,
        never cut silently: ``max_position_size`` says what would be approved. Never raises for bad input.
        """
        with self._lock:
            return self._validated(signal_data, position_size)

    def _validated(self, signal_data: Mapping[str, Any], position_size: object) -> TradeValidation:
        try:
            read = read_signal(signal_data, self.settings, self._clock.now_ns())
            lamports = 0 if read.side is Side.SHORT else sol_lamports(position_size)
        except Told as told:
            return self._refused("executor", told.text, is_input=told.code.startswith("invalid"))
        except BadInput as wrong:
            return self._refused("size", wrong.what, is_input=True)
        pool = self._pool(read, signal_data)
        if isinstance(pool, str):
            return self._refused("venue", pool, is_input=False)
        state, view = pool
        signal = replace(
            signal_of(read, str(state.address), str(state.pool.base_mint), self.settings), at_ns=self._clock.now_ns()
        )
        if read.side is Side.SHORT:
            return self._sale(signal, signal_data, (state, view))
        return self._buy(signal, lamports, (state, view), _warnings(signal_data))

    def _buy(
        self, signal: Signal, lamports: int, pool: tuple[PoolState, PoolView], warnings: list[str]
    ) -> TradeValidation:
        (state, view), now_ns = pool, self._clock.now_ns()
        wish = Intent(TradeSide.BUY, signal.pool, signal.mint or "", now_ns, "validated", signal)
        asked = replace(wish, quote_lamports=lamports)
        book, schedule = self._book_view(wish), self._schedule()
        decision = self._gate.decide(asked, view, book, schedule)
        by_signal = self._gate.decide(wish, view, book, schedule)
        known = {verdict.policy for verdict in decision.refusals}
        failed = [*decision.refusals]
        failed += [one for one in by_signal.refusals if one.policy in _OF_SIGNALS and one.policy not in known]
        most = self._gate.size(replace(asked, quote_lamports=max(book.balance, 1)), view, book, schedule).lamports
        warnings += _money_warnings(book, lamports)
        order = None
        if not failed:
            try:
                order = self._planner.plan(decision, state, schedule, self.settings.risk.slippage_bps)
            except TradeRefused as refusal:
                failed.append(Verdict("venue", False, refusal.what))
        return self._answer(failed, warnings, decision, (lamports, most), order)

    def _sale(self, signal: Signal, signal_data: object, pool: tuple[PoolState, PoolView]) -> TradeValidation:
        state, view = pool
        probe = Intent(TradeSide.SELL, signal.pool, signal.mint or "", signal.at_ns, "validated", signal)
        book, schedule = self._book_view(probe), self._schedule()
        if book.position is None:
            return self._refused("holding", "nothing of this coin is held", is_input=False)
        try:
            share = read_sell_bps(signal_data, self.settings)
            intent = sale_of(signal, book.position, share, signal.at_ns, (state, schedule))
        except Told as told:
            return self._refused("holding", told.text, is_input=False)
        decision = self._gate.decide(intent, view, book, schedule)
        order = None
        if decision:
            order = self._planner.plan(decision, state, schedule, self.settings.exits.slippage_bps)
        return self._answer(list(decision.refusals), [], decision, (0, 0), order)

    def _answer(
        self,
        failed: Sequence[Verdict],
        warnings: list[str],
        decision: Decision,
        sizes: tuple[int, int],
        order: Order | None,
    ) -> TradeValidation:
        reasons = [f"{verdict.policy}: {verdict.text}" for verdict in failed]
        if order is not None:
            self._orders[order.order_id] = order
        exits = self.settings.exits
        rules = {
            "stop_loss_bps": str(exits.stop_loss_bps),
            "take_profit_bps": str(exits.take_profit_bps),
            "max_hold_seconds": str(exits.max_hold_seconds),
        }
        return TradeValidation(
            approved=not failed,
            risk_level=risk_level(failed, warnings),
            reasons=reasons,
            warnings=warnings,
            recommended_action=what_to_do(failed, warnings, *sizes),
            position_size=sizes[0] / LAMPORTS_PER_SOL,
            max_position_size=sizes[1] / LAMPORTS_PER_SOL,
            numbers={verdict.policy: dict(verdict.numbers) for verdict in decision.verdicts} | {"exits": rules},
            reservation="" if order is None else order.order_id,
            is_valid=not failed,
            reason="; ".join(reasons),
        )

    def _refused(self, policy: str, text: str, *, is_input: bool) -> TradeValidation:
        failed = [Verdict("input" if is_input else policy, False, text)]
        return (
            refused([f"{policy}: {text}"])
            if is_input
            else replace(refused([f"{policy}: {text}"]), risk_level=risk_level(failed, []))
        )

    # ------------------------------------------------------------------------------------------ what it knows

    def set_balance(self, balance_sol: float) -> None:
        """What the wallet holds, for a manager without an executor. Raises UsageError for what is no amount."""
        with self._lock:
            try:
                self._notes.set_balance(sol_lamports(balance_sol, is_size=False))
            except BadInput as wrong:
                raise UsageError(wrong.what, hint="SOL, 0 or more") from None

    def _book_view(self, intent: Intent) -> BookView:
        room = None if self._executor is None else self._executor.current_room
        desk = self._notes.desk if room is None else room.desk
        if intent.side is TradeSide.BUY and room is None:  # an executor measures by itself, in its own thread
            desk.measure()
        return with_approved(desk, list(self._orders.values()), intent)

    def _pool(self, read: ReadSignal, signal_data: Mapping[str, Any]) -> tuple[PoolState, PoolView] | str:
        now_ns = self._clock.now_ns()
        if self._executor is not None:
            room = self._executor.current_room
            if room is None:
                return "the executor is not open: await executor.open() first"
            found = self._executor.known_state(read)
            if found is not None:
                book, pool = room.desk.parts.book, str(found.address)
                return found, PoolView(found, book.observed_ns(pool), book.obstacle(pool))
        state = state_of(signal_data.get("pool_data"))
        if isinstance(state, str):
            return state
        if read.mint is not None and state.pool.base_mint != read.mint:
            return f"the pool trades {state.pool.base_mint}, the signal names {read.mint}"
        self._notes.book.apply(MarketUpdate(now_ns, str(state.address), state))
        return state, PoolView(state, now_ns)

    def _schedule(self) -> FeeSchedule:
        room = None if self._executor is None else self._executor.current_room
        return self._notes.schedule if room is None else room.schedule

    # ------------------------------------------------------------------------------------------ outcomes

    def record_trade_success(self, trade: object = None) -> bool:
        """The approved trade was made: its reservation becomes a position, or an executor's books have it already.

        ``trade`` is the validation, its ``reservation``, or the executor's answer; None means the oldest reservation.
        Returns whether there was one.
        """
        return self._ended(trade, is_success=True)

    def record_trade_failure(self, trade: object = None) -> bool:
        """It failed, and traded nothing: its reservation is free again, and the circuit breaker counts it."""
        return self._ended(trade, is_success=False)

    def release(self, trade: object = None) -> bool:
        """It was not tried at all."""
        with self._lock:
            return self._take(trade) is not None

    def _ended(self, trade: object, *, is_success: bool) -> bool:
        with self._lock:
            order = self._take(trade)
            if order is not None and self._executor is None:
                now_ns = self._clock.now_ns()
                self._notes.ended(order, _outcome(order, order.quote, now_ns, is_success=is_success))
            return order is not None

    def _take(self, trade: object) -> Order | None:
        order_id = self._reserved_by(trade)
        return None if order_id is None else self._orders.pop(order_id, None)

    def _reserved_by(self, trade: object) -> str | None:
        if trade is None:
            return next(iter(self._orders), None)
        if isinstance(trade, str):
            return trade
        if isinstance(trade, TradeValidation):
            return trade.reservation or None
        if isinstance(trade, Mapping):
            mint = trade.get("mint_address")
            return next((order.order_id for order in self._orders.values() if order.mint == mint), None)
        return None

    @property
    def reservations(self) -> Mapping[str, int]:
        """Lamports of the buys that were approved and are not reported yet."""
        with self._lock:
            return {order_id: order.quote_lamports for order_id, order in self._orders.items()}


def sol_lamports(size: object, *, is_size: bool = True) -> int:
    """Lamports of an amount in SOL. Raises BadInput for what is no (for a size: positive) amount."""
    found = lamports_of({"position_size": size}, "position_size", least=1 if is_size else 0)
    if found is None:
        raise BadInput("position_size is no amount of SOL", hint="a positive number of SOL")
    return found


def _warnings(signal_data: Mapping[str, Any]) -> list[str]:
    found = []
    if flag_of(signal_data, "economically_significant") is None:
        found.append("the signal does not say whether it is economically significant")
    if flag_of(signal_data, "high_quality") is None:
        found.append("the signal does not say whether it is of high quality")
    return found


def _money_warnings(book: BookView, lamports: int) -> list[str]:
    found = []
    if book.equity and book.exposure + lamports > _WARN_EXPOSURE * book.equity:
        found.append(f"more than {_WARN_EXPOSURE:.0%} of equity would be in positions")
    if lamports > _WARN_BALANCE * book.balance:
        found.append(f"the trade takes more than {_WARN_BALANCE:.0%} of the balance")
    return found


def _outcome(order: Order, quote: Quote, at_ns: int, *, is_success: bool) -> Outcome:
    if is_success:
        return Filled(order.order_id, at_ns, 0, quote, Costs(), "reported")
    return Rejected(order.order_id, at_ns, 0, None, "reported", "the caller reports a failure", Costs(), "reported")
