"""The fault plan: which call a fault hits, how often, and that a seed replays it."""

from __future__ import annotations

import pytest

from pumpswap.errors import UsageError
from pumpswap.localnet.faults import (
    NOTIFY,
    SEND,
    SOCKET,
    STATUSES,
    TRANSACTION,
    Fault,
    FaultKind,
    FaultPlan,
    FiredFault,
)


def kinds(plan: FaultPlan, method: str, slots: range, *, signature: str = "", target: str = "") -> list[str]:
    found = (plan.pick(method, slot, signature=signature, target=target) for slot in slots)
    return [fault.kind.value if fault is not None else "" for fault in found]


def test_without_faults_nothing_happens() -> None:
    assert kinds(FaultPlan(), SEND, range(100)) == [""] * 100


def test_a_fault_happens_as_often_as_it_says_and_is_recorded() -> None:
    plan = FaultPlan([Fault(FaultKind.RATE_LIMITED, times=2, amount=5)])
    assert kinds(plan, "getSlot", range(3)) == ["rate_limited", "rate_limited", ""]
    assert plan.fired == [
        FiredFault(0, "getSlot", "", FaultKind.RATE_LIMITED, 5),
        FiredFault(1, "getSlot", "", FaultKind.RATE_LIMITED, 5),
    ]


def test_a_fault_keeps_to_its_slots_both_ends_included() -> None:
    plan = FaultPlan([Fault(FaultKind.RESET, first_slot=3, last_slot=4)])
    assert kinds(plan, "getSlot", range(2, 6)) == ["", "reset", "reset", ""]


def test_a_fault_keeps_to_its_methods_signatures_and_target() -> None:
    plan = FaultPlan([Fault(FaultKind.RESET, methods=frozenset({STATUSES}))])
    assert kinds(plan, SEND, range(1)) == [""]
    assert kinds(plan, STATUSES, range(1)) == ["reset"]
    plan = FaultPlan([Fault(FaultKind.DROP_AFTER, signatures=frozenset({"mine"}))])
    assert kinds(plan, SEND, range(1), signature="other") == [""]
    assert kinds(plan, SEND, range(1), signature="mine") == ["drop_after"]
    plan = FaultPlan([Fault(FaultKind.HIDE, signatures=frozenset({"mine"}))])
    assert plan.pick(STATUSES, 0, signature=["other", "another"]) is None
    assert plan.pick(STATUSES, 0, signature=["other", "mine"]) is not None
    assert plan.fired[-1].signature == "mine"
    plan = FaultPlan([Fault(FaultKind.RESET, target="first")])
    assert kinds(plan, SEND, range(1), target="second") == [""]
    assert kinds(plan, SEND, range(1), target="first") == ["reset"]


@pytest.mark.parametrize(
    ("kind", "hit", "spared"),
    [
        (FaultKind.DROP_BEFORE, SEND, "getSlot"),
        (FaultKind.DELAY_TO_EXPIRY, SEND, STATUSES),
        (FaultKind.HIDE, TRANSACTION, SEND),
        (FaultKind.CLAIM_LANDED, STATUSES, TRANSACTION),
        (FaultKind.CLAIM_HEIGHT, "getEpochInfo", SEND),
        (FaultKind.DROP_NOTIFICATION, NOTIFY, "getSlot"),
        (FaultKind.CLOSE_SOCKET, SOCKET, SEND),
        (FaultKind.SERVER_ERROR, "getSlot", NOTIFY),
        (FaultKind.STALE, STATUSES, SOCKET),
    ],
)
def test_a_kind_hits_only_what_it_can_happen_to(kind: FaultKind, hit: str, spared: str) -> None:
    plan = FaultPlan([Fault(kind)])
    assert kinds(plan, spared, range(1)) == [""]
    assert kinds(plan, hit, range(1)) == [kind.value]


def test_the_first_fault_that_fires_wins() -> None:
    plan = FaultPlan([Fault(FaultKind.RESET, times=1), Fault(FaultKind.SERVER_ERROR, times=1)])
    assert kinds(plan, "getSlot", range(3)) == ["reset", "server_error", ""]


def test_likelihood_is_drawn_from_the_seed() -> None:
    def run(seed: int) -> list[str]:
        return kinds(FaultPlan([Fault(FaultKind.RESET, per_mille=300)], seed=seed), "getSlot", range(400))

    assert run(1) == run(1) != run(2)
    assert 80 < run(1).count("reset") < 160


def test_a_drawn_plan_is_the_same_for_the_same_seed_and_keeps_to_its_slots() -> None:
    def plan(seed: int) -> FaultPlan:
        return FaultPlan.drawn(seed, first_slot=1_000, slots=50, count=8)

    assert plan(5).faults == plan(5).faults != plan(6).faults
    assert len(plan(5).faults) == 8
    for seed in range(200):
        assert all(1_000 <= fault.first_slot <= fault.last_slot <= 1_050 for fault in plan(seed).faults)


def test_drawn_plans_reach_every_kind_that_was_asked_for() -> None:
    drawn = {fault.kind for seed in range(100) for fault in FaultPlan.drawn(seed, first_slot=0, slots=9).faults}
    assert {FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.DELAY_TO_EXPIRY, FaultKind.STALE} <= drawn
    assert FaultKind.CLAIM_LANDED not in drawn  # lies only on request
    lies = (FaultKind.CLAIM_LANDED, FaultKind.HIDE)
    asked = {
        fault.kind for seed in range(20) for fault in FaultPlan.drawn(seed, first_slot=0, slots=9, kinds=lies).faults
    }
    assert asked == set(lies)
    with pytest.raises(UsageError):
        FaultPlan.drawn(1, first_slot=0, slots=0)


def test_a_cleared_plan_is_a_recovered_endpoint() -> None:
    plan = FaultPlan()
    plan.drop_send(after_execution=True)
    plan.delay_send(3)
    plan.hide("one")
    assert kinds(plan, SEND, range(1)) == ["drop_after"]
    plan.clear()
    assert kinds(plan, SEND, range(5)) == [""] * 5
    assert len(plan.fired) == 1
