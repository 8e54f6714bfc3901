"""RiskManager: the proof of concept's argument order and methods, on the same gate, breaker and exit rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import canonical_pool
from pumpswap.clock import NS_PER_SECOND, iso_utc
from pumpswap.errors import BadInput
from pumpswap.execution.exits import due_exit
from pumpswap.market.identifiers import bare_address
from pumpswap.market.rebuild import ASSUMED_SUPPLY, pool_of
from pumpswap.model import (
    BreakerState,
    ExitKind,
    ExitState,
    Intent,
    Mark,
    MarketUpdate,
    Position,
    Side,
    Signal,
    TradeSide,
    Verdict,
)
from pumpswap.risk.gate import PoolView
from pumpswap.risk.policies import BookView
from pumpswap.sdk.executor.values import flag_of, number_of
from pumpswap.sdk.host_classes.host_result import HostResult
from pumpswap.sdk.host_classes.risk_manager import PumpSwapRiskManager, sol_lamports
from pumpswap.sdk.host_classes.validation import TradeValidation, refused, risk_level
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["PositionRisk", "RiskManager", "TradingRiskManager"]

_HIGH_PERCENT, _MEDIUM_PERCENT = -10.0, -5.0
_NOBODY = Pubkey.default()
_VALUE = LAMPORTS_PER_SOL * 1_000  # what an entry counts as where only prices are compared


def _deep_pool(mint: Pubkey) -> PoolState:
    """So deep that no limit of a pool is in the way: what is left are the limits of the account."""
    pool = canonical_pool(mint)
    return PoolState(
        pool=pool_of(pool, mint), address=pool, base_reserve=10**18, quote_vault=10**16, base_supply=ASSUMED_SUPPLY
    )


_ANY_POOL = _deep_pool(_NOBODY)


@dataclass(frozen=True)
class PositionRisk(HostResult):
    """``pnl_percent`` is what a sale would bring over the cost. ``close``: an exit rule applies, ``exit`` names it."""

    pnl_percent: float | None
    stop_loss: bool
    take_profit: bool
    risk_level: str
    close: bool
    exit: str = ""
    reasons: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.close


class RiskManager(PumpSwapRiskManager):
    """As ``PumpSwapRiskManager``, for callers who pass the size first and the balance with it."""

    _passed: int | None = None  # lamports that the caller of the last question has

    def validate_trade(  # type: ignore[override]
        self, position_size: float, signal: Mapping[str, Any], balance: float | None = None
    ) -> TradeValidation:
        """Whether the account allows a buy of ``position_size`` SOL with ``balance`` SOL: size, reserve, exposure,
        rates, losses, breaker. Pools are not looked at: see ``validate_trade_full``. ``balance`` None: the books';
        with an executor the lower one of both counts.
        """
        with self._lock:
            try:
                lamports, mint = sol_lamports(position_size), self._mint_of(signal)
                is_tradeable = flag_of(signal, "tradeable")
                warnings = self._warned(signal)
                self._take_balance(balance)
            except BadInput as wrong:
                return refused([f"input: {wrong.what}"])
            answer = self._of_account(lamports, mint, warnings)
            if is_tradeable is True:
                return answer
            self.release(answer)
            told = Verdict("signal", False, "the signal does not say that it is tradeable")
            reasons = [f"signal: {told.text}", *answer.reasons]
            level = answer.risk_level if answer.reasons else risk_level([told], [])
            return replace(
                answer, approved=False, is_valid=False, reasons=reasons, reason="; ".join(reasons), risk_level=level,
                recommended_action="reject", reservation="",
            )  # fmt: skip

    def validate_trade_full(
        self, position_size: float, signal: Mapping[str, Any], balance: float | None = None, pool_data: object = None
    ) -> TradeValidation:
        """The whole gate: the account, and the pool of ``pool_data`` or of the signal's own."""
        with self._lock:
            try:
                self._take_balance(balance)
            except BadInput as wrong:
                return refused([f"input: {wrong.what}"])
            if pool_data is not None and isinstance(signal, Mapping):
                signal = {**signal, "pool_data": pool_data}
            return super().validate_trade(signal, position_size)

    def _take_balance(self, balance: float | None) -> None:
        """Notes take it over; an executor's own books may only be lowered by it, for this one question."""
        passed = None if balance is None else sol_lamports(balance, is_size=False)
        self._passed = passed
        if passed is not None and self._executor is None:
            self._notes.set_balance(passed)

    def _book_view(self, intent: Intent) -> BookView:
        view = super()._book_view(intent)
        room = None if self._executor is None else self._executor.current_room
        if room is None or self._passed is None:
            return view
        missing = max(room.desk.parts.keeper.portfolio.cash - self._passed, 0)
        return replace(view, balance=view.balance - missing, equity=max(view.equity - missing, 0))

    def _mint_of(self, signal: object) -> Pubkey:
        """The coin of a signal. Raises BadInput."""
        if not isinstance(signal, Mapping):
            raise BadInput("the signal is no dictionary", hint="a mapping of the signal's fields")
        stated = signal.get("mint_address")
        if not isinstance(stated, str) or not stated:
            # Trades of coins that nobody names are of different coins: one must not stand in the way of the next.
            return Pubkey(sha256(self._notes.keeper.order_id().encode()).digest())
        try:
            return Pubkey.from_string(bare_address(stated))
        except ValueError:
            raise BadInput("its mint_address is no address", hint="base58, of 32 bytes") from None

    def _of_account(self, lamports: int, mint: Pubkey, warnings: list[str]) -> TradeValidation:
        now_ns = self._clock.now_ns()
        state = _deep_pool(mint)
        self._notes.book.apply(MarketUpdate(now_ns, str(state.address), state))
        found = Signal(str(state.address), now_ns, Side.LONG, 100.0, 1.0, "account", mint=str(mint))
        return self._buy(found, lamports, (state, PoolView(state, now_ns)), warnings)

    def _warned(self, signal: Mapping[str, Any]) -> list[str]:
        keys = ("economically_significant", "high_quality")
        return [f"the signal does not say that it is {key}" for key in keys if flag_of(signal, key) is not True]

    # ------------------------------------------------------------------------------------------ the account

    def can_execute_trade(self) -> bool:
        """Whether the account lets any buy through now: the breaker, the state of trading, losses, rates."""
        with self._lock:
            now_ns = self._clock.now_ns()
            intent = Intent(TradeSide.BUY, str(_ANY_POOL.address), str(_NOBODY), now_ns, "asked")
            smallest = max(self.settings.risk.lamports("min_position_sol"), 1)
            view = PoolView(_ANY_POOL, now_ns)
            asked = replace(intent, quote_lamports=smallest)
            return bool(self._gate.decide(asked, view, self._book_view(asked), self._schedule()))

    def get_circuit_breaker_status(self) -> dict[str, Any]:
        """State, failures in a row, and when an open breaker lets a trial through (UTC)."""
        with self._lock:
            room = None if self._executor is None else self._executor.current_room
            risk = self._notes.risk if room is None else room.desk.parts.risk
            figures = risk.figures(self._clock.now_ns())
            until = figures.breaker_until_ns
            shown = iso_utc(until) if until else None
            return {
                "state": figures.breaker.value,
                "is_open": figures.breaker is BreakerState.OPEN,
                "consecutive_failures": figures.failures_in_a_row,
                "failure_threshold": self.settings.risk.breaker_failures,
                "open_until": shown,
                "can_execute": figures.breaker is not BreakerState.OPEN and not figures.trial_is_out,
            }

    def validate_wallet_balance(self, balance: float, required: float | None = None) -> bool:
        """Whether ``balance`` SOL pays for ``required`` with costs, and the reserve stays."""
        risk = self.settings.risk
        try:
            held = sol_lamports(balance, is_size=False)
            needed = 0 if required is None else sol_lamports(required) + risk.lamports("cost_allowance_sol")
        except BadInput:
            return False
        return held - needed >= risk.lamports("native_reserve_sol")

    # ------------------------------------------------------------------------------------------ positions

    def assess_position_risk(self, position: Mapping[str, Any], current_price: float | None = None) -> PositionRisk:
        """The exit rules on a position as a host's code has it: entry and current price per token, or cost and value,
        and when it was opened. Bounds are inclusive, that of the time is not. What cannot be read is CRITICAL, and says
        why: nobody watches such a position.
        """
        try:
            value, held_ns = self._value_and_time(position, current_price)
        except BadInput as wrong:
            return PositionRisk(None, False, False, "CRITICAL", False, reasons=[wrong.what])
        now_ns = self._clock.now_ns()
        imagined = Position("", "", 1, now_ns - held_ns, base_units=1, cost_lamports=_VALUE, bought_lamports=_VALUE)
        mark = Mark("", now_ns, now_ns, 1, round(value * _VALUE))
        due = due_exit(imagined, mark, self.settings.exits, ExitState("", 1))
        percent = round((value - 1) * 100, 9)
        kind = None if due is None else due.kind
        if kind in (ExitKind.STOP_LOSS, ExitKind.TIME_OUT):
            level = "CRITICAL"
        elif percent <= _HIGH_PERCENT:
            level = "HIGH"
        else:
            level = "MEDIUM" if percent <= _MEDIUM_PERCENT else "LOW"
        return PositionRisk(
            pnl_percent=percent,
            stop_loss=kind is ExitKind.STOP_LOSS,
            take_profit=kind is ExitKind.TAKE_PROFIT,
            risk_level=level,
            close=due is not None,
            exit="" if kind is None else kind.value,
            reasons=[] if due is None else [due.reason],
        )

    def should_close_position(self, position: Mapping[str, Any], current_price: float | None = None) -> bool:
        """Whether an exit rule applies."""
        return self.assess_position_risk(position, current_price).close

    def _value_and_time(self, position: Mapping[str, Any], current_price: float | None) -> tuple[float, int]:
        """(value over cost, nanoseconds held). Raises BadInput."""
        row = dict(position) if current_price is None else {**position, "current_price": current_price}
        cost, value = number_of(row, "total_sol_invested"), number_of(row, "current_value_sol")
        entry = number_of(row, "entry_price") or number_of(row, "average_buy_price")
        price = number_of(row, "current_price")
        if price is not None and entry:
            share = price / entry
        elif value is not None and cost:
            share = value / cost
        else:
            raise BadInput("neither prices nor cost and value are known", hint="entry_price and current_price")
        if not 0 <= share < 1e9:
            raise BadInput("the prices make no sense", hint="SOL per token, both")
        hours = number_of(row, "hours_held")
        if hours is None:
            opened = number_of(row, "first_buy_timestamp")
            hours = 0.0 if opened is None else (self._clock.now_ns() / NS_PER_SECOND - opened) / 3_600
        return share, round(max(hours, 0.0) * 3_600) * NS_PER_SECOND


class TradingRiskManager(PumpSwapRiskManager):
    """The strategy document's name of the same; its answer has ``approved`` and ``reason``."""
