"""Circuit: an endpoint that fails is left alone, and always tried again."""

from __future__ import annotations

from random import Random

import pytest

from pumpswap.chain.circuit import Circuit, CircuitState
from pumpswap.clock import NS_PER_SECOND, ManualClock


def test_a_question_that_fails_while_the_circuit_is_open_does_not_keep_the_endpoint_out_for_ever() -> None:
    """Whoever holds an endpoint directly (a sender that follows an order) may ask it right after it has failed."""
    clock = ManualClock()
    circuit = Circuit(clock)
    circuit.failed()
    circuit.failed()
    assert circuit.state is CircuitState.OPEN
    circuit.asked()
    circuit.failed()
    clock.advance_to(10 * NS_PER_SECOND)
    assert circuit.is_due


@pytest.mark.parametrize("seed", range(50))
def test_whatever_happens_it_is_due_again_once_its_pause_is_over_and_no_question_is_out(seed: int) -> None:
    rng, clock = Random(f"circuit {seed}"), ManualClock()
    circuit, out = Circuit(clock), 0
    for _ in range(200):
        if rng.random() < 0.5:
            circuit.asked()
            out += 1
        elif out:
            rng.choice((circuit.failed, circuit.failed, circuit.succeeded, circuit.abandoned))()
            out -= 1
        clock.advance_to(clock.now_ns() + rng.randrange(2 * NS_PER_SECOND))
    while out:
        circuit.failed()
        out -= 1
    clock.advance_to(clock.now_ns() + 61 * NS_PER_SECOND)
    assert circuit.state is CircuitState.CLOSED or circuit.is_due
