"""The bridge tells every order's story once, in order, whatever the engine does; nothing ends an unknown one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from pumpswap.model import (
    Alert,
    AlertLevel,
    Costs,
    Denied,
    Intent,
    Order,
    Proposal,
    ProposalStatus,
    Rejected,
    TradeSide,
    Unknown,
    Verdict,
)
from pumpswap.nautilus.bridge import OrderBridge, refusal_text
from pumpswap.nautilus.orders import Fill, OrderName
from tests.storage import samples

NS = samples.NS


class Sink:
    """Keeps what it is told, by client order id."""

    def __init__(self) -> None:
        self.told: dict[str, list[tuple[Any, ...]]] = {}
        self.accounts = 0

    def _keep(self, name: OrderName, *what: Any) -> None:
        self.told.setdefault(name.client, []).append(what)

    def mirrored(self, order: Order, name: OrderName) -> None:
        self._keep(name, "mirrored")

    def denied(self, name: OrderName, reason: str, at_ns: int) -> None:
        self._keep(name, "denied", reason)

    def submitted(self, name: OrderName, at_ns: int) -> None:
        self._keep(name, "submitted")

    def accepted(self, name: OrderName, at_ns: int) -> None:
        self._keep(name, "accepted")

    def filled(self, name: OrderName, fill: Fill, at_ns: int) -> None:
        self._keep(name, "filled", fill.base_units)

    def rejected(self, name: OrderName, reason: str, at_ns: int) -> None:
        self._keep(name, "rejected", reason)

    def expired(self, name: OrderName, at_ns: int) -> None:
        self._keep(name, "expired")

    def account(self, at_ns: int) -> None:
        self.accounts += 1


def decided(number: int, client: str, *, accepted: bool = True) -> Any:
    intent = Intent(TradeSide.BUY, samples.POOL, samples.MINT, NS, "", client_order_id=client)
    verdicts = (Verdict("size", accepted, "5 SOL asked for, the limits allow 1"),)
    return samples.decision(number, intent=intent, accepted=accepted, verdicts=verdicts)


def kinds(sink: Sink, client: str) -> list[str]:
    return [one[0] for one in sink.told.get(client, [])]


def test_an_order_is_told_from_its_submission_to_its_fill() -> None:
    sink = Sink()
    bridge = OrderBridge(3, sink)
    bridge.on_decision(decided(1, "O-1"))
    bridge.on_order(samples.order(client_order_id="O-1"))
    assert kinds(sink, "O-1") == ["submitted", "accepted"]
    bridge.on_outcome(samples.order(client_order_id="O-1"), samples.filled(), None)
    assert kinds(sink, "O-1") == ["submitted", "accepted", "filled"]
    assert sink.accounts == 2


def test_an_order_of_our_own_is_mirrored_first() -> None:
    sink = Sink()
    OrderBridge(3, sink).on_order(samples.order())
    assert kinds(sink, "PS-3-o000001") == ["mirrored", "submitted", "accepted"]


def test_a_refusal_is_denied_with_its_decision_and_a_repeated_one_with_the_stored_decision() -> None:
    sink = Sink()
    bridge = OrderBridge(3, sink)
    refusal = decided(7, "O-1", accepted=False)
    bridge.on_decision(refusal)
    bridge.on_repeat(decided(8, "O-2", accepted=False), "d000007", 1)
    assert sink.told["O-1"] == [("denied", "d000007: size: 5 SOL asked for, the limits allow 1")]
    assert sink.told["O-2"] == [("denied", "d000007: size: 5 SOL asked for, the limits allow 1")]
    assert refusal_text(refusal).startswith("d000007: ")


def test_what_is_accepted_and_cannot_be_ordered_is_denied_with_the_alert() -> None:
    sink = Sink()
    bridge = OrderBridge(3, sink)
    bridge.on_decision(decided(1, "O-1"))
    bridge.on_alert(Alert(NS, AlertLevel.ERROR, "order", samples.POOL, "accepted, but not ordered: the pool is empty"))
    bridge.on_alert(Alert(NS, AlertLevel.ERROR, "order", samples.POOL, "another one"))
    assert sink.told["O-1"] == [("denied", "accepted, but not ordered: the pool is empty")]


def proposal(number: int, status: ProposalStatus, **changes: Any) -> Proposal:
    made = Proposal(f"d{number:06d}", samples.POOL, samples.MINT, "", 10**9, NS, NS + 10**9, status)
    return replace(made, **changes)


def test_a_buy_that_waits_for_a_person_is_told_when_he_has_decided() -> None:
    sink = Sink()
    bridge = OrderBridge(3, sink)
    for number, client in ((1, "YES"), (2, "NO"), (3, "LATE"), (4, "REFUSED")):
        bridge.on_decision(decided(number, client))
        bridge.on_proposal(proposal(number, ProposalStatus.WAITING))
    assert bridge.waiting == {"YES", "NO", "LATE", "REFUSED"}
    assert sink.told == {}
    bridge.on_decision(decided(5, "YES"))
    bridge.on_proposal(proposal(1, ProposalStatus.ORDERED, origin="me", follow_up="d000005"))
    bridge.on_order(samples.order(decision_id="d000005", client_order_id="YES"))
    bridge.on_proposal(proposal(2, ProposalStatus.DECLINED, origin="me"))
    bridge.on_proposal(proposal(3, ProposalStatus.EXPIRED, origin="nobody approved it in time"))
    bridge.on_decision(decided(6, "REFUSED", accepted=False))
    bridge.on_proposal(proposal(4, ProposalStatus.REFUSED, origin="me", follow_up="d000006"))
    assert kinds(sink, "YES") == ["submitted", "accepted"]
    assert sink.told["NO"] == [("denied", "d000002: declined (me)")]
    assert sink.told["LATE"] == [("denied", "d000003: expired (nobody approved it in time)")]
    assert sink.told["REFUSED"] == [("denied", "d000004: d000006: size: 5 SOL asked for, the limits allow 1")]
    assert bridge.waiting == frozenset()


class Stories(RuleBasedStateMachine):
    """Orders of both systems, in any mixture."""

    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.sink = Sink()
        self.bridge = OrderBridge(3, self.sink)
        self.number = 0
        self.ended: dict[str, str] = {}

    @rule(target=orders, is_ours=st.booleans())
    def ordered(self, is_ours: bool) -> Order:
        self.number += 1
        client = "" if is_ours else f"O-{self.number}"
        self.bridge.on_decision(decided(self.number, client))
        order = samples.order(self.number, client_order_id=client)
        self.bridge.on_order(order)
        return order

    @rule()
    def refused(self) -> None:
        self.number += 1
        self.bridge.on_decision(decided(self.number, f"O-{self.number}", accepted=False))
        self.ended[f"O-{self.number}"] = "denied"

    @rule(order=orders)
    def unknown(self, order: Order) -> None:
        before = {client: list(told) for client, told in self.sink.told.items()}
        self.bridge.on_outcome(order, Unknown(order.order_id, NS, "sig", 5), None)
        assert self.sink.told == before

    @rule(order=consumes(orders), kind=st.sampled_from(["filled", "rejected", "expired", "not stored"]))
    def ends(self, order: Order, kind: str) -> None:
        number = int(order.order_id[1:])
        outcome = {
            "filled": samples.filled(number),
            "rejected": Rejected(order.order_id, NS, 2, 6004, "ExceededSlippage", "moved", Costs(5_000), "s"),
            "expired": Denied(order.order_id, NS, "expired", "all attempts have expired"),
            "not stored": Denied(order.order_id, NS, "not stored", "the books could not take it"),
        }[kind]
        self.bridge.on_outcome(order, outcome, None)
        name = order.client_order_id or f"PS-3-{order.order_id}"
        self.ended[name] = "rejected" if kind == "not stored" else kind

    @invariant()
    def each_is_told_once_and_in_order(self) -> None:
        for client, told in self.sink.told.items():
            story = [one[0] for one in told]
            ours = ["mirrored"] if client.startswith("PS-") else []
            end = self.ended.get(client)
            expected = ["denied"] if end == "denied" else [*ours, "submitted", "accepted", *([end] if end else [])]
            assert story == expected


Stories.TestCase.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestStories = Stories.TestCase
