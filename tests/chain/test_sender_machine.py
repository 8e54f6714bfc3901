"""The same world under hypothesis: it looks for the shortest story in which the sender breaks a rule."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pumpswap.localnet.faults import Fault, FaultKind
from tests.chain.sender_world import FAILURES, LIES, NAMES, World, new_chain

ENDPOINTS = st.integers(0, len(NAMES) - 1)
MOST_ORDERS = 3


class SenderMachine(RuleBasedStateMachine):
    """Orders, time, endpoints that misbehave, and a process that is killed. Endpoint 0 may also lie."""

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.runner = asyncio.Runner()
        chain = new_chain()
        # Older than any endpoint may lag: of what is older than its first block a node can prove nothing.
        chain.advance(260)
        self.world = World(chain, seed)

    def run(self, work: Any) -> None:
        self.runner.run(work)

    @precondition(lambda self: len(self.world.orders) < MOST_ORDERS)
    @rule(fails=st.booleans())
    def order(self, fails: bool) -> None:
        self.run(self.world.start(self.world.new_order(fails=fails)))

    @rule(slots=st.sampled_from((1, 2, 5, 20, 75, 151, 200)))
    def time_passes(self, slots: int) -> None:
        self.world.chain.advance(slots)

    @rule()
    def look(self) -> None:
        for order in self.world.orders.values():
            if not self.world.is_settled(order):
                self.run(self.world.advance(order))

    @rule(at=ENDPOINTS, kind=st.sampled_from(FAILURES), amount=st.sampled_from((0, 1, 20, 149, 150)))
    def break_endpoint(self, at: int, kind: FaultKind, amount: int) -> None:
        self.world.pool.nodes[at].faults.add(Fault(kind, amount=amount, times=3))

    @rule(kind=st.sampled_from(LIES))
    def lie(self, kind: FaultKind) -> None:
        self.world.pool.nodes[0].faults.add(Fault(kind, times=5))

    @rule(at=ENDPOINTS, is_down=st.booleans())
    def switch(self, at: int, is_down: bool) -> None:
        self.world.pool.nodes[at].is_down = is_down

    @rule(at=ENDPOINTS, slots=st.sampled_from((0, 1, 40, 200)))
    def lag(self, at: int, slots: int) -> None:
        self.world.pool.nodes[at].lag_slots = slots

    @rule(at=ENDPOINTS)
    def forget(self, at: int) -> None:
        self.world.pool.nodes[at].restart()

    @rule()
    def fork(self) -> None:
        self.world.chain.roll_back(1)

    @rule(steps=st.integers(0, 7))
    def plan_a_kill(self, steps: int) -> None:
        self.world.mine.left = steps

    @rule()
    def restart_process(self) -> None:
        self.world.rebuilt()

    @invariant()
    def nothing_false_and_nothing_twice(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        """Whatever happened: once the endpoints are well, everything becomes known, and is true."""
        if hasattr(self, "world"):
            try:
                self.run(self.world.settle())
                self.world.check()
            finally:
                self.runner.close()


TestSenderMachine = SenderMachine.TestCase
TestSenderMachine.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
