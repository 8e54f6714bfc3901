"""What ``why`` tells scripts: every number that was compared, so that a decision can be made again from it."""

from __future__ import annotations

import math
from typing import Any, assert_never

from pumpswap.amm import Quote
from pumpswap.analytics.metrics import slippage_between
from pumpswap.app.standing import Standing
from pumpswap.app.why import Fate, Line, RoundResult, Tale, Why
from pumpswap.cli.books_view import entry_json, iso_time, position_json, run_json
from pumpswap.cli.output import Output, fraction_json
from pumpswap.cli.positions_view import held_json
from pumpswap.model import (
    Costs,
    Decision,
    Denied,
    Filled,
    Order,
    Outcome,
    Rejected,
    Signal,
    Unknown,
    Verdict,
)

__all__ = ["decision_json", "why_json"]


def why_json(out: Output, told: Why) -> None:
    """All of it, exactly."""
    out.emit(
        "why",
        {
            "run": run_json(told.books.header),
            "as_of_ns": str(told.as_of_ns),
            "decision": None if told.tale is None else _tale_json(told.tale),
            "lines": [_line_json(line) for line in told.lines],
            "older_left_out": told.left_out,
            "standings": [_standing_json(standing) for standing in told.standings],
        },
    )


def decision_json(decision: Decision) -> dict[str, Any]:
    """A decision without loss: all that it was made of."""
    intent = decision.intent
    return {
        "decision_id": decision.decision_id,
        "at": iso_time(intent.at_ns),
        "at_ns": str(intent.at_ns),
        "side": intent.side.value,
        "pool": intent.pool,
        "mint": intent.mint,
        "accepted": decision.accepted,
        "quote_lamports": str(decision.quote_lamports),
        "base_units": str(decision.base_units),
        "wish": {
            "reason": intent.reason,
            "strategy": intent.strategy or None,
            "exit": None if intent.exit is None else intent.exit.value,
            "base_units": _digits(intent.base_units),
            "quote_lamports": _digits(intent.quote_lamports),
            "slippage_bps": intent.slippage_bps,
        },
        "signal": None if intent.signal is None else _signal_json(intent.signal),
        "sizing": [{"rule": step.rule, "lamports": str(step.lamports), "note": step.note} for step in decision.sizing],
        "verdicts": [verdict_json(verdict) for verdict in decision.verdicts],
    }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """What one policy said, and the figures that it compared."""
    return {
        "policy": verdict.policy,
        "passed": verdict.passed,
        "text": verdict.text,
        "numbers": dict(verdict.numbers),
        "until": iso_time(verdict.until_ns),
        "until_ns": _digits(verdict.until_ns),
    }


def _signal_json(signal: Signal) -> dict[str, Any]:
    figures = (
        "score", "base_score", "strength", "q50", "size_multiplier", "win_probability", "win_loss_ratio", "vol_risk"
    )  # fmt: skip
    return {
        "source": signal.source,
        "at_ns": str(signal.at_ns),
        "side": signal.side.value,
        "pool": signal.pool,
        "mint": signal.mint,
        "name": signal.name,
        "regime": signal.regime,
        "reasons": list(signal.reasons),
        **{name: _figure(getattr(signal, name)) for name in figures},
    }


def _tale_json(tale: Tale) -> dict[str, Any]:
    proposal = tale.proposal
    return decision_json(tale.decision) | {
        "name": tale.name,
        "repeats": tale.stored.repeats,
        "repeated_at": iso_time(tale.stored.repeated_ns),
        "proposal": None
        if proposal is None
        else {
            "decision_id": proposal.decision_id,
            "status": proposal.status.value,
            "origin": proposal.origin or None,
            "decided_at": iso_time(proposal.decided_ns),
            "expires_at": iso_time(proposal.expires_ns),
            "follow_up": proposal.follow_up or None,
        },
        "order": None if tale.fate is None else _fate_json(tale.fate),
        "round": None if tale.round is None else _round_json(tale.round),
    }


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "count": line.count,
        "from": iso_time(line.first_ns),
        "to": iso_time(line.last_ns),
        "decision": _tale_json(line.tale),
    }


def _fate_json(fate: Fate) -> dict[str, Any]:
    filled = fate.filled
    slippage = None if filled is None else fraction_json(slippage_between(fate.order.quote, filled.executed))
    return _order_json(fate.order) | {
        "outcome": None if fate.outcome is None else _outcome_json(fate.outcome),
        "slippage": slippage,
        "ledger": [entry_json(entry) for entry in fate.entries],
    }


def _order_json(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "decision_id": order.decision_id,
        "client_order_id": order.client_order_id or None,
        "side": order.side.value,
        "created_at": iso_time(order.created_ns),
        "created_ns": str(order.created_ns),
        "reason": order.reason,
        "quote_lamports": str(order.quote_lamports),
        "base_units": str(order.base_units),
        "limit": str(order.limit),
        "slippage_bps": order.slippage_bps,
        "quote": _quote_json(order.quote),
    }


def _quote_json(quote: Quote) -> dict[str, str | None]:
    return {name: _digits(getattr(quote, name)) for name in quote.__struct_fields__}


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    shared = {"kind": type(outcome).__name__.lower(), "at": iso_time(outcome.at_ns), "at_ns": str(outcome.at_ns)}
    match outcome:
        case Filled():
            return shared | {
                "slot": outcome.slot,
                "executed": _quote_json(outcome.executed),
                "costs": _costs_json(outcome.costs),
                "signature": outcome.signature or None,
            }
        case Rejected():
            return shared | {
                "slot": outcome.slot,
                "code": outcome.code,
                "name": outcome.name,
                "text": outcome.text,
                "costs": _costs_json(outcome.costs),
                "signature": outcome.signature or None,
            }
        case Denied():
            return shared | {"rule": outcome.rule, "text": outcome.text}
        case Unknown():
            return shared | {"signature": outcome.signature, "expiry_height": outcome.expiry_height}
        case _ as never:
            assert_never(never)


def _costs_json(costs: Costs) -> dict[str, str]:
    names = ("network_fee", "priority_fee", "tip", "rent_paid", "rent_returned")
    return {f"{name}_lamports": str(getattr(costs, name)) for name in names}


def _round_json(result: RoundResult) -> dict[str, Any]:
    return position_json(result.position) | {
        "price_lamports": str(result.price_lamports),
        "venue_fees_lamports": str(result.venue_fees_lamports),
        "network_lamports": str(result.network_lamports),
        "exits": [_fate_json(fate) for fate in result.exits],
    }


def _standing_json(standing: Standing) -> dict[str, Any]:
    exits = standing.exits
    return {
        "pool": standing.pool,
        "mint": standing.mint,
        "is_running": standing.is_running,
        "position": None if standing.held is None else held_json(standing.held),
        "selling": None
        if exits is None or exits.wanted is None
        else {
            "exit": exits.wanted.value,
            "base_units": str(exits.wanted_units),
            "reason": exits.wanted_reason,
            "failures": exits.failures,
            "retry_at": iso_time(exits.retry_ns or None),
        },
        "obstacles": [verdict_json(verdict) for verdict in standing.obstacles],
    }


def _figure(value: float | None) -> float | str | None:
    """A float; one that JSON cannot say as text."""
    return value if value is None or math.isfinite(value) else str(value)


def _digits(value: int | None) -> str | None:
    return None if value is None else str(value)
