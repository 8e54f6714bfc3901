"""Outcomes and decisions as the dictionaries that a host's code reads. Which case is what: ``answers_table``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, assert_never, cast

from pumpswap.amm import PoolState, Quote
from pumpswap.clock import iso_utc
from pumpswap.model import (
    Decision,
    Denied,
    Filled,
    Order,
    Outcome,
    Position,
    Rejected,
    SizingStep,
    Unknown,
    gain_between,
)
from pumpswap.risk.sizing import POOL_STEPS
from pumpswap.sdk.executor.answers_table import Status, answer_of
from pumpswap.sdk.executor.position_view import position_view
from pumpswap.sdk.results import pool_data_of, trade_result
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = [
    "Context",
    "Done",
    "ExecutionResult",
    "code_of_outcome",
    "order_result",
    "result_of",
    "told_result",
]

_NS_PER_MS = 1_000_000


class ExecutionResult(TypedDict):
    """What every ``execute_…`` returns, always with all keys; what does not apply is None.

    ``status`` is executed, hold, skipped, rejected, error or unknown; ``reason`` (of errors: ``error``) is a code of
    the table in docs/executor.md, and ``message`` says it in words. **Never repeat a call whose status is unknown.**
    Amounts for people are floats; beside them stand the exact integers (``*_lamports``, ``*_units``).
    """

    status: str
    success: bool
    action: str
    reason: str | None
    error: str | None
    message: str
    retry: str
    refusals: list[str]
    required: list[str]
    is_paper: bool
    trade_id: str | None
    order_id: str | None
    decision_id: str | None
    signal_id: str | None
    mint: str | None
    mint_address: str | None
    pair_address: str | None
    sol_amount: float | None
    sol_received: float | None
    token_amount: float | None
    tokens_received: float | None
    price: float | None
    actual_price: float | None
    price_per_token: float | None
    expected_price: float | None
    quote_lamports: int | None
    base_units: int | None
    pnl_sol: float | None
    pnl_lamports: int | None
    slippage_percent: float | None
    price_impact_percent: float | None
    gas_used: int | None
    network_fee_lamports: int | None
    priority_fee_lamports: int | None
    tip_lamports: int | None
    rent_paid_lamports: int | None
    rent_returned_lamports: int | None
    transaction_hash: str | None
    tx_id: str | None
    signature: str | None
    expiry_height: int | None
    slot: int | None
    error_code: int | None
    error_name: str | None
    error_category: str | None
    execution_latency_ms: int
    sizing: list[dict[str, object]]
    position: dict[str, object] | None
    pool_data: dict[str, object] | None
    signal_data: object
    execution_record: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class Context:
    """What a call is about, as far as it has come. ``trades`` begins the ids of its trades."""

    signal_data: object
    started_ns: int
    trades: str = ""
    is_paper: bool = True
    signal_id: str = ""
    pool: str | None = None
    mint: str | None = None
    regime: str | None = None
    state: PoolState | None = None

    def trade_id(self, order: Order) -> str:
        """The id of a trade, unlike that of any other run."""
        return f"{self.trades}-{order.order_id}"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a wish: refused by the gate (no order), or an order and its outcome, and what is held since."""

    decision: Decision
    ended_ns: int
    order: Order | None = None
    outcome: Outcome | None = None
    before: Position | None = None
    after: Position | None = None
    more: Mapping[str, object] = field(default_factory=dict)


# ---------------------------------------------------------------------------------------------- which case it is

_SHALLOW = frozenset({"liquidity", "price impact", "price after fees", "slippage", "way out", "sellable"})
_DENIED = {
    "insufficient funds": "insufficient_balance",
    "wallet reserve": "insufficient_balance",
    "limit": "slippage_exceeded",
    "unresolved order": "order_unresolved",
}


