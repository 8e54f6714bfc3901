"""Finding a transaction over endpoints that are far away, that hang, or that disagree. Time passes virtually."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import pytest

from pumpswap.chain.landing import find_landed
from pumpswap.chain.node import Node
from pumpswap.chain.relay import NodeRelay, Question
from pumpswap.errors import EndpointDown
from pumpswap.localnet.faults import Fault, FaultKind
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.model import Attempt
from tests.chain.sender_world import World, new_chain
from tests.support.virtual_time import run_virtually

Answer = TypeVar("Answer")

TIME_LIMIT = 5.0  # of an endpoint's own


class FarNode(NodeRelay):
    """An endpoint whose every answer takes so many seconds, or fails by the endpoint's own limit."""

    def __init__(self, node: LocalNode, seconds: float) -> None:
        self._node, self._seconds = node, seconds

    @property
    def name(self) -> str:
        return self._node.name

    async def _relay(self, question: Question, ask: Callable[[Node], Awaitable[Answer]]) -> Answer:
        await asyncio.sleep(min(self._seconds, TIME_LIMIT))
        if self._seconds > TIME_LIMIT:
            raise EndpointDown(f"{self.name} has not answered in time", hint="try another endpoint")
        return await ask(self._node)


HANGS = 60.0


@pytest.fixture
def world() -> World:
    return World(new_chain(), 31)


def sent(world: World, *, lands: bool) -> Attempt:
    if not lands:
        for node in world.pool.nodes:
            node.faults.add(Fault(FaultKind.DROP_BEFORE))
    order = world.new_order()
    asyncio.run(world.start(order))
    world.chain.advance(3)
    (attempt,) = world.store.of_order(order.order_id)
    for node in world.pool.nodes:
        node.faults.clear()
    return attempt


def looked(world: World, attempt: Attempt, seconds: Sequence[float], needed: int) -> tuple[bool, float]:
    """Whether it was found, and after how many seconds, to the millisecond."""
    nodes = [FarNode(node, each) for node, each in zip(world.pool.nodes, seconds, strict=False)]

    async def look() -> tuple[bool, float]:
        found = await find_landed(nodes, attempt, needed=needed, is_thorough=False)
        await asyncio.sleep(0)  # those that were given up end
        assert found is None or found.signature == attempt.signature
        return found is not None, round(asyncio.get_running_loop().time(), 3)

    return run_virtually(look())


@pytest.mark.parametrize(
    ("seconds", "needed", "took"),
    [
        ((1.5,), 1, 3.0),  # status and content one after the other: both may take as long as the endpoint may
        ((0.1, 1.5), 2, 3.0),
        ((4.9, 4.9), 2, 9.8),
        ((0.1, 1.5, 0.2), 2, 0.4),
        ((0.1, HANGS, 0.1), 2, 0.2),
    ],
)
def test_what_has_landed_is_found_over_endpoints_that_are_far_away(
    world: World, seconds: tuple[float, ...], needed: int, took: float
) -> None:
    """Both questions once shared two seconds: what had landed was never booked where an answer took 1.05 s."""
    attempt = sent(world, lands=True)
    assert looked(world, attempt, seconds, needed) == (True, took)


@pytest.mark.parametrize(
    ("seconds", "needed", "took"),
    [
        ((0.1, HANGS), 2, 0.1),  # two cannot agree any more
        ((0.1, HANGS, 0.3), 2, 0.3),
        ((0.1, HANGS, 1.2), 1, TIME_LIMIT),  # one is enough, so each is heard
    ],
)
def test_where_nothing_is_found_nobody_waits_for_one_that_hangs_once_no_agreement_is_left(
    world: World, seconds: tuple[float, ...], needed: int, took: float
) -> None:
    attempt = sent(world, lands=False)
    assert looked(world, attempt, seconds, needed) == (False, took)


def test_one_that_hangs_is_waited_for_as_long_as_its_own_limit_where_its_word_is_needed(world: World) -> None:
    attempt = sent(world, lands=True)
    assert looked(world, attempt, (0.1, HANGS), 2) == (False, TIME_LIMIT)


def test_more_names_than_there_are_never_agree(world: World) -> None:
    attempt = sent(world, lands=True)
    twice = [FarNode(world.pool.nodes[0], 0.1), FarNode(world.pool.nodes[0], 0.2)]
    found = run_virtually(find_landed(twice, attempt, needed=2, is_thorough=False))
    assert found is None


def test_one_that_tells_another_outcome_is_outvoted(world: World) -> None:
    attempt = sent(world, lands=True)
    world.pool.nodes[0].faults.add(Fault(FaultKind.CLAIM_FAILED))
    assert looked(world, attempt, (0.1, 0.2, 0.3), 2) == (True, 0.6)
