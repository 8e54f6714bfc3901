"""RunLog: what an engine tells, as structured lines: a decision, its order, how that ended, what it cost.

All lines of one order carry its number as ``order``, those before it the decision's as ``decision``.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

from pumpswap.amm.quote import amounts_of
from pumpswap.app.companion import Companions, RunPlace
from pumpswap.app.logs.setup import RUN_LOGGER
from pumpswap.model import (
    Alert,
    AlertLevel,
    Decision,
    Denied,
    Filled,
    LedgerEntry,
    Order,
    Outcome,
    Position,
    Proposal,
    Rejected,
    RiskState,
    RunObserver,
    Unknown,
)

__all__ = ["RunLog", "run_log"]

_LEVELS = {
    AlertLevel.INFO: logging.INFO,
    AlertLevel.WARNING: logging.WARNING,
    AlertLevel.ERROR: logging.ERROR,
    AlertLevel.CRITICAL: logging.CRITICAL,
}
_ORDER = re.compile(r"\border (o\d+)\b")

_log = logging.getLogger(RUN_LOGGER)


def run_log(place: RunPlace) -> Companions:
    """Log what this run does."""
    return Companions(observers=(RunLog(place.run.run_id),))


class RunLog(RunObserver):
    """Refusals are told at level debug, since there are thousands; everything else that is no complaint at info."""

    def __init__(self, run_id: int) -> None:
        self._run_id = run_id
        self._risk: tuple[object, ...] = ()

    def on_decision(self, decision: Decision) -> None:
        level = logging.INFO if decision else logging.DEBUG
        if not _log.isEnabledFor(level):
            return
        intent = decision.intent
        more: dict[str, object] = {"decision": decision.decision_id, "side": intent.side.value, "pool": intent.pool}
        more |= {"mint": intent.mint, "strategy": intent.strategy, "reason": intent.reason, "market_ns": intent.at_ns}
        if intent.signal is not None:
            more |= {"signal": intent.signal.source, "score": intent.signal.score}
        if decision:
            more |= {"quote_lamports": decision.quote_lamports, "base_units": decision.base_units}
        else:
            more["refused_by"] = [verdict.policy for verdict in decision.refusals]
        self._say(level, "accepted" if decision else "refused", more)

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        """The first refusal has told it."""

    def on_order(self, order: Order) -> None:
        if not _log.isEnabledFor(logging.INFO):
            return
        about = _about(order) | {"limit": order.limit, "slippage_bps": order.slippage_bps, "reason": order.reason}
        self._say(logging.INFO, "ordered", about | _amounts(order))

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        level = logging.INFO if isinstance(outcome, Filled) else logging.WARNING
        if not _log.isEnabledFor(level):
            return
        about = _about(order) | {"market_ns": outcome.at_ns, "took_ns": max(outcome.at_ns - order.created_ns, 0)}
        self._say(level, type(outcome).__name__.lower(), about | _outcome(outcome, position))

    def on_entries(self, entries: Sequence[LedgerEntry]) -> None:
        if not entries or not _log.isEnabledFor(logging.DEBUG):
            return
        first = entries[0]
        moved = [f"{entry.kind.value} {entry.units} {entry.asset}" for entry in entries]
        more: dict[str, object] = {"entries": moved, "sequence": first.sequence}
        self._say(logging.DEBUG, "booked", more | ({"order": first.order_id} if first.order_id else {}))

    def on_proposal(self, proposal: Proposal) -> None:
        more = {"decision": proposal.decision_id, "pool": proposal.pool, "status": proposal.status.value}
        self._say(logging.INFO, "proposal", {**more, "quote_lamports": proposal.quote_lamports, "by": proposal.origin})

    def on_risk(self, state: RiskState) -> None:
        """Only what changes what may be traded."""
        now = (state.trading, state.breaker, state.day_is_lost, state.is_drawn_down, tuple(dict(state.faults)))
        if now == self._risk:
            return
        self._risk = now
        more = {"trading": state.trading.value, "reason": state.trading_reason, "breaker": state.breaker.value}
        locks = {"day_is_lost": state.day_is_lost, "is_drawn_down": state.is_drawn_down, "faults": dict(state.faults)}
        self._say(logging.INFO, "risk", {**more, **locks})

    def on_alert(self, alert: Alert) -> None:
        found = _ORDER.search(alert.text)
        more: dict[str, object] = {"topic": alert.topic, "subject": alert.subject, "text": alert.text}
        self._say(_LEVELS[alert.level], "alert", more | ({"order": found[1]} if found else {}))

    def _say(self, level: int, event: str, more: dict[str, object]) -> None:
        told = {name: value for name, value in more.items() if value not in ("", None)}
        _log.log(level, "%s", event, extra={"run": self._run_id, **told})


def _about(order: Order) -> dict[str, object]:
    return {
        "order": order.order_id,
        "decision": order.decision_id,
        "side": order.side.value,
        "pool": order.pool,
        "mint": order.mint,
    }


def _amounts(order: Order) -> dict[str, object]:
    base, quote = amounts_of(order.quote)
    return {"quoted_base_units": base, "quoted_lamports": quote}


def _outcome(outcome: Outcome, position: Position | None) -> dict[str, object]:
    match outcome:
        case Filled():
            base, quote = amounts_of(outcome.executed)
            told: dict[str, object] = {"base_units": base, "quote_lamports": quote, "signature": outcome.signature}
            told |= {"costs_lamports": outcome.costs.spent, "slot": outcome.slot}
            return told if position is None else told | {"realised_lamports": position.realised_lamports}
        case Rejected():
            about = {"code": outcome.code, "error": outcome.name, "text": outcome.text, "signature": outcome.signature}
            return {**about, "costs_lamports": outcome.costs.spent, "slot": outcome.slot}
        case Denied():
            return {"rule": outcome.rule, "text": outcome.text}
        case Unknown():
            return {"signature": outcome.signature, "expiry_height": outcome.expiry_height}