def code_of_refusal(decision: Decision) -> str:
    """Why the gate refused, as a code: an open order, nothing to sell, no size, the pool alone, or limits."""
    refused = {verdict.policy for verdict in decision.refusals}
    if "open order" in refused:
        return "order_unresolved"
    if "holding" in refused:
        held = next(verdict.numbers["held_base_units"] for verdict in decision.refusals if verdict.policy == "holding")
        return "no_position" if held == "0" else "invalid_sell_amount"
    last = decision.sizing[-1].rule if decision.sizing else ""
    if "size" in refused and last in ("input", "error"):
        return "invalid_position_size"
    is_small = refused == {"size"} and _too_small_by(decision.sizing) in POOL_STEPS
    return "insufficient_liquidity" if refused and (refused <= _SHALLOW or is_small) else "risk_limits_exceeded"


def code_of_outcome(outcome: Outcome) -> str:
    """How an order ended, as a code."""
    match outcome:
        case Filled():
            return "filled"
        case Unknown():
            return "outcome_unknown"
        case Rejected():
            return "slippage_exceeded" if _is_slippage(outcome.name) else "transaction_failed"
        case Denied():
            return _DENIED.get(outcome.rule, "not_sent")
        case _ as never:
            assert_never(never)


def _is_slippage(name: str) -> bool:
    return "slippage" in name.lower()


def _too_small_by(steps: tuple[SizingStep, ...]) -> str:
    """The step that has taken most of the size, of those before the one that called it too small."""
    before, most, rule = 0, 0, ""
    for step in steps:
        if step.rule == "minimum size":
            break
        if before - step.lamports > most:
            most, rule = before - step.lamports, step.rule
        before = step.lamports
    return rule


# ---------------------------------------------------------------------------------------------- dictionaries


def told_result(code: str, text: str, context: Context, *, action: str = "hold", **more: object) -> ExecutionResult:
    """The dictionary of a case of the table without an order. ``more`` are further keys."""
    answer = answer_of(code)
    named = {"error": code} if answer.status is Status.ERROR else {"reason": code}
    fixed: dict[str, object] = {
        "status": answer.status.value,
        "success": answer.status is Status.EXECUTED,
        "action": action,
        "message": text,
        "retry": answer.retry.value,
        "refusals": [],
        "required": [],
        "is_paper": context.is_paper,
        "signal_id": context.signal_id or None,
        "mint": context.mint,
        "mint_address": context.mint,
        "pair_address": context.pool,
        "execution_latency_ms": 0,
        "sizing": [],
        "pool_data": None if context.state is None else dict(pool_data_of(context.state)),
        "signal_data": _copied(context.signal_data),
    }
    if code == "filled":
        named = {}
    empty = dict.fromkeys(ExecutionResult.__annotations__)
    return cast(ExecutionResult, {**empty, **fixed, **named, **more})


def result_of(done: Done, context: Context) -> ExecutionResult:
    """The dictionary of a wish that the gate has decided upon."""
    decision = done.decision
    base: dict[str, object] = {
        "decision_id": decision.decision_id,
        "sizing": [{"rule": step.rule, "lamports": step.lamports, "note": step.note} for step in decision.sizing],
        "execution_latency_ms": max(done.ended_ns - context.started_ns, 0) // _NS_PER_MS,
        **done.more,
    }
    action = decision.intent.side.value
    if done.order is None or done.outcome is None:
        refusals = [f"{verdict.policy}: {verdict.text}" for verdict in decision.refusals]
        code = "not_sent" if decision else code_of_refusal(decision)
        text = "; ".join(refusals) or "accepted, but the program would refuse the order: see the alert"
        # Not "hold": something was to be done, and a limit spoke against it.
        return told_result(code, text, context, action=action, **{**base, "refusals": refusals})
    return _ended(done.order, done.outcome, done, context, base)


def order_result(code: str, text: str, fate: tuple[Order, Outcome | None], context: Context) -> ExecutionResult:
    """The dictionary of a case that is about an order of an earlier call, with what is known of it."""
    order, outcome = fate
    facts = _facts(order, outcome, context)
    if code not in ("already_executed", "filled"):
        facts |= dict.fromkeys(("error_category", "error_name", "error_code"))
    return told_result(code, text, context, action=order.side.value, **facts)


