"""OrderBridge: hears the engine and tells Nautilus, the same in live, sandbox and back-test."""

from __future__ import annotations

import logging
from typing import assert_never

from pumpswap.model import (
    Alert,
    Decision,
    Denied,
    Filled,
    Order,
    Outcome,
    Position,
    Proposal,
    ProposalStatus,
    Rejected,
    RunObserver,
    Unknown,
)
from pumpswap.nautilus.orders import EXPIRED, EventSink, OrderName, fill_of, name_of, rejection_text

__all__ = ["OrderBridge", "refusal_text"]

_log = logging.getLogger(__name__)
_UNORDERED = "order"  # the topic of the alert that an accepted wish could not be ordered


class OrderBridge(RunObserver):
    """Listens to one engine whose books are those of run ``run_id``. Each order is told as things happen: submitted and
    accepted when it is stored, then its one outcome. An unknown outcome is none: the order stays open until the chain
    proves what became of it.

    Refusals of the gate are told here too, also those of buys that a person was asked about; and orders that our engine
    makes by itself (exits, commands of a person) are mirrored. Whoever submits has nothing left to tell.
    """

    def __init__(self, run_id: int, sink: EventSink) -> None:
        self._run_id = run_id
        self._sink = sink
        self._proposed: dict[str, str] = {}  # client order ids of buys that wait for a person, by decision
        self._accepted = ""  # the client order id of a wish that is accepted and neither ordered nor proposed yet
        self._refused = ""  # why the gate refused, after a person had agreed

    @property
    def waiting(self) -> frozenset[str]:
        """Client order ids of buys that wait for a person."""
        return frozenset(self._proposed.values())

    def on_decision(self, decision: Decision) -> None:
        self._hear(decision, decision.decision_id)

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        self._hear(decision, of)

    def on_order(self, order: Order) -> None:
        self._accepted = ""
        name = name_of(order, self._run_id)
        if name.is_ours:
            self._sink.mirrored(order, name)
        self._sink.submitted(name, order.created_ns)
        self._sink.accepted(name, order.created_ns)
        self._sink.account(order.created_ns)

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        name = name_of(order, self._run_id)
        match outcome:
            case Filled():
                self._sink.filled(name, fill_of(outcome), outcome.at_ns)
            case Rejected():
                self._sink.rejected(name, rejection_text(outcome), outcome.at_ns)
            case Denied() if outcome.rule == EXPIRED:
                self._sink.expired(name, outcome.at_ns)
            case Denied():
                self._sink.rejected(name, f"{outcome.rule}: {outcome.text}", outcome.at_ns)
            case Unknown():
                _log.warning("nautilus-order-unknown", extra={"client_order_id": name.client, "order": name.venue})
                return
            case _ as never:
                assert_never(never)
        self._sink.account(outcome.at_ns)

    def on_proposal(self, proposal: Proposal) -> None:
        if proposal.status is ProposalStatus.WAITING:
            if self._accepted:
                self._proposed[proposal.decision_id], self._accepted = self._accepted, ""
            return
        client_order_id = self._proposed.pop(proposal.decision_id, "")
        if not client_order_id or proposal.status is ProposalStatus.ORDERED:
            return
        text = self._refused or f"{proposal.status.value} ({proposal.origin or 'nobody approved it'})"
        self._refused = ""
        self._deny(client_order_id, f"{proposal.decision_id}: {text}", proposal.decided_ns or proposal.at_ns)

    def on_alert(self, alert: Alert) -> None:
        if alert.topic == _UNORDERED and self._accepted:
            client_order_id, self._accepted = self._accepted, ""
            self._deny(client_order_id, alert.text, alert.at_ns)

    def _hear(self, decision: Decision, stored_id: str) -> None:
        client_order_id = decision.intent.client_order_id
        if not client_order_id:
            return
        if decision:
            self._accepted = client_order_id
        elif client_order_id in self._proposed.values():
            self._refused = refusal_text(decision, stored_id)
        else:
            self._deny(client_order_id, refusal_text(decision, stored_id), decision.intent.at_ns)

    def _deny(self, client_order_id: str, reason: str, at_ns: int) -> None:
        self._sink.denied(OrderName(client_order_id, "", is_ours=False), reason, at_ns)


def refusal_text(decision: Decision, stored_id: str = "") -> str:
    """Why the gate refused, with the name under which ``pumpswap why`` tells the rest."""
    return f"{stored_id or decision.decision_id}: {'; '.join(f'{one.policy}: {one.text}' for one in decision.refusals)}"
