"""EndpointPool: reads and broadcasts go on when endpoints fail, and no answer turns time back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_PROGRAM, GLOBAL_CONFIG
from pumpswap.chain.circuit import Circuit, CircuitState
from pumpswap.chain.endpoint import EndpointRules
from pumpswap.chain.endpoints import EndpointPool
from pumpswap.chain.networks import GenesisGuard
from pumpswap.chain.node import ChainAccount, Commitment, Height, ProgramFilter
from pumpswap.chain.rate_limit import RateLimit
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.errors import (
    ConfigError,
    EndpointDown,
    NodeRefused,
    NotServed,
    RateLimited,
    WrongNetwork,
)
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pools import wallet
from pumpswap.settings import ChainSettings
from tests.chain.practice import practice_chain, signed

pytestmark = pytest.mark.asyncio


class World:
    """Three endpoints on one chain, a clock that only sleeping moves."""

    def __init__(self, *, rules: EndpointRules | None = None, guard: GenesisGuard | None = None) -> None:
        self.chain = practice_chain()
        self.chain.advance(300)
        self.clock = ManualClock(10**18)
        self.slept: list[float] = []
        self.nodes = [LocalNode(self.chain, name=name, faults=FaultPlan()) for name in ("ash", "birch", "cedar")]
        self.pool = EndpointPool(self.nodes, self.clock, rules=rules, guard=guard, sleep=self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.wait(seconds)
        await asyncio.sleep(0)

    def wait(self, seconds: float) -> None:
        self.clock.advance_to(self.clock.now_ns() + round(seconds * NS_PER_SECOND))

    async def slot(self) -> int:
        return (await self.pool.accounts([GLOBAL_CONFIG])).slot

    def states(self) -> list[bool]:
        return [one.is_usable for one in self.pool.health()]


async def settled(work: Coroutine[Any, Any, Any]) -> Any:
    """The result, when everything in the background has run too."""
    result = await work
    for _ in range(10):
        await asyncio.sleep(0)
    return result


async def test_reads_go_on_when_two_of_three_endpoints_are_dead_and_come_back_to_the_preferred_one() -> None:
    world = World()
    world.nodes[0].is_down = world.nodes[1].is_down = True
    for _ in range(4):
        assert await world.slot() == world.chain.slot - 1
    assert world.states() == [False, False, True] and world.slept == []
    world.nodes[0].is_down = False
    world.wait(2)
    await settled(world.slot())  # somebody else answers while the recovered one is tried in the background
    assert world.states() == [True, False, True]
    world.nodes[2].is_down = True
    assert await world.slot() == world.chain.slot - 1


class Stalling(LocalNode):
    """Down at first; then it takes questions and never answers."""

    is_stalled = False
    asked = 0

    async def height(self, commitment: Commitment = Commitment.CONFIRMED) -> Height:
        self.asked += 1
        if self.is_stalled:
            await asyncio.Event().wait()
        return await super().height(commitment)


async def test_no_read_waits_for_an_endpoint_that_is_on_trial() -> None:
    world = World()
    stalling = Stalling(world.chain, name="stalling")
    async with EndpointPool([stalling, world.nodes[1]], world.clock, sleep=world.sleep) as pool:
        stalling.is_down = True
        for _ in range(2):
            await pool.height()
        stalling.is_down, stalling.is_stalled, stalling.asked = False, True, 0
        world.wait(2)
        for _ in range(3):
            assert (await settled(pool.height())).slot == world.chain.slot - 1
        assert stalling.asked == 1 and world.slept == []


async def test_when_all_are_down_the_error_names_each() -> None:
    world = World()
    for node in world.nodes:
        node.is_down = True
    with pytest.raises(EndpointDown, match=r"cedar.*ash.*birch"):
        await world.slot()


async def test_p18_retry_after_is_honoured_and_another_endpoint_takes_over() -> None:
    world = World()
    world.nodes[0].faults.add(Fault(FaultKind.RATE_LIMITED, times=1, amount=30))
    for _ in range(5):
        await world.slot()
    assert len(world.nodes[0].faults.fired) == 1 and world.states() == [False, True, True]
    assert world.slept == []
    world.wait(31)
    assert world.states() == [True, True, True]


async def test_p18_a_single_endpoint_is_waited_for_when_it_will_listen_soon_and_not_when_late() -> None:
    world = World()
    plan = FaultPlan()
    pool = EndpointPool([LocalNode(world.chain, faults=plan)], world.clock, sleep=world.sleep)
    plan.add(Fault(FaultKind.RATE_LIMITED, times=1, amount=1))
    assert (await pool.accounts([GLOBAL_CONFIG])).slot == world.chain.slot - 1
    assert world.slept == [1.0]
    plan.add(Fault(FaultKind.RATE_LIMITED, times=1, amount=60))
    with pytest.raises(RateLimited) as caught:
        await pool.accounts([GLOBAL_CONFIG])
    assert caught.value.retry_after_seconds == 60.0
    with pytest.raises(RateLimited):
        await pool.accounts([GLOBAL_CONFIG])
    assert len(plan.fired) == 2  # the last question did not go out


async def test_a_lagging_node_cannot_turn_time_back() -> None:
    world = World()
    newest = await world.slot()
    world.nodes[0].is_down = True
    world.nodes[1].lag_slots = 5
    assert await world.slot() == newest
    world.nodes[2].is_down = True
    with pytest.raises(EndpointDown, match="not yet"):  # the dead ones and the lagging one, each by name
        await world.slot()
    world.chain.advance(5)
    world.wait(5)
    assert await world.slot() == newest


async def test_a_node_far_behind_is_not_read_from_until_it_has_caught_up() -> None:
    world = World()
    world.nodes[0].lag_slots = 100
    await world.pool.refresh()
    for _ in range(3):
        await world.pool.refresh()
    assert world.states()[0] is False and world.pool.health()[0].lag_slots == 100
    assert (await world.pool.height()).slot == world.chain.slot - 1
    world.nodes[0].lag_slots = 0
    world.wait(60)
    await settled(world.pool.height())
    assert world.states() == [True, True, True]


async def test_one_lie_about_the_height_does_not_make_the_others_old_for_ever() -> None:
    world = World()
    world.nodes[0].faults.add(Fault(FaultKind.CLAIM_HEIGHT, times=1, amount=10_000))
    await world.pool.height()
    world.wait(60)
    for _ in range(3):
        await settled(world.pool.height())
        world.wait(60)
    assert (await world.pool.height()).slot == world.chain.slot - 1
    assert world.states() == [True, True, True]


class Refusing(LocalNode):
    """An endpoint that does not search accounts."""

    asked = 0

    async def program_accounts(
        self, program: Pubkey, filters: Sequence[ProgramFilter] = (), *, commitment: Commitment = Commitment.CONFIRMED
    ) -> tuple[ChainAccount, ...]:
        self.asked += 1
        raise NotServed(f"{self.name} has no account index", hint="")


async def test_p21_what_an_endpoint_does_not_serve_is_asked_once_and_then_elsewhere() -> None:
    chain = practice_chain()
    first, second = Refusing(chain, name="first"), LocalNode(chain, name="second")
    clock = ManualClock()
    pool = EndpointPool([first, second], clock)
    for _ in range(3):
        assert [one.address for one in await pool.program_accounts(AMM_PROGRAM)] == [GLOBAL_CONFIG]
    assert first.asked == 1 and pool.health()[0].is_usable
    clock.advance_to(clock.now_ns() + 600 * NS_PER_SECOND)  # a firewall may have said so for a moment
    assert [one.address for one in await pool.program_accounts(AMM_PROGRAM)] == [GLOBAL_CONFIG]
    assert first.asked == 2
    only = EndpointPool([Refusing(chain)], ManualClock())
    health = await only.probe()
    assert health[0].capabilities["program_accounts"] is False and health[0].capabilities["accounts"] is True
    with pytest.raises(NotServed):
        await only.program_accounts(AMM_PROGRAM)


async def test_a_broadcast_goes_to_every_healthy_endpoint_and_executes_once() -> None:
    world = World()
    raw = signed(world.chain, wallet(world.chain, 10**9))
    world.nodes[0].faults.drop_send(after_execution=False)
    signature = await settled(world.pool.send(raw))
    world.chain.advance(2)
    landed = await world.pool.transaction(signature)
    assert landed is not None and landed.raw == raw
    assert len(world.nodes[0].faults.fired) == 1


async def test_a_broadcast_is_refused_for_certain_only_when_all_refuse() -> None:
    world = World()
    broken = bytes(70)
    with pytest.raises(NodeRefused):
        await world.pool.send(broken)
    raw = signed(world.chain, wallet(world.chain, 10**9))
    world.nodes[0].faults.add(Fault(FaultKind.FALSE_ERROR))
    world.nodes[1].is_down = world.nodes[2].is_down = True
    with pytest.raises(EndpointDown):
        await world.pool.send(raw)


async def test_an_endpoint_of_another_chain_is_never_used() -> None:
    settings = ChainSettings(network="localnet")
    here, there = practice_chain(7), practice_chain(8)
    other = LocalNode(there, name="other")
    pool = EndpointPool([LocalNode(here, name="here"), other], ManualClock(), guard=GenesisGuard(settings))
    await pool.height()
    await pool.refresh()
    assert [one.is_usable for one in pool.health()] == [True, False]
    assert "other serves another" in pool.health()[1].note
    with pytest.raises(WrongNetwork):
        await pool.nodes[1].height()
    assert [one.name for one in pool.usable()] == ["here"]


async def test_a_pool_needs_an_endpoint_and_a_network() -> None:
    with pytest.raises(ConfigError):
        EndpointPool([], ManualClock())
    with pytest.raises(ConfigError, match="network"):
        EndpointPool.from_settings(ChainSettings(), ManualClock())


async def test_endpoints_of_one_host_have_names_of_their_own_without_secrets() -> None:
    urls = [{"url": "http://127.0.0.1:1/secret-a-1"}, {"url": "http://127.0.0.1:1/secret-b-2"}]
    settings = ChainSettings.model_validate({"network": "localnet", "endpoints": urls})
    async with EndpointPool.from_settings(settings, ManualClock()) as pool:
        assert pool.name == "127.0.0.1:1, 127.0.0.1:1#2"
        assert "secret" not in repr(pool.nodes)


async def test_the_rate_limit_spaces_turns_and_urgent_ones_do_not_wait() -> None:
    clock = ManualClock(10**18)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))

    limit = RateLimit(10, clock, burst=2, sleep=sleep)
    for _ in range(4):
        await limit.turn()
    assert slept == [0.1, 0.1] or slept == [0.1, 0.2]
    before = len(slept)
    await limit.turn(urgent=True)
    assert len(slept) == before
    clock.advance_to(clock.now_ns() + 10 * NS_PER_SECOND)
    await limit.turn()
    assert len(slept) == before


async def test_a_circuit_opens_lets_one_trial_through_and_doubles_its_pause() -> None:
    clock = ManualClock(10**18)
    circuit = Circuit(clock, failures_to_open=2, pause_seconds=1, longest_pause_seconds=3)
    circuit.failed()
    assert circuit.state is CircuitState.CLOSED
    circuit.failed()
    circuit.failed()  # was under way when it opened: the pause stays
    assert circuit.state is CircuitState.OPEN and circuit.wait_seconds == 1.0
    for pause in (2.0, 3.0, 3.0):
        clock.advance_to(clock.now_ns() + round(circuit.wait_seconds * NS_PER_SECOND))
        assert circuit.is_due
        circuit.asked()
        assert not circuit.is_due
        circuit.failed()
        assert circuit.wait_seconds == pause
    circuit.succeeded()
    assert circuit.state is CircuitState.CLOSED and circuit.failures_in_a_row == 0