def _ended(order: Order, outcome: Outcome, done: Done, context: Context, base: Mapping[str, object]) -> ExecutionResult:
    code = code_of_outcome(outcome)
    gain = gain_between(done.before, done.after)
    lamports = None if gain is None else gain.gain_lamports
    more = _facts(order, outcome, context) | {
        **base,
        "pnl_lamports": lamports,
        "pnl_sol": None if lamports is None else lamports / LAMPORTS_PER_SOL,
        "error_category": _CATEGORIES.get(code),
        "position": None if done.after is None else position_view(done.after, context.state),
    }
    text = _told_by(order, outcome)
    result = told_result(code, text, context, action=order.side.value, **more)
    result["execution_record"] = _record(result, order, done, context)
    return result


def _facts(order: Order, outcome: Outcome | None, context: Context) -> dict[str, object]:
    """What an order and its outcome tell, in both vocabularies."""
    state = context.state
    known: dict[str, object] = {
        "trade_id": context.trade_id(order),
        "order_id": order.order_id,
        "decision_id": order.decision_id,
        "mint_address": order.mint,
        "mint": order.mint,
        "pair_address": order.pool,
        "price_impact_percent": float(_quote_of(order, outcome).impact * 100),
    }
    if outcome is None:
        return known
    decimals = (6, 9) if state is None else (state.base_decimals, state.quote_decimals)
    traded = dict(trade_result(order, outcome, decimals))
    if state is None:  # decimals are never assumed: exact units only
        traded |= dict.fromkeys(_DISPLAY)
    own = ("message", "success", "refusals", "status")
    known |= {key: traded[key] for key in ExecutionResult.__annotations__ if key in traded and key not in own}
    return known | {"signature": traded["tx_id"], "slippage_percent": _slippage(traded)}


def _told_by(order: Order, outcome: Outcome) -> str:
    return str(trade_result(order, outcome, (0, 9))["message"])


def _quote_of(order: Order, outcome: Outcome | None) -> Quote:
    return outcome.executed if isinstance(outcome, Filled) else order.quote


_DISPLAY = (
    "sol_amount", "sol_received", "token_amount", "tokens_received", "price", "actual_price", "price_per_token",
    "expected_price",
)  # fmt: skip
_CATEGORIES = {
    "insufficient_balance": "insufficient_balance",
    "slippage_exceeded": "slippage_exceeded",
    "transaction_failed": "transaction_failed",
    "not_sent": "transaction_failed",
}
_RECORD_STATUS = {Status.EXECUTED: "confirmed", Status.UNKNOWN: "pending"}


def _record(result: ExecutionResult, order: Order, done: Done, context: Context) -> dict[str, object]:
    """The execution record of the proof of concept."""
    status = _RECORD_STATUS.get(answer_of(result["error"] or result["reason"] or "filled").status, "failed")
    expired = isinstance(done.outcome, Denied) and done.outcome.rule == "expired"
    same = (
        "trade_id", "mint_address", "pair_address", "action", "sol_amount", "token_amount", "expected_price",
        "actual_price", "transaction_hash", "gas_used", "execution_latency_ms", "slippage_percent",
        "price_impact_percent", "pnl_sol", "signal_data",
    )  # fmt: skip
    picked: dict[str, object] = {key: cast(Mapping[str, object], result)[key] for key in same}
    return {
        **picked,
        "timestamp": iso_utc(order.created_ns, fraction=True),
        "execution_status": "timeout" if expired else status,
        "regime_at_execution": context.regime,
        "error_message": None if result["success"] else result["message"],
        "retry_count": 0,
    }


def _slippage(traded: Mapping[str, Any]) -> float | None:
    """|actual − expected| / expected in per cent, both after all fees of the venue."""
    expected, actual = traded["expected_price"], traded["actual_price"]
    return None if not expected or actual is None else abs(actual - expected) / expected * 100


def _copied(signal_data: object) -> object:
    return dict(signal_data) if isinstance(signal_data, Mapping) else signal_data
